#include "daemon/proxy/refused.h"

#include "base/clock.h"
#include "core/forward.h"
#include "core/mask.h"

static void note_target(struct capture *c, struct str target)
{
    struct target parts;
    struct buf text = {0};
    struct err err;

    if (!forward_target(target, &parts))
        return;
    if (forward_endpoint(&text, parts.rest, &err) == 0)
        c->record.endpoint = arena_dup(&c->arena, buf_str(&text));
    buf_clear(&text);
    if (mask_query(&text, parts.query, &err) == 0)
        c->record.query_string = arena_dup(&c->arena, buf_str(&text));
    buf_clear(&text);
}

static void note_answer(struct capture *c, struct str target, const struct refusal *refusal)
{
    struct record *r = &c->record;
    struct buf body = {0};
    struct err err;

    error_body(&body, target, refusal_type(refusal->status), refusal->code,
               str_c(refusal->message));
    r->response_bytes = (int64_t)body.len;
    if (blob_add(&c->response, buf_str(&body), &err) < 0)
        r->response_body_truncated = true;
    r->response_status = refusal->status;
    r->response_content_type = STR("application/json");
    r->response_headers_json = STR("{\"content-type\":\"application/json\"}");
    buf_clear(&body);
}

void refused_record(struct worker *w, struct conn *conn, struct str method, struct str target,
                    const struct refusal *refusal)
{
    struct capture *c = capture_new(&w->app->capture_budget);
    struct record *r;

    if (!c)
        return;
    r = &c->record;
    r->id = atomic_fetch_add(&w->app->next_id, 1);
    r->created_us = r->completed_us = clock_wall_us();
    r->task_run_id = open_runs_active(w->app->runs);
    r->duration_ms = 0;
    r->request_bytes = 0;
    r->method = arena_dup(&c->arena, method);
    r->endpoint = STR("/v1/");
    r->upstream_url = STR("");
    r->route_decision = STR("passthrough");
    r->route_source = STR("none");
    r->client = arena_dup(&c->arena, conn_client(conn));
    r->request_headers_json = STR("{}");
    r->terminated_by = STR(TERMINATED_REFUSED);
    r->error = arena_dup(&c->arena, str_c(refusal->message));
    note_target(c, target);
    note_answer(c, target, refusal);
    recorder_end(w->app->recorder, c);
}
