#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cases.h"
#include "core/fix_ids.h"
#include "llm/fix.h"
#include "llm/sse.h"
#include "json/json.h"

#define ALL "[\"" FIX_QWEN "\",\"" FIX_THINK "\",\"" FIX_ARGUMENTS "\"]"

struct result {
    struct buf body, audit, warnings;
    bool rewritten, warned;
};

static void result_clear(struct result *r)
{
    buf_clear(&r->body);
    buf_clear(&r->audit);
    buf_clear(&r->warnings);
}

struct answer {
    const char *fixes, *endpoint, *content_type;
    struct str request, body;
    bool stream, broken;
};

/* piece 0: all at once. Pieces are copies, gone after each call. */
static void feed(struct fix_run *run, struct str bytes, size_t piece, struct buf *out)
{
    while (bytes.len > 0) {
        struct str part = str_cut(bytes, piece ? piece : bytes.len);
        char *copy = malloc(part.len);

        memcpy(copy, part.ptr, part.len);
        assert_int_equal(fix_feed(run, (struct str){copy, part.len}, out), 0);
        free(copy);
        bytes = str_from(bytes, part.len);
    }
}

static struct result answer(const struct answer *a, size_t piece)
{
    struct str endpoint = a->endpoint ? str_c(a->endpoint) : STR(FIX_ENDPOINT);
    struct fix_plan *plan = fix_plan_new(str_c(a->fixes), endpoint, a->request, STR_NONE);
    struct fix_run *run = plan ? fix_run_new(plan) : NULL;
    enum fix_mode mode = plan ? fix_mode(plan, a->stream, str_c(a->content_type)) : FIX_NOTHING;
    struct result r = {.rewritten = false};

    buf_put(&r.body, STR(""));
    if (mode == FIX_STREAM) {
        feed(run, a->body, piece, &r.body);
        assert_int_equal(fix_finish(run, a->broken, &r.body), 0);
    } else if (mode == FIX_NOTHING || !fix_plain(run, a->body, &r.body)) {
        buf_put(&r.body, a->body);
    }
    fix_audit(run, str_c(a->fixes), &r.audit);
    if (run) {
        r.rewritten = fix_rewritten(run);
        r.warned = fix_warned(run);
        fix_warnings(run, &r.warnings);
    }
    fix_run_free(run);
    fix_plan_free(plan);
    return r;
}

/* ---- the cases ---- */

static bool same_json(struct str a, struct str b)
{
    cJSON *x = json_parse(a), *y = json_parse(b);
    bool same = x && y && cJSON_Compare(x, y, true);

    cJSON_Delete(x);
    cJSON_Delete(y);
    return same;
}

static void add_event(void *ctx, struct str data, bool cut)
{
    cJSON *list = ctx, *event = json_parse(data);

    assert_false(cut);
    cJSON_AddItemToArray(list, event ? event : cJSON_CreateString(data.ptr));
}

static cJSON *events_of(struct str bytes)
{
    cJSON *list = cJSON_CreateArray();
    struct sse sse;

    sse_init(&sse, 1 << 20, add_event, list);
    sse_feed(&sse, bytes);
    sse_finish(&sse);
    sse_clear(&sse);
    return list;
}

static bool same_events(struct str a, struct str b)
{
    cJSON *x = events_of(a), *y = events_of(b);
    bool same = cJSON_Compare(x, y, true);

    cJSON_Delete(x);
    cJSON_Delete(y);
    return same;
}

static void check_body(const char *name, const cJSON *expect, struct str got, struct str upstream)
{
    struct str how = cases_str(expect, "compare");
    struct buf wanted;
    bool same;

    if (str_eq(cases_str(expect, "client"), STR("same"))) {
        cases_same(name, "body", got, upstream);
        return;
    }
    wanted = cases_read(cases_str(expect, "client").ptr);
    same = str_eq(how, STR("json")) ? same_json(got, buf_str(&wanted))
                                    : same_events(got, buf_str(&wanted));
    if (!same)
        fail_msg("%s: got %.*s, expected %s", name, STR_ARG(got), wanted.ptr);
    buf_clear(&wanted);
}

