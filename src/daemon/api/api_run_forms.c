/* The forms about runs: they answer with a redirect to the run, or with what is wrong. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/api/api_form.h"
#include "ops/body.h"
#include "ops/op_runs.h"

static void redirect_to_run(struct call *call, int64_t id)
{
    char to[64] = "/admin/runs";

    if (id != UNKNOWN)
        snprintf(to, sizeof(to), "/admin/runs/%" PRId64, id);
    form_redirect(call, to);
}

static void form_start(struct call *call, struct store *store)
{
    struct body body;
    struct str name, notes;
    int64_t id = UNKNOWN;
    struct err err;

    body_form(&body, call);
    name = form_text(&body, "name");
    notes = form_text(&body, "notes");
    if (op_run_start(call, store, name, notes, body.fields, &id, &err) == 0)
        redirect_to_run(call, id);
    else
        form_error(call, &err, "/admin/runs");
    body_clear(&body);
}

static void form_change(struct call *call, struct store *store, op_run_fn *verb)
{
    int64_t id = UNKNOWN;
    struct err err;

    if (verb(call, store, &id, &err) == 0)
        redirect_to_run(call, id);
    else if (err.code == ERR_NOT_FOUND || err.code == ERR_INVALID)
        redirect_to_run(call, UNKNOWN);
    else
        call_error(call, &err);
}

static void form_end(struct call *call, struct store *store)
{
    form_change(call, store, op_run_end_active);
}

static void form_pause(struct call *call, struct store *store)
{
    form_change(call, store, op_run_pause_active);
}

static void form_resume(struct call *call, struct store *store)
{
    form_change(call, store, op_run_resume);
}

const struct call_route api_run_forms_routes[] = {
    {"POST", "/admin/runs/start", .write = form_start},
    {"POST", "/admin/runs/end", .write = form_end},
    {"POST", "/admin/runs/pause", .write = form_pause},
    {"POST", "/admin/runs/{run_id}/resume", .write = form_resume},
    {0},
};
