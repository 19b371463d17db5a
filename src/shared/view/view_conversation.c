/* GET /api/requests/{id}/conversation. */
#include "llm/conversation.h"
#include "view/view_priv.h"
#include "json/json.h"

static void put_usage(cJSON *o, const struct record *r)
{
    cJSON *usage = cJSON_AddObjectToObject(o, "usage");

    json_put_int(usage, "input", r->billing_input_tokens);
    json_put_int(usage, "cached_input", r->billing_cached_input_tokens);
    json_put_int(usage, "cache_write_input", r->billing_cache_write_input_tokens);
    json_put_int(usage, "output", r->billing_output_tokens);
    json_put_int(usage, "reasoning", r->billing_reasoning_tokens);
    json_put_int(usage, "total", r->billing_total_tokens);
}

/* ---- the request before ---- */

/* How far back it is looked for, and how many bodies are compared. */
#define NEAR_ROWS 50
#define NEAR_BODIES 5
#define NEAR_US (INT64_C(24) * 3600 * 1000000)

struct near {
    const struct record *of;
    int64_t ids[NEAR_BODIES];
    size_t count;
};

/* The address of a client without its port, which each connection has anew. */
static struct str host_of(struct str client)
{
    while (client.len > 0 && client.ptr[client.len - 1] != ':')
        client.len--;
    return client;
}

static int on_near(void *ctx, const struct record *r, struct err *err)
{
    struct near *near = ctx;

    (void)err;
    if (str_eq(r->endpoint, near->of->endpoint) &&
        str_eq(host_of(r->client), host_of(near->of->client)) &&
        r->request_bytes < near->of->request_bytes && near->count < NEAR_BODIES)
        near->ids[near->count++] = r->id;
    return 0;
}

/* The newest of the requests before that this one goes on with; null when there is none. */
static int put_related(cJSON *o, struct store *store, const struct record *r, struct err *err)
{
    struct record_filter filter = {
        .endpoint = r->endpoint,
        .has_run = r->task_run_id != UNKNOWN,
        .run = r->task_run_id,
        .before_id = r->id,
        .since_us = r->created_us > NEAR_US ? r->created_us - NEAR_US : 0,
    };
    struct near near = {.of = r};
    size_t shared = 0;
    int rc = 0;

    if (r->request_body.len > 0)
        rc = store_record_list(store, &filter, false, 0, NEAR_ROWS, 0, on_near, &near, err);
    for (size_t i = 0; rc == 0 && shared == 0 && i < near.count; i++) {
        struct arena arena = {0};
        struct record before;

        rc = store_record_get(store, near.ids[i], &arena, &before, err);
        shared = rc == 0 ? conversation_shared(before.request_body, r->request_body) : 0;
        if (shared > 0) {
            cJSON *related = cJSON_AddObjectToObject(o, "related");

            json_put_int(related, "previous_id", near.ids[i]);
            json_put_int(related, "shared_messages", (int64_t)shared);
        }
        arena_clear(&arena);
    }
    if (rc == 0 && shared == 0)
        json_put_null(o, "related");
    return rc;
}

/* ---- all of it ---- */

static cJSON *build(const struct record *r)
{
    struct conversation_input in = {
        .endpoint = r->endpoint,
        .request_body = r->request_body,
        .response_body = r->response_body,
        .response_content_type = r->response_content_type,
        .request_cut = r->request_body_truncated,
        .response_cut = r->response_body_truncated,
    };
    cJSON *o = conversation_build(&in);

    if (!o)
        return NULL;
    json_put_int(o, "id", r->id);
    json_put_str(o, "upstream_model", r->upstream_model);
    json_put_str(o, "response_model", r->response_model);
    json_put_int(o, "status", r->response_status);
    json_put_str(o, "terminated_by", r->terminated_by);
    put_usage(o, r);
    return o;
}

int view_record_conversation(struct store *store, int64_t id, int *status, struct buf *out,
                             struct err *err)
{
    struct arena arena = {0};
    struct record record;
    cJSON *o = NULL;
    int rc = -1;

    if (store_begin(store, err) < 0)
        goto out;
    if (store_record_get(store, id, &arena, &record, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            rc = view_answer_text("Request not found.", out, err);
        *status = 404;
        goto out;
    }
    o = build(&record);
    if (!o) {
        err_set(err, ERR_NO_MEMORY, "no memory for the conversation");
        goto out;
    }
    if (put_related(o, store, &record, err) < 0)
        goto out;
    rc = view_answer(o, out, err);
    o = NULL;
    *status = 200;
out:
    store_rollback(store);
    cJSON_Delete(o);
    arena_clear(&arena);
    return rc;
}