static void check_audit(const char *name, const cJSON *audit, const struct result *r)
{
    assert_int_equal(r->rewritten, cJSON_IsTrue(cases_get(audit, "response_was_rewritten")));
    if (cases_str(audit, "compat_fixes_json").ptr)
        cases_same(name, "audit", buf_str(&r->audit), cases_str(audit, "compat_fixes_json"));
    cases_same(name, "warnings", r->warned ? buf_str(&r->warnings) : STR_NONE,
               cases_str(audit, "compat_fix_errors_json"));
}

static void qwen_case(const char *name, const cJSON *input, const cJSON *expect)
{
    char *fixes = cJSON_PrintUnformatted(cases_get(input, "fixes"));
    const cJSON *type = cases_get(input, "content_type");
    struct buf request = cases_read(cases_str(input, "request").ptr);
    struct buf upstream = cases_read(cases_str(input, "upstream").ptr);
    struct answer a = {.fixes = fixes, .request = buf_str(&request), .body = buf_str(&upstream)};
    static const size_t pieces[] = {0, 1, 7};
    struct result whole = {0};

    a.stream = cJSON_IsTrue(cases_get(input, "streaming"));
    a.endpoint = cases_str(input, "endpoint").ptr;
    a.content_type = a.stream ? "text/event-stream" : cJSON_GetStringValue(type);
    for (size_t i = 0; i < 3; i++) {
        struct result r = answer(&a, pieces[i]);

        check_body(name, expect, buf_str(&r.body), a.body);
        check_audit(name, cases_get(expect, "audit"), &r);
        if (i > 0)
            cases_same(name, "pieces", buf_str(&r.body), buf_str(&whole.body));
        result_clear(&whole);
        whole = r;
    }
    result_clear(&whole);
    buf_clear(&request);
    buf_clear(&upstream);
    free(fixes);
}

static void tagged_calls_are_promoted_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("qwen-accept", qwen_case);
}

static void doubtful_calls_pass_unchanged(void **state)
{
    (void)state;
    cases_run("qwen-reject", qwen_case);
}

static void ids_case(const char *name, const cJSON *input, const cJSON *expect)
{
    struct str error = cases_str(expect, "error");
    struct buf out = {0};
    struct err err = {.msg = ""};
    char *wanted = cJSON_PrintUnformatted(cases_get(expect, "ids"));

    if (fix_ids(&out, cases_get(input, "value"), NULL, &err) < 0)
        cases_same(name, "error", str_c(err.msg), error);
    else
        cases_same(name, "ids", buf_str(&out), str_c(wanted));
    buf_clear(&out);
    free(wanted);
}

static void lists_of_fixes_are_read_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("fix-ids", ids_case);
}

/* ---- the others, and edges ---- */

#define TOOLS                                                                                      \
    "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"now\",\"parameters\":{"           \
    "\"type\":\"object\",\"properties\":{}}}}]}"
#define DELTA(d) "data: {\"choices\":[{\"index\":0,\"delta\":{" d "},\"finish_reason\":null}]}\n\n"
#define STOP(r) "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" r "\"}]}\n\n"
#define DONE "data: [DONE]\n\n"
#define MESSAGE(m) "{\"choices\":[{\"index\":0,\"message\":{" m "},\"finish_reason\":\"stop\"}]}"

/* A stream in all pieces; expect NULL: unchanged. */
static void stream(const char *fixes, const char *upstream, const char *expect, const char *warning)
{
    struct answer a = {.fixes = fixes,
                       .content_type = "text/event-stream",
                       .request = STR(TOOLS),
                       .body = str_c(upstream),
                       .stream = true};
    static const size_t pieces[] = {0, 1, 7};

    for (size_t i = 0; i < 3; i++) {
        struct result r = answer(&a, pieces[i]);

        assert_string_equal(r.body.ptr, expect ? expect : upstream);
        assert_int_equal(r.rewritten, expect != NULL);
        assert_int_equal(r.warned, warning != NULL);
        if (warning && !strstr(r.warnings.ptr, warning))
            fail_msg("the warnings are %s", r.warnings.ptr);
        result_clear(&r);
    }
}

