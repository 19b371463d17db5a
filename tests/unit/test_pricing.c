/* From captured bodies to recorded costs, comparisons of runs, and pricing again. */
#include "capture_helpers.h"

#include "core/what_if.h"
#include "cost_helpers.h"
#include "daemon/record/analyze.h"
#include "store/store_prices.h"
#include "view/view_what_if.h"

static cJSON *seed_providers, *seed_prices;

static int load_seeds(void **state)
{
    (void)state;
    seed_providers = cost_load("../../schema/seed/providers.json");
    seed_prices = cost_load("../../schema/seed/prices.json");
    return 0;
}

static int drop_seeds(void **state)
{
    (void)state;
    cJSON_Delete(seed_providers);
    cJSON_Delete(seed_prices);
    return 0;
}

static void same_text(const char *id, const char *what, struct str got, struct str expect)
{
    if (!str_eq(got, expect) || !got.ptr != !expect.ptr)
        fail_msg("%s: %s is \"%.*s\", expected \"%.*s\"", id, what, STR_ARG(got), STR_ARG(expect));
}

static void same_int(const char *id, const char *what, int64_t got, const cJSON *o, const char *key)
{
    if (cost_get(o, key) && got != cost_int(o, key))
        fail_msg("%s: %s is %lld", id, what, (long long)got);
}

/* The text of a member, or its JSON. */
static void print_body(struct buf *out, const cJSON *given, const char *json, const char *text)
{
    if (text && cost_get(given, text))
        buf_put(out, cost_text(given, text));
    else if (cost_get(given, json))
        json_print(out, cost_get(given, json));
}

/* ---- captures ---- */

static void fill_capture(struct capture *c, const cJSON *given)
{
    bool stream = cJSON_IsTrue(cost_get(given, "stream"));
    struct record *r = &c->record;
    struct buf body = {0};
    struct err err;

    r->model = cost_text(cost_get(given, "request_payload"), "model");
    r->provider_slug = cost_text(given, "provider_slug");
    r->upstream_model = cost_text(given, "upstream_model");
    r->upstream_url = arena_printf(&c->arena, "%.*s/chat/completions",
                                   STR_ARG(cost_text(given, "upstream_base_url")));
    r->upstream_headers_ms = 1;
    r->is_stream = stream;
    print_body(&body, given, "request_payload", NULL);
    OK(blob_add(&c->request, buf_str(&body), &err));
    body.len = 0;
    print_body(&body, given, "response", "response_text");
    complete(c, 0);
    OK(blob_add(&c->response, buf_str(&body), &err));
    r->response_bytes = (int64_t)body.len;
    r->response_content_type = stream ? STR("text/event-stream") : STR("application/json");
    buf_clear(&body);
}

static void check_record(const char *id, const struct record *r, const cJSON *e)
{
    cost_same_money(id, "input cost", r->billing_input_cost_pusd, cost_text(e, "input_cost_usd"));
    cost_same_money(id, "output cost", r->billing_output_cost_pusd,
                    cost_text(e, "output_cost_usd"));
    cost_same_money(id, "total cost", r->billing_total_cost_pusd, cost_text(e, "total_cost_usd"));
    same_text(id, "model", r->billing_model, cost_text(e, "billing_model"));
    cost_same_members(id, r->pricing_snapshot_json, cost_get(e, "snapshot"));
}

