#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/mock/mock_priv.h"
#include "json/json.h"

#define CHAT "\"messages\":[{\"role\":\"user\",\"content\":\"Say something.\"}]"
#define TOOLS                                                                                      \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look\",\"parameters\":{}}},"       \
    "{\"name\":\"bash\",\"input_schema\":{\"type\":\"object\",\"properties\":{"                    \
    "\"command\":{\"type\":\"string\"},\"times\":{\"type\":[\"null\",\"integer\"]},"               \
    "\"mode\":{\"enum\":[\"fast\",\"slow\"]},\"deep\":{\"type\":\"object\"},"                      \
    "\"list\":{\"type\":\"array\"},\"really\":{\"type\":\"boolean\"}}}}]"

/* ---- options ---- */

static int from_model(struct mock_options *o, const char *model, struct err *err)
{
    *o = mock_options_default();
    return mock_options_from_model(o, str_c(model), err);
}

static void a_model_name_carries_options(void **state)
{
    struct mock_options o;
    struct err err;

    (void)state;
    assert_int_equal(from_model(&o, "plain", &err), 0);
    assert_true(o.tokens == UNKNOWN && o.ttft_ms == 100 && o.tps == 50 && o.seed == 1);
    assert_int_equal(from_model(&o,
                                "m,tokens=20,ttft=2s,tps=2.5,cached=90,reasoning=64,tool=bash,"
                                "status=500:0.1,retry-after=3,cut,stall=5s,nousage,qwen,seed=-7",
                                &err),
                     0);
    assert_int_equal(o.tokens, 20);
    assert_int_equal(o.ttft_ms, 2000);
    assert_true(o.tps == 2.5);
    assert_int_equal(o.cached, 90);
    assert_int_equal(o.reasoning, 64);
    assert_true(str_eq(o.tool, STR("bash")));
    assert_int_equal(o.status, 500);
    assert_true(o.status_share == 0.1);
    assert_int_equal(o.retry_after_s, 3);
    assert_true(o.cut_share == 1);
    assert_int_equal(o.stall_ms, 5000);
    assert_true(o.no_usage && o.qwen);
    assert_true(o.seed == (uint64_t)-7);
}

