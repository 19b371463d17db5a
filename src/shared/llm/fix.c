#include "llm/fix.h"

#include <stdio.h>
#include <stdlib.h>

#include "llm/fix_priv.h"
#include "llm/line_ends.h"
#include "json/json.h"
#include "json/json_number.h"

#define NOTES_MAX 100 /* actions and warnings of one answer */

static const struct fix_kind *const kinds[] = {&fix_qwen, &fix_think, &fix_arguments};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* ---- the plan ---- */

static void read_kinds(struct fix_plan *plan, struct str fixes_json)
{
    struct json_iter it;
    struct str list;

    if (json_scan(fixes_json, &list) != JSON_ARRAY)
        return;
    it = json_iter(list);
    while (json_next(&it))
        for (size_t i = 0; i < KINDS && plan->count < FIX_COUNT; i++)
            if (json_type_of(it.value) == JSON_STRING &&
                json_string_is(it.value, str_c(kinds[i]->id)))
                plan->kinds[plan->count++] = kinds[i];
}

static bool read_request(struct fix_plan *plan, struct str body)
{
    struct json_iter it;
    struct str root, tools = STR_NONE;

    if (json_scan(body, &root) != JSON_OBJECT)
        return true;
    it = json_iter(root);
    while (json_next(&it)) {
        if (json_key_is(it.key, STR("tools")))
            tools = it.value;
        else if (json_key_is(it.key, STR("tool_choice")))
            plan->tools_off =
                json_type_of(it.value) == JSON_STRING && json_string_is(it.value, STR("none"));
        else if (json_key_is(it.key, STR("n")))
            plan->several = json_count(it.value) > 1;
    }
    return !tools.ptr || fix_tools_read(&plan->tools, tools) == 0;
}

static bool wanted(const struct fix_plan *plan, bool stream)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->kinds[i]->wanted(plan, stream))
            return true;
    return false;
}

struct fix_plan *fix_plan_new(struct str fixes_json, struct str endpoint, struct str body,
                              struct str id)
{
    struct fix_plan *plan;

    if (!str_eq(endpoint, STR(FIX_ENDPOINT)))
        return NULL;
    plan = calloc(1, sizeof(*plan));
    if (!plan)
        return NULL;
    read_kinds(plan, fixes_json);
    if (plan->count == 0 || !read_request(plan, body) ||
        (!wanted(plan, false) && !wanted(plan, true))) {
        fix_plan_free(plan);
        return NULL;
    }
    if (id.len > 0)
        snprintf(plan->id, sizeof(plan->id), "%.*s_", STR_ARG(id));
    return plan;
}

void fix_plan_free(struct fix_plan *plan)
{
    if (!plan)
        return;
    fix_tools_clear(&plan->tools);
    free(plan);
}

enum fix_mode fix_mode(const struct fix_plan *plan, bool is_stream, struct str content_type)
{
    bool json = str_ifind(content_type, STR("json")) >= 0;
    bool sse = str_ifind(content_type, STR("text/event-stream")) >= 0;

    if (sse || (is_stream && !json))
        return wanted(plan, true) ? FIX_STREAM : FIX_NOTHING;
    return (json || !content_type.ptr) && wanted(plan, false) ? FIX_PLAIN : FIX_NOTHING;
}

/* ---- a run ---- */

struct fix_run *fix_run_new(struct fix_plan *plan)
{
    struct fix_run *run = calloc(1, sizeof(*run));

    if (!run)
        return NULL;
    run->plan = plan;
    for (size_t i = 0; i < plan->count; i++) {
        struct fix_step *step = &run->steps[run->count];

        *step = (struct fix_step){.kind = plan->kinds[i], .run = run, .place = i};
        run->count++;
        step->state = calloc(1, step->kind->size);
        if (!step->state) {
            fix_run_free(run);
            return NULL;
        }
    }
    return run;
}

void fix_run_free(struct fix_run *run)
{
    if (!run)
        return;
    for (size_t i = 0; i < run->count; i++) {
        if (run->steps[i].state)
            run->steps[i].kind->clear(&run->steps[i]);
        free(run->steps[i].state);
    }
    buf_clear(&run->cutter.part);
    buf_clear(&run->applied);
    buf_clear(&run->warnings);
    free(run);
}

