/* What a transaction adds to the sums of each scope, and the comparison with its budget. Added up
 * in memory, written once for each scope when it commits, so that a batch of rows costs a handful
 * of upserts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "store/store_budgets.h"
#include "store/store_priv.h"

#define DAY_US ((int64_t)86400 * 1000000)

/* ---- adding up ---- */

/* A batch has few scopes; the last one used is mostly the next. */
static struct spending_delta *find(struct spending *s, enum budget_scope scope, struct str key)
{
    for (size_t i = s->count; i > 0; i--)
        if (s->deltas[i - 1].scope == scope && str_eq(s->deltas[i - 1].key, key))
            return &s->deltas[i - 1];
    return NULL;
}

int spending_add(struct spending *s, enum budget_scope scope, struct str key,
                 const struct budget_spent *spent, struct err *err)
{
    struct spending_delta *d;

    if (key.len == 0)
        return 0;
    d = find(s, scope, key);
    if (!d) {
        struct str kept = arena_dup(&s->arena, key);

        if (!kept.ptr)
            return err_set(err, ERR_NO_MEMORY, "no memory to count a request");
        if (s->count == s->cap) {
            s->cap = s->cap ? s->cap * 2 : 16;
            s->deltas = xrealloc(s->deltas, s->cap, sizeof(*s->deltas));
        }
        d = &s->deltas[s->count++];
        *d = (struct spending_delta){.scope = scope, .key = kept};
    }
    for (int kind = 0; kind < BUDGET_KINDS; kind++)
        d->spent.amount[kind] = budget_sum(d->spent.amount[kind], spent->amount[kind]);
    d->spent.unpriced += spent->unpriced;
    return 0;
}

static void negate(struct budget_spent *s)
{
    for (int kind = 0; kind < BUDGET_KINDS; kind++)
        s->amount[kind] = -s->amount[kind];
    s->unpriced = -s->unpriced;
}

int spending_count(struct spending *s, const struct record *r, int sign, struct err *err)
{
    char day[BUDGET_DAY_SIZE], run[24] = "";
    struct str key = str_c(budget_day(r->created_us, day));
    struct budget_spent spent;

    budget_spent_of(r, &spent);
    if (!spent.amount[BUDGET_USD] && !spent.amount[BUDGET_TOKENS] && !spent.unpriced)
        return 0;
    if (sign < 0)
        negate(&spent);
    if (r->task_run_id != UNKNOWN)
        snprintf(run, sizeof(run), "%" PRId64, r->task_run_id);
    if (spending_add(s, BUDGET_DAY, key, &spent, err) < 0 ||
        spending_add(s, BUDGET_MONTH, str_cut(key, 7), &spent, err) < 0 ||
        spending_add(s, BUDGET_RUN, str_c(run), &spent, err) < 0)
        return -1;
    return spending_add(s, BUDGET_PROVIDER, r->billing_provider_slug, &spent, err);
}

/* ---- comparing ---- */

/* A scope after its delta was added. */
struct compared {
    const struct spending_delta *delta;
    struct str scope; /* its name */
    struct budget budget;
    struct budget_spent now;
    int64_t last_limit[BUDGET_KINDS]; /* compared last; 0: none */
};

static int add_to_sum(struct store *store, struct compared *c, struct err *err)
{
    const struct spending_delta *d = c->delta;
    struct db_rows *rows =
        db_query(store->db, SQL_BUDGET_SUM_ADD,
                 DB_ARGS(DB_TEXT(c->scope), DB_TEXT(d->key), DB_INT(d->spent.amount[BUDGET_USD]),
                         DB_INT(d->spent.amount[BUDGET_TOKENS]), DB_INT(d->spent.unpriced)),
                 err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1) {
        c->now = (struct budget_spent){{db_int(rows, 0), db_int(rows, 1)}, db_int(rows, 2)};
        for (int kind = 0; kind < BUDGET_KINDS; kind++)
            c->last_limit[kind] = db_int(rows, 3 + kind);
    }
    db_done(rows);
    return got < 0 ? -1 : 0;
}