static void a_wrong_option_of_a_model_name_is_named(void **state)
{
    static const struct {
        const char *model, *said;
    } cases[] = {
        {"m,tokem=1", "unknown option \"tokem\" in the model name, did you mean \"tokens\"?"},
        {"m,", "unknown option \"\" in the model name"},
        {"m,tokens=5,,cut", "unknown option \"\" in the model name"},
        {"m,tokens", "option \"tokens\" in the model name needs a value"},
        {"m,tokens=-1", "\"-1\" is not a number from 0 to 1000000"},
        {"m,tokens=99M", "\"99M\" is not a number from 0 to 1000000"},
        {"m,ttft=soon", "\"soon\" is not a duration"},
        {"m,tps=1e9", "\"1e9\" is not a number of tokens a second"},
        {"m,cached=101", "\"101\" is not a number from 0 to 100"},
        {"m,status=200", "\"200\" is not an error status"},
        {"m,status=500:2", "\"2\" is not a share"},
        {"m,tool=a b", "\"a b\" is not a tool's name"},
        {"m,nousage=1", "takes no value"},
    };
    struct mock_options o;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(from_model(&o, cases[i].model, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        if (!strstr(err.msg, cases[i].said))
            fail_msg("%s: expected \"%s\", got \"%s\"", cases[i].model, cases[i].said, err.msg);
        assert_int_equal(o.tokens, UNKNOWN); /* as it was */
    }
}

static void flags_set_the_same_options(void **state)
{
    char *argv[] = {"--tokens", "7",     "--no-usage", "--qwen-tags", "--status",
                    "429:0.5",  "--cut", "0.25",       "--tool",      "bash"};
    char *wrong[] = {"--tps", "fast"};
    struct mock_options o = mock_options_default();
    struct opts opts;
    struct err err;

    (void)state;
    assert_int_equal(opts_parse(&opts, mock_options, 10, argv, &err), 0);
    assert_int_equal(mock_options_from_flags(&o, &opts, &err), 0);
    assert_true(o.tokens == 7 && o.no_usage && o.qwen && o.status == 429);
    assert_true(o.status_share == 0.5 && o.cut_share == 0.25 && str_eq(o.tool, STR("bash")));
    opts_clear(&opts);
    assert_int_equal(opts_parse(&opts, mock_options, 2, wrong, &err), 0);
    assert_int_equal(mock_options_from_flags(&o, &opts, &err), -1);
    assert_string_equal(err.msg, "--tps: \"fast\" is not a number of tokens a second");
    opts_clear(&opts);
}

/* ---- requests ---- */

static void prompt_tokens_count_texts_and_not_keys(void **state)
{
    struct buf image = {0};

    (void)state;
    assert_int_equal(mock_count_tokens(STR("\"12345678\"")), 2);
    assert_int_equal(mock_count_tokens(STR("[{\"a long key\" : \"12345\"},{\"k\":1}]")), 2);
    assert_int_equal(mock_count_tokens(STR("\"\\\"\\\\\"")), 1);
    assert_int_equal(mock_count_tokens(STR("[]")), 0);
    assert_int_equal(mock_count_tokens(STR_NONE), 0);
    buf_put(&image, STR("\""));
    for (int i = 0; i < 2000; i++)
        buf_put(&image, STR("A"));
    buf_put(&image, STR("\""));
    assert_int_equal(mock_count_tokens(buf_str(&image)), 85);
    buf_clear(&image);
}

static int plan(struct mock_answer *a, enum mock_api api, const char *text, struct err *err)
{
    struct str body = str_c(text);

    *a = (struct mock_answer){.api = api};
    a->request.options = mock_options_default();
    if (mock_request_model(&a->request, &body, &a->arena, err) < 0 ||
        mock_request_read(&a->request, api, body, err) < 0)
        return -1;
    return mock_answer_plan(a, &mock_sentences, body, err);
}

static void a_body_that_is_no_request_is_refused(void **state)
{
    static const char *const bodies[] = {"",
                                         "{",
                                         "[]",
                                         "{\"model\":\"m\"}",
                                         "{\"model\":7," CHAT "}",
                                         "{" CHAT "}",
                                         "null",
                                         "{}{}",
                                         "true",
                                         "{\"model\":\"m\",\"messages\":\"text\"}",
                                         "{\"model\":\"\"," CHAT "}",
                                         "{\"model\":\"m,foo\"," CHAT "}"};
    struct mock_answer a;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        if (plan(&a, MOCK_CHAT, bodies[i], &err) == 0)
            fail_msg("accepted: %s", bodies[i]);
        assert_int_equal(err.code, ERR_INVALID);
        mock_answer_clear(&a);
    }
}

/* ---- answers, whole and streamed ---- */

static cJSON *whole(const struct mock_answer *a)
{
    struct buf out = {0};
    struct err err;
    cJSON *tree;

    assert_int_equal(mock_form(a->api)->json(a, &out, &err), 0);
    tree = json_parse(buf_str(&out));
    if (!tree)
        fail_msg("no JSON: %s", out.ptr);
    buf_clear(&out);
    return tree;
}

/* The data of all events as a JSON array; "[DONE]" is checked and left out. */
static cJSON *events(const struct mock_answer *a)
{
    struct mock_stream s = {.answer = a};
    struct buf out = {0};
    cJSON *array = cJSON_CreateArray();
    struct str rest, line;
    struct err err;

    while (!s.done)
        assert_int_equal(mock_stream_beat(&s, &out, &err), 0);
    assert_int_equal(s.sent, a->total);
    rest = buf_str(&out);
    while (str_split(&rest, '\n', &line)) {
        struct str data = str_from(line, 6);
        cJSON *event;

        if (!str_starts(line, STR("data: ")))
            continue;
        if (str_eq(data, STR("[DONE]"))) {
            assert_int_equal(rest.len, 1);
            continue;
        }
        event = json_parse(data);
        if (!event)
            fail_msg("no JSON: %.*s", STR_ARG(data));
        cJSON_AddItemToArray(array, event);
    }
    assert_true(str_ends(buf_str(&out), STR("\n\n")));
    buf_clear(&out);
    return array;
}

