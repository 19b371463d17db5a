/* A request whose route has several upstreams: which one is next, when an answer or a failure is
 * passed over, what is kept of each attempt. Until a byte has gone to the client everything can be
 * done once more. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/retry_after.h"
#include "core/upstream_order.h"
#include "daemon/proxy/exchange_priv.h"

#define HELD_MAX ((size_t)256 * 1024) /* a larger answer is not kept for when all others fail */
#define HELD_MS 500                   /* nor one that takes longer to arrive */

/* A timer that goes by itself. */
struct pause {
    uv_timer_t timer;
    struct exchange *x;
    void (*over)(struct exchange *x);
};

struct attempts {
    const struct route *route;
    struct choice order[CHOICES_MAX];
    bool tried[CHOICES_MAX];
    size_t count, now; /* now: the place in order that is under way or next */
    bool several;      /* there was a choice, which the client is told */
    bool waited, last; /* last: nothing may follow */
    int64_t wait_us;   /* before the next one */
    int64_t waited_us, sent_us;
    struct str masked_url;
    struct attempt *made; /* in the capture's arena */
    size_t made_count;
    bool open;    /* the last one made is under way */
    bool settled; /* its upstream's health is noted */
    const char *code;
    struct str message; /* of the last failure */
    struct pause *pause;
    /* the last answer that was passed over */
    bool holding, held;
    struct transfer_head head;
    struct headers headers;
    struct blob body;
    struct decision decision;
    struct transfer_times times;
    size_t held_attempt;
    bool relayed;
};

/* ---- pauses ---- */

static void on_pause_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void end_pause(struct exchange *x)
{
    struct pause *p = x->attempts->pause;

    x->attempts->pause = NULL;
    if (p)
        uv_close((uv_handle_t *)&p->timer, on_pause_closed);
}

static void on_pause_over(uv_timer_t *timer)
{
    struct pause *p = timer->data;
    struct exchange *x = p->x;
    void (*over)(struct exchange * x) = p->over;

    end_pause(x);
    over(x);
}

/* Without memory there is no pause. */
static void pause_for(struct exchange *x, int64_t us, void (*over)(struct exchange *x))
{
    struct pause *p = calloc(1, sizeof(*p));

    if (!p) {
        over(x);
        return;
    }
    p->x = x;
    p->over = over;
    uv_timer_init(&x->worker->loop, &p->timer);
    p->timer.data = p;
    uv_update_time(&x->worker->loop);
    uv_timer_start(&p->timer, on_pause_over, (uint64_t)((us + 999) / 1000), 0);
    x->attempts->pause = p;
}

/* ---- which one is next ---- */

static int64_t cooling_us(const struct attempts *a, size_t place, int64_t now_us)
{
    return upstream_cooling_us(a->route, a->order[place].index, now_us);
}

/* Of those that cool down, also of those that were tried, the first to be ready again. */
static bool find_cooling(const struct attempts *a, int64_t now_us, size_t *place, int64_t *wait_us)
{
    bool found = false;

    for (size_t i = 0; i < a->count; i++) {
        int64_t left = cooling_us(a, i, now_us);

        if (a->order[i].ready == UPSTREAM_MISSING_KEY || (left == 0 && a->tried[i]))
            continue;
        if (!found || left < *wait_us) {
            *place = i;
            *wait_us = left;
            found = true;
        }
    }
    return found && *wait_us <= a->route->failover->max_retry_wait_ms * 1000;
}

/* False: nothing is left to try. */
static bool choose(const struct attempts *a, size_t *place, int64_t *wait_us)
{
    int64_t now_us = clock_now_us();

    *wait_us = 0;
    if (a->last || a->made_count >= (size_t)a->route->failover->max_attempts)
        return false;
    for (*place = 0; *place < a->count; ++*place)
        if (!a->tried[*place] && a->order[*place].ready == UPSTREAM_READY &&
            cooling_us(a, *place, now_us) == 0)
            return true;
    if (!a->waited && find_cooling(a, now_us, place, wait_us))
        return true;
    *wait_us = 0;
    for (*place = 0; *place < a->count; ++*place)
        if (!a->tried[*place])
            return true;
    return false;
}

static bool has_next(const struct attempts *a)
{
    size_t place;
    int64_t wait_us;

    return choose(a, &place, &wait_us);
}