static void body(const char *fixes, const char *upstream, const char *expect, const char *warning)
{
    struct answer a = {.fixes = fixes,
                       .content_type = "application/json",
                       .request = STR(TOOLS),
                       .body = str_c(upstream)};
    struct result r = answer(&a, 0);

    assert_string_equal(r.body.ptr, expect ? expect : upstream);
    assert_int_equal(r.rewritten, expect != NULL);
    assert_int_equal(r.warned, warning != NULL);
    if (warning && !strstr(r.warnings.ptr, warning))
        fail_msg("the warnings are %s", r.warnings.ptr);
    result_clear(&r);
}

#define THINK "[\"" FIX_THINK "\"]"

static void reasoning_tags_of_a_body_move(void **state)
{
    (void)state;
    body(THINK, MESSAGE("\"content\":\" <think>a \\u00e9</think>\\n\\nHi\""),
         MESSAGE("\"content\":\"Hi\",\"reasoning_content\":\"a \xC3\xA9\""), NULL);
    body(THINK, MESSAGE("\"content\":\"<think></think>\""), MESSAGE("\"content\":\"\""), NULL);
    body(THINK, MESSAGE("\"content\":\"<think>a\""), NULL, "closing tag is missing");
    body(THINK, MESSAGE("\"content\":\"Hi <think>a</think>\""), NULL, NULL);
    body(THINK, MESSAGE("\"content\":\"<think>a</think>\",\"reasoning\":\"b\""), NULL, NULL);
    body(THINK, MESSAGE("\"content\":null"), NULL, NULL);
    body(THINK, "[]", NULL, NULL);
}

static void reasoning_tags_of_a_stream_move_also_when_split(void **state)
{
    (void)state;
    stream(THINK,
           DELTA("\"role\":\"assistant\",\"content\":\"\"") DELTA("\"content\":\"\\n<th\"")
               DELTA("\"content\":\"ink>a \"")
                   DELTA("\"content\":\"b</thi\"") ": ping\n\n" DELTA("\"content\":\"nk>\\n\"")
                       DELTA("\"content\":\"\\nHi\"") STOP("stop") DONE,
           DELTA("\"role\":\"assistant\",\"content\":\"\"") DELTA("")
               DELTA("\"reasoning_content\":\"a \"")
                   DELTA("\"reasoning_content\":\"b\"") ": ping\n\n" DELTA("")
                       DELTA("\"content\":\"Hi\"") STOP("stop") DONE,
           NULL);
    stream(THINK, DELTA("\"content\":\"<think>a</think>b\"") DONE,
           DELTA("\"content\":\"b\",\"reasoning_content\":\"a\"") DONE, NULL);
}

static void what_is_rewritten_keeps_the_rest_and_the_last_of_equal_keys(void **state)
{
    struct buf many = {0}, out = {0};

    (void)state;
    stream(THINK,
           "data: {\"a b\" :\"c  d\", \"choices\":1,\t\"choices\": [ {\"delta\":{},\"index\" : 0, "
           "\"d\\u0065lta\":{ \"content\":\"x\", \"content\":\"<think>b\", \"y\": [ 1, 2 ]}, "
           "\"z\":\" \"} , 5 ] , \"n\":12345678901234567890}\n\n" STOP("stop") DONE,
           "data: {\"a b\":\"c  d\",\"choices\":[{\"index\":0,\"d\\u0065lta\":{\"y\":[1,2],"
           "\"reasoning_content\":\"b\"},\"z\":\" \"},5],\"n\":12345678901234567890}\n\n" STOP(
               "stop") DONE,
           "before the closing tag");
    buf_put(&many, STR("data: {\"choices\":[{"));
    for (int i = 0; i < 10000; i++)
        buf_put(&many, STR("\"delta\":{},"));
    buf_put(&many, STR("\"delta\":{\"content\":\"<think>"));
    for (int i = 0; i < 10000; i++)
        buf_put(&many, STR("many words"));
    buf_put(&many, STR("\"}}]}\n\n"));
    buf_put(&out, STR("data: {\"choices\":[{\"delta\":{\"reasoning_content\":\""));
    for (int i = 0; i < 10000; i++)
        buf_put(&out, STR("many words"));
    buf_put(&out, STR("\"}}]}\n\n"));
    stream(THINK, many.ptr, out.ptr, "before the closing tag");
    buf_clear(&many);
    buf_clear(&out);
}