/* "a.0.b": numbers are places in arrays; NULL when it is not there. */
static const cJSON *at(const cJSON *tree, const char *path)
{
    struct str rest = str_c(path), step;

    while (tree && str_split(&rest, '.', &step)) {
        char name[64];
        int64_t n;

        snprintf(name, sizeof(name), "%.*s", STR_ARG(step));
        tree = str_int64(step, &n) ? cJSON_GetArrayItem(tree, (int)n)
                                   : cJSON_GetObjectItemCaseSensitive(tree, name);
    }
    return tree;
}

static const char *text_at(const cJSON *tree, const char *path)
{
    const char *text = cJSON_GetStringValue(at(tree, path));

    return text ? text : "";
}

static void join(struct buf *out, const cJSON *all, const char *path)
{
    const cJSON *event;

    cJSON_ArrayForEach(event, all) buf_put(out, str_c(text_at(event, path)));
}

/* The texts at path of all events are the text of the whole answer. */
static void check_text(const cJSON *all, const char *path, const char *expected)
{
    struct buf joined = {0};

    join(&joined, all, path);
    assert_non_null(joined.ptr);
    assert_string_equal(joined.ptr, expected);
    buf_clear(&joined);
}

static const cJSON *last(const cJSON *all)
{
    return cJSON_GetArrayItem(all, cJSON_GetArraySize(all) - 1);
}

static void check_int(const cJSON *tree, const char *path, int expected)
{
    const cJSON *item = at(tree, path);

    if (!cJSON_IsNumber(item) || item->valueint != expected)
        fail_msg("%s: expected %d, got %s", path, expected, item ? "another" : "nothing");
}

static void a_chat_stream_says_what_the_whole_answer_says(void **state)
{
    struct mock_answer a;
    struct err err;
    cJSON *json, *all;

    (void)state;
    assert_int_equal(plan(&a, MOCK_CHAT,
                          "{\"model\":\"m,tokens=30,reasoning=5,cached=50\",\"stream\":true,"
                          "\"stream_options\":{\"include_usage\":true}," CHAT "}",
                          &err),
                     0);
    json = whole(&a);
    all = events(&a);
    check_text(all, "choices.0.delta.content", text_at(json, "choices.0.message.content"));
    check_text(all, "choices.0.delta.reasoning_content",
               text_at(json, "choices.0.message.reasoning_content"));
    assert_string_equal(text_at(all, "0.choices.0.delta.role"), "assistant");
    assert_int_equal(cJSON_GetArraySize(all), 1 + 35 + 1 + 1);
    assert_string_equal(text_at(all, "36.choices.0.finish_reason"), "stop");
    assert_int_equal(cJSON_GetArraySize(at(last(all), "choices")), 0);
    assert_true(cJSON_Compare(at(last(all), "usage"), at(json, "usage"), true));
    check_int(json, "usage.prompt_tokens", 5);
    check_int(json, "usage.prompt_tokens_details.cached_tokens", 2);
    check_int(json, "usage.completion_tokens", 35);
    check_int(json, "usage.completion_tokens_details.reasoning_tokens", 5);
    assert_string_equal(text_at(json, "id"), text_at(all, "0.id"));
    cJSON_Delete(json);
    cJSON_Delete(all);
    mock_answer_clear(&a);
}

static void usage_comes_only_when_it_is_asked_for(void **state)
{
    struct mock_answer a;
    struct err err;
    cJSON *all, *json;

    (void)state;
    assert_int_equal(
        plan(&a, MOCK_CHAT, "{\"model\":\"m,tokens=3\",\"stream\":true," CHAT "}", &err), 0);
    all = events(&a);
    assert_null(at(last(all), "usage"));
    assert_string_equal(text_at(last(all), "choices.0.finish_reason"), "stop");
    cJSON_Delete(all);
    mock_answer_clear(&a);
    assert_int_equal(plan(&a, MOCK_CHAT, "{\"model\":\"m,nousage\"," CHAT "}", &err), 0);
    json = whole(&a);
    assert_null(at(json, "usage"));
    cJSON_Delete(json);
    mock_answer_clear(&a);
}

