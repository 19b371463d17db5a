#include "request_list.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/query.h"
#include "run_name.h"
#include "json/json_scan.h"

#define PATH "/api/requests"
#define PAGE_MAX 200
#define EXPORT_PATH "/admin/api/export"
#define EXPORT_MS 60000
/* Lists are ordered by time of arrival, pages are cut by id. Two requests that arrive within the
 * same moment may have these in opposite order, so pages overlap by this many ids. */
#define OVERLAP 32
#define REMEMBERED (2 * PAGE_MAX)

static const char *const flags[] = {"stream", "image", "tool", "error", "slow", "large"};
#define FLAGS (sizeof(flags) / sizeof(flags[0]))

/* ---- options ---- */

static void add_pair(struct buf *query, const char *name, const char *value)
{
    buf_printf(query, "&%s=", name);
    query_encode(query, str_c(value));
}

static int read_time(const struct cli *cli, const char *option, int64_t *out, struct err *err)
{
    const char *text = opts_text(&cli->opts, option);

    if (text && !format_parse_time(str_c(text), clock_wall_us(), out))
        return err_set(err, ERR_INVALID,
                       "--%s: \"%.80s\" is no time (2031-04-05T06:07, 14:02, today, 15m)", option,
                       text);
    return 0;
}

static int read_number(struct request_list *list, const char *option, struct err *err)
{
    int64_t n = INT64_MIN;

    if (cli_int(list->cli, option, 0, INT64_MAX, &n, err) < 0)
        return -1;
    if (n != INT64_MIN)
        buf_printf(&list->query, "&%s=%" PRId64, option, n);
    return 0;
}

int request_list_read(struct request_list *list, const struct cli *cli, struct err *err)
{
    static const char *const texts[] = {"where", "model", "provider", "route", "endpoint"};

    *list = (struct request_list){.cli = cli};
    buf_put(&list->query, STR("facets=0"));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (opts_text(&cli->opts, texts[i]))
            add_pair(&list->query, texts[i], opts_text(&cli->opts, texts[i]));
    for (size_t i = 0; i < FLAGS; i++)
        if (opts_flag(&cli->opts, flags[i]))
            buf_printf(&list->query, "&%s=1", flags[i]);
    if (read_number(list, "status", err) < 0 ||
        cli_int(cli, "before", 1, INT64_MAX, &list->before, err) < 0 ||
        cli_int(cli, "after", 0, INT64_MAX, &list->after, err) < 0)
        return -1;
    if (read_time(cli, "since", &list->since_us, err) < 0)
        return -1;
    return read_time(cli, "until", &list->until_us, err);
}

void request_list_clear(struct request_list *list)
{
    buf_clear(&list->query);
}

void request_list_of_run(struct request_list *list, int64_t run)
{
    list->run = run;
    buf_printf(&list->query, "&run=%" PRId64, run);
}

int request_list_open(struct request_list *list, struct source *source, struct err *err)
{
    const char *word = list->cli ? opts_text(&list->cli->opts, "run") : NULL;
    struct run_name run = {0};
    int rc = word ? run_name_find(source, word, &run, err) : 0;

    if (rc == 0 && word)
        request_list_of_run(list, run.id);
    run_name_clear(&run);
    return rc;
}

/* ---- matching rows that came another way ---- */

static bool text_is(const struct row *row, const char *path, const char *wanted)
{
    struct str value;

    return row_get(row, path, &value) && json_string_is(value, str_c(wanted));
}

static bool text_has(const struct row *row, const char *path, const char *part)
{
    struct buf text = {0};
    bool found = row_text(row, path, &text) && str_ifind(buf_str(&text), str_c(part)) >= 0;

    buf_clear(&text);
    return found;
}

static bool number_is(const struct row *row, const char *path, const char *wanted)
{
    int64_t n;

    return str_int64(str_c(wanted), &n) && row_int(row, path) == n;
}