static int find_run_budget(struct store *store, struct str key, struct budget *out, struct err *err)
{
    struct db_rows *rows;
    int64_t id;
    int got;

    if (!store->spending.rules.any_run || !str_int64(key, &id))
        return 0;
    rows = db_query(store->db, SQL_BUDGET_OF_RUN, DB_ARGS(DB_INT(id)), err);
    got = rows ? db_next(rows, err) : -1;
    if (got == 1)
        budget_read_columns(rows, 0, out);
    db_done(rows);
    return got < 0 ? -1 : 0;
}

/* A day or month that is long over has nothing to say any more. */
static bool is_over(struct str key, int64_t now_us)
{
    char day[BUDGET_DAY_SIZE];
    struct str yesterday = str_cut(str_c(budget_day(now_us - DAY_US, day)), key.len);

    return memcmp(key.ptr, yesterday.ptr, key.len < yesterday.len ? key.len : yesterday.len) < 0;
}

static int find_budget(struct store *store, struct compared *c, int64_t now_us, struct err *err)
{
    const struct budget_rules *rules = &store->spending.rules;
    struct str key = c->delta->key;

    budget_init(&c->budget);
    switch (c->delta->scope) {
    case BUDGET_RUN:
        return find_run_budget(store, key, &c->budget, err);
    case BUDGET_DAY:
    case BUDGET_MONTH:
        if (!is_over(key, now_us))
            c->budget = c->delta->scope == BUDGET_DAY ? rules->day.budget : rules->month.budget;
        return 0;
    case BUDGET_PROVIDER:
        for (size_t i = 0; i < rules->count; i++)
            if (str_eq(rules->providers[i].slug, key))
                c->budget = rules->providers[i].budget;
        return 0;
    case BUDGET_SCOPES:
        break;
    }
    return 0;
}