static void a_responses_stream_ends_with_the_whole_answer(void **state)
{
    struct mock_answer a;
    struct err err;
    cJSON *json, *all;
    const cJSON *event;
    int sequence = 0;

    (void)state;
    assert_int_equal(plan(&a, MOCK_RESPONSES,
                          "{\"model\":\"m,tokens=12,reasoning=4\",\"input\":\"Say something.\"}",
                          &err),
                     0);
    json = whole(&a);
    all = events(&a);
    cJSON_ArrayForEach(event, all) check_int(event, "sequence_number", sequence++);
    assert_string_equal(text_at(all, "0.type"), "response.created");
    assert_string_equal(text_at(all, "1.type"), "response.in_progress");
    assert_string_equal(text_at(last(all), "type"), "response.completed");
    assert_true(cJSON_Compare(at(last(all), "response"), json, true));
    check_int(json, "usage.output_tokens", 16);
    assert_string_equal(text_at(json, "output.0.type"), "reasoning");
    assert_string_equal(text_at(json, "output.1.type"), "message");
    cJSON_ArrayForEach(event, all)
    {
        if (strcmp(text_at(event, "type"), "response.output_text.done") == 0)
            assert_string_equal(text_at(event, "text"), text_at(json, "output.1.content.0.text"));
    }
    cJSON_Delete(json);
    cJSON_Delete(all);
    mock_answer_clear(&a);
}

static void a_messages_stream_says_what_the_whole_answer_says(void **state)
{
    struct mock_answer a;
    struct err err;
    cJSON *json, *all;

    (void)state;
    assert_int_equal(
        plan(&a, MOCK_MESSAGES,
             "{\"model\":\"m,tokens=12,reasoning=4,cached=40\",\"max_tokens\":99," CHAT "}", &err),
        0);
    json = whole(&a);
    all = events(&a);
    check_text(all, "delta.text", text_at(json, "content.1.text"));
    check_text(all, "delta.thinking", text_at(json, "content.0.thinking"));
    check_text(all, "delta.signature", text_at(json, "content.0.signature"));
    assert_string_equal(text_at(all, "0.type"), "message_start");
    assert_string_equal(text_at(all, "1.type"), "content_block_start");
    assert_string_equal(text_at(all, "2.type"), "ping");
    assert_string_equal(text_at(last(all), "type"), "message_stop");
    check_int(all, "0.message.usage.input_tokens", 3);
    check_int(all, "0.message.usage.cache_read_input_tokens", 2);
    check_int(json, "usage.output_tokens", 16);
    cJSON_Delete(json);
    cJSON_Delete(all);
    mock_answer_clear(&a);
}

static void the_limit_of_the_client_ends_the_text(void **state)
{
    struct mock_answer a;
    struct err err;
    cJSON *json;

    (void)state;
    assert_int_equal(
        plan(&a, MOCK_CHAT, "{\"model\":\"m,tokens=50\",\"max_tokens\":10," CHAT "}", &err), 0);
    json = whole(&a);
    check_int(json, "usage.completion_tokens", 10);
    assert_string_equal(text_at(json, "choices.0.finish_reason"), "length");
    cJSON_Delete(json);
    mock_answer_clear(&a);
    assert_int_equal(plan(&a, MOCK_RESPONSES,
                          "{\"model\":\"m\",\"max_output_tokens\":10,\"input\":\"x\"}", &err),
                     0);
    json = whole(&a);
    assert_string_equal(text_at(json, "status"), "incomplete");
    assert_string_equal(text_at(json, "incomplete_details.reason"), "max_output_tokens");
    cJSON_Delete(json);
    mock_answer_clear(&a);
    assert_int_equal(
        plan(&a, MOCK_MESSAGES, "{\"model\":\"m,reasoning=9\",\"max_tokens\":4," CHAT "}", &err),
        0);
    json = whole(&a);
    assert_string_equal(text_at(json, "stop_reason"), "max_tokens");
    check_int(json, "usage.output_tokens", 4);
    cJSON_Delete(json);
    mock_answer_clear(&a);
}

static void check_arguments(const char *text)
{
    cJSON *tree = json_parse(str_c(text));

    assert_non_null(tree);
    assert_int_equal(cJSON_GetArraySize(tree), 6);
    assert_true(strlen(text_at(tree, "command")) > 0);
    assert_true(cJSON_IsNumber(at(tree, "times")));
    assert_string_equal(text_at(tree, "mode"), "fast");
    assert_true(cJSON_IsObject(at(tree, "deep")));
    assert_true(cJSON_IsArray(at(tree, "list")));
    assert_true(cJSON_IsBool(at(tree, "really")));
    cJSON_Delete(tree);
}

