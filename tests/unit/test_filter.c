#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "filter/filter_tree.h"
#include "text/format.h"
#include "json/json_scan.h"

#define NOW INT64_C(1900000000000000)

/* ---- trees ---- */

static void put_value(struct buf *out, const struct filter_value *v)
{
    switch (v->kind) {
    case FILTER_IS_UNKNOWN:
        buf_put(out, STR("unknown"));
        break;
    case FILTER_IS_KNOWN:
        buf_put(out, STR("known"));
        break;
    case FILTER_INTERVAL:
        if (v->lo == v->hi)
            buf_printf(out, "%lld", (long long)v->lo);
        else
            buf_printf(out, "%lld..%lld", v->lo == INT64_MIN ? -1LL : (long long)v->lo,
                       v->hi == INT64_MAX ? -1LL : (long long)v->hi);
        break;
    case FILTER_LITERAL:
    case FILTER_PATTERN:
        buf_printf(out, v->kind == FILTER_LITERAL ? "'%.*s'" : "/%.*s/", STR_ARG(v->text));
        if (v->has_id)
            buf_printf(out, "#%lld", (long long)v->lo);
        break;
    case FILTER_ACTIVE_RUN:
        buf_put(out, STR("active"));
        break;
    case FILTER_FLAG_VALUE:
        buf_put(out, str_c(filter_flag_names[v->lo].name));
        break;
    }
}

static void put_tree(struct buf *out, const struct filter_node *n)
{
    static const char *const compare[] = {":", "=", "!=", "<", "<=", ">", ">="};
    static const char *const kinds[] = {"and", "or", "not"};

    if (n->kind <= FILTER_NOT) {
        buf_printf(out, "(%s", kinds[n->kind]);
        for (const struct filter_node *child = n->first; child; child = child->next) {
            buf_put(out, STR(" "));
            put_tree(out, child);
        }
        buf_put(out, STR(")"));
        return;
    }
    buf_printf(out, "%s%s", n->field ? n->field->n.name : "",
               n->field ? compare[n->compare] : "word ");
    for (size_t i = 0; i < n->value_count; i++) {
        if (i)
            buf_put(out, STR(","));
        put_value(out, &n->values[i]);
    }
}

static void tree(const char *text, const char *expected)
{
    struct filter_error error;
    struct filter *f = filter_parse(str_c(text), FILTER_LIVE, NOW, &error);
    struct buf out = {0};

    if (!f)
        fail_msg("%s: %s at %zu+%zu", text, error.msg, error.position, error.length);
    if (filter_root(f))
        put_tree(&out, filter_root(f));
    assert_string_equal(out.ptr ? out.ptr : "", expected);
    buf_clear(&out);
    filter_free(f);
}

