/* Budgets: their settings, their states, their alerts. store_spending.c compares them. */
#include "store/store_budgets.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/store_priv.h"
#include "json/json.h"

static const char *const field_names[] = {"usd", "tokens", "action", "thresholds"};
#define FIELDS (sizeof(field_names) / sizeof(*field_names))

static int64_t int_or_unknown(struct db_rows *rows, int column)
{
    return db_is_null(rows, column) ? UNKNOWN : db_int(rows, column);
}

/* ---- settings ---- */

/* The field of a setting's key in *field; false when the key is none of a budget. */
static bool split_key(struct str key, enum budget_scope *scope, struct str *slug, struct str *field)
{
    static const struct {
        struct str prefix;
        enum budget_scope scope;
    } prefixes[] = {{STR("budget_day_"), BUDGET_DAY},
                    {STR("budget_month_"), BUDGET_MONTH},
                    {STR("budget_provider_"), BUDGET_PROVIDER}};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        struct str rest = str_from(key, prefixes[i].prefix.len);

        if (!str_starts(key, prefixes[i].prefix))
            continue;
        *scope = prefixes[i].scope;
        *slug = STR_NONE;
        *field = rest;
        if (*scope != BUDGET_PROVIDER)
            return true;
        for (size_t f = 0; f < FIELDS; f++) {
            struct str name = str_c(field_names[f]);

            if (rest.len <= name.len + 1 || !str_ends(rest, name) ||
                rest.ptr[rest.len - name.len - 1] != '_')
                continue;
            *slug = str_cut(rest, rest.len - name.len - 1);
            *field = str_from(rest, rest.len - name.len);
            return true;
        }
    }
    return false;
}

bool store_budget_key(struct str key, enum budget_scope *scope, struct str *slug, struct str *field)
{
    struct budget b;
    struct err err;

    budget_init(&b);
    return split_key(key, scope, slug, field) && budget_set(&b, "", *field, NULL, &err) == 1;
}

static void set_from_text(struct budget *b, struct str field, struct str text)
{
    struct buf quoted = {0};
    struct err
        ignored; /* what somebody wrote by hand and nobody can read is as if it were not there */
    cJSON *value;

    if (!json_quote(&quoted, text))
        return;
    value = json_parse(buf_str(&quoted));
    budget_set(b, "", field, value, &ignored);
    cJSON_Delete(value);
    buf_clear(&quoted);
}

/* The rule of a scope; a new one when there is none. NULL without memory. */
static struct budget_rule *rule_of(struct budget_rules *rules, enum budget_scope scope,
                                   struct str slug)
{
    struct budget_rule *r;

    if (scope == BUDGET_DAY)
        return &rules->day;
    if (scope == BUDGET_MONTH)
        return &rules->month;
    for (size_t i = 0; i < rules->count; i++)
        if (str_eq(rules->providers[i].slug, slug))
            return &rules->providers[i];
    r = store_grow(&rules->arena, rules->providers, rules->count, &rules->cap, sizeof(*r));
    if (!r)
        return NULL;
    rules->providers = r;
    r = &rules->providers[rules->count];
    r->slug = arena_dup(&rules->arena, slug);
    budget_init(&r->budget);
    if (!r->slug.ptr)
        return NULL;
    rules->count++;
    return r;
}

static int add_setting(struct budget_rules *rules, struct str key, struct str text, struct err *err)
{
    enum budget_scope scope;
    struct str slug, field;
    struct budget_rule *r;
    int64_t status;

    if (str_eq(key, STR(BUDGET_WEBHOOK_SETTING))) {
        rules->settings.webhook_url = arena_dup(&rules->arena, text);
        return 0;
    }
    if (str_eq(key, STR(BUDGET_STATUS_SETTING))) {
        if (str_int64(text, &status) && status == 429)
            rules->settings.block_status = 429;
        return 0;
    }
    if (!split_key(key, &scope, &slug, &field))
        return 0;
    r = rule_of(rules, scope, slug);
    if (!r)
        return err_set(err, ERR_NO_MEMORY, "no memory for the budgets");
    set_from_text(&r->budget, field, text);
    return 0;
}

