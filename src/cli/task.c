#include "task.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/query.h"
#include "progress.h"
#include "text/term.h"
#include "json/json_scan.h"

#define PAGE_ROWS 100
#define LABEL_WIDTH 12

static const char *const deleted_fields[] = {"deleted", NULL};
const struct out_spec deleted_object = {.fields = deleted_fields};

bool task_start(struct task *t, struct cli *cli, const struct out_spec *spec)
{
    int rc;

    *t = (struct task){.cli = cli, .status = -1};
    rc = out_open(&t->out, cli, spec, &t->err);
    if (rc == 1)
        t->status = 0;
    else if (rc < 0)
        t->status = out_usage(&t->out, cli, &t->err);
    else if (source_open(&t->source, cli, &t->err) < 0)
        t->status = source_fail(&t->source, &t->err);
    return t->status < 0;
}

int task_end(struct task *t, int rc)
{
    if (t->status < 0 && rc >= 0 && out_end(&t->out, &t->err) < 0)
        rc = -1;
    if (t->status < 0)
        t->status = rc < 0 ? cli_fail(&t->err) : rc;
    source_close(&t->source);
    out_close(&t->out);
    buf_clear(&t->text);
    return t->status;
}

int task_ask(struct task *t, const char *what, const char *method, const char *path,
             struct str json, int64_t timeout_ms, struct str *answer)
{
    return source_send(&t->source, what, method, path, "", json, timeout_ms, &t->text, answer,
                       &t->err);
}

int task_get(struct task *t, const char *what, const char *path, const char *query,
             struct str *answer)
{
    return source_send(&t->source, what, "GET", path, query, STR_NONE, 0, &t->text, answer,
                       &t->err);
}

/* ---- lists ---- */

int task_each_of(struct task *t, struct str array, task_row_fn *each, void *ctx)
{
    struct json_iter it = json_iter(array);
    struct row row = {0};
    int rc = 0;

    while (rc == 0 && json_next(&it))
        rc = row_read(&row, it.value)
                 ? each(t, ctx, it.value, &row)
                 : err_set(&t->err, ERR_FAILED, "an item of the answer of %s is no object",
                           source_name(&t->source));
    row_clear(&row);
    return rc;
}

static int get_page(struct task *t, const char *what, const char *path, const char *query,
                    int64_t page, struct buf *text, struct str *items, int64_t *pages)
{
    struct row row = {0};
    struct buf all = {0};
    struct str answer;
    int rc;

    buf_printf(&all, "%sper_page=%d&page=%" PRId64, query, PAGE_ROWS, page);
    rc = source_get(&t->source, what, path, all.ptr, text, &answer, &t->err);
    if (rc == 0) {
        row_read(&row, answer);
        *pages = row_int(&row, "pages");
        if (!row_get(&row, "items", items) || json_type_of(*items) != JSON_ARRAY)
            rc = err_set(&t->err, ERR_FAILED, "%s: the answer of %s has no items", what,
                         source_name(&t->source));
    }
    row_clear(&row);
    buf_clear(&all);
    return rc;
}

int task_each(struct task *t, const char *what, const char *path, const char *query,
              task_row_fn *each, void *ctx)
{
    struct buf text = {0}; /* each() may ask, too */
    int64_t pages = 1;
    struct str items;
    int rc = 0;

    for (int64_t page = 1; rc == 0 && page <= pages; page++) {
        rc = get_page(t, what, path, query, page, &text, &items, &pages);
        if (rc == 0)
            rc = task_each_of(t, items, each, ctx);
    }
    buf_clear(&text);
    return rc < 0 ? -1 : 0;
}

int task_print_row(struct task *t, void *ctx, struct str json, const struct row *row)
{
    (void)ctx;
    (void)row;
    return out_row(&t->out, json, &t->err);
}

int task_print(struct task *t, struct str json, const struct buf *text)
{
    if (t->out.form == OUT_JSON)
        return out_object(&t->out, json, &t->err);
    return text ? out_text(&t->out, buf_str(text), &t->err) : 0;
}

int task_delete(struct task *t, const char *one_name, size_t count,
                int (*one)(struct task *t, void *ctx, size_t i), void *ctx)
{
    char what[COUNTED_SIZE];
    size_t deleted = 0;

    for (size_t i = 0; i < count; i++) {
        if (one(t, ctx, i) == 0)
            deleted++;
        else if (count > 1)
            cli_fail(&t->err);
        else
            return -1;
    }
    if (deleted == 0)
        return err_set(&t->err, t->err.code, "nothing was deleted");
    cli_note(t->cli, "deleted %s", counted((int64_t)deleted, one_name, what));
    if (task_print(t, deleted == count ? STR("{\"deleted\":true}") : STR("{\"deleted\":false}"),
                   NULL) < 0)
        return -1;
    return deleted == count ? 0 : err_exit_status(ERR_PARTIAL);
}

/* ---- queries ---- */

void query_add(struct buf *query, const char *name, const char *value)
{
    buf_printf(query, "%s=", name);
    query_encode(query, str_c(value));
    buf_put(query, STR("&"));
}

void query_options(struct buf *query, const struct cli *cli, const char *const *names)
{
    for (; *names; names++)
        if (opts_text(&cli->opts, *names))
            query_add(query, *names, opts_text(&cli->opts, *names));
}

/* ---- text for people ---- */

void line_add(const struct task *t, struct buf *out, const char *label, struct str text)
{
    unsigned flags = t->out.flags | (t->out.terminal || term_is_utf8() ? 0 : (unsigned)TERM_ASCII);
    struct err ignored;

    if (text.len == 0)
        return;
    buf_printf(out, "%-*s ", LABEL_WIDTH, label);
    term_clean(out, text, flags, &ignored);
    buf_put(out, STR("\n"));
}

void line_member(const struct task *t, struct buf *out, const char *label, const struct row *row,
                 const char *path)
{
    struct buf text = {0};

    if (row_text(row, path, &text))
        line_add(t, out, label, buf_str(&text));
    buf_clear(&text);
}

char *row_copy(const struct row *row, const char *path)
{
    struct buf text = {0};

    if (row_text(row, path, &text))
        return text.len > 0 ? buf_take(&text) : str_dup(STR(""));
    buf_clear(&text);
    return NULL;
}

bool row_is(const struct row *row, const char *path, const char *text)
{
    struct str value;

    return row_get(row, path, &value) && json_type_of(value) == JSON_STRING &&
           json_string_is(value, str_c(text));
}
