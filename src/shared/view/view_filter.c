#include "view/view_filter.h"

#include "base/query.h"
#include "json/json.h"
#include "json/json_scan.h"

struct filter *view_filter_read(struct str query, enum filter_scope scope, int64_t now_us,
                                struct buf *refusal)
{
    struct filter_error error;
    struct filter *filter = NULL;
    struct buf text = {0};
    cJSON *o;

    if (query_get(query, "where", &text) && text.len > 0) {
        filter = filter_parse(buf_str(&text), scope, now_us, &error);
        if (!filter) {
            o = cJSON_CreateObject();
            json_put_text(o, "detail", error.msg);
            json_put_int(o, "position", (int64_t)error.position);
            json_put_int(o, "length", (int64_t)error.length);
            json_print(refusal, o);
            cJSON_Delete(o);
        }
    }
    buf_clear(&text);
    return filter;
}

static int64_t active_run(struct store *store)
{
    struct arena arena = {0};
    struct run run;
    struct err err;
    int64_t id = UNKNOWN;

    if (store && store_run_active(store, &arena, &run, &err) == 0)
        id = run.id;
    arena_clear(&arena);
    return id;
}

bool view_filter_wants(const struct filter *filter, const cJSON *row, struct store *store)
{
    struct buf text = {0};
    struct str json;
    bool wants =
        json_print(&text, row) && json_scan(buf_str(&text), &json) == JSON_OBJECT &&
        filter_matches_json(filter, json, filter_wants_run(filter) ? active_run(store) : UNKNOWN);

    buf_clear(&text);
    return wants;
}