static void a_finished_exchange_is_priced_from_its_bodies(void **state)
{
    cJSON *cases = cost_load("cost/capture.json"), *one;

    (void)state;
    assert_int_equal(cJSON_GetArraySize(cases), 15);
    cJSON_ArrayForEach(one, cases)
    {
        const char *id = cost_get(one, "id")->valuestring;
        const cJSON *e = cost_get(one, "expect"), *u = cost_get(e, "usage");
        struct price_book *book = cost_book(one, seed_providers, seed_prices);
        struct capture *c = arrived(1, 0);
        const struct record *r = &c->record;

        fill_capture(c, cost_get(one, "given"));
        analyze(c, book);
        same_int(id, "input", r->billing_input_tokens, u, "input_tokens");
        same_int(id, "cached", r->billing_cached_input_tokens, u, "cached_input_tokens");
        same_int(id, "written", r->billing_cache_write_input_tokens, u, "cache_write_input_tokens");
        same_int(id, "output", r->billing_output_tokens, u, "output_tokens");
        same_int(id, "total", r->billing_total_tokens, u, "total_tokens");
        same_text(id, "provider", r->billing_provider_slug, cost_text(e, "provider_slug"));
        check_record(id, r, e);
        capture_unref(c);
        price_book_unref(book);
    }
    cJSON_Delete(cases);
}

/* ---- comparisons ---- */

static const struct price *by_key(const struct price_book *book, struct str key)
{
    struct str slug;

    assert_true(str_split(&key, ':', &slug));
    return price_book_get(book, slug, key);
}

static void check_rate(const char *id, const struct what_if *w, const cJSON *e,
                       enum price_rate rate)
{
    char text[MONEY_SIZE] = "";
    int64_t value = what_if_rates(w)->of[rate];

    if (value != UNKNOWN)
        money_rate_fixed(value, text);
    if (!str_eq(str_c(text),
                cost_text(e, rate_key[rate]).ptr ? cost_text(e, rate_key[rate]) : STR("")))
        fail_msg("%s: %s is %s", id, rate_key[rate], text);
}

static void a_run_is_compared_request_by_request(void **state)
{
    cJSON *cases = cost_load("cost/run.json"), *one;

    (void)state;
    assert_int_equal(cJSON_GetArraySize(cases), 12);
    cJSON_ArrayForEach(one, cases)
    {
        const char *id = cost_get(one, "id")->valuestring;
        const cJSON *e = cost_get(one, "expect"), *given = cost_get(one, "given"), *u;
        struct price_book *book = cost_book(one, seed_providers, seed_prices);
        const struct price *p = by_key(book, cost_text(given, "price_key"));
        struct what_if w;

        assert_non_null(p);
        what_if_init(&w, p);
        cJSON_ArrayForEach(u, cost_get(given, "usages"))
        {
            struct cost_tokens t = cost_usage(u);

            what_if_add(&w, &t.usage, STR_NONE);
        }
        same_int(id, "included", w.included, e, "included_request_count");
        same_int(id, "missing", w.missing, e, "missing_usage_request_count");
        same_int(id, "input", w.input, e, "input_tokens");
        same_int(id, "cached", w.cached_input, e, "cached_input_tokens");
        same_int(id, "written", w.cache_write_input, e, "cache_write_input_tokens");
        same_int(id, "output", w.output, e, "output_tokens");
        same_int(id, "total", w.total, e, "total_tokens");
        cost_same_money(id, "input cost", w.input_cost, cost_text(e, "input_cost_usd"));
        cost_same_money(id, "cached cost", w.cached_input_cost,
                        cost_text(e, "cached_input_cost_usd"));
        cost_same_money(id, "output cost", w.output_cost, cost_text(e, "output_cost_usd"));
        cost_same_money(id, "total cost", w.total_cost, cost_text(e, "total_cost_usd"));
        assert_int_equal(w.mixed, cJSON_IsTrue(cost_get(e, "mixed_tiers")));
        check_rate(id, &w, e, RATE_INPUT);
        check_rate(id, &w, e, RATE_CACHED_INPUT);
        check_rate(id, &w, e, RATE_OUTPUT);
        price_book_unref(book);
    }
    cJSON_Delete(cases);
}

