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
    json_put_null(o, "related");
    return o;
}

int view_record_conversation(struct store *store, int64_t id, int *status, struct buf *out,
                             struct err *err)
{
    struct arena arena = {0};
    struct record record;
    cJSON *o;
    int rc = -1;

    if (store_record_get(store, id, &arena, &record, err) == 0) {
        o = build(&record);
        rc = o ? view_answer(o, out, err)
               : err_set(err, ERR_NO_MEMORY, "no memory for the conversation");
        *status = 200;
    } else if (err->code == ERR_NOT_FOUND) {
        rc = view_answer_text("Request not found.", out, err);
        *status = 404;
    }
    arena_clear(&arena);
    return rc;
}
