/* Actions that change something in the server: cancelling requests, runs. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "text/format.h"
#include "top_priv.h"
#include "json/json.h"
#include "json/json_scan.h"

/* True when nothing may or can be changed; says why. */
static bool refused(struct top *t)
{
    if (t->ui.read_only)
        top_say(t, true, "--read-only: nothing can be changed");
    else if (t->ui.source != SOURCE_LIVE)
        top_say(t, true, "that needs a running server");
    return t->ui.read_only || t->ui.source != SOURCE_LIVE;
}

/* ---- cancelling ---- */

static void cell(const struct item *item, const char *id, char out[100])
{
    struct column_context ctx = {0, FORMAT_TIME_AUTO};
    struct buf text = {0};
    enum role role;

    column_text(column_find(request_columns, str_c(id)), &item->row, &ctx, &text, &role);
    snprintf(out, 100, "%s", text.ptr);
    buf_clear(&text);
}

void change_cancel(struct top *t)
{
    const struct item *item = screen_selected(&t->screen, &t->ui);
    char model[100], provider[100], output[100], age[FORMAT_SIZE];
    int64_t created;

    if (refused(t) || !item || t->ui.view != VIEW_REQUESTS)
        return;
    if (request_finished(&item->row)) {
        top_say(t, true, "request %" PRId64 " is not in flight", item->id);
        return;
    }
    cell(item, "model", model);
    cell(item, "provider", provider);
    cell(item, "out", output);
    created = row_time(&item->row, "created_at");
    format_age(age, created == ROW_UNKNOWN
                        ? FORMAT_NONE
                        : (t->model.now_us + t->ui.monotonic_us - t->model.answered_us - created) /
                              1000);
    t->ui.confirm = (struct confirm){.what = CONFIRM_CANCEL, .id = item->id};
    snprintf(t->ui.confirm.question, sizeof(t->ui.confirm.question),
             "Cancel %" PRId64 " %s on %s (%s, %s tokens)? The client gets an error.", item->id,
             model, provider, age, output);
    top_confirm(t);
}

/* ---- runs ---- */

static void add_item(struct menu *m, char key, int64_t id, const char *text)
{
    m->items[m->count].key = key;
    m->items[m->count].id = id;
    snprintf(m->items[m->count++].text, sizeof(m->items[0].text), "%s", text);
}

/* The name of the active run, or false. */
static bool active_name(const struct top *t, struct buf *out)
{
    return model_text(&t->model, "active_run.name", out);
}

void change_runs_menu(struct top *t)
{
    struct menu *m = &t->ui.menu;
    struct buf name = {0};

    if (refused(t))
        return;
    *m = (struct menu){.kind = MENU_RUNS, .title = "runs"};
    add_item(m, 's', 0, "start a run");
    if (active_name(t, &name)) {
        char text[100];

        snprintf(text, sizeof(text), "pause %.80s", name.ptr);
        add_item(m, 'p', 0, text);
        snprintf(text, sizeof(text), "end %.80s", name.ptr);
        add_item(m, 'e', 0, text);
    }
    add_item(m, 'r', 0, "resume a paused run");
    t->ui.overlay = OVERLAY_MENU;
    buf_clear(&name);
}

static void resume_menu(struct top *t)
{
    struct menu *m = &t->ui.menu;

    *m = (struct menu){.kind = MENU_RESUME, .title = "resume a paused run"};
    for (size_t i = 0; i < t->model.runs.count && m->count < MENU_ITEMS; i++) {
        const struct item *run = &t->model.runs.rows[i];
        struct buf text = {0};

        if (row_true(&run->row, "is_paused") && row_text(&run->row, "name", &text))
            add_item(m, 0, run->id, text.ptr);
        buf_clear(&text);
    }
    if (m->count == 0)
        top_say(t, false, "no run is paused");
    else
        t->ui.overlay = OVERLAY_MENU;
}

static void ask_run_end(struct top *t)
{
    struct buf name = {0};

    if (!active_name(t, &name))
        return;
    t->ui.confirm = (struct confirm){.what = CONFIRM_RUN_END};
    snprintf(t->ui.confirm.question, sizeof(t->ui.confirm.question), "End run %.300s?", name.ptr);
    top_confirm(t);
    buf_clear(&name);
}