static void a_comparison_that_does_not_fit_is_unknown(void **state)
{
    struct usage u = {.input = INT64_C(9000000),
                      .cached_input = UNKNOWN,
                      .cache_write_input = UNKNOWN,
                      .output = 0,
                      .reasoning = UNKNOWN,
                      .total = UNKNOWN};
    struct what_if w;
    struct price p;

    (void)state;
    price_init(&p);
    p.rates.of[RATE_INPUT] = p.rates.of[RATE_OUTPUT] = MONEY_RATE_MAX;
    what_if_init(&w, &p);
    what_if_add(&w, &u, STR_NONE);
    assert_int_equal(w.total_cost, INT64_C(9000000) * MONEY_RATE_MAX);
    what_if_add(&w, &u, STR_NONE);
    what_if_add(&w, &u, STR_NONE);
    assert_true(w.overflow);
    assert_int_equal(w.total_cost, UNKNOWN);
    assert_int_equal(w.included, 3);
}

/* ---- pricing again ---- */

static int64_t amount(const cJSON *o, const char *key)
{
    int64_t out = UNKNOWN;

    if (cost_text(o, key).ptr)
        assert_true(money_amount(cost_text(o, key), &out));
    return out;
}

/* A row as it was stored before the price was known. */
static void store_case(struct store *store, const cJSON *o, int64_t id)
{
    struct buf request = {0}, response = {0}, snapshot = {0};
    struct record r = sample(id);
    struct err err;

    print_body(&request, o, "request", NULL);
    print_body(&response, o, "response", "response_text");
    if (cost_get(o, "pricing_snapshot") && !cJSON_IsNull(cost_get(o, "pricing_snapshot")))
        json_print(&snapshot, cost_get(o, "pricing_snapshot"));
    r.response_status = cost_int(o, "response_status");
    r.upstream_url = cost_text(o, "upstream_url");
    r.model = cost_text(o, "model");
    r.upstream_model = cost_text(o, "upstream_model");
    r.is_stream = cJSON_IsTrue(cost_get(o, "is_stream"));
    r.request_body = request.len ? buf_str(&request) : STR_NONE;
    r.response_body = response.ptr ? buf_str(&response) : STR_NONE;
    r.billing_provider_slug = cost_text(o, "billing_provider_slug");
    r.billing_model = cost_text(o, "billing_model");
    r.billing_input_tokens = cost_int(o, "billing_input_tokens");
    r.billing_cached_input_tokens = cost_int(o, "billing_cached_input_tokens");
    r.billing_output_tokens = cost_int(o, "billing_output_tokens");
    r.billing_total_tokens = cost_int(o, "billing_total_tokens");
    r.billing_input_cost_pusd = amount(o, "billing_input_cost_usd");
    r.billing_output_cost_pusd = amount(o, "billing_output_cost_usd");
    r.billing_total_cost_pusd = amount(o, "billing_total_cost_usd");
    r.pricing_snapshot_json = snapshot.len ? buf_str(&snapshot) : STR_NONE;
    OK(store_record_insert(store, &r, &err));
    buf_clear(&request);
    buf_clear(&response);
    buf_clear(&snapshot);
}

static void check_backfill(struct store *store, const cJSON *one, enum backfill_kind kind,
                           int64_t id)
{
    const char *name = cost_get(one, "id")->valuestring;
    const cJSON *e = cost_get(one, "expect");
    struct price_book *book = cost_book(one, seed_providers, seed_prices);
    struct backfill b = {.kind = kind, .after_id = id - 1};
    struct arena arena = {0};
    struct record r;
    struct err err;
    bool more;

    store_case(store, cost_get(cost_get(one, "given"), "record"), id);
    OK(store_backfill(store, book, &b, 200, &more, &err));
    assert_false(more);
    if (b.repriced != cJSON_IsTrue(cost_get(e, "rewritten")))
        fail_msg("%s: %lld rows were rewritten", name, (long long)b.repriced);
    OK(store_record_get(store, id, &arena, &r, &err));
    if (b.repriced) {
        check_record(name, &r, e);
        same_text(name, "provider", r.billing_provider_slug, cost_text(e, "billing_provider_slug"));
        same_int(name, "input", r.billing_input_tokens, e, "billing_input_tokens");
        same_int(name, "cached", r.billing_cached_input_tokens, e, "billing_cached_input_tokens");
        same_int(name, "output", r.billing_output_tokens, e, "billing_output_tokens");
        same_int(name, "total", r.billing_total_tokens, e, "billing_total_tokens");
        b = (struct backfill){.kind = kind, .after_id = id - 1};
        OK(store_backfill(store, book, &b, 200, &more, &err));
        assert_int_equal(b.repriced, 0);
    }
    price_book_unref(book);
    arena_clear(&arena);
}