static int keep_alert(struct spending *s, struct db_rows *rows, struct err *err)
{
    struct budget_alert a;

    budget_read_alert(rows, &a);
    a.scope_key = arena_dup(&s->alert_arena, a.scope_key);
    if (!a.scope_key.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory for an alert");
    if (s->alert_count == s->alert_cap) {
        s->alert_cap = s->alert_cap ? s->alert_cap * 2 : 8;
        s->alerts = xrealloc(s->alerts, s->alert_cap, sizeof(*s->alerts));
    }
    s->alerts[s->alert_count++] = a;
    return 0;
}

static int raise_alert(struct store *store, const struct compared *c, enum budget_kind kind,
                       unsigned percent, int64_t now_us, struct err *err)
{
    struct str kind_name = str_c(budget_kind_names[kind]);
    struct db_rows *rows = db_query(
        store->db, SQL_ALERT_INSERT,
        DB_ARGS(DB_TEXT(c->scope), DB_TEXT(c->delta->key), DB_TEXT(kind_name), DB_INT(percent),
                DB_INT(c->budget.limit[kind]), DB_INT(c->now.amount[kind]), DB_INT(now_us)),
        err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1 && keep_alert(&store->spending, rows, err) < 0)
        got = -1;
    db_done(rows);
    return got < 0 ? -1 : 0;
}

/* An alert, unless this threshold has been passed under this limit before. */
static int pass(struct store *store, const struct compared *c, enum budget_kind kind,
                unsigned percent, int64_t now_us, struct err *err)
{
    struct str kind_name = str_c(budget_kind_names[kind]);

    if (db_run(store->db, SQL_BUDGET_PASS,
               DB_ARGS(DB_TEXT(c->scope), DB_TEXT(c->delta->key), DB_TEXT(kind_name),
                       DB_INT(percent), DB_INT(c->budget.limit[kind])),
               err) < 0)
        return -1;
    return db_changes(store->db) > 0 ? raise_alert(store, c, kind, percent, now_us, err) : 0;
}

/* The limit is another one: what was passed under the old one and is still passed stays so. */
static int carry_over(struct store *store, const struct compared *c, enum budget_kind kind,
                      struct err *err)
{
    struct str kind_name = str_c(budget_kind_names[kind]);
    int64_t limit = c->budget.limit[kind],
            before = budget_sum(c->now.amount[kind], -c->delta->spent.amount[kind]);

    for (unsigned i = 0; c->last_limit[kind] > 0 && i < c->budget.count; i++) {
        unsigned percent = c->budget.thresholds[i];

        if (budget_reached(before, limit, percent) &&
            db_run(store->db, SQL_BUDGET_PASS_AGAIN,
                   DB_ARGS(DB_TEXT(c->scope), DB_TEXT(c->delta->key), DB_TEXT(kind_name),
                           DB_INT(percent), DB_INT(limit), DB_INT(c->last_limit[kind])),
                   err) < 0)
            return -1;
    }
    return 0;
}

static int compare_kind(struct store *store, struct compared *c, enum budget_kind kind,
                        int64_t now_us, struct err *err)
{
    int64_t limit = c->budget.limit[kind];

    if (limit == 0)
        return 0;
    if (limit != c->last_limit[kind] && carry_over(store, c, kind, err) < 0)
        return -1;
    for (unsigned i = 0; i < c->budget.count; i++)
        if (budget_reached(c->now.amount[kind], limit, c->budget.thresholds[i]) &&
            pass(store, c, kind, c->budget.thresholds[i], now_us, err) < 0)
            return -1;
    if (limit == c->last_limit[kind])
        return 0;
    c->last_limit[kind] = limit;
    return db_run(store->db, SQL_BUDGET_SUM_LIMITS,
                  DB_ARGS(DB_TEXT(c->scope), DB_TEXT(c->delta->key),
                          store_limit(c->last_limit[BUDGET_USD]),
                          store_limit(c->last_limit[BUDGET_TOKENS])),
                  err);
}

static bool was_closed(const struct compared *c)
{
    struct budget_spent before = c->now;

    for (int kind = 0; kind < BUDGET_KINDS; kind++)
        before.amount[kind] = budget_sum(before.amount[kind], -c->delta->spent.amount[kind]);
    return budget_closed(&c->budget, &before);
}

static int flush_one(struct store *store, const struct spending_delta *d, int64_t now_us,
                     struct err *err)
{
    struct compared c = {.delta = d, .scope = str_c(budget_scope_names[d->scope])};

    if (add_to_sum(store, &c, err) < 0 || find_budget(store, &c, now_us, err) < 0)
        return -1;
    if (!budget_is_set(&c.budget))
        return 0;
    if (was_closed(&c) != budget_closed(&c.budget, &c.now) &&
        db_run(store->db, SQL_GENERATION_ADD, DB_NO_ARGS, err) < 0)
        return -1;
    for (int kind = 0; kind < BUDGET_KINDS; kind++)
        if (compare_kind(store, &c, (enum budget_kind)kind, now_us, err) < 0)
            return -1;
    return 0;
}

static int refresh_rules(struct store *store, struct err *err)
{
    struct budget_rules *rules = &store->spending.rules;
    int64_t generation;

    if (store_generation(store, &generation, err) < 0)
        return -1;
    if (rules->read && rules->generation == generation)
        return 0;
    return budget_rules_read(rules, store, err);
}

int spending_flush(struct store *store, struct err *err)
{
    struct spending *s = &store->spending;
    int64_t now_us = clock_wall_us();

    if (s->count == 0)
        return 0;
    if (refresh_rules(store, err) < 0)
        return -1;
    for (size_t i = 0; i < s->count; i++)
        if (flush_one(store, &s->deltas[i], now_us, err) < 0)
            return -1;
    return 0;
}

void spending_end(struct spending *s, bool committed)
{
    s->count = 0;
    arena_clear(&s->arena);
    if (committed)
        s->committed_alerts = s->alert_count;
    else
        s->alert_count = s->committed_alerts;
    if (!committed)
        s->rules.read = false; /* they may be those of what was undone */
}

void spending_clear(struct spending *s)
{
    spending_end(s, false);
    budget_rules_clear(&s->rules);
    arena_clear(&s->alert_arena);
    free(s->deltas);
    free(s->alerts);
    *s = (struct spending){0};
}

const struct budget_alert *store_new_alerts(const struct store *store, size_t *count)
{
    *count = store->spending.committed_alerts;
    return store->spending.alerts;
}

void store_forget_alerts(struct store *store)
{
    struct spending *s = &store->spending;

    s->alert_count = s->committed_alerts = 0;
    arena_clear(&s->alert_arena);
}