static void an_unclosed_reasoning_loses_nothing(void **state)
{
    (void)state;
    stream(THINK, DELTA("\"content\":\"<think>a<\"") DONE,
           DELTA("\"reasoning_content\":\"a\"") DELTA("\"reasoning_content\":\"<\"") DONE,
           "before the closing tag");
}

static void nothing_comes_behind_an_event_without_its_end(void **state)
{
    (void)state;
    stream(THINK, DELTA("\"content\":\"<think>a<\"") "data: {}",
           DELTA("\"reasoning_content\":\"a\"") DELTA("\"reasoning_content\":\"<\"") "data: {}",
           "before the closing tag");
    stream(ALL, DELTA("\"reasoning\":\"<tool\"") ": ping", NULL, NULL);
}

static void content_without_tags_passes_byte_for_byte(void **state)
{
    (void)state;
    stream(THINK, DELTA("\"content\" : \"<thin\"") DELTA("\"content\":\" ice\"") STOP("stop") DONE,
           NULL, NULL);
    stream(THINK, DELTA("\"content\":\"  <t\"") DONE, NULL, NULL);
    stream(THINK, DELTA("\"reasoning_content\":\"r\"") DELTA("\"content\":\"<think>x</think>\""),
           NULL, NULL);
    stream(THINK, "data: x\r\rdata\r\n\r\n\n\ndata: {}", NULL, NULL);
}

#define REPAIR "[\"" FIX_ARGUMENTS "\"]"
#define CALL(a)                                                                                    \
    "\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"" a "\"}}]"
#define PIECE(a) DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"" a "\"}}]")

static void arguments_of_a_body_are_repaired(void **state)
{
    (void)state;
    body(REPAIR, MESSAGE(CALL("{\\\"a\\\":[1,2,],}")), MESSAGE(CALL("{\\\"a\\\":[1,2]}")), NULL);
    body(REPAIR, MESSAGE(CALL("{\\\"a\\\":[{\\\"b\\\":1")),
         MESSAGE(CALL("{\\\"a\\\":[{\\\"b\\\":1}]}")), NULL);
    body(REPAIR, MESSAGE(CALL("```json\\n{\\\"a\\\":\\\"x,}\\\"}\\n```")),
         MESSAGE(CALL("{\\\"a\\\":\\\"x,}\\\"}")), NULL);
    body(REPAIR, MESSAGE(CALL("{\\\"a\\\":\\\"x")), NULL, "'f' has no valid JSON");
    body(REPAIR, MESSAGE(CALL("{'a':1}")), NULL, "not repaired");
    body(REPAIR, MESSAGE(CALL("{\\\"a\\\":1]")), NULL, "not repaired");
    body(REPAIR, MESSAGE(CALL("{ \\\"a\\\" : 1 }")), NULL, NULL);
}

static void brackets_of_an_answer_that_was_cut_off_stay_open(void **state)
{
    (void)state;
    body(REPAIR,
         "{\"choices\":[{\"message\":{" CALL("{\\\"a\\\":1") "},\"finish_reason\":\"length\"}]}",
         NULL, "not repaired");
    stream(REPAIR, DELTA(CALL("{\\\"a\\\":1")) STOP("length"), NULL, "not repaired");
    stream(REPAIR, DELTA(CALL("{\\\"a\\\":1")), NULL, "not repaired");
}

static void arguments_of_a_stream_are_repaired_at_the_end_of_the_turn(void **state)
{
    (void)state;
    stream(REPAIR, DELTA(CALL("")) PIECE("{\\\"a\\\":") PIECE("1,") STOP("tool_calls") DONE,
           DELTA(CALL("")) PIECE("{\\\"a\\\":1}") PIECE("") STOP("tool_calls") DONE, NULL);
    stream(REPAIR, DELTA(CALL("")) PIECE("{\\\"a\\\":") PIECE("1}") STOP("tool_calls") DONE, NULL,
           NULL);
    stream(REPAIR, DELTA("\"content\":\"{,}\"") STOP("stop") DONE, NULL, NULL);
}