/* A budget of its provider is used up. */
static bool may_not_spend(struct exchange *x)
{
    struct budgets *budgets = x->worker->app->budgets;
    char message[200];
    int status;

    return budgets_closed(budgets) &&
           budgets_refuse(budgets, x->catalog, record_of(x), &x->decision, &status, message);
}

/* Decide for the next one. False: there is none; a decision that may not spend stands then. */
static bool take_next(struct exchange *x)
{
    struct attempts *a = x->attempts;

    while (choose(a, &a->now, &a->wait_us)) {
        a->tried[a->now] = true;
        a->waited = a->waited || a->wait_us > 0;
        catalog_decide_upstream(x->catalog, a->route, a->order[a->now].index, record_of(x)->model,
                                arena_of(x), &x->decision);
        if (!may_not_spend(x))
            return true;
    }
    return false;
}

void exchange_plan(struct exchange *x)
{
    struct attempts *a = calloc(1, sizeof(*a));
    size_t size = FAILOVER_ATTEMPTS_MAX * sizeof(*a->made);

    if (a)
        a->made = arena_alloc(arena_of(x), size);
    if (!a || !a->made) {
        free(a); /* without memory the first upstream is the only one */
        return;
    }
    memset(a->made, 0, size);
    a->route = x->decision.several;
    a->body.budget = &x->worker->app->capture_budget;
    upstream_order(x->catalog, a->route, record_of(x)->model, clock_now_us(), false, a->order,
                   &a->count);
    a->several = catalog_upstreams(x->catalog, a->route) > 1;
    x->attempts = a;
    take_next(x);
}

void exchange_attempts_free(struct exchange *x)
{
    if (!x->attempts)
        return;
    end_pause(x);
    blob_clear(&x->attempts->body);
    free(x->attempts);
}

/* ---- the next attempt ---- */

static void try_again(struct exchange *x);

static void go_on(struct exchange *x)
{
    struct err err;

    x->inspecting = false;
    if (x->state != EX_RETRYING) /* the client left meanwhile, or the program stops */
        exchange_finish_if_over(x);
    else if (x->unchangeable)
        exchange_fail(x, 503, "overloaded", x->why.msg);
    else if (!exchange_prepare(x, &err))
        exchange_fail(x, 502, "connect_failed", err.msg);
    else
        exchange_start(x);
}

static void on_work(uv_work_t *work)
{
    exchange_rewrite(work->data);
}

static void on_work_done(uv_work_t *work, int status)
{
    (void)status;
    go_on(work->data);
}

/* URL, headers, key and body are made anew of what the client sent. */
static void try_again(struct exchange *x)
{
    secret_clear(&x->key);
    blob_clear(&x->sent);
    x->forward = (struct headers){0};
    x->inspecting = true;
    if (inspect_is_slow(&x->inspect) &&
        uv_queue_work(&x->worker->loop, &x->work, on_work, on_work_done) == 0)
        return;
    exchange_rewrite(x);
    go_on(x);
}

static void after_wait(struct exchange *x)
{
    x->attempts->waited_us = x->attempts->wait_us;
    exchange_start(x);
}

bool exchange_waits(struct exchange *x)
{
    if (!x->attempts || x->attempts->wait_us == 0)
        return false;
    exchange_move(x, EX_RETRYING);
    pause_for(x, x->attempts->wait_us, after_wait);
    return true;
}

static void relay_held(struct exchange *x)
{
    struct attempts *a = x->attempts;

    a->relayed = true;
    x->decision = a->decision;
    exchange_relay(x, &a->head, blob_str(&a->body));
}

static void next(struct exchange *x)
{
    struct attempts *a = x->attempts;

    if (take_next(x)) {
        if (a->wait_us > 0)
            pause_for(x, a->wait_us, try_again);
        else
            try_again(x);
    } else if (a->held) {
        relay_held(x);
    } else {
        exchange_fail(x, 502, a->code ? a->code : "connect_failed", a->message.ptr);
    }
}

bool exchange_released(struct exchange *x)
{
    if (x->state != EX_RETRYING)
        return false;
    end_pause(x);
    next(x);
    return true;
}

void exchange_stop_retrying(struct exchange *x)
{
    if (x->attempts)
        end_pause(x);
}

/* ---- an attempt ---- */

