/* GET /admin/api/export: a piece of all that a query chooses, oldest first, in the form of the
 * lines of an export. */
#include <inttypes.h>

#include "base/base64.h"
#include "base/query.h"
#include "base/utf8.h"
#include "view/view_priv.h"
#include "json/json.h"
#include "json/json_scan.h"

/* A piece has at least one request, and ends with the one that makes it larger than this. */
#define PIECE_BYTES ((size_t)4 << 20)

struct export
{
    struct store *store;
    struct buf *out;
    int64_t now_wall_us, last_id, count;
    bool bodies, ended;
    size_t start;
};

static int put(struct export *x, struct str text, struct err *err)
{
    return buf_add(x->out, text, err);
}

static int put_text(struct export *x, struct str text, struct err *err)
{
    if (!text.ptr)
        return put(x, STR("null"), err);
    return json_quote(x->out, text) ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for an answer");
}

static void put_key(struct export *x, const char *key)
{
    buf_printf(x->out, ",\"%s\":", key);
}

/* One side: headers, and the bytes as text where they are text, so that decoding gives them back.
 */
static int put_side(struct export *x, const char *key, struct str headers, struct str type,
                    int64_t bytes, bool truncated, struct str body, struct err *err)
{
    struct str json = STR("null"), shown = STR_NONE;
    struct buf coded = {0};
    bool text = utf8_valid(body);
    int rc;

    put_key(x, key);
    if (!headers.ptr && !body.ptr)
        return put(x, STR("null"), err);
    if (headers.ptr && json_scan(headers, &json) == JSON_INVALID)
        json = STR("null");
    if (put(x, STR("{\"headers\":"), err) < 0 || put(x, json, err) < 0 ||
        put(x, STR(",\"content_type\":"), err) < 0 || put_text(x, type, err) < 0)
        return -1;
    buf_printf(x->out, ",\"bytes\":");
    if (bytes == UNKNOWN)
        buf_put(x->out, STR("null"));
    else
        buf_printf(x->out, "%" PRId64, bytes);
    buf_printf(x->out, ",\"truncated\":%s,\"encoding\":%s,\"body\":", truncated ? "true" : "false",
               !body.ptr ? "null"
               : text    ? "\"utf-8\""
                         : "\"base64\"");
    rc = body.ptr && !text ? base64_encode(&coded, body, err) : 0;
    if (body.ptr)
        shown = text ? body : buf_str(&coded);
    if (rc == 0)
        rc = put_text(x, shown, err);
    if (rc == 0)
        rc = put(x, STR("}"), err);
    buf_clear(&coded);
    return rc;
}

static int put_images(struct export *x, const struct record *r, struct err *err)
{
    cJSON *o = cJSON_CreateObject();
    int rc = view_put_images(o, x->store, r, false, err);

    put_key(x, "images");
    if (rc == 0 && !json_print(x->out, cJSON_GetObjectItemCaseSensitive(o, "images")))
        rc = err_set(err, ERR_NO_MEMORY, "no memory for an answer");
    cJSON_Delete(o);
    return rc;
}

static int put_bodies(struct export *x, int64_t id, struct err *err)
{
    struct arena arena = {0};
    struct record r;
    int rc = store_record_get(x->store, id, &arena, &r, err);

    if (rc == 0)
        rc = put_side(x, "request", r.request_headers_json, r.request_content_type, r.request_bytes,
                      r.request_body_truncated, r.request_body, err);
    if (rc == 0)
        rc = put_side(x, "response", r.response_headers_json, r.response_content_type,
                      r.response_bytes, r.response_body_truncated, r.response_body, err);
    if (rc == 0)
        rc =
            put_side(x, "upstream_response", STR_NONE, r.response_content_type,
                     r.upstream_response_body.ptr ? (int64_t)r.upstream_response_body.len : UNKNOWN,
                     r.response_body_truncated, r.upstream_response_body, err);
    if (rc == 0)
        rc = put_images(x, &r, err);
    arena_clear(&arena);
    return rc;
}

/* {"type":"request", the members of the row, and then the bodies}. */
static int add_line(struct export *x, const struct record *r, struct err *err)
{
    cJSON *row = view_record_row(r, x->now_wall_us);
    struct buf text = {0};
    int rc = view_put_task_run(row, x->store, r, x->now_wall_us, err);

    if (rc == 0 && !json_print(&text, row))
        rc = err_set(err, ERR_NO_MEMORY, "no memory for an answer");
    cJSON_Delete(row);
    if (rc == 0)
        rc = put(x, x->count > 0 ? STR(",\n{\"type\":\"request\",") : STR("{\"type\":\"request\","),
                 err);
    if (rc == 0)
        rc = put(x, (struct str){text.ptr + 1, text.len - 2}, err);
    buf_clear(&text);
    if (rc == 0 && x->bodies)
        rc = put_bodies(x, r->id, err);
    if (rc == 0)
        rc = put(x, STR("}"), err);
    return rc;
}

static int on_record(void *ctx, const struct record *r, struct err *err)
{
    struct export *x = ctx;

    if (add_line(x, r, err) < 0)
        return -1;
    x->count++;
    x->last_id = r->id;
    x->ended = x->out->len - x->start > PIECE_BYTES;
    if (!x->ended)
        return 0;
    err->code = ERR_NONE; /* enough */
    return -1;
}

static bool wants_bodies(struct str query)
{
    struct buf text = {0};
    bool wanted = query_get(query, "bodies", &text) && str_eq(buf_str(&text), STR("1"));

    buf_clear(&text);
    return wanted;
}

int view_record_export(struct store *store, struct str query, const struct view_context *ctx,
                       int *status, struct buf *out, struct err *err)
{
    struct export x = {.store = store,
                       .out = out,
                       .now_wall_us = ctx->now_wall_us,
                       .bodies = wants_bodies(query),
                       .start = out->len};
    int64_t asked = 0;
    int rc;

    if (store_begin(store, err) < 0) /* one state of the database for rows and bodies */
        return -1;
    rc = put(&x, STR("{\"items\":[\n"), err);
    if (rc == 0)
        rc = view_record_oldest(store, query, on_record, &x, &asked, status, out, err);
    if (rc < 0 && x.ended && err->code == ERR_NONE)
        rc = 0;
    store_rollback(store);
    if (rc < 0 || *status != 200)
        return rc;
    if (x.ended || x.count == asked)
        buf_printf(out, "\n],\"next\":%" PRId64 "}", x.last_id);
    else
        buf_put(out, STR("\n],\"next\":null}"));
    return 0;
}