static bool in_range(const struct request_list *list, const struct row *row)
{
    int64_t created = row_time(row, "created_at"), id = row_int(row, "id");

    if ((list->since_us && created < list->since_us) ||
        (list->until_us && created >= list->until_us))
        return false;
    return (!list->before || id < list->before) && (!list->after || id > list->after);
}

bool request_list_match(const struct request_list *list, const struct row *row)
{
    const struct opts *o = &list->cli->opts;
    const char *model = opts_text(o, "model"), *provider = opts_text(o, "provider");
    const char *route = opts_text(o, "route"), *endpoint = opts_text(o, "endpoint");
    const char *status = opts_text(o, "status");
    char path[32];

    for (size_t i = 0; i < FLAGS; i++) {
        snprintf(path, sizeof(path), "signals.%s", flags[i]);
        if (opts_flag(o, flags[i]) && !row_true(row, path))
            return false;
    }
    return in_range(list, row) && (!model || text_is(row, "model", model)) &&
           (!provider || text_is(row, "provider_slug", provider) ||
            text_is(row, "billing_provider", provider)) &&
           (!route || text_is(row, "model_route", route)) &&
           (!endpoint || text_has(row, "endpoint", endpoint)) &&
           (!status || number_is(row, "status", status)) &&
           (!list->run || row_int(row, "task_run.id") == list->run);
}

/* ---- pages ---- */

struct pages {
    const struct request_list *list;
    int64_t before; /* the cursor; 0: the newest */
    int64_t last_id, seen[REMEMBERED];
    size_t seen_count;  /* of all rows; the last REMEMBERED ids are kept */
    size_t rows, fresh; /* of the last page */
    struct row row;
};

static int get_page(struct pages *p, struct source *source, int64_t per_page, struct buf *text,
                    struct str *items, struct err *err)
{
    struct buf query = {0};
    struct str answer;
    int rc;

    buf_put(&query, buf_str(&p->list->query));
    buf_printf(&query, "&per_page=%" PRId64, per_page);
    if (p->before)
        buf_printf(&query, "&before=%" PRId64, p->before);
    if (p->list->after)
        buf_printf(&query, "&after=%" PRId64, p->list->after);
    rc = source_get(source, "requests", PATH, query.ptr, text, &answer, err);
    if (rc == 0 &&
        (!json_member(answer, STR("items"), items) || json_type_of(*items) != JSON_ARRAY))
        rc = err_set(err, ERR_FAILED, "requests: the answer of %s has no items",
                     source_name(source));
    buf_clear(&query);
    return rc;
}

static bool is_seen(const struct pages *p, int64_t id)
{
    size_t n = p->seen_count < REMEMBERED ? p->seen_count : REMEMBERED;

    for (size_t i = 0; i < n; i++)
        if (p->seen[i] == id)
            return true;
    return false;
}

static int walk_page(struct pages *p, struct str items, request_row_fn *each, void *ctx,
                     struct err *err)
{
    struct json_iter it = json_iter(items);
    int rc = 0;

    p->rows = p->fresh = 0;
    while (rc == 0 && json_next(&it)) {
        if (!row_read(&p->row, it.value))
            return err_set(err, ERR_FAILED, "requests: an item of the answer is no object");
        p->rows++;
        p->last_id = row_int(&p->row, "id");
        if (is_seen(p, p->last_id))
            continue;
        p->seen[p->seen_count++ % REMEMBERED] = p->last_id;
        p->fresh++;
        if (p->list->since_us && row_time(&p->row, "created_at") < p->list->since_us)
            return 1; /* so is all that follows */
        if (in_range(p->list, &p->row))
            rc = each(ctx, it.value, &p->row, err);
    }
    return rc;
}