static struct attempt *last_made(struct attempts *a)
{
    return a->made_count > 0 ? &a->made[a->made_count - 1] : NULL;
}

void exchange_attempt_prepared(struct exchange *x, struct str masked_url)
{
    if (x->attempts)
        x->attempts->masked_url = masked_url;
}

void exchange_attempt_begin(struct exchange *x)
{
    struct attempts *a = x->attempts;
    const struct failover *f = a->route->failover;
    size_t index = a->order[a->now].index;

    x->request.head_timeout_ms = index < f->count ? f->upstreams[index].timeout_ms : 0;
    x->capture->overhead_us -= a->waited_us;
    a->waited_us = 0;
    a->sent_us = clock_now_us();
    a->open = true;
    a->settled = false;
    a->made[a->made_count++] = (struct attempt){
        .number = (int64_t)a->made_count,
        .upstream_url = a->masked_url,
        .upstream_model = arena_dup(arena_of(x), x->decision.upstream_model),
        .provider_slug = arena_dup(arena_of(x), x->decision.provider_slug),
        .started_us = record_of(x)->created_us + (a->sent_us - x->arrived_us),
        .status = UNKNOWN,
        .headers_ms = UNKNOWN,
        .duration_ms = UNKNOWN,
    };
}

/* The last attempt is over. */
static void close_attempt(struct exchange *x, const char *error)
{
    struct attempts *a = x->attempts;
    struct attempt *made = last_made(a);

    if (!a->open)
        return;
    a->open = false;
    made->duration_ms = (clock_now_us() - a->sent_us) / 1000;
    if (error)
        made->error = exchange_keep(x, error);
}

static struct upstream_state *state_of(const struct attempts *a)
{
    return a->route->states ? a->route->states[a->order[a->now].index] : NULL;
}

static void note_failed(struct attempts *a)
{
    const struct failover *f = a->route->failover;

    if (!a->settled)
        upstream_state_failed(state_of(a), f->fail_threshold, f->cooldown_ms, clock_now_us());
    a->settled = true;
}

void exchange_attempt_done(struct exchange *x, bool well)
{
    struct attempts *a = x->attempts;

    if (!a || a->relayed)
        return;
    if (!well)
        note_failed(a);
    else if (!a->settled)
        upstream_state_well(state_of(a));
    a->settled = true;
}

/* ---- what is passed over ---- */

static void note_health(struct attempts *a, const struct transfer_head *head, bool moves_on)
{
    struct str value = headers_get(head->headers, STR("retry-after"));
    int64_t ms;

    if ((head->status == 429 || head->status == 503) && value.ptr &&
        retry_after_ms(value, clock_wall_us(), &ms)) {
        upstream_state_cool(state_of(a), ms, clock_now_us());
        a->settled = true;
    } else if (moves_on) {
        note_failed(a);
    }
}

static void give_up_held(struct exchange *x)
{
    struct attempts *a = x->attempts;

    a->holding = false;
    close_attempt(x, NULL);
    transfer_cancel(x->transfer);
}

/* The client gets it after all when nothing better comes. */
static void hold(struct exchange *x, const struct transfer_head *head)
{
    struct attempts *a = x->attempts;
    struct err err;
    int rc = 0;

    a->held = false;
    a->holding = true;
    a->headers = (struct headers){0};
    blob_clear(&a->body);
    for (size_t i = 0; rc == 0 && i < head->headers->count; i++)
        rc = headers_add(&a->headers, arena_of(x), head->headers->items[i].name,
                         head->headers->items[i].value, &err);
    a->head = *head;
    a->head.headers = &a->headers;
    a->decision = x->decision;
    a->held_attempt = a->made_count - 1;
    if (rc < 0)
        give_up_held(x);
    else
        pause_for(x, HELD_MS * 1000, give_up_held);
}

bool exchange_passes_head(struct exchange *x, const struct transfer_head *head)
{
    struct attempts *a = x->attempts;
    struct transfer_times times;
    bool moves_on;

    if (!a)
        return false;
    transfer_times(x->transfer, &times);
    last_made(a)->status = head->status;
    last_made(a)->headers_ms = times.head_us < 0 ? UNKNOWN : times.head_us / 1000;
    moves_on = failover_on_status(a->route->failover, head->status);
    note_health(a, head, moves_on);
    if (!moves_on || !has_next(a))
        return false;
    log_debug("upstream answered %d, trying the next", head->status);
    exchange_move(x, EX_RETRYING);
    hold(x, head);
    return true;
}

