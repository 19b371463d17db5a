/* The filter language as SQL: the same answers as the evaluator gives, and by which index. */
#include "store_helpers.h"

#include "store/store_where.h"
#include "view/view_record.h"
#include "json/json.h"
#include "json/json_scan.h"

#define ROWS 200
#define TREES 500
#define NOW INT64_C(1900000000000000)
#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* ---- chance, the same in each run ---- */

static uint64_t seed = 20260711;

static size_t chance(size_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % n;
}

static struct str text_of(const char *const *list, size_t n)
{
    size_t i = chance(n + 1);

    return i < n ? str_c(list[i]) : STR_NONE;
}
#define TEXT_OF(list) text_of(list, COUNT(list))

static int64_t number_of(const int64_t *list, size_t n)
{
    size_t i = chance(n + 1);

    return i < n ? list[i] : UNKNOWN;
}
#define NUMBER_OF(list) number_of(list, COUNT(list))

/* ---- rows ---- */

static const char *const models[] = {
    "gpt-5", "GPT-5", "gpt-5-mini", "qwen*3", "a_b%c\\d", "\xe6\x9d\xb1\xe4\xba\xac-1", ""};
static const char *const slugs[] = {"openai", "lab"};
static const char *const names[] = {"OpenAI", "Lab GPU"};
static const char *const routes[] = {"gpt-*", "*"};
static const char *const errors[] = {"connection refused", "Rate limit 100%", ""};
static const char *const endings[] = {"cancelled",    "client_disconnect", "idle_timeout",
                                      "upstream_eof", "shutdown",          "upstream_error"};
static const int64_t statuses[] = {200, 201, 302, 404, 429, 499, 500, 502, 504, 101};
static const int64_t times_ms[] = {0, 1, 100, 2000, 9999, 10000, 60000};
static const int64_t counts[] = {0, 1, 640, 9999, 10000, 47700, 1000000};
static const int64_t costs[] = {0, 1, 27773700000, INT64_C(1840000000000)};
static const int64_t runs[] = {1, 2, 3, 40};

static struct record random_row(int64_t id)
{
    struct record r = sample(id);

    r.created_us = NOW - (ROWS - id / 2) * 60000000;
    r.model = TEXT_OF(models);
    r.upstream_model = TEXT_OF(models);
    r.endpoint = chance(2) ? STR("/v1/chat/completions") : STR("/v1/Embeddings");
    r.method = chance(9) ? STR("POST") : STR("GET");
    r.model_route = TEXT_OF(routes);
    r.provider_slug = TEXT_OF(slugs);
    r.billing_provider_slug = chance(2) ? r.provider_slug : STR_NONE;
    r.billing_provider_name = r.billing_provider_slug.ptr ? TEXT_OF(names) : STR_NONE;
    r.task_run_id = NUMBER_OF(runs);
    r.estimated_input_tokens = NUMBER_OF(counts);
    r.has_images = chance(5) == 0;
    r.is_stream = chance(2);
    r.has_tool_calls = chance(4) == 0;
    if (chance(10) == 0) {
        r.completed_us = r.response_status = r.duration_ms = UNKNOWN;
        r.upstream_headers_ms = UNKNOWN;
        return r;
    }
    r.completed_us = r.created_us + (int64_t)chance(600000000);
    r.response_status = NUMBER_OF(statuses);
    r.duration_ms = NUMBER_OF(times_ms);
    r.ttft_ms = NUMBER_OF(times_ms);
    r.chunk_gap_p95_ms = NUMBER_OF(times_ms);
    r.chunk_gap_max_ms = NUMBER_OF(times_ms);
    r.upstream_headers_ms = NUMBER_OF(times_ms);
    r.error = chance(4) ? STR_NONE : TEXT_OF(errors);
    r.upstream_error_message = chance(6) ? STR_NONE : TEXT_OF(errors);
    r.terminated_by = TEXT_OF(endings);
    r.stream_done = (int64_t)chance(2);
    r.finish_reason = chance(2) ? STR("stop") : STR_NONE;
    r.response_was_rewritten = chance(8) == 0;
    r.compat_fix_errors_json = chance(8) ? STR_NONE : STR("[\"qwen\"]");
    r.tool_call_count = NUMBER_OF(counts);
    r.request_bytes = NUMBER_OF(counts);
    r.response_bytes = NUMBER_OF(counts);
    r.billing_input_tokens = NUMBER_OF(counts);
    r.billing_cached_input_tokens = NUMBER_OF(counts);
    r.billing_output_tokens = NUMBER_OF(counts);
    r.billing_reasoning_tokens = NUMBER_OF(counts);
    r.billing_total_tokens = NUMBER_OF(counts);
    r.billing_total_cost_pusd = NUMBER_OF(costs);
    return r;
}