static void a_declared_tool_is_called_after_its_schema(void **state)
{
    static const struct {
        enum mock_api api;
        const char *body, *arguments, *delta;
    } cases[] = {
        {MOCK_CHAT, "{\"model\":\"m,tool=bash\"," TOOLS "," CHAT "}",
         "choices.0.message.tool_calls.0.function.arguments",
         "choices.0.delta.tool_calls.0.function.arguments"},
        {MOCK_RESPONSES, "{\"model\":\"m,tool=bash\"," TOOLS ",\"input\":\"x\"}",
         "output.0.arguments", NULL},
        {MOCK_MESSAGES, "{\"model\":\"m,tool=bash\"," TOOLS "," CHAT "}", NULL,
         "delta.partial_json"},
    };
    struct mock_answer a;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf joined = {0};
        cJSON *json, *all;

        assert_int_equal(plan(&a, cases[i].api, cases[i].body, &err), 0);
        assert_true(str_eq(a.tool, STR("bash")));
        json = whole(&a);
        all = events(&a);
        if (cases[i].arguments)
            check_arguments(text_at(json, cases[i].arguments));
        if (cases[i].delta) {
            join(&joined, all, cases[i].delta);
            check_arguments(joined.ptr);
            assert_true(a.total > 3); /* in pieces */
        }
        buf_clear(&joined);
        cJSON_Delete(json);
        cJSON_Delete(all);
        mock_answer_clear(&a);
    }
}

static void no_tool_is_called_when_none_is_wanted(void **state)
{
    static const char *const bodies[] = {
        "{\"model\":\"m,tool=bash\"," CHAT "}",
        "{\"model\":\"m\"," TOOLS "," CHAT "}",
        "{\"model\":\"m,tool=bash\",\"tool_choice\":\"none\"," TOOLS "," CHAT "}",
        "{\"model\":\"m,tool=bash\"," TOOLS
        ",\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}",
    };
    static const char result[] =
        "{\"model\":\"m,tool=bash\"," TOOLS ",\"messages\":[{\"role\":\"user\",\"content\":"
        "[{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":\"x\"}]}]}";
    static const char output[] =
        "{\"model\":\"m,tool=bash\"," TOOLS
        ",\"input\":[{\"type\":\"function_call_output\",\"output\":\"\"}]}";
    struct mock_answer a;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        assert_int_equal(plan(&a, MOCK_CHAT, bodies[i], &err), 0);
        assert_null(a.tool.ptr);
        mock_answer_clear(&a);
    }
    assert_int_equal(plan(&a, MOCK_MESSAGES, result, &err), 0);
    assert_null(a.tool.ptr);
    mock_answer_clear(&a);
    assert_int_equal(plan(&a, MOCK_RESPONSES, output, &err), 0);
    assert_null(a.tool.ptr);
    mock_answer_clear(&a);
}

static void qwen_writes_its_calls_into_the_text(void **state)
{
    struct mock_answer a;
    struct err err;
    const char *text;
    cJSON *json;

    (void)state;
    assert_int_equal(
        plan(&a, MOCK_CHAT, "{\"model\":\"m,qwen,tool=bash\"," TOOLS "," CHAT "}", &err), 0);
    json = whole(&a);
    text = text_at(json, "choices.0.message.content");
    assert_ptr_equal(strstr(text, "<tool_call>\n<function=bash>\n<parameter=command>\n"), text);
    assert_non_null(strstr(text, "<parameter=mode>\nfast\n</parameter>\n"));
    assert_true(str_ends(str_c(text), STR("</parameter>\n</function>\n</tool_call>")));
    assert_null(at(json, "choices.0.message.tool_calls"));
    assert_string_equal(text_at(json, "choices.0.finish_reason"), "stop");
    cJSON_Delete(json);
    mock_answer_clear(&a);
}