int budget_rules_read(struct budget_rules *rules, struct store *store, struct err *err)
{
    struct db_rows *rows;
    int got = -1;

    budget_rules_clear(rules);
    budget_init(&rules->day.budget);
    budget_init(&rules->month.budget);
    rules->settings.block_status = 402;
    if (store_generation(store, &rules->generation, err) < 0)
        return -1;
    rows = db_query(store->db, SQL_BUDGET_SETTINGS, DB_NO_ARGS, err);
    while (rows && (got = db_next(rows, err)) == 1) {
        if (add_setting(rules, db_bytes(rows, 0), db_bytes(rows, 1), err) < 0) {
            got = -1;
            break;
        }
    }
    db_done(rows);
    if (got < 0)
        return -1;
    rows = db_query(store->db, SQL_BUDGET_ANY_RUN, DB_NO_ARGS, err);
    got = rows ? db_next(rows, err) : -1;
    rules->any_run = got == 1 && db_int(rows, 0);
    db_done(rows);
    rules->read = got == 1;
    return got == 1 ? 0 : -1;
}

void budget_rules_clear(struct budget_rules *rules)
{
    arena_clear(&rules->arena);
    *rules = (struct budget_rules){0};
}

int store_budget_settings(struct store *store, struct arena *arena, struct budget_settings *out,
                          struct err *err)
{
    struct budget_rules rules = {0};
    int rc = budget_rules_read(&rules, store, err);

    if (rc == 0) {
        *out = rules.settings;
        out->webhook_url = arena_dup(arena, rules.settings.webhook_url);
    }
    budget_rules_clear(&rules);
    return rc;
}

int store_budget_get(struct store *store, enum budget_scope scope, struct str slug,
                     struct budget *out, struct err *err)
{
    struct budget_rules rules = {0};
    int rc = budget_rules_read(&rules, store, err);
    const struct budget_rule *r = rc == 0 ? rule_of(&rules, scope, slug) : NULL;

    if (r)
        *out = r->budget;
    else if (rc == 0)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the budgets");
    budget_rules_clear(&rules);
    return rc;
}

int store_budget_put(struct store *store, enum budget_scope scope, struct str slug,
                     const struct budget *b, struct err *err)
{
    struct buf key = {0}, text = {0};
    int rc = 0;

    for (size_t f = 0; rc == 0 && f < FIELDS; f++) {
        key.len = text.len = 0;
        buf_printf(&key, "budget_%s_", budget_scope_names[scope]);
        if (slug.len > 0)
            buf_printf(&key, "%.*s_", STR_ARG(slug));
        buf_put(&key, str_c(field_names[f]));
        budget_field_text(b, str_c(field_names[f]), &text);
        rc = store_setting_put(store, buf_str(&key), text.len > 0 ? buf_str(&text) : STR_NONE, err);
    }
    buf_clear(&key);
    buf_clear(&text);
    return rc;
}

/* ---- states ---- */

static void read_spent(struct db_rows *rows, int column, struct budget_spent *out)
{
    *out = (struct budget_spent){
        .amount = {db_int(rows, column), db_int(rows, column + 1)},
        .unpriced = db_int(rows, column + 2),
    };
}

static int get_spent(struct store *store, struct budget_state *s, struct err *err)
{
    struct db_rows *rows =
        db_query(store->db, SQL_BUDGET_SUM_GET,
                 DB_ARGS(DB_TEXT(str_c(budget_scope_names[s->scope])), DB_TEXT(s->key)), err);
    int got = rows ? db_next(rows, err) : -1;

    s->spent = (struct budget_spent){0};
    if (got == 1)
        read_spent(rows, 0, &s->spent);
    db_done(rows);
    return got < 0 ? -1 : 0;
}

static int tell(struct store *store, enum budget_scope scope, struct str key,
                const struct budget *b, store_budget_fn *each, void *ctx, struct err *err)
{
    struct budget_state s = {.scope = scope, .key = key, .budget = *b};

    return get_spent(store, &s, err) < 0 ? -1 : each(ctx, &s, err);
}

void budget_read_columns(struct db_rows *rows, int column, struct budget *out)
{
    struct str thresholds = db_bytes(rows, column + 3);

    budget_init(out);
    out->limit[BUDGET_USD] = db_int(rows, column);
    out->limit[BUDGET_TOKENS] = db_int(rows, column + 1);
    out->blocks = str_eq(db_bytes(rows, column + 2), STR("block"));
    if (!str_eq(thresholds, STR("[50,80,100]"))) /* as budget_init() has them */
        set_from_text(out, STR("thresholds"), thresholds);
}

static int tell_runs(struct store *store, store_budget_fn *each, void *ctx, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_BUDGET_OPEN_RUNS, DB_NO_ARGS, err);
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1) {
        struct budget_state s = {
            .scope = BUDGET_RUN, .key = db_bytes(rows, 0), .name = db_bytes(rows, 1)};

        budget_read_columns(rows, 2, &s.budget);
        read_spent(rows, 6, &s.spent);
        if (each(ctx, &s, err) < 0) {
            got = -1;
            break;
        }
    }
    db_done(rows);
    return got;
}

