/* /api/runs: how runs start and end, and what they came to. */
#include <inttypes.h>

#include "base/clock.h"
#include "ops/body.h"
#include "ops/op_runs.h"
#include "ops/tables.h"
#include "store/store_budgets.h"
#include "view/view_run.h"

/* ---- reading ---- */

static void run_list(struct call *call, struct store *store)
{
    struct view_context ctx = call_view_context(call);
    struct err err;

    call->status = 200;
    if (view_run_list(store, &ctx, &call->body, &err) < 0)
        call_error(call, &err);
}

static void answer_detail(struct call *call, struct store *store, unsigned parts)
{
    struct view_context ctx = call_view_context(call);
    struct err err;

    if (view_run_detail(store, call->id, parts, call->path, call->query, &ctx, &call->status,
                        &call->body, &err) < 0)
        call_error(call, &err);
}

static void run_detail(struct call *call, struct store *store)
{
    answer_detail(call, store, VIEW_RUN_PAGE | VIEW_RUN_STATS);
}

static void run_stats(struct call *call, struct store *store)
{
    answer_detail(call, store, VIEW_RUN_STATS);
}

static void run_requests(struct call *call, struct store *store)
{
    answer_detail(call, store, VIEW_RUN_PAGE);
}

/* ---- changing; each of these is one of the verbs below ---- */

int op_run_start(struct call *call, struct store *store, struct str name, struct str notes,
                 const cJSON *fields, int64_t *id, struct err *err)
{
    struct run run = {.started_us = clock_wall_us(), .ended_us = UNKNOWN, .paused_us = UNKNOWN};

    budget_init(&run.budget);
    if (run_check(&name, &notes, err) < 0 || budget_set_all(&run.budget, fields, err) < 0 ||
        call->env->next_run_id(call->env->ctx, store, &run.id, err) < 0)
        return -1;
    *id = run.id;
    run.name = name;
    run.notes = notes;
    return store_run_start(store, &run, err);
}

int op_run_end_active(struct call *call, struct store *store, int64_t *id, struct err *err)
{
    (void)call;
    return store_run_end_active(store, clock_wall_us(), id, err);
}

int op_run_pause_active(struct call *call, struct store *store, int64_t *id, struct err *err)
{
    (void)call;
    return store_run_pause_active(store, clock_wall_us(), id, err);
}

int op_run_resume(struct call *call, struct store *store, int64_t *id, struct err *err)
{
    *id = call->id;
    return store_run_resume(store, *id, clock_wall_us(), err);
}

static int end_one(struct call *call, struct store *store, int64_t *id, struct err *err)
{
    *id = call->id;
    return store_run_end(store, *id, clock_wall_us(), err);
}

/* {"run": ...} after a change that went well. */
static void answer_run(struct call *call, struct store *store, int rc, int64_t id, struct err *err)
{
    call->status = 200;
    if (rc < 0 || view_run_answer(store, id, clock_wall_us(), &call->body, err) < 0)
        call_error(call, err);
}

static void change(struct call *call, struct store *store, op_run_fn *verb)
{
    int64_t id = UNKNOWN;
    struct err err;
    int rc = verb(call, store, &id, &err);

    answer_run(call, store, rc, id, &err);
}

static void write_start(struct call *call, struct store *store)
{
    struct body body;
    int64_t id = UNKNOWN;
    struct err err;
    int rc;

    if (!body_strict(&body, call))
        return;
    rc = op_run_start(call, store, body_text(&body, "name", NULL), body_text(&body, "notes", NULL),
                      body.fields, &id, &err);
    answer_run(call, store, rc, id, &err);
    body_clear(&body);
}

static void write_end(struct call *call, struct store *store)
{
    change(call, store, op_run_end_active);
}

static void write_pause(struct call *call, struct store *store)
{
    change(call, store, op_run_pause_active);
}

static void write_resume(struct call *call, struct store *store)
{
    change(call, store, op_run_resume);
}

/* Only the fields that are there change. */
static int edit(struct store *store, int64_t id, struct body *body, struct err *err)
{
    struct arena arena = {0};
    struct run run;
    int rc = store_run_get(store, id, &arena, &run, err);

    if (rc < 0 && err->code == ERR_NOT_FOUND)
        err_set(err, ERR_NOT_FOUND, "Run not found.");
    if (rc == 0 && body_get(body, "name"))
        run.name = body_text(body, "name", NULL);
    if (rc == 0 && body_get(body, "notes"))
        run.notes = body_text(body, "notes", NULL);
    if (rc == 0)
        rc = run_check(&run.name, &run.notes, err);
    if (rc == 0)
        rc = budget_set_all(&run.budget, body->fields, err);
    if (rc == 0)
        rc = store_run_update(store, &run, err);
    if (rc == 0)
        rc = store_budgets_compare(store, clock_wall_us(), err);
    arena_clear(&arena);
    return rc;
}

static void write_edit(struct call *call, struct store *store)
{
    struct body body;
    struct err err;

    if (!body_strict(&body, call))
        return;
    answer_run(call, store, edit(store, call->id, &body, &err), call->id, &err);
    body_clear(&body);
}

static void write_end_one(struct call *call, struct store *store)
{
    change(call, store, end_one);
}

const struct call_route op_runs_routes[] = {
    {"GET", "/api/runs", .run = run_list},
    {"GET", "/admin/api/runs", .run = run_list},
    {"GET", "/api/runs/{run_id}", .run = run_detail},
    {"GET", "/admin/api/runs/{run_id}", .run = run_detail},
    {"GET", "/api/runs/{run_id}/stats", .run = run_stats},
    {"GET", "/admin/api/runs/{run_id}/stats", .run = run_stats},
    {"GET", "/api/runs/{run_id}/requests", .run = run_requests},
    {"GET", "/admin/api/runs/{run_id}/requests", .run = run_requests},
    {"PATCH", "/api/runs/{run_id}", .write = write_edit},
    {"PATCH", "/admin/api/runs/{run_id}", .write = write_edit},
    {"POST", "/api/runs/start", .write = write_start},
    {"POST", "/admin/api/runs/start", .write = write_start},
    {"POST", "/api/runs/end", .write = write_end},
    {"POST", "/admin/api/runs/end", .write = write_end},
    {"POST", "/api/runs/pause", .write = write_pause},
    {"POST", "/admin/api/runs/pause", .write = write_pause},
    {"POST", "/api/runs/{run_id}/resume", .write = write_resume},
    {"POST", "/admin/api/runs/{run_id}/resume", .write = write_resume},
    {"POST", "/api/runs/{run_id}/end", .write = write_end_one},
    {"POST", "/admin/api/runs/{run_id}/end", .write = write_end_one},
    {0},
};