static void texts_become_trees(void **state)
{
    (void)state;
    tree("", "");
    tree(" \t ", "");
    tree("model:gpt*", "model:/gpt*/");
    tree("model:qwen* status>=400", "(and model:/qwen*/ status>=400)");
    tree("(is:error or is:slow) since:1h -run:bench-*",
         "(and (or is:error is:slow) since:1899996400000000 (not run:/bench-*/))");
    tree("ttft>2s provider=openai", "(and ttft>2000 provider='openai')");
    tree("cost>0.01 output<5", "(and cost>10000000000 output<5)");
    tree("status:429,502,5xx", "status:429,502,500..599");
    tree("cost:- is:stream", "(and cost:unknown is:stream)");
    tree("\"rate limit\"", "word 'rate limit'");
    tree("a b and c or d", "(or (and word 'a' word 'b' word 'c') word 'd')");
    tree("a or b c", "(or word 'a' (and word 'b' word 'c'))");
    tree("NOT a OR not (b or c)", "(or (not word 'a') (not (or word 'b' word 'c')))");
    tree("!a !is:error", "(and (not word 'a') (not is:error))");
    tree("-(a b)c(d)", "(and (not (and word 'a' word 'b')) word 'c' word 'd')");
    tree("((((a))))", "word 'a'");
    tree("android oregon nothing", "(and word 'android' word 'oregon' word 'nothing')");
    tree("MODEL=x St:>399", "(and model='x' status>399)");
    tree("status:!=200", "status!=200");
    tree("sent:a dur>1m out:10k tokens:1.5M",
         "(and upstream_model:/a/ duration>60000 output:10000 total:1500000)");
    tree("id:1..5,9,7..,..2", "id:1..5,9,7..-1,-1..2");
    tree("bytes>64K req_bytes<1M gap:250ms maxgap>=2", "(and bytes>65536 req_bytes<1048576 "
                                                       "gap:250 maxgap>=2)");
    tree("cost=$0.25 tps>38.25", "(and cost=250000000000 tps>3825)");
    tree("model:\"a \\\"b\\\" \\\\ c\\*\"", "model:/a \"b\" \\ c\\*/");
    tree("model:a\\*b model=*,\"*\",\"-\"", "(and model:/a\\*b/ model=known,'*','-')");
    tree("run:active run:12 run:\"active\" run=12a run:-",
         "(and run:active run:/12/#12 run:/active/ run='12a' run:unknown)");
    tree("outcome:CUT,timeout outcome!=ok", "(and outcome:'cut','timeout' outcome!='ok')");
    tree("error:\"rate limit\",x endpoint:chat", "(and error:/rate limit/,/x/ endpoint:/chat/)");
    tree("is:waiting,stalled state:streaming client:127.*",
         "(and is:waiting,stalled state:/streaming/ client:/127.*/)");
    tree("since:-15m until:2030-03-17T17:46:40Z",
         "(and since:1899999100000000 until:1900000000000000..1900000000999999)");
    tree("created:2030-03-17T17:46Z..", "created:1899999960000000..-1");
    tree("created:2030-03-17T17:46Z ended<2030-03-17T17:46:40.5Z",
         "(and created:1899999960000000..1900000019999999 ended<1900000000500000)");
    tree("4120 -x --x", "(and word '4120'#4120 (not word 'x') (not word '-x'))");
    tree("\xe6\x9d\xb1 model:\xe6\x9d\xb1?", "(and word '\xe6\x9d\xb1' model:/\xe6\x9d\xb1?/)");
    tree("\"and\" \"a:b\"", "(and word 'and' word 'a:b')");
}

static void days_last_from_midnight_to_midnight(void **state)
{
    struct filter_error error;
    struct filter *f = filter_parse(STR("created:2030-03-17,today"), FILTER_STORED, NOW, &error);
    const struct filter_node *term;
    int64_t midnight;

    (void)state;
    assert_non_null(f);
    term = filter_root(f);
    assert_true(format_parse_iso(STR("2030-03-17"), &midnight));
    assert_int_equal(term->values[0].lo, midnight);
    assert_int_equal(term->values[0].hi - term->values[0].lo, INT64_C(86400000000) - 1);
    assert_true(term->values[1].lo <= NOW && NOW <= term->values[1].hi);
    filter_free(f);
}

/* ---- mistakes ---- */

static void mistake(const char *text, const char *msg, size_t position, size_t length)
{
    struct filter_error error;
    struct filter *f = filter_parse(str_c(text), FILTER_STORED, NOW, &error);

    if (f)
        fail_msg("%s: is taken", text);
    if (strcmp(error.msg, msg) != 0 || error.position != position || error.length != length)
        fail_msg("%s: \"%s\" at %zu+%zu", text, error.msg, error.position, error.length);
}

