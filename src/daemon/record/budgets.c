#include "daemon/record/budgets.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "client/webhook.h"
#include "core/money.h"
#include "view/view_budget.h"
#include "json/json.h"

#define DAY_US ((int64_t)86400 * 1000000)

/* A scope in which nothing more may be spent; texts are in the arena. */
struct closed {
    enum budget_scope scope;
    struct str key;
    struct str name; /* of the run */
};

struct budgets {
    _Atomic bool any;
    pthread_mutex_t lock; /* of these */
    struct closed *items;
    size_t count;
    struct arena arena;
    int block_status;
    /* writer thread only */
    bool read;
    int64_t generation, day;
    char *webhook_url; /* NULL: none */
    struct webhook *webhook;
};

struct budgets *budgets_new(void)
{
    struct budgets *b = xcalloc(1, sizeof(*b));

    pthread_mutex_init(&b->lock, NULL);
    b->webhook = webhook_new();
    return b;
}

void budgets_free(struct budgets *b)
{
    if (!b)
        return;
    webhook_stop(b->webhook);
    pthread_mutex_destroy(&b->lock);
    arena_clear(&b->arena);
    free(b->items);
    free(b->webhook_url);
    free(b);
}

/* ---- alerts ---- */

static void log_alert(const struct budget_alert *a)
{
    char spent[MONEY_SIZE], limit[MONEY_SIZE];

    if (a->kind == BUDGET_USD) {
        money_print(a->spent, spent);
        money_print(a->limit, limit);
    } else {
        snprintf(spent, sizeof(spent), "%" PRId64, a->spent);
        snprintf(limit, sizeof(limit), "%" PRId64, a->limit);
    }
    log_warning("budget threshold passed scope=%s key=%.*s kind=%s percent=%" PRId64
                " spent=%s limit=%s",
                budget_scope_names[a->scope], STR_ARG(a->scope_key), budget_kind_names[a->kind],
                a->percent, spent, limit);
}

static void post_alert(struct budgets *b, const struct budget_alert *a)
{
    struct buf json = {0};
    cJSON *tree;

    if (!b->webhook_url)
        return;
    tree = view_alert(a);
    if (json_print(&json, tree))
        webhook_post(b->webhook, str_c(b->webhook_url), buf_str(&json));
    cJSON_Delete(tree);
    buf_clear(&json);
}

static void tell_alerts(struct budgets *b, struct store *store)
{
    size_t count;
    const struct budget_alert *alerts = store_new_alerts(store, &count);

    for (size_t i = 0; i < count; i++) {
        log_alert(&alerts[i]);
        post_alert(b, &alerts[i]);
    }
    if (count > 0)
        store_forget_alerts(store);
}

/* ---- what is used up ---- */

struct reading {
    struct closed *items;
    size_t count, cap;
    struct arena arena;
};

static int add_closed(void *ctx, const struct budget_state *s, struct err *err)
{
    struct reading *r = ctx;
    struct closed c = {.scope = s->scope};

    if (!budget_closed(&s->budget, &s->spent))
        return 0;
    c.key = arena_dup(&r->arena, s->key);
    c.name = arena_dup(&r->arena, s->name);
    if (!c.key.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory for the budgets");
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 8;
        r->items = xrealloc(r->items, r->cap, sizeof(*r->items));
    }
    r->items[r->count++] = c;
    return 0;
}

static void put_in_force(struct budgets *b, struct reading *made, int block_status)
{
    struct reading old;

    pthread_mutex_lock(&b->lock);
    old = (struct reading){.items = b->items, .arena = b->arena};
    b->items = made->items;
    b->count = made->count;
    b->arena = made->arena;
    b->block_status = block_status;
    atomic_store(&b->any, made->count > 0);
    pthread_mutex_unlock(&b->lock);
    arena_clear(&old.arena);
    free(old.items);
}

static int read_all(struct budgets *b, struct store *store, struct err *err)
{
    struct reading made = {0};
    struct arena arena = {0};
    struct budget_settings settings;

    if (store_budget_settings(store, &arena, &settings, err) < 0 ||
        store_budgets(store, clock_wall_us(), add_closed, &made, err) < 0) {
        arena_clear(&arena);
        arena_clear(&made.arena);
        free(made.items);
        return -1;
    }
    free(b->webhook_url);
    b->webhook_url = str_dup(settings.webhook_url);
    put_in_force(b, &made, settings.block_status);
    arena_clear(&arena);
    return 0;
}

/* What changed is seen by one number, so that a commit mostly costs a look at one row. A new day
 * has spent nothing yet. */
static int look(struct budgets *b, struct store *store, struct err *err)
{
    int64_t generation, day = clock_wall_us() / DAY_US;

    if (store_generation(store, &generation, err) < 0)
        return -1;
    if (b->read && b->generation == generation && b->day == day)
        return 0;
    if (read_all(b, store, err) < 0)
        return -1;
    b->read = true;
    b->generation = generation;
    b->day = day;
    return 0;
}

void budgets_update(struct budgets *b, struct store *store)
{
    struct err err;

    if (look(b, store, &err) < 0) {
        log_warning("cannot read the budgets: %s", err.msg);
        b->read = false;
    }
    tell_alerts(b, store);
}

/* ---- on the loops ---- */

bool budgets_closed(const struct budgets *b)
{
    return atomic_load_explicit(&((struct budgets *)b)->any, memory_order_acquire);
}

static bool is_in(const struct closed *c, const char *day, const char *run, struct str provider)
{
    switch (c->scope) {
    case BUDGET_RUN:
        return str_eq(c->key, str_c(run));
    case BUDGET_DAY:
        return str_eq(c->key, str_c(day));
    case BUDGET_MONTH:
        return str_starts(str_c(day), c->key);
    case BUDGET_PROVIDER:
        return str_eq(c->key, provider);
    case BUDGET_SCOPES:
        break;
    }
    return false;
}

static void explain(const struct closed *c, char message[200])
{
    struct str who = c->name.ptr ? c->name : c->key;

    snprintf(message, 200,
             "The budget of %s %.*s is used up. Raise it or remove it to go on; see "
             "/api/budgets.",
             budget_scope_names[c->scope], (int)(who.len < 80 ? who.len : 80), who.ptr);
}

bool budgets_refuse(struct budgets *b, const struct catalog *catalog, const struct record *r,
                    const struct decision *d, int *status, char message[200])
{
    const struct provider *p = catalog_payee(catalog, d);
    char day[BUDGET_DAY_SIZE], run[24] = "";
    const struct closed *found = NULL;

    budget_day(r->created_us, day);
    if (r->task_run_id != UNKNOWN)
        snprintf(run, sizeof(run), "%" PRId64, r->task_run_id);
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; !found && i < b->count; i++)
        if (is_in(&b->items[i], day, run, p ? p->slug : STR_NONE))
            found = &b->items[i];
    if (found) {
        *status = b->block_status;
        explain(found, message);
    }
    pthread_mutex_unlock(&b->lock);
    return found != NULL;
}