bool exchange_passes_bytes(struct exchange *x, struct str bytes)
{
    struct attempts *a = x->attempts;
    struct err err;

    if (x->state != EX_RETRYING)
        return false;
    if (a->holding && (a->body.len + bytes.len > HELD_MAX || blob_add(&a->body, bytes, &err) < 0))
        give_up_held(x);
    return true;
}

static bool moves_on_failure(const struct failover *f, enum transfer_error error)
{
    switch (error) {
    case TRANSFER_CONNECT_TIMEOUT:
    case TRANSFER_FIRST_BYTE_TIMEOUT:
    case TRANSFER_IDLE_TIMEOUT:
        return f->on_timeout;
    case TRANSFER_OK:
    case TRANSFER_CONNECT_FAILED:
    case TRANSFER_TLS_FAILED:
    case TRANSFER_BAD_RESPONSE:
    case TRANSFER_CONNECTION_LOST:
    case TRANSFER_DECODE_FAILED:
    case TRANSFER_REFUSED:
        break;
    }
    return f->on_connect;
}

static void fail_attempt(struct exchange *x, enum transfer_error error, const char *message)
{
    struct attempts *a = x->attempts;

    note_failed(a);
    a->code = transfer_error_code(error);
    a->message = exchange_keep(x, message);
    a->last = a->last || !moves_on_failure(a->route->failover, error);
    close_attempt(x, message);
    exchange_move(x, EX_RETRYING);
}

bool exchange_passes_done(struct exchange *x, enum transfer_error error, const char *message)
{
    struct attempts *a = x->attempts;

    if (x->state == EX_RETRYING) {
        a->held = a->holding && error == TRANSFER_OK;
        if (a->held)
            transfer_times(x->transfer, &a->times);
        a->holding = false;
        close_attempt(x, error == TRANSFER_OK ? NULL : message);
        return true;
    }
    if (!a || x->state != EX_WAITING || error == TRANSFER_OK)
        return false;
    fail_attempt(x, error, message);
    return true;
}

bool exchange_passes_start(struct exchange *x, const char *message)
{
    if (!x->attempts)
        return false;
    fail_attempt(x, TRANSFER_CONNECT_FAILED, message);
    next(x);
    return true;
}

/* ---- what is told of it ---- */

bool exchange_held_times(const struct exchange *x, struct transfer_times *out)
{
    if (!x->attempts || !x->attempts->relayed)
        return false;
    *out = x->attempts->times;
    return true;
}

/* The attempt whose answer the client gets, or else the last one. */
static struct attempt *served(struct attempts *a)
{
    return a->relayed ? &a->made[a->held_attempt] : last_made(a);
}

void exchange_attempts_over(struct exchange *x)
{
    struct attempts *a = x->attempts;
    struct record *r = record_of(x);

    if (!a || a->made_count == 0)
        return;
    close_attempt(x, r->error.ptr);
    r->attempt_count = (int64_t)a->made_count;
    x->capture->attempts = a->made;
    x->capture->attempt_count = a->made_count;
    x->capture->served = served(a);
}

static void add_header(struct exchange *x, struct headers *headers, struct str name,
                       struct str value)
{
    struct err err;

    if (value.ptr)
        headers_add_borrowed(headers, arena_of(x), name, value, &err);
}

void exchange_add_headers(struct exchange *x, struct headers *headers)
{
    const struct str count = STR("x-llm-observe-attempts"),
                     upstream = STR("x-llm-observe-upstream");
    struct attempts *a = x->attempts;
    size_t kept = 0;

    if (!a || !a->several || a->made_count == 0)
        return;
    for (size_t i = 0; i < headers->count; i++) {
        struct str name = headers->items[i].name;

        if (!str_ieq(name, count) && !str_ieq(name, upstream))
            headers->items[kept++] = headers->items[i];
    }
    headers->count = kept;
    add_header(x, headers, count, arena_printf(arena_of(x), "%zu", a->made_count));
    add_header(x, headers, upstream,
               served(a)->provider_slug.len > 0 ? served(a)->provider_slug
                                                : forward_host(served(a)->upstream_url));
}