/* ---- trees ---- */

static const char *const terms[] = {
    "model:gpt-5",
    "model:GPT-5-MINI",
    "model:gpt*",
    "model:nothing",
    "model=gpt-5",
    "model!=gpt-5,GPT-5",
    "model:a_b%c\\\\d",
    "model:\\*,qwen\\*3",
    "model:\xe6\x9d\xb1?-*",
    "model:?",
    "model:\"\"",
    "model:-",
    "model!=-",
    "model:*",
    "sent:*5*,-",
    "sent!=gpt-5",
    "provider:OPENAI",
    "provider=\"Lab GPU\"",
    "provider!=openai",
    "provider:-",
    "provider!=*",
    "route:gpt-\\*",
    "route=*",
    "route=\"*\"",
    "endpoint:CHAT",
    "endpoint:v1*emb",
    "endpoint=/v1/Embeddings",
    "endpoint!=/v1/Embeddings",
    "method:get",
    "finish:st?p",
    "finish:-",
    "run:bench-1",
    "run:BENCH*",
    "run:2",
    "run=bench-1,40",
    "run!=2",
    "run:-",
    "run:*",
    "run:active",
    "run!=active",
    "run:nobody",
    "status:200",
    "status>=400",
    "status<200",
    "status:4xx,5xx",
    "status>4xx",
    "status:500..",
    "status!=200,404",
    "st:-",
    "outcome:ok,cut",
    "outcome!=ok",
    "outcome:-",
    "outcome:failed",
    "outcome:timeout",
    "outcome:upstream_error",
    "outcome:http_error,rewritten",
    "outcome:client_gone",
    "duration>2s",
    "dur<=10s",
    "dur:-",
    "ttft<100ms",
    "ttft:100ms..1m",
    "gap!=2s",
    "maxgap>=9999",
    "input>47k",
    "input:-",
    "cached:640,1",
    "out<10k",
    "reasoning:*",
    "total>=1M",
    "tokens!=640",
    "tps>100",
    "tps<=0.5",
    "tps:-",
    "tps:32000",
    "cost>0.01",
    "cost:$1.84",
    "cost<0.0000000001",
    "cost:-",
    "tools>1",
    "bytes<1K",
    "req_bytes:640",
    "error:RATE",
    "error:refused",
    "error:\"100%\"",
    "error=\"connection refused\"",
    "error!=\"connection refused\"",
    "error:-",
    "error:*",
    "created>=30m",
    "created<2h",
    "created:2030-03-17T16:00Z..2030-03-17T17:00Z",
    "created>2030-03-17T16:30Z",
    "created<=2030-03-17T16:30Z",
    "created!=2030-03-17T16:30Z",
    "ended>1h",
    "ended:-",
    "since:1h",
    "until:90m",
    "is:stream",
    "is:tool",
    "is:image,tool",
    "is:error",
    "is!=error",
    "is:slow",
    "is:large",
    "is:pending",
    "is:rewritten",
    "is:warned",
    "is:priced",
    "is:unpriced",
    "id:100..120",
    "id:7,150..",
    "id!=7",
    "gpt",
    "OPENAI",
    "\"lab g\"",
    "bench-1",
    "120",
    "100%",
    "_b%c\\\\",
    "emb",
    "nothing_of_that",
};

