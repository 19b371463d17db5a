/* What a transaction adds to the sums of runs: added up in memory, one update for each run when it
 * commits. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/store_priv.h"

/* A batch has few runs; the last one used is mostly the next. */
static struct run_delta *delta_of(struct run_deltas *d, int64_t run_id)
{
    for (size_t i = d->count; i > 0; i--)
        if (d->items[i - 1].run_id == run_id)
            return &d->items[i - 1];
    if (d->count == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 16;
        d->items = xrealloc(d->items, d->cap, sizeof(*d->items));
    }
    d->items[d->count] =
        (struct run_delta){.run_id = run_id, .sums.completed_us = UNKNOWN, .gone_us = UNKNOWN};
    return &d->items[d->count++];
}

/* sum += sign * n; at the bounds it stays there. */
static void add(int64_t *sum, int64_t n, int sign)
{
    *sum = budget_sum(*sum, sign < 0 ? -n : n);
}

static void add_known(int64_t *known, int64_t *sum, int64_t n, int sign)
{
    if (n == UNKNOWN)
        return;
    *known += sign;
    add(sum, n, sign);
}

void run_deltas_count(struct run_deltas *d, const struct record *r, int sign)
{
    struct run_delta *delta;
    struct run_sums *s;
    int64_t *last;

    if (r->task_run_id == UNKNOWN)
        return;
    delta = delta_of(d, r->task_run_id);
    s = &delta->sums;
    s->requests += sign;
    s->successes += r->response_status >= 200 && r->response_status < 400 ? sign : 0;
    s->errors += record_failed(r) ? sign : 0;
    s->pending += r->response_status == UNKNOWN ? sign : 0;
    s->streams += r->is_stream ? sign : 0;
    s->images += r->has_images ? sign : 0;
    s->tools += r->has_tool_calls ? sign : 0;
    s->unpriced += r->completed_us != UNKNOWN && r->billing_total_cost_pusd == UNKNOWN ? sign : 0;
    s->ttfts += r->ttft_ms != UNKNOWN ? sign : 0;
    add_known(&s->durations, &s->duration_ms, r->duration_ms, sign);
    add_known(&s->input_known, &s->input_tokens, r->billing_input_tokens, sign);
    add_known(&s->cached_input_known, &s->cached_input_tokens, r->billing_cached_input_tokens,
              sign);
    add_known(&s->output_known, &s->output_tokens, r->billing_output_tokens, sign);
    add_known(&s->reasoning_known, &s->reasoning_tokens, r->billing_reasoning_tokens, sign);
    add_known(&s->total_known, &s->total_tokens, r->billing_total_tokens, sign);
    add_known(&s->costs, &s->cost_pusd, r->billing_total_cost_pusd, sign);
    add_known(&s->reported_costs, &s->reported_cost_pusd, r->reported_cost_pusd, sign);
    last = sign < 0 ? &delta->gone_us : &s->completed_us;
    if (r->completed_us > *last)
        *last = r->completed_us;
}

static int flush(struct db *db, const struct run_delta *d, struct err *err)
{
    const struct run_sums *s = &d->sums;
    const struct db_value args[] = {
        DB_INT(d->run_id),
#define X(name) store_int(s->name),
        RUN_COUNTED(X)
#undef X
            store_int(s->completed_us),
        store_int(d->gone_us),
    };

    return db_run(db, SQL_RUN_SUMS_ADD, args, sizeof(args) / sizeof(*args), err);
}

int run_deltas_flush(struct run_deltas *d, struct db *db, struct err *err)
{
    for (size_t i = 0; i < d->count; i++)
        if (flush(db, &d->items[i], err) < 0)
            return -1;
    return 0;
}

void run_deltas_forget(struct run_deltas *d)
{
    d->count = 0;
}

void run_deltas_clear(struct run_deltas *d)
{
    free(d->items);
    *d = (struct run_deltas){0};
}
