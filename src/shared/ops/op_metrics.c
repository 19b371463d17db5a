/* Requests over time, for charts. */
#include "base/clock.h"
#include "ops/tables.h"
#include "view/view_metrics.h"

static void run_timeseries(struct call *call, struct store *store)
{
    struct err err;

    call->status = 200;
    if (view_metrics(store, call->query, clock_wall_us(), &call->body, &err) < 0)
        call_error(call, &err);
}

const struct call_route op_metrics_routes[] = {
    {"GET", "/admin/api/metrics/timeseries", .run = run_timeseries},
    {0},
};
