#include <inttypes.h>

#include "ops/call.h"
#include "ops/tables.h"
#include "view/view_record.h"

static void run_list(struct call *call, struct store *store)
{
    struct view_context ctx = call_view_context(call);
    struct err err;

    if (view_record_list(store, call->path, call->query, &ctx, &call->status, &call->body, &err) <
        0)
        call_error(call, &err);
}

static void run_detail(struct call *call, struct store *store)
{
    struct view_context ctx = call_view_context(call);
    struct err err;

    if (view_record_detail(store, call->id, call->query, &ctx, &call->status, &call->body, &err) <
        0)
        call_error(call, &err);
}

static void run_export(struct call *call, struct store *store)
{
    struct view_context ctx = call_view_context(call);
    struct err err;

    if (view_record_export(store, call->query, &ctx, &call->status, &call->body, &err) < 0)
        call_error(call, &err);
}

static void run_conversation(struct call *call, struct store *store)
{
    struct err err;

    if (view_record_conversation(store, call->id, &call->status, &call->body, &err) < 0)
        call_error(call, &err);
}

static int pick_side(struct str side, const struct record *r, struct str *body, struct str *type)
{
    *type = r->response_content_type;
    if (str_eq(side, STR("request"))) {
        *body = r->request_body;
        *type = r->request_content_type;
    } else if (str_eq(side, STR("response"))) {
        *body = r->response_body;
    } else if (str_eq(side, STR("upstream"))) {
        *body = r->upstream_response_body;
    } else {
        return -1;
    }
    return 0;
}

/* The stored bytes of one side, as they were. */
static void run_body(struct call *call, struct store *store)
{
    struct arena arena = {0};
    struct record r;
    struct buf side = {0};
    struct str body, type;
    struct err err;

    call_query_text(call, "side", &side);
    if (store_record_get(store, call->id, &arena, &r, &err) < 0) {
        if (err.code == ERR_NOT_FOUND)
            call_detail(call, 404, "Request not found.");
        else
            call_error(call, &err);
    } else if (pick_side(buf_str(&side), &r, &body, &type) < 0) {
        call_detail(call, 400, "side must be request, response or upstream.");
    } else if (!body.ptr) {
        call_detail(call, 404, "This body was not kept.");
    } else if (buf_add(&call->body, body, &err) < 0) {
        call_error(call, &err);
    } else {
        call->status = 200;
        call->content_type = STR("application/octet-stream");
        if (type.ptr)
            headers_add(&call->extra, &call->arena, STR("x-llm-observe-content-type"), type, &err);
    }
    buf_clear(&side);
    arena_clear(&arena);
}

static void write_delete(struct call *call, struct store *store)
{
    struct err err;

    if (store_record_delete(store, call->id, &err) < 0)
        call_error(call, &err);
    else
        call_text(call, 200, "{\"deleted\":true}");
}

const struct call_route op_records_routes[] = {
    {"GET", "/api/requests", .run = run_list},
    {"GET", "/admin/api/requests", .run = run_list},
    {"GET", "/api/requests/{record_id}", .run = run_detail},
    {"GET", "/admin/api/requests/{record_id}", .run = run_detail},
    {"GET", "/api/requests/{record_id}/conversation", .run = run_conversation},
    {"GET", "/admin/api/requests/{record_id}/conversation", .run = run_conversation},
    {"GET", "/admin/api/export", .run = run_export},
    {"DELETE", "/admin/api/requests/{record_id}", .write = write_delete},
    {"GET", "/api/requests/{record_id}/body", .run = run_body},
    {"GET", "/admin/api/requests/{record_id}/body", .run = run_body},
    {0},
};