int store_budgets(struct store *store, int64_t now_us, store_budget_fn *each, void *ctx,
                  struct err *err)
{
    struct budget_rules rules = {0};
    char day[BUDGET_DAY_SIZE];
    struct str today = str_c(budget_day(now_us, day));
    int rc = budget_rules_read(&rules, store, err);

    if (rc == 0)
        rc = tell(store, BUDGET_DAY, today, &rules.day.budget, each, ctx, err);
    if (rc == 0)
        rc = tell(store, BUDGET_MONTH, str_cut(today, 7), &rules.month.budget, each, ctx, err);
    for (size_t i = 0; rc == 0 && i < rules.count; i++)
        if (budget_is_set(&rules.providers[i].budget))
            rc = tell(store, BUDGET_PROVIDER, rules.providers[i].slug, &rules.providers[i].budget,
                      each, ctx, err);
    if (rc == 0 && rules.any_run)
        rc = tell_runs(store, each, ctx, err);
    budget_rules_clear(&rules);
    return rc;
}

static int compare_later(void *ctx, const struct budget_state *s, struct err *err)
{
    struct store *store = ctx;
    const struct budget_spent nothing = {0};

    return spending_add(&store->spending, s->scope, s->key, &nothing, err);
}

int store_budgets_compare(struct store *store, int64_t now_us, struct err *err)
{
    return store_budgets(store, now_us, compare_later, store, err);
}

/* ---- alerts ---- */

static enum budget_scope scope_of(struct str name)
{
    int scope = BUDGET_SCOPES - 1;

    while (scope > 0 && !str_eq(name, str_c(budget_scope_names[scope])))
        scope--;
    return (enum budget_scope)scope;
}

void budget_read_alert(struct db_rows *rows, struct budget_alert *out)
{
    *out = (struct budget_alert){
        .id = db_int(rows, 0),
        .scope = scope_of(db_bytes(rows, 1)),
        .scope_key = db_bytes(rows, 2),
        .kind = str_eq(db_bytes(rows, 3), STR("usd")) ? BUDGET_USD : BUDGET_TOKENS,
        .percent = db_int(rows, 4),
        .limit = db_int(rows, 5),
        .spent = db_int(rows, 6),
        .created_us = db_int(rows, 7),
        .acknowledged_us = int_or_unknown(rows, 8),
    };
}

/* Takes rows. Returns how many there were, -1 on error. */
static int64_t each_alert(struct db_rows *rows, store_alert_fn *each, void *ctx, struct err *err)
{
    struct budget_alert a;
    int64_t count = 0;
    int got = -1;

    while (rows && (got = db_next(rows, err)) == 1) {
        budget_read_alert(rows, &a);
        each(ctx, &a);
        count++;
    }
    db_done(rows);
    return got < 0 ? -1 : count;
}

int store_alerts(struct store *store, bool open_only, int64_t before_id, int64_t limit,
                 store_alert_fn *each, void *ctx, struct err *err)
{
    enum sql_id sql = open_only ? SQL_ALERT_LIST_OPEN : SQL_ALERT_LIST;

    return each_alert(db_query(store->db, sql, DB_ARGS(DB_INT(before_id), DB_INT(limit)), err),
                      each, ctx, err) < 0
               ? -1
               : 0;
}

int store_alert_get(struct store *store, int64_t id, store_alert_fn *each, void *ctx,
                    struct err *err)
{
    int64_t count =
        each_alert(db_query(store->db, SQL_ALERT_GET, DB_ARGS(DB_INT(id)), err), each, ctx, err);

    return count == 0 ? err_set(err, ERR_NOT_FOUND, "Alert not found.") : count < 0 ? -1 : 0;
}

int store_alerts_open(struct store *store, int64_t *out, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_ALERT_COUNT_OPEN, DB_NO_ARGS, err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        *out = db_int(rows, 0);
    db_done(rows);
    return got < 0 ? -1 : 0;
}

int store_alerts_acknowledge(struct store *store, int64_t id, int64_t now_us, int64_t *changed,
                             struct err *err)
{
    int rc = id == 0 ? db_run(store->db, SQL_ALERT_ACKNOWLEDGE_ALL, DB_ARGS(DB_INT(now_us)), err)
                     : db_run(store->db, SQL_ALERT_ACKNOWLEDGE, DB_ARGS(DB_INT(id), DB_INT(now_us)),
                              err);

    *changed = rc == 0 ? db_changes(store->db) : 0;
    return rc;
}