int request_list_each(const struct request_list *list, struct source *source, int64_t expected,
                      request_row_fn *each, void *ctx, struct err *err)
{
    struct pages p = {.list = list, .before = list->before};
    struct buf text = {0};
    struct str items;
    int64_t per_page = expected < 1 || expected > PAGE_MAX ? PAGE_MAX : expected;
    int rc;

    do {
        rc = get_page(&p, source, per_page, &text, &items, err);
        if (rc == 0)
            rc = walk_page(&p, items, each, ctx, err);
        if (rc == 0 && p.rows == (size_t)per_page && p.fresh == 0)
            rc = err_set(err, ERR_FAILED, "requests: %s gives the same page again",
                         source_name(source));
        if (rc != 0 || p.rows < (size_t)per_page || p.last_id > INT64_MAX - OVERLAP)
            break;
        p.before = p.last_id + OVERLAP;
        per_page = PAGE_MAX;
    } while (p.last_id > 1);
    row_clear(&p.row);
    buf_clear(&text);
    return rc < 0 ? -1 : 0;
}

/* ---- pieces of an export ---- */

static int get_piece(const struct request_list *list, struct source *source, int64_t after,
                     bool bodies, struct buf *text, struct str *answer, struct err *err)
{
    struct buf query = {0};
    int rc;

    buf_put(&query, buf_str(&list->query));
    buf_printf(&query, "&per_page=%d&bodies=%d", PAGE_MAX, bodies);
    if (after)
        buf_printf(&query, "&after=%" PRId64, after);
    if (list->before)
        buf_printf(&query, "&before=%" PRId64, list->before);
    rc = source_send(source, "requests", "GET", EXPORT_PATH, query.ptr, STR_NONE, EXPORT_MS, text,
                     answer, err);
    buf_clear(&query);
    return rc;
}

int request_list_export(const struct request_list *list, struct source *source, bool bodies,
                        request_row_fn *each, void *ctx, struct err *err)
{
    struct buf text = {0};
    struct row row = {0};
    struct str answer, items;
    struct json_iter it;
    int64_t next = list->after;
    int rc = 0;

    do {
        rc = get_piece(list, source, next, bodies, &text, &answer, err);
        if (rc == 0 && !json_member(answer, STR("items"), &items))
            rc = err_set(err, ERR_FAILED, "requests: the answer of %s has no items",
                         source_name(source));
        if (rc < 0)
            break;
        next = row_read(&row, answer) ? row_int(&row, "next") : ROW_UNKNOWN;
        for (it = json_iter(items); rc == 0 && json_next(&it);)
            if (row_read(&row, it.value) && in_range(list, &row))
                rc = each(ctx, it.value, &row, err);
    } while (rc == 0 && next != ROW_UNKNOWN);
    row_clear(&row);
    buf_clear(&text);
    return rc < 0 ? -1 : 0;
}

/* ---- ids ---- */

static int take_id(void *ctx, struct str json, const struct row *row, struct err *err)
{
    (void)json;
    (void)err;
    *(int64_t *)ctx = row_int(row, "id");
    return 1;
}

int request_id_check(const char *text, struct err *err)
{
    int64_t id;

    if (strcmp(text, "last") == 0 || strcmp(text, "last-error") == 0 ||
        (str_int64(str_c(text), &id) && id >= 0))
        return 0;
    return err_set(err, ERR_INVALID, "\"%.40s\" is no request (an id, \"last\" or \"last-error\")",
                   text);
}

int request_id_read(struct source *source, const char *text, int64_t *id, struct err *err)
{
    static const struct cli no_options;
    struct request_list list = {.cli = &no_options};
    bool error = strcmp(text, "last-error") == 0;
    int64_t found = 0;
    int rc;

    if (request_id_check(text, err) < 0)
        return -1;
    if (str_int64(str_c(text), id))
        return 0;
    buf_put(&list.query, error ? STR("facets=0&error=1") : STR("facets=0"));
    rc = request_list_each(&list, source, 1, take_id, &found, err);
    request_list_clear(&list);
    if (rc == 0 && found == 0)
        return err_set(err, ERR_NOT_FOUND, error ? "no request failed" : "there is no request");
    *id = found;
    return rc;
}