static void fixes_run_one_after_the_other(void **state)
{
    (void)state;
    stream("[\"" FIX_THINK "\",\"" FIX_QWEN "\"]",
           DELTA("\"content\":\"<think>x <tool_call><function=now></function></tool_call>\"")
               DELTA("\"content\":\"</think>\"") STOP("stop") DONE,
           DELTA("\"content\":\"x \"")
               DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"call_qwen_rewrite_0\",\"type\":"
                     "\"function\",\"function\":{\"name\":\"now\",\"arguments\":\"{}\"}}]")
                   DELTA("") STOP("tool_calls") DONE,
           NULL);
}

static void a_broken_stream_gives_back_what_is_held(void **state)
{
    struct answer a = {.fixes = ALL,
                       .content_type = "text/event-stream",
                       .request = STR(TOOLS),
                       .body =
                           STR(DELTA("\"reasoning\":\"<tool_call>\"") DELTA("\"reasoning\":"
                                                                            "\"<f\"") "data: {"),
                       .stream = true,
                       .broken = true};
    struct result r = answer(&a, 1);

    (void)state;
    assert_string_equal(r.body.ptr, a.body.ptr);
    assert_false(r.warned);
    result_clear(&r);
}

/* head + filler up to size + tail, as one stream that has to pass unchanged. */
static void long_stream(const char *head, const char *filler, size_t size, const char *warning)
{
    struct buf text = {0};

    buf_put(&text, str_c(head));
    while (text.len < size)
        buf_put(&text, str_c(filler));
    buf_put(&text, STR(DONE));
    stream(ALL, text.ptr, NULL, warning);
    buf_clear(&text);
}

static void what_is_held_is_bounded(void **state)
{
    (void)state;
    long_stream(DELTA("\"reasoning\":\"<tool_call>\""),
                DELTA("\"reasoning\":\"0123456789012345678901234567890123456789\""), 1500000,
                "exceeds buffer limit");
    long_stream(DELTA("\"reasoning\":\"<tool_call>\"") "data: ", "xxxxxxxxxxxxxxxx", 300000,
                "exceeds buffer limit");
    long_stream(DELTA(CALL("{")), PIECE("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["), 1500000,
                "exceed the buffer limit");
}

static void near_matches_are_no_trap(void **state)
{
    static const char *const traps[] = {"<tool_call><function=", "<parameter=", "</function>",
                                        "<tool_call> "};
    (void)state;
    for (size_t i = 0; i < sizeof(traps) / sizeof(*traps); i++) {
        struct buf text = {0};

        buf_put(&text,
                STR("{\"choices\":[{\"message\":{\"reasoning\":\"<tool_call><function=now>"));
        while (text.len < 900000)
            buf_put(&text, str_c(traps[i]));
        buf_put(&text, STR("</function></tool_call>\"}}]}"));
        body(ALL, text.ptr, NULL, "rejected");
        buf_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tagged_calls_are_promoted_as_the_cases_say),
        cmocka_unit_test(doubtful_calls_pass_unchanged),
        cmocka_unit_test(lists_of_fixes_are_read_as_the_cases_say),
        cmocka_unit_test(reasoning_tags_of_a_body_move),
        cmocka_unit_test(reasoning_tags_of_a_stream_move_also_when_split),
        cmocka_unit_test(what_is_rewritten_keeps_the_rest_and_the_last_of_equal_keys),
        cmocka_unit_test(an_unclosed_reasoning_loses_nothing),
        cmocka_unit_test(nothing_comes_behind_an_event_without_its_end),
        cmocka_unit_test(content_without_tags_passes_byte_for_byte),
        cmocka_unit_test(arguments_of_a_body_are_repaired),
        cmocka_unit_test(brackets_of_an_answer_that_was_cut_off_stay_open),
        cmocka_unit_test(arguments_of_a_stream_are_repaired_at_the_end_of_the_turn),
        cmocka_unit_test(fixes_run_one_after_the_other),
        cmocka_unit_test(a_broken_stream_gives_back_what_is_held),
        cmocka_unit_test(what_is_held_is_bounded),
        cmocka_unit_test(near_matches_are_no_trap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