static void seeds_decide_the_bytes(void **state)
{
    static const char *const bodies[] = {"{\"model\":\"m\"," CHAT "}", "{\"model\":\"m\"," CHAT "}",
                                         "{\"model\":\"m,seed=2\"," CHAT "}"};
    struct buf out[3] = {{0}};
    struct err err;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct mock_answer a;

        assert_int_equal(plan(&a, MOCK_CHAT, bodies[i], &err), 0);
        assert_int_equal(mock_chat.json(&a, &out[i], &err), 0);
        mock_answer_clear(&a);
    }
    assert_string_equal(out[0].ptr, out[1].ptr);
    assert_string_not_equal(out[0].ptr, out[2].ptr);
    for (size_t i = 0; i < 3; i++)
        buf_clear(&out[i]);
}

static void a_text_is_split_into_tokens_that_make_it_up(void **state)
{
    static const struct str file = {"  One\ntwo \xC3\xA9t\xC3\xA9\n\xFF end\n", 22};
    const struct mock_text text = {&file, 1, true};
    struct mock_answer a = {.api = MOCK_CHAT};
    struct buf joined = {0};
    struct mock_pieces p;
    struct str piece;
    struct err err;

    (void)state;
    a.request.options = mock_options_default();
    a.request.limit = UNKNOWN;
    assert_int_equal(mock_answer_plan(&a, &text, STR("body"), &err), 0);
    assert_int_equal(a.total, 6);
    p = a.parts[0].pieces;
    while (mock_piece(&p, &piece))
        buf_put(&joined, piece);
    assert_true(str_eq(buf_str(&joined), file));
    buf_clear(&joined);
    mock_answer_clear(&a);
}

/* ---- the server ---- */

static void *run_mock(void *arg)
{
    mock_run(arg);
    return NULL;
}

struct server {
    struct mock *mock;
    pthread_t thread;
};

static void start(struct server *s)
{
    static const char *const models[] = {"one", "two"};
    struct mock_config config = {.host = "127.0.0.1", .models = models, .model_count = 2};
    struct err err;

    config.options = mock_options_default();
    config.options.ttft_ms = 0;
    config.options.tps = 0;
    s->mock = mock_open(&config, &err);
    assert_non_null(s->mock);
    assert_int_equal(pthread_create(&s->thread, NULL, run_mock, s->mock), 0);
}

static void stop(struct server *s)
{
    mock_stop(s->mock);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    mock_close(s->mock);
}

static int dial(const struct server *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)mock_port(s->mock))};
    struct timeval limit = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void post(int fd, const char *path, const char *body)
{
    struct buf out = {0};

    buf_printf(&out, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", path,
               strlen(body), body);
    assert_int_equal(send(fd, out.ptr, out.len, MSG_NOSIGNAL), (ssize_t)out.len);
    buf_clear(&out);
}

/* Read until text is there; false at the end of the connection. */
static bool read_until(int fd, struct buf *in, const char *text)
{
    char part[65536];
    ssize_t n;

    for (;;) {
        size_t from = in->len > 100 ? in->len - 100 : 0; /* text is shorter */

        n = recv(fd, part, sizeof(part), 0);
        if (n <= 0)
            return false;
        buf_put(in, (struct str){part, (size_t)n});
        if (str_find(str_from(buf_str(in), from), str_c(text)) >= 0)
            return true;
    }
}

static void many_requests_share_a_connection(void **state)
{
    struct server s;
    int fd;

    (void)state;
    start(&s);
    fd = dial(&s);
    for (int i = 0; i < 20; i++) {
        struct buf in = {0};

        post(fd, "/v1/chat/completions", "{\"model\":\"m,tokens=5\"," CHAT "}");
        assert_true(read_until(fd, &in, "prediction_tokens\":0}}}"));
        assert_ptr_equal(strstr(in.ptr, "HTTP/1.1 200 OK\r\n"), in.ptr);
        buf_clear(&in);
    }
    close(fd);
    stop(&s);
}

static void a_stream_longer_than_all_buffers_arrives_whole(void **state)
{
    struct buf in = {0};
    struct server s;
    int fd;

    (void)state;
    start(&s);
    fd = dial(&s);
    post(fd, "/v1/completions", "{\"model\":\"m,tokens=50000\",\"stream\":true,\"prompt\":\"x\"}");
    assert_true(read_until(fd, &in, "data: [DONE]\n\n"));
    assert_true(in.len > 5000000);
    buf_clear(&in);
    close(fd);
    stop(&s);
}