static void random_tree(struct buf *out, size_t depth)
{
    size_t n = depth == 0 ? 1 : 1 + chance(3);

    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_put(out, chance(2) ? STR(" or ") : STR(" "));
        if (chance(4) == 0)
            buf_put(out, STR("-"));
        if (depth > 0 && chance(3) == 0) {
            buf_put(out, STR("("));
            random_tree(out, depth - 1);
            buf_put(out, STR(")"));
        } else {
            buf_put(out, str_c(terms[chance(COUNT(terms))]));
        }
    }
}

/* ---- both answers ---- */

struct rows {
    char *json[ROWS + 1]; /* by id, as GET /api/requests gives them */
    struct filter_json values[ROWS + 1];
    int64_t order[ROWS];  /* newest first */
    size_t count;
};

static int keep_row(void *ctx, const struct record *r, struct err *err)
{
    static const char *const run_names[] = {"", "bench-1", "Bench-2", "40", [40] = "bench-1"};
    struct rows *rows = ctx;
    struct buf text = {0};
    struct str json;
    cJSON *o = view_record_row(r, NOW), *run;

    (void)err;
    if (r->task_run_id != UNKNOWN) {
        run = cJSON_CreateObject();
        json_put_int(run, "id", r->task_run_id);
        json_put_text(run, "name", run_names[r->task_run_id]);
        cJSON_ReplaceItemInObjectCaseSensitive(o, "task_run", run);
    }
    assert_true(json_print(&text, o));
    cJSON_Delete(o);
    assert_int_equal(json_scan(buf_str(&text), &json), JSON_OBJECT);
    filter_json_read(&rows->values[r->id], json);
    rows->json[r->id] = buf_take(&text);
    rows->order[rows->count++] = r->id;
    return 0;
}

struct got {
    int64_t ids[ROWS + 1];
    size_t count;
};

static int collect(void *ctx, const struct record *r, struct err *err)
{
    struct got *got = ctx;

    (void)err;
    assert_true(got->count < ROWS);
    got->ids[got->count++] = r->id;
    return 0;
}