static void run_backfills(void **state, const char *path, enum backfill_kind kind, int expected)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    cJSON *cases = cost_load(path), *one;
    int64_t id = 1;

    assert_int_equal(cJSON_GetArraySize(cases), expected);
    cJSON_ArrayForEach(one, cases) check_backfill(store, one, kind, id++);
    assert_int_equal(query_number(f->db, "SELECT sum(count) FROM facets WHERE kind = 'provider'"),
                     query_number(f->db, "SELECT count(*) FROM requests "
                                         "WHERE billing_provider_slug IS NOT NULL"));
    cJSON_Delete(cases);
    store_close(store);
}

static void rows_without_a_cached_rate_are_priced_again(void **state)
{
    run_backfills(state, "cost/backfill_cached.json", BACKFILL_CACHED, 12);
}

static void rows_without_a_cost_are_priced_again(void **state)
{
    run_backfills(state, "cost/backfill_missing.json", BACKFILL_MISSING, 8);
}

static void a_run_is_compared_with_the_prices_asked_for(void **state)
{
    struct folder *f = *state;
    struct store *store = open_new(f->db);
    struct record r = sample(1);
    struct buf out = {0};
    const cJSON *scenario;
    struct err err;
    cJSON *o;

    OK(store_seed(store, &err));
    run_sql(f->db, "INSERT INTO task_runs (id, name, started_us) VALUES (1, 'r', 1)");
    r.task_run_id = 1;
    r.billing_input_tokens = 1000;
    r.billing_output_tokens = 500;
    OK(store_record_insert(store, &r, &err));
    OK(view_what_if(store, 1, STR("key=openai%3Agpt-5.4-mini&key=+openai:gpt-5.4-mini&key=x:y"),
                    &out, &err));
    o = json_parse(buf_str(&out));
    assert_int_equal(cJSON_GetArraySize(cost_get(o, "options")), 59);
    assert_int_equal(cJSON_GetArraySize(cost_get(o, "scenarios")), 1);
    assert_true(cJSON_IsNull(cost_get(o, "baseline")));
    assert_true(cJSON_IsNull(cost_get(o, "message")));
    scenario = cJSON_GetArrayItem(cost_get(o, "scenarios"), 0);
    assert_true(
        str_eq(cost_text(cost_get(scenario, "display"), "total_cost_usd"), STR("$0.003000")));
    cJSON_Delete(o);
    out.len = 0;
    OK(view_what_if(store, 1, STR("key="), &out, &err));
    assert_non_null(strstr(out.ptr, "No active model prices matched the selected comparison."));
    assert_int_equal(view_what_if(store, 2, STR(""), &out, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    buf_clear(&out);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finished_exchange_is_priced_from_its_bodies),
        cmocka_unit_test(a_run_is_compared_request_by_request),
        cmocka_unit_test(a_comparison_that_does_not_fit_is_unknown),
        TEST(rows_without_a_cached_rate_are_priced_again),
        TEST(rows_without_a_cost_are_priced_again),
        TEST(a_run_is_compared_with_the_prices_asked_for),
    };

    return cmocka_run_group_tests(tests, load_seeds, drop_seeds);
}