static void mistakes_are_named_and_located(void **state)
{
    (void)state;
    mistake("model:gpt* stauts>=400", "unknown field \"stauts\", did you mean \"status\"?", 11, 6);
    mistake("http://x", "unknown field \"http\"", 0, 4);
    mistake("\xe6\x9d\xb1\xe4\xba\xac zzz:1", "unknown field \"zzz\"", 3, 3);
    mistake("in:5", "unknown field \"in\", did you mean \"id\" or \"is\"?", 0, 2);
    mistake("model>x", "model>x: text has no order", 5, 1);
    mistake("is>=error", "is>=error: flag has no order", 2, 2);
    mistake("run:>5", "run:>5: run has no order", 3, 2);
    mistake("since>1h", "since>1h: write since:15m", 5, 1);
    mistake("since:1h..2h", "since takes one time; created takes a range", 6, 6);
    mistake("model:a..b", "model:a..b: text has no order, so no range", 6, 4);
    mistake("cost>1..2", "a range has an order itself; write cost:1..2", 5, 4);
    mistake("id:..", "the range has no end", 3, 2);
    mistake("cost>-", "\"-\" has no order; write cost:-", 5, 1);
    mistake("id:x", "\"x\" is no number", 3, 1);
    mistake("id:1,,2", "the value is missing after \"id,\"", 4, 1);
    mistake("ttft>5z", "\"5z\" is no duration (250ms, 2s, 1m, 1h)", 5, 2);
    mistake("created>soon", "\"soon\" is no time (2031-04-05T06:07, 14:02, today, 15m)", 8, 4);
    mistake("status:9x", "\"9x\" is no status (429, 4xx)", 7, 2);
    mistake("cost>-1", "\"-1\" is no amount of money (0.01, $0.01)", 5, 2);
    mistake("bytes:5q", "\"5q\" is no size (500, 64K, 10M)", 6, 2);
    mistake("output:1e3", "\"1e3\" is no count (500, 10k, 1M)", 7, 3);
    mistake("is:streem", "unknown flag \"streem\", did you mean \"stream\"?", 3, 6);
    mistake("is:-", "unknown flag \"-\"", 3, 1);
    mistake("is:stalled", "is:stalled is known only of requests in flight", 3, 7);
    mistake("state:done", "\"state\" is known only in top", 0, 5);
    mistake("outcome:cutt", "unknown outcome \"cutt\", did you mean \"cut\"?", 8, 4);
    mistake("model:", "the value is missing after \"model:\"", 5, 1);
    mistake("a status>= b", "the value is missing after \"status>=\"", 8, 2);
    mistake(">= 400", "there is no field before \">=\"; blanks may not stand around it", 0, 2);
    mistake("x \"abc", "the quote is not closed", 2, 4);
    mistake("model:\"a\\\"", "the quote is not closed", 6, 4);
    mistake("a (b or c", "the bracket is not closed", 2, 1);
    mistake("(", "the bracket is not closed", 0, 1);
    mistake("a ( )", "there is nothing in the brackets", 2, 3);
    mistake("a )", "unexpected \")\"", 2, 1);
    mistake("()", "there is nothing in the brackets", 0, 2);
    mistake("a or", "nothing follows \"or\"", 2, 2);
    mistake("a and )", "nothing follows \"and\"", 2, 3);
    mistake("a - b", "nothing follows \"-\"", 2, 1);
    mistake("or a", "\"or\" stands where a term should; quote it to look for it", 0, 2);
    mistake("not not a", "\"not\" stands where a term should; quote it to look for it", 4, 3);
    mistake("a,b", "unexpected comma; quote the whole text", 1, 1);
    mistake(",a", "unexpected \",\"", 0, 1);
    mistake("a\"b\"", "unexpected quote; quote the whole text", 1, 1);
    mistake("model:a\"b\"", "unexpected quote; quote the whole text", 7, 1);
    mistake("model:\"a\"b", "unexpected text; quote the whole text", 9, 1);
    mistake("id:1..2..3", "unexpected text; quote the whole text", 7, 1);
    mistake("\"\"", "there is nothing between the quotes", 0, 2);
    mistake("ab\xff", "the filter is not valid UTF-8", 2, 1);
}

static void repeat(struct buf *out, const char *text, size_t n)
{
    while (n-- > 0)
        buf_put(out, str_c(text));
}

