#include "view/view_traffic.h"

#include <math.h>
#include <stdio.h>

#include "base/buf.h"
#include "core/money.h"
#include "view/view_priv.h"
#include "json/json.h"

/* Thousandths, as text with two decimals; null when unknown. */
static void put_milli(cJSON *o, const char *key, int64_t milli)
{
    char text[32];

    snprintf(text, sizeof(text), "%.2f", (double)milli / 1000.0);
    json_put_text(o, key, milli == UNKNOWN ? NULL : text);
}

/* part / of with four decimals; null when of is 0. */
static void put_share(cJSON *o, const char *key, int64_t part, int64_t of)
{
    if (of <= 0)
        json_put_null(o, key);
    else
        cJSON_AddNumberToObject(o, key, round((double)part / (double)of * 10000.0) / 10000.0);
}

/* A sum of costs of which some are known; null when none of several is. */
static void put_cost(cJSON *o, int64_t pusd, int64_t of, int64_t unknown)
{
    json_put_money(o, "cost_usd", of > 0 && unknown == of ? UNKNOWN : pusd);
}

void view_put_rates(cJSON *o, const struct traffic_figures *f)
{
    cJSON *to = cJSON_AddObjectToObject(o, "rates");
    int64_t seconds = TRAFFIC_RATE_SECONDS;

    json_put_int(to, "window_ms", seconds * 1000);
    put_milli(to, "requests_per_second", f->rates.requests * 1000 / seconds);
    put_milli(to, "output_tokens_per_second", f->rates.output_milli / seconds);
    put_milli(to, "input_tokens_per_second", f->rates.input_tokens * 1000 / seconds);
    put_milli(to, "response_bytes_per_second", f->rates.response_bytes * 1000 / seconds);
}

void view_put_minute(cJSON *o, const struct traffic_figures *f)
{
    cJSON *to = cJSON_AddObjectToObject(o, "minute");

    put_cost(to, f->minute.cost_pusd, f->minute.finished, f->minute.unpriced);
    json_put_int(to, "finished", f->minute.finished);
    json_put_int(to, "unpriced", f->minute.unpriced);
}

void view_put_recent(cJSON *o, const struct traffic_figures *f)
{
    const struct traffic_recent *r = &f->recent;
    cJSON *to = cJSON_AddObjectToObject(o, "recent");

    json_put_int(to, "window_ms", TRAFFIC_SECONDS * 1000);
    json_put_int(to, "finished", r->finished);
    json_put_int(to, "errors", r->errors);
    json_put_int(to, "client_gone", r->client_gone);
    json_put_int(to, "unpriced", r->unpriced);
    put_share(to, "error_rate", r->errors, r->finished);
    put_share(to, "cached_share", r->cached_tokens, r->cached_of);
    view_put_percentiles(to, "ttft_ms", &r->ttft);
    view_put_percentiles(to, "gap_ms", &r->gap);
    view_put_percentiles(to, "duration_ms", &r->duration);
}

/* ---- series ---- */

enum series {
#define X(name) SERIES_##name,
    TRAFFIC_SERIES(X)
#undef X
        SERIES_COUNT
};

static int64_t value_of(const struct traffic_second *s, enum series which)
{
    switch (which) {
#define X(name)                                                                                    \
    case SERIES_##name:                                                                            \
        return s->name;
        TRAFFIC_SERIES(X)
#undef X
    case SERIES_COUNT:
        break;
    }
    return 0;
}

static void put_value(struct buf *out, int64_t value, bool is_money)
{
    char text[MONEY_SIZE];

    if (is_money)
        buf_printf(out, "%s", money_print(value, text));
    else
        buf_printf(out, "%lld", (long long)value);
}