int fix_choices(struct fix_step *step, struct str body, fix_choice_fn *take, struct buf *out)
{
    struct buf changed = {0};
    struct json_iter it;
    struct str choices;
    struct err err;
    int any = 0, one;

    if (!json_member(body, STR("choices"), &choices) || json_type_of(choices) != JSON_ARRAY)
        return 0;
    it = json_iter(choices);
    one = buf_add(&changed, STR("["), &err);
    for (size_t i = 0; one >= 0 && json_next(&it); i++) {
        one = i > 0 ? buf_add(&changed, STR(","), &err) : 0;
        if (one == 0)
            one = take(step, it.value, i, &changed);
        if (one == 0)
            one = fix_compact(&changed, it.value, &err);
        any = any || one > 0;
    }
    if (one >= 0 && any && (one = buf_add(&changed, STR("]"), &err)) == 0) {
        struct fix_patch patch = {.key = STR("choices"), .text = buf_str(&changed)};

        one = fix_patch(out, body, &patch, 1, &err);
    }
    buf_clear(&changed);
    return one < 0 ? -1 : any;
}

bool fix_plain(struct fix_run *run, struct str body, struct buf *out)
{
    struct buf now = {0}, next = {0};
    struct str root, current = body;
    int rc;

    for (size_t i = 0; i < run->count; i++) {
        struct fix_step *step = &run->steps[i];

        if (!step->kind->wanted(run->plan, false) || json_scan(current, &root) != JSON_OBJECT)
            continue;
        rc = step->kind->plain(step, root, &next);
        if (rc < 0) {
            fix_warn(step, STR("Compatibility fix not applied: no memory."));
        } else if (rc > 0) {
            buf_clear(&now);
            now = next;
            next = (struct buf){0};
            current = buf_str(&now);
            run->rewritten = true;
        }
        buf_clear(&next);
    }
    if (!now.ptr)
        return false;
    buf_clear(out);
    *out = now;
    return true;
}

void fix_too_large(struct fix_run *run)
{
    char text[100];

    snprintf(text, sizeof(text), "Compatibility fixes not applied: the answer exceeds %zu bytes.",
             FIX_BODY_MAX);
    fix_warn(&run->steps[0], str_c(text));
}

/* ---- events from step to step ---- */

/* NULL behind the last step: the client is next. */
static struct fix_step *step_from(struct fix_run *run, size_t place)
{
    while (place < run->count && !run->steps[place].kind->wanted(run->plan, true))
        place++;
    return place < run->count ? &run->steps[place] : NULL;
}

static void send(struct fix_run *run, struct str raw)
{
    struct err err;

    if (buf_add(run->out, raw, &err) < 0)
        run->failed = true;
}

static void take_event(struct fix_run *run, size_t place, struct str raw)
{
    struct fix_step *step = step_from(run, place);
    struct fix_event event;

    if (!step) {
        send(run, raw);
        return;
    }
    if (fix_event_read(&event, raw))
        step->kind->event(step, &event);
    else
        run->failed = true;
    fix_event_clear(&event);
}

void fix_emit(struct fix_step *step, struct str raw)
{
    take_event(step->run, step->place + 1, raw);
}

void fix_pass(struct fix_step *step, const struct fix_event *event)
{
    struct fix_step *next = step_from(step->run, step->place + 1);

    if (next)
        next->kind->event(next, event);
    else
        send(step->run, event->raw);
}

void fix_emit_all(struct fix_step *step, const struct fix_queue *q)
{
    struct str raw;
    size_t at = 0;

    while (fix_queue_next(q, &at, &raw))
        fix_emit(step, raw);
}

/* ---- cutting ---- */

static void end_event(struct fix_run *run, struct str raw)
{
    struct fix_cutter *c = &run->cutter;

    if (c->large)
        send(run, raw);
    else
        take_event(run, 0, raw);
    *c = (struct fix_cutter){.part = c->part};
    buf_cut(&c->part, 0);
}

static void let_go(struct fix_run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->steps[i].kind->wanted(run->plan, true))
            run->steps[i].kind->large(&run->steps[i]);
}

/* Bytes of an event; its end comes later, or is there. Nobody looks at a large one: it goes on as
 * it comes. */
static void take_part(struct fix_run *run, struct str bytes, bool ends)
{
    struct fix_cutter *c = &run->cutter;
    struct err err;

    if (!c->large && c->part.len + bytes.len > FIX_TEXT_MAX) {
        let_go(run);
        c->large = true;
        send(run, buf_str(&c->part));
        buf_clear(&c->part);
    }
    if (c->large && !ends) {
        send(run, bytes);
    } else if (ends && c->part.len == 0) {
        end_event(run, bytes);
    } else if (buf_add(&c->part, bytes, &err) < 0) {
        run->failed = true;
    } else if (ends) {
        end_event(run, buf_str(&c->part));
    }
}