static void limits_are_kept_exactly(void **state)
{
    struct buf text = {0};
    struct filter_error error;
    struct filter *f;

    (void)state;
    repeat(&text, "(", 16);
    buf_put(&text, STR("a"));
    repeat(&text, ")", 16);
    tree(text.ptr, "word 'a'");
    text.len = 0;
    repeat(&text, "(", 17);
    mistake(text.ptr, "brackets nest deeper than 16", 16, 1);
    text.len = 0;
    repeat(&text, "-(", 16);
    buf_put(&text, STR("a"));
    repeat(&text, ")", 16);
    f = filter_parse(buf_str(&text), FILTER_STORED, NOW, &error);
    assert_non_null(f);
    filter_free(f);
    text.len = 0;
    repeat(&text, "a ", 64);
    f = filter_parse(buf_str(&text), FILTER_STORED, NOW, &error);
    assert_non_null(f);
    filter_free(f);
    buf_put(&text, STR("bc"));
    mistake(text.ptr, "the filter has more than 64 terms", 128, 2);
    text.len = 0;
    repeat(&text, "x", 4096);
    f = filter_parse(buf_str(&text), FILTER_STORED, NOW, &error);
    assert_non_null(f);
    filter_free(f);
    buf_put(&text, STR("yy"));
    mistake(text.ptr, "the filter is longer than 4096 bytes", 4096, 2);
    text.len = 0;
    buf_put(&text, STR("id:1"));
    repeat(&text, ",1", 2046);
    f = filter_parse(buf_str(&text), FILTER_STORED, NOW, &error);
    assert_non_null(f);
    filter_free(f);
    buf_clear(&text);
}

/* ---- rows ---- */

static const char ROW[] =
    "{\"id\":4120,\"created_at\":\"2030-03-17T17:46:40.000000Z\",\"completed_at\":"
    "\"2030-03-17T17:46:52.100000Z\",\"method\":\"POST\",\"endpoint\":\"/v1/messages\","
    "\"model\":\"claude-Sonnet*4\",\"upstream_model\":null,\"model_route\":\"claude-*\","
    "\"provider_slug\":\"anthropic\",\"provider_name\":\"Anthropic, Inc.\",\"status\":200,"
    "\"outcome\":\"ok\",\"task_run\":{\"id\":12,\"name\":\"bench-\\u0034\\\"2\"},"
    "\"tokens\":{\"input\":47700,\"cached_input\":46269,\"output\":640,\"total\":48340},"
    "\"duration_ms\":12100,\"ttft_ms\":1100,\"generation_tps\":\"58.18\",\"cost_usd\":0.0277737,"
    "\"is_stream\":true,\"has_images\":false,\"has_tool_calls\":true,\"tool_call_count\":1,"
    "\"response_was_rewritten\":false,\"compatibility_label\":\"none\",\"error\":null,"
    "\"upstream_error_message\":null,\"signals\":{\"large\":true},\"request_bytes\":190000,"
    "\"response_bytes\":86016,\"finish_reason\":\"tool_use\",\"chunk_gap_p95_ms\":31,"
    "\"semantic_summary\":\"Streaming response\"}";

static bool asks(const char *text, const char *row, int64_t active)
{
    struct filter_error error;
    struct filter *f = filter_parse(str_c(text), FILTER_LIVE, NOW, &error);
    struct str json;
    bool yes;

    if (!f)
        fail_msg("%s: %s", text, error.msg);
    assert_int_equal(json_scan(str_c(row), &json), JSON_OBJECT);
    yes = filter_matches_json(f, json, active);
    filter_free(f);
    return yes;
}

static void yes(const char *text)
{
    if (!asks(text, ROW, 12))
        fail_msg("%s: does not match", text);
}

static void no(const char *text)
{
    if (asks(text, ROW, 12))
        fail_msg("%s: matches", text);
}

static void text_is_compared_whole_or_in_part(void **state)
{
    (void)state;
    yes("");
    yes("model:CLAUDE-*");
    yes("model:claude?sonnet\\*?");
    no("model:claude");
    no("model:sonnet\\?4");
    yes("model:\"claude-sonnet\\\\*4\"");
    yes("model=claude-Sonnet*4");
    no("model=claude-sonnet*4");
    no("model=claude-*");
    yes("model!=x,y");
    no("model!=x,claude-Sonnet*4");
    yes("provider:ANTHROPIC provider:\"anthropic, inc.\" provider=anthropic");
    no("provider!=anthropic");
    yes("endpoint:MESS endpoint:v1*s error:-");
    no("endpoint=messages");
    yes("endpoint=/v1/messages");
    yes("run:\"bench-4\\\"2\" run:12 run:active run=12 run:*");
    no("run:1,13 or run!=12 or run:-");
    yes("summary:RESPONSE finish:tool_*");
    yes("anthropic 4120 \"anthropic, inc\" bench sonnet*4 -openai");
    no("412");
    no("bench-43");
}