static void a_cut_stream_has_no_end(void **state)
{
    struct buf in = {0};
    struct server s;
    int fd;

    (void)state;
    start(&s);
    fd = dial(&s);
    post(fd, "/v1/chat/completions", "{\"model\":\"m,tokens=10,cut\",\"stream\":true," CHAT "}");
    assert_false(read_until(fd, &in, "0\r\n\r\n"));
    assert_non_null(strstr(in.ptr, "\"content\":"));
    assert_null(strstr(in.ptr, "finish_reason\":\"stop"));
    buf_clear(&in);
    close(fd);
    stop(&s);
}

static void a_stalled_answer_does_not_hold_up_the_end(void **state)
{
    struct buf in = {0};
    struct server s;
    int stream, json;

    (void)state;
    start(&s);
    stream = dial(&s);
    json = dial(&s);
    post(stream, "/v1/messages",
         "{\"model\":\"m,tokens=10,stall=1h\",\"stream\":true,\"max_tokens\":9," CHAT "}");
    assert_true(read_until(stream, &in, "text_delta"));
    buf_clear(&in);
    post(json, "/v1/messages", "{\"model\":\"m,stall=1h\",\"max_tokens\":9," CHAT "}");
    assert_true(read_until(json, &in, "\"type\":\"message\""));
    stop(&s);
    assert_false(read_until(stream, &in, "message_stop"));
    assert_false(read_until(json, &in, "\"usage\""));
    buf_clear(&in);
    close(stream);
    close(json);
}

static void clients_that_leave_are_forgotten(void **state)
{
    struct server s;

    (void)state;
    start(&s);
    for (int i = 0; i < 20; i++) {
        int fd = dial(&s);

        post(fd, "/v1/chat/completions",
             i % 2 ? "{\"model\":\"m,ttft=1h\"," CHAT "}"
                   : "{\"model\":\"m,tps=1\",\"stream\":true," CHAT "}");
        close(fd);
    }
    stop(&s);
}

static void a_mock_that_never_ran_can_be_closed(void **state)
{
    struct mock_config config = {.host = "127.0.0.1"}, again;
    struct mock *mock, *other;
    struct err err;

    (void)state;
    mock = mock_open(&config, &err);
    assert_non_null(mock);
    again = config;
    again.port = mock_port(mock);
    other = mock_open(&again, &err);
    assert_null(other);
    assert_int_equal(err.code, ERR_CONFLICT);
    mock_close(mock);
    mock_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_name_carries_options),
        cmocka_unit_test(a_wrong_option_of_a_model_name_is_named),
        cmocka_unit_test(flags_set_the_same_options),
        cmocka_unit_test(prompt_tokens_count_texts_and_not_keys),
        cmocka_unit_test(a_body_that_is_no_request_is_refused),
        cmocka_unit_test(a_chat_stream_says_what_the_whole_answer_says),
        cmocka_unit_test(usage_comes_only_when_it_is_asked_for),
        cmocka_unit_test(a_responses_stream_ends_with_the_whole_answer),
        cmocka_unit_test(a_messages_stream_says_what_the_whole_answer_says),
        cmocka_unit_test(the_limit_of_the_client_ends_the_text),
        cmocka_unit_test(a_declared_tool_is_called_after_its_schema),
        cmocka_unit_test(no_tool_is_called_when_none_is_wanted),
        cmocka_unit_test(qwen_writes_its_calls_into_the_text),
        cmocka_unit_test(seeds_decide_the_bytes),
        cmocka_unit_test(a_text_is_split_into_tokens_that_make_it_up),
        cmocka_unit_test(many_requests_share_a_connection),
        cmocka_unit_test(a_stream_longer_than_all_buffers_arrives_whole),
        cmocka_unit_test(a_cut_stream_has_no_end),
        cmocka_unit_test(a_stalled_answer_does_not_hold_up_the_end),
        cmocka_unit_test(clients_that_leave_are_forgotten),
        cmocka_unit_test(a_mock_that_never_ran_can_be_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