static void compare(struct store *store, const struct rows *rows, const char *text)
{
    struct filter_error error;
    struct record_filter f = {.where = filter_parse(str_c(text), FILTER_STORED, NOW, &error)};
    struct got got = {0}, oldest = {0};
    struct err err;
    int64_t count;
    size_t n = 0;

    if (!f.where)
        fail_msg("%s: %s", text, error.msg);
    if (store_record_list(store, &f, false, 0, 0, 0, collect, &got, &err) < 0 ||
        store_record_list(store, &f, true, 1, 5, 0, collect, &oldest, &err) < 0 ||
        store_record_count(store, &f, &count, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    for (size_t i = 0; i < rows->count; i++) {
        int64_t id = rows->order[i];
        struct filter_row row = filter_json_row(&rows->values[id]);
        bool found = n < got.count && got.ids[n] == id;

        if (filter_matches(f.where, &row, 3) != found)
            fail_msg("%s: the store says %s of %s", text, found ? "yes" : "no", rows->json[id]);
        n += found;
    }
    assert_int_equal(n, got.count);
    assert_int_equal(n, count);
    assert_int_equal(oldest.count, n == 0 ? 0 : n < 6 ? n - 1 : 5);
    for (size_t i = 0; i < oldest.count; i++)
        assert_int_equal(oldest.ids[i], got.ids[n - 2 - i]);
    filter_free((struct filter *)f.where);
}

static struct store *fill(const char *path, struct rows *rows)
{
    struct store *store = open_new(path);
    struct record_filter all = {0};
    struct err err;

    run_sql(path, "INSERT INTO task_runs (id, name, started_us, ended_us) VALUES"
                  " (1, 'bench-1', 1, 2), (2, 'Bench-2', 1, 2), (3, '40', 3, NULL),"
                  " (40, 'bench-1', 4, 5)");
    OK(store_begin(store, &err));
    for (int64_t id = 1; id <= ROWS; id++) {
        struct record r = random_row(id);

        OK(store_record_insert(store, &r, &err));
    }
    OK(store_commit(store, &err));
    *rows = (struct rows){0};
    OK(store_record_list(store, &all, false, 0, 0, 0, keep_row, rows, &err));
    assert_int_equal(rows->count, ROWS);
    return store;
}

static void the_database_says_what_the_evaluator_says(void **state)
{
    const struct folder *f = *state;
    struct rows rows;
    struct store *store = fill(f->db, &rows);
    struct buf text = {0};
    bool more = true;
    struct err err;

    store->block_rows = 64;
    store->block_rest = 10;
    store->walk_max = 20;
    while (more)
        OK(store_blocks_build(store, NOW + INT64_C(3600000000), &more, &err));
    compare(store, &rows, "");
    for (size_t i = 0; i < COUNT(terms); i++) {
        compare(store, &rows, terms[i]);
        text.len = 0;
        buf_printf(&text, "-%s", terms[i]);
        compare(store, &rows, text.ptr);
    }
    for (size_t i = 0; i < TREES; i++) {
        text.len = 0;
        random_tree(&text, chance(4));
        compare(store, &rows, text.ptr);
    }
    buf_clear(&text);
    for (size_t i = 0; i <= ROWS; i++)
        free(rows.json[i]);
    store_close(store);
}

static void a_list_of_many_values_is_no_deep_expression(void **state)
{
    const struct folder *f = *state;
    struct rows rows;
    struct store *store = fill(f->db, &rows);
    struct buf text = {0};

    buf_put(&text, STR("-id!=1"));
    while (text.len < 4090)
        buf_put(&text, STR(",3"));
    compare(store, &rows, text.ptr);
    text.len = 0;
    for (size_t i = 0; i < FILTER_DEPTH_MAX; i++)
        buf_put(&text, STR("-("));
    buf_put(&text, STR("id:5"));
    for (size_t i = 0; i < FILTER_DEPTH_MAX; i++)
        buf_put(&text, STR(" or gpt)"));
    compare(store, &rows, text.ptr);
    buf_clear(&text);
    for (size_t i = 0; i <= ROWS; i++)
        free(rows.json[i]);
    store_close(store);
}

/* What is left to test in each row, and what the record_filter has taken over. */
static void lifted(struct store *store, const char *text, bool rest, struct record_filter *f)
{
    struct filter_error error;
    struct filter *filter = filter_parse(str_c(text), FILTER_STORED, NOW, &error);
    struct where where;
    struct err err;

    assert_non_null(filter);
    *f = (struct record_filter){.where = filter};
    OK(where_make(store, f, &where, &err));
    if ((where.test.len > 0) != rest)
        fail_msg("%s: %s", text, where.test.ptr);
    where_clear(&where);
    filter_free(filter);
}

static void what_an_index_knows_is_left_to_it(void **state)
{
    const struct folder *folder = *state;
    struct rows rows;
    struct store *store = fill(folder->db, &rows);
    struct record_filter f;

    lifted(store, "model=gpt-5 is:error is:stream status:429 since:1h until:1m", false, &f);
    assert_int_equal(f.model.len, 5);
    assert_true(f.error && f.stream && f.has_status && f.since_us && f.until_us);
    lifted(store, "model:GPT-5-mini run:active endpoint:chat route=\"*\"", false, &f);
    assert_int_equal(f.model.len, 10);
    assert_true(f.has_run && f.run == 3 && f.endpoint.len == 4 && f.route.len == 1);
    lifted(store, "run:bench-2", false, &f);
    assert_true(f.has_run && f.run == 2);
    lifted(store, "run:bench-1", true, &f); /* there are two */
    assert_false(f.has_run);
    lifted(store, "status>=500 ttft>1s", true, &f);
    assert_true(f.error);
    lifted(store, "error:refused", true, &f);
    assert_true(f.error);
    lifted(store, "model:gpt-5", true, &f); /* there are two */
    lifted(store, "is:error or is:slow", true, &f);
    assert_false(f.error);
    lifted(store, "-is:error", true, &f);
    assert_false(f.error);
    for (size_t i = 0; i <= ROWS; i++)
        free(rows.json[i]);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_database_says_what_the_evaluator_says),
        TEST(a_list_of_many_values_is_no_deep_expression),
        TEST(what_an_index_knows_is_left_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