static void numbers_are_compared_as_intervals(void **state)
{
    (void)state;
    yes("id:4120 id:1,4120 id=4000..5000 id!=1..5 id:..4120 id:4120..");
    no("id:4121.. or id:..4119 or id!=4120,1");
    yes("status:2xx status<3xx status>1xx status>=2xx status<=2xx status!=4xx");
    no("status>2xx or status<2xx");
    yes("ttft>1s ttft:1.1s duration>12s dur<=12.1s gap:31ms maxgap:-");
    yes("input>47k cached<50k out:640 total:48.34k tokens:1..1M reasoning:-");
    yes("cost:0.0277737 cost>$0.0277736 cost<=0.0277737 tps>58.1 tps:58.18");
    no("tps:58");
    yes("bytes:84K req_bytes>185K tools:1");
    yes("created:2030-03-17T17:46:40Z created>=2030-03-17T17:46:40Z ended>2030-03-17T17:46:51Z");
    no("created>2030-03-17T17:46Z");
    yes("since:2030-03-17T17:46:40Z until:2030-03-17T17:46:41Z");
    no("until:2030-03-17T17:46:40Z");
}

static void flags_follow_from_what_is_known(void **state)
{
    (void)state;
    yes("is:stream,image is:tool is:slow is:large is:priced outcome:ok");
    no("is:image,error,pending,rewritten,warned,unpriced");
    yes("is!=image,error");
    no("is!=image,stream");
    assert_true(asks("is:error", "{\"id\":1,\"upstream_error_message\":\"overloaded\"}", 1));
    assert_true(asks("is:error", "{\"id\":1,\"status\":404}", 1));
    assert_false(asks("is:error", "{\"id\":1}", 1));
    assert_true(asks("is:stalled -is:waiting state:st*", "{\"id\":1,\"state\":\"stalled\"}", 1));
    assert_true(asks("dur>5s gap>2s tps>3 is:pending",
                     "{\"id\":1,\"duration_ms\":null,\"elapsed_ms\":6700,\"gap_ms\":2100,"
                     "\"current_tps\":\"64.00\"}",
                     1));
    assert_true(asks("is:warned", "{\"compatibility_label\":\"warned\"}", 1));
    assert_true(asks("is:unpriced", "{\"completed_at\":\"2030-03-17T17:46:52Z\"}", 1));
}

static void what_is_unknown_compares_to_nothing(void **state)
{
    static const char *const fields[] = {"model",  "status", "cost",    "ttft", "ended",
                                         "run",    "tps",    "outcome", "id",   "provider",
                                         "finish", "error",  "output",  "sent"};
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        const char *value = i == 4 ? "15m" : i == 7 ? "ok" : "1";

        snprintf(text, sizeof(text), "%s:%s or %s!=%s or %s:*", fields[i], value, fields[i], value,
                 fields[i]);
        assert_false(asks(text, "{}", UNKNOWN));
        snprintf(text, sizeof(text), "-%s:%s !%s!=%s %s:- %s!=*", fields[i], value, fields[i],
                 value, fields[i], fields[i]);
        assert_true(asks(text, "{}", UNKNOWN));
    }
    assert_false(asks("run:active", "{}", UNKNOWN));
    assert_false(asks("model:*", "{\"model\":\"unknown\"}", 1));
    assert_true(asks("-(cost>1 or cost<=1)", "{}", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_trees),
        cmocka_unit_test(days_last_from_midnight_to_midnight),
        cmocka_unit_test(mistakes_are_named_and_located),
        cmocka_unit_test(limits_are_kept_exactly),
        cmocka_unit_test(text_is_compared_whole_or_in_part),
        cmocka_unit_test(numbers_are_compared_as_intervals),
        cmocka_unit_test(flags_follow_from_what_is_known),
        cmocka_unit_test(what_is_unknown_compares_to_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