/* What a byte does to the line: true when the event is complete behind it. */
static bool step_byte(struct fix_cutter *c, char b)
{
    if (b == '\n' && c->after_cr) {
        c->after_cr = false;
        c->last = CUT_CRLF;
        return false;
    }
    c->after_cr = b == '\r';
    if (b == '\n' || b == '\r') {
        bool blank = !c->filled;

        c->wants_lf = blank && b == '\r' && c->last != CUT_CR;
        c->last = b == '\n' ? CUT_LF : CUT_CR;
        c->filled = false;
        return blank && !c->wants_lf;
    }
    c->filled = c->filled || !fix_blank(b);
    return false;
}

/* Behind the event that goes on at p, NULL when it does not end before end. */
static const char *find_end(struct fix_cutter *c, struct line_ends *ends, const char *p,
                            const char *end)
{
    while (p < end) {
        if (c->wants_lf)
            return *p == '\n' ? p + 1 : p;
        if (c->filled && (p = line_ends_next(ends, p, end)) == end)
            break;
        if (step_byte(c, *p++))
            return p;
    }
    return NULL;
}

int fix_feed(struct fix_run *run, struct str bytes, struct buf *out)
{
    struct line_ends ends = {0};

    run->out = out;
    while (bytes.len > 0 && !run->failed) {
        const char *end = find_end(&run->cutter, &ends, bytes.ptr, bytes.ptr + bytes.len);
        size_t len = end ? (size_t)(end - bytes.ptr) : bytes.len;

        take_part(run, str_cut(bytes, len), end != NULL);
        bytes = str_from(bytes, len);
    }
    return run->failed ? -1 : 0;
}

/* An event without its blank line: nothing may come behind it, so a comment waits. */
static bool take_rest(struct fix_run *run, struct str rest)
{
    struct fix_event event;
    bool comment;

    if (!fix_event_read(&event, rest))
        run->failed = true;
    comment = event.class == FIX_COMMENT;
    fix_event_clear(&event);
    if (comment || run->failed)
        return false;
    run->ending = true;
    end_event(run, rest);
    return true;
}

int fix_finish(struct fix_run *run, bool broken, struct buf *out)
{
    struct buf rest = run->cutter.part;
    bool taken = rest.len == 0;

    run->out = out;
    run->broke_off = broken && fix_holds(run);
    run->cutter.part = (struct buf){0};
    if (!taken && !broken)
        taken = take_rest(run, buf_str(&rest));
    for (size_t i = 0; i < run->count; i++)
        if (run->steps[i].kind->wanted(run->plan, true))
            run->steps[i].kind->finish(&run->steps[i], broken);
    if (!taken)
        send(run, buf_str(&rest));
    buf_clear(&rest);
    return run->failed ? -1 : 0;
}

/* ---- what is told of it ---- */

bool fix_rewritten(const struct fix_run *run)
{
    return run->rewritten;
}

bool fix_warned(const struct fix_run *run)
{
    return run->warnings.len > 0;
}

bool fix_holds(const struct fix_run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->steps[i].kind->holds(&run->steps[i]))
            return true;
    return run->broke_off;
}

static bool may_note(struct fix_run *run, struct buf *list)
{
    if (run->noted++ >= NOTES_MAX)
        return false;
    if (list->len > 0)
        buf_put(list, STR(","));
    return true;
}

void fix_note(struct fix_step *step, const char *action, struct str function)
{
    struct buf *list = &step->run->applied;

    if (!may_note(step->run, list))
        return;
    buf_printf(list, "{\"action\":\"%s\",", action);
    if (function.ptr) {
        buf_put(list, STR("\"function\":"));
        json_quote(list, str_cut(function, 1024));
        buf_put(list, STR(","));
    }
    buf_printf(list, "\"id\":\"%s\"}", step->kind->id);
}

void fix_warn(struct fix_step *step, struct str text)
{
    if (may_note(step->run, &step->run->warnings))
        json_quote(&step->run->warnings, text);
}

void fix_audit(const struct fix_run *run, struct str fixes_json, struct buf *out)
{
    struct str applied = run ? buf_str(&run->applied) : STR("");

    buf_printf(out, "{\"applied\":[%.*s],\"configured\":%.*s}", STR_ARG(applied),
               STR_ARG(fixes_json));
}

void fix_warnings(const struct fix_run *run, struct buf *out)
{
    buf_printf(out, "{\"warnings\":[%.*s]}", STR_ARG(buf_str(&run->warnings)));
}