static void ask_run_name(struct top *t)
{
    struct buf name = {0};
    char note[200];

    if (active_name(t, &name))
        snprintf(note, sizeof(note), "starting it ends run %.150s", name.ptr);
    else
        snprintf(note, sizeof(note), "Enter goes on to the notes, Esc leaves");
    prompt_open(&t->ui.prompt, PROMPT_RUN_NAME, STR(""), note);
    buf_clear(&name);
}

void change_menu(struct top *t, int item)
{
    const struct menu *m = &t->ui.menu;
    char path[64];

    if (m->kind == MENU_RESUME) {
        snprintf(path, sizeof(path), "/api/runs/%" PRId64 "/resume", m->items[item].id);
        feed_call(t->feed, CALL_RUN_RESUME, m->items[item].id, "POST", path, "", NULL);
        return;
    }
    switch (m->items[item].key) {
    case 's':
        ask_run_name(t);
        break;
    case 'p':
        feed_call(t->feed, CALL_RUN_PAUSE, 0, "POST", "/api/runs/pause", "", NULL);
        break;
    case 'e':
        ask_run_end(t);
        break;
    case 'r':
        resume_menu(t);
        break;
    }
}

void change_prompted(struct top *t)
{
    struct prompt *p = &t->ui.prompt;
    struct str text = str_trim(buf_str(&p->text));
    bool saving = p->kind == PROMPT_SAVE;
    struct buf json = {0};

    if (p->kind == PROMPT_RUN_NAME) {
        prompt_close(p, false);
        if (text.len == 0)
            return;
        snprintf(t->run_name, sizeof(t->run_name), "%.*s", STR_ARG(text));
        prompt_open(p, PROMPT_RUN_NOTES, STR(""), "notes may be empty; Enter starts the run");
        return;
    }
    prompt_close(p, false);
    if (p->text.len > 0 && saving) {
        detail_save(t, p->text.ptr);
        return;
    }
    if (saving)
        return;
    buf_put(&json, STR("{\"name\":"));
    json_quote(&json, str_c(t->run_name));
    buf_put(&json, STR(",\"notes\":"));
    json_quote(&json, text);
    buf_put(&json, STR("}"));
    feed_call(t->feed, CALL_RUN_START, 0, "POST", "/api/runs/start", "", json.ptr);
    top_say(t, false, "starting %s...", t->run_name);
    buf_clear(&json);
}

void change_confirmed(struct top *t)
{
    const struct confirm *c = &t->ui.confirm;
    char path[64];

    switch (c->what) {
    case CONFIRM_CANCEL:
        snprintf(path, sizeof(path), "/api/requests/%" PRId64 "/cancel", c->id);
        feed_call(t->feed, CALL_CANCEL, c->id, "POST", path, "", NULL);
        top_say(t, false, "cancelling %" PRId64 "...", c->id);
        break;
    case CONFIRM_RUN_END:
        feed_call(t->feed, CALL_RUN_END, 0, "POST", "/api/runs/end", "", NULL);
        top_say(t, false, "ending the run...");
        break;
    }
}

/* ---- answers ---- */

static void say_run(struct top *t, const struct news *news, const char *what)
{
    struct buf name = {0};
    struct str value, run;
    struct row row = {0};

    if (json_scan(buf_str(&news->body), &value) == JSON_OBJECT &&
        json_member(value, STR("run"), &run) && row_read(&row, run))
        row_text(&row, "name", &name);
    top_say(t, false, "run %s %s", name.ptr ? name.ptr : "", what);
    row_clear(&row);
    buf_clear(&name);
    feed_hurry(t->feed);
}

void top_answer(struct top *t, const struct news *news)
{
    if (news->failed) {
        top_say(t, true, "%s", news->err.msg);
        return;
    }
    switch ((enum call_tag)news->tag) {
    case CALL_CANCEL:
        top_say(t, false, "request %" PRId64 " cancelled", news->id);
        feed_hurry(t->feed);
        break;
    case CALL_RUN_START:
        say_run(t, news, "started");
        break;
    case CALL_RUN_PAUSE:
        say_run(t, news, "paused");
        break;
    case CALL_RUN_RESUME:
        say_run(t, news, "resumed");
        break;
    case CALL_RUN_END:
        say_run(t, news, "ended");
        break;
    }
}