void view_put_series(cJSON *o, const struct traffic_figures *f, size_t seconds)
{
    static const char *const names[] = {
#define X(name) #name,
        TRAFFIC_SERIES(X)
#undef X
    };
    cJSON *to = cJSON_AddObjectToObject(o, "series");
    struct buf list = {0};

    json_put_int(to, "step_ms", 1000);
    view_put_iso(to, "end", f->series_end_us);
    for (unsigned i = 0; i < SERIES_COUNT; i++) {
        bool is_money = i == SERIES_cost_pusd;

        buf_cut(&list, 0);
        buf_put(&list, STR("["));
        for (size_t at = TRAFFIC_SECONDS - seconds; at < TRAFFIC_SECONDS; at++) {
            if (list.len > 1)
                buf_put(&list, STR(","));
            put_value(&list, value_of(&f->seconds[at], (enum series)i), is_money);
        }
        buf_put(&list, STR("]"));
        json_put_raw(to, is_money ? "cost_usd" : names[i], list.ptr);
    }
    buf_clear(&list);
}

/* ---- models and upstreams ---- */

static void put_name(cJSON *o, const char *key, const char *text)
{
    json_put_text(o, key, text[0] ? text : NULL);
}

static cJSON *model_json(const struct traffic_group *g)
{
    cJSON *o = cJSON_CreateObject(), *tokens;

    put_name(o, "model", g->other ? "other" : g->name);
    put_name(o, "provider_slug", g->provider_slug);
    json_put_int(o, "inflight", g->inflight);
    json_put_int(o, "requests", g->requests);
    json_put_int(o, "errors", g->errors);
    tokens = cJSON_AddObjectToObject(o, "tokens");
    json_put_int(tokens, "input", run_known(g->input_tokens, g->input_known));
    json_put_int(tokens, "cached_input", run_known(g->cached_tokens, g->cached_known));
    json_put_int(tokens, "output", run_known(g->output_tokens, g->output_known));
    put_milli(o, "output_tokens_per_second", g->rate_milli);
    put_milli(o, "generation_tps_p50", g->generation_milli_p50);
    json_put_int(o, "ttft_ms_p50", g->ttft_p50);
    json_put_int(o, "ttft_ms_p95", g->ttft_p95);
    put_cost(o, g->cost_pusd, g->requests, g->unpriced);
    json_put_int(o, "unpriced", g->unpriced);
    return o;
}

static struct str host_of(struct str url)
{
    ptrdiff_t at = str_find(url, STR("://"));

    if (at >= 0)
        url = str_from(url, (size_t)at + 3);
    at = str_chr(url, '/');
    return at >= 0 ? str_cut(url, (size_t)at) : url;
}

static cJSON *upstream_json(const struct traffic_group *g)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "host", g->other ? STR("other") : host_of(str_c(g->name)));
    put_name(o, "base_url", g->name);
    put_name(o, "provider_slug", g->provider_slug);
    json_put_int(o, "inflight", g->inflight);
    json_put_int(o, "requests", g->requests);
    json_put_int(o, "errors", g->errors);
    json_put_int(o, "rate_limited", g->rate_limited);
    json_put_int(o, "connect_ms_p50", g->connect_p50);
    json_put_int(o, "ttft_ms_p50", g->ttft_p50);
    put_name(o, "last_error", g->last_error);
    view_put_iso(o, "last_error_at", g->last_error_us);
    json_put_text(o, "state", g->state);
    return o;
}

void view_put_models(cJSON *o, const struct traffic_figures *f)
{
    cJSON *list = cJSON_AddArrayToObject(o, "models");

    for (size_t i = 0; i < f->group_counts[TRAFFIC_BY_MODEL]; i++)
        cJSON_AddItemToArray(list, model_json(&f->groups[TRAFFIC_BY_MODEL][i]));
}

void view_put_upstreams(cJSON *o, const struct traffic_figures *f)
{
    cJSON *list = cJSON_AddArrayToObject(o, "upstreams");

    for (size_t i = 0; i < f->group_counts[TRAFFIC_BY_UPSTREAM]; i++)
        cJSON_AddItemToArray(list, upstream_json(&f->groups[TRAFFIC_BY_UPSTREAM][i]));
}

void view_put_problems(cJSON *o, const struct traffic_figures *f)
{
    cJSON *list = cJSON_AddArrayToObject(o, "problems");

    for (size_t i = 0; i < f->problem_count; i++) {
        cJSON *one = cJSON_CreateObject();

        view_put_iso(one, "at", f->problems[i].at_us);
        json_put_int(one, "id", f->problems[i].id);
        json_put_text(one, "text", f->problems[i].text);
        cJSON_AddItemToArray(list, one);
    }
}
