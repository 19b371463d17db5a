#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <time.h>

#include "cases.h"
#include "llm/bpe.h"
#include "llm/tokens.h"
#include "json/json_scan.h"

/* ---- tiktoken's own tokens ---------------------------------------------------------------- */

static struct str member(struct str object, const char *name)
{
    struct str value;

    return json_member(object, str_c(name), &value) ? value : STR_NONE;
}

/* Returns owned. */
static struct buf text_of(struct str value)
{
    struct buf out = {0};
    struct err err;

    buf_put(&out, STR(""));
    if (value.ptr)
        assert_int_equal(json_string(value, &out, &err), 0);
    return out;
}

static int64_t number_of(struct str value)
{
    assert_non_null(value.ptr);
    return strtoll(value.ptr, NULL, 10);
}

static void check_ids(const char *what, struct str expected, const struct buf *ids)
{
    struct json_iter it = json_iter(expected);
    size_t i = 0;

    for (; json_next(&it); i++) {
        uint32_t id = UINT32_MAX;

        if ((i + 1) * sizeof(id) <= ids->len)
            memcpy(&id, ids->ptr + i * sizeof(id), sizeof(id));
        if (id != number_of(it.value))
            fail_msg("%s: token %zu is %u, tiktoken has %lld", what, i, id,
                     (long long)number_of(it.value));
    }
    assert_int_equal(ids->len, i * sizeof(uint32_t));
}

static void check_case(struct str one)
{
    struct buf encoding = text_of(member(one, "encoding")), name = text_of(member(one, "name"));
    struct buf part = text_of(member(one, "text")), end = text_of(member(one, "end"));
    struct str times = member(one, "times");
    struct buf text = {0}, ids = {0};
    const struct encoding *e =
        str_eq(buf_str(&encoding), STR("o200k_base")) ? encoding_o200k() : encoding_cl100k();
    struct err err;
    int64_t count;

    assert_non_null(e);
    for (int64_t i = 0; i < (times.ptr ? number_of(times) : 1); i++)
        buf_put(&text, buf_str(&part));
    buf_put(&text, buf_str(&end));
    assert_int_equal(encoding_count(e, buf_str(&text), &count, &ids, &err), 0);
    assert_int_equal(ids.len, (size_t)count * sizeof(uint32_t));
    if (times.ptr && count != number_of(member(one, "count")))
        fail_msg("%s: %s has %lld tokens, tiktoken has %lld", encoding.ptr, name.ptr,
                 (long long)count, (long long)number_of(member(one, "count")));
    if (!times.ptr)
        check_ids(name.ptr, member(one, "ids"), &ids);
    buf_clear(&encoding);
    buf_clear(&name);
    buf_clear(&part);
    buf_clear(&end);
    buf_clear(&text);
    buf_clear(&ids);
}

static void tokens_are_those_of_tiktoken(void **state)
{
    struct buf text = cases_read("../tokens/cases.json");
    struct json_iter it;
    struct str list;
    size_t count = 0;

    (void)state;
    assert_int_equal(json_scan(buf_str(&text), &list), JSON_ARRAY);
    for (it = json_iter(list); json_next(&it); count++)
        check_case(it.value);
    assert_true(count > 80);
    buf_clear(&text);
}

/* ---- time --------------------------------------------------------------------------------- */

static double seconds_for(const struct encoding *e, struct str text)
{
    struct timespec a, b;
    struct err err;
    int64_t count;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    assert_int_equal(encoding_count(e, text, &count, NULL, &err), 0);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* Four times the text takes about four times as long, not sixteen times. */
static void the_time_stays_linear(void **state)
{
    static const char *const parts[] = {"a", " ", "\n",       "A", "aB",
                                        "!", "'", "\xCC\x81", "7", " \n"};

    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        struct buf text = {0};
        double small = 1e9, large = 1e9;

        while (text.len < 160000)
            buf_put(&text, str_c(parts[i]));
        for (int run = 0; run < 2; run++) {
            double s = seconds_for(encoding_o200k(), str_cut(buf_str(&text), 40000));
            double l = seconds_for(encoding_o200k(), buf_str(&text));

            small = s < small ? s : small;
            large = l < large ? l : large;
        }
        if (large > 9 * small + 0.002)
            fail_msg("\"%s\": %.1f ms for 40 KB, %.1f ms for 160 KB", parts[i], small * 1e3,
                     large * 1e3);
        buf_clear(&text);
    }
}

/* ---- what counts -------------------------------------------------------------------------- */

static void check_prompt(const char *name, const cJSON *input, const cJSON *expect)
{
    const cJSON *images = cases_get(expect, "image_count");
    struct buf body = cases_body(input), text = {0};
    struct str expected = cases_str(expect, "prompt_text");
    int64_t image_tokens;
    bool found = tokens_prompt(buf_str(&body), cases_str(input, "endpoint"), &text, &image_tokens);

    cases_same(name, "the text", found ? buf_str(&text) : STR_NONE, expected);
    if (images)
        assert_int_equal(image_tokens, images->valueint * TOKENS_OF_IMAGE);
    buf_clear(&body);
    buf_clear(&text);
}

static void members_that_the_model_reads_are_counted(void **state)
{
    (void)state;
    cases_run("estimate", check_prompt);
}

static int64_t estimate(const char *body)
{
    return tokens_estimate(str_c(body), STR("/v1/chat/completions"), STR("m"), false).tokens;
}

static void images_count_by_their_detail(void **state)
{
    int64_t none =
        estimate("{\"messages\":[{\"image_url\":{\"url\":\"[image]\",\"detail\":\"low\"}}]}");

    (void)state;
    assert_int_equal(
        estimate("{\"messages\":[{\"image_url\":{\"url\":\"data:image/png;base64,AAAA\","
                 "\"detail\":\"low\"}}]}"),
        none + TOKENS_OF_LOW_IMAGE);
    assert_true(estimate("{\"messages\":[{\"source\":{\"type\":\"base64\",\"media_type\":"
                         "\"image/png\",\"data\":\"AAAA\"}}]}") > TOKENS_OF_IMAGE);
    assert_true(estimate("{\"messages\":[{\"image_url\":\"https://example.org/a.png\"}]}") >
                TOKENS_OF_IMAGE);
    assert_true(estimate("{\"messages\":\"https://example.org/a.png\"}") < TOKENS_OF_IMAGE);
}

static void the_model_chooses_the_encoding(void **state)
{
    static const struct {
        const char *model, *tokenizer;
    } models[] = {
        {"gpt-4o-mini", "o200k_base"},
        {"gpt-4", "cl100k_base"},
        {"openai/gpt-4-turbo", "cl100k_base"},
        {"gpt-3.5-turbo-0125", "cl100k_base"},
        {"gpt-4.1", "o200k_base"},
        {"text-embedding-3-small", "cl100k_base"},
        {"qwen3-coder", "o200k_base"},
        {"gpt-5", "o200k_base"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++)
        assert_string_equal(tokens_estimate(STR("{\"input\":\"a\"}"), STR("/v1/embeddings"),
                                            str_c(models[i].model), false)
                                .tokenizer,
                            models[i].tokenizer);
}

static void bodies_without_a_prompt_have_no_estimate(void **state)
{
    static const char *const bodies[] = {
        "", "[]", "null", "{", "{}", "{\"model\":\"x\"}", "{\"messages\":\"\xFF\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
        assert_true(estimate(bodies[i]) == UNKNOWN);
}

/* ---- approximation ------------------------------------------------------------------------ */

static void long_texts_are_approximated_and_said_to_be(void **state)
{
    struct buf body = {0};
    struct token_estimate e;

    (void)state;
    buf_put(&body, STR("{\"input\":\""));
    while (body.len <= TOKENS_EXACT_BYTES)
        buf_put(&body, STR("The keeper of the lighthouse writes a line every night. "));
    buf_put(&body, STR("\"}"));
    e = tokens_estimate(buf_str(&body), STR("/v1/embeddings"), STR_NONE, false);
    assert_string_equal(e.tokenizer, "approx-v1");
    assert_in_range(e.tokens, 150000, 350000);
    buf_clear(&body);
}

static void the_approximation_is_near_for_prose_code_and_json(void **state)
{
    struct buf text = cases_read("../tokens/cases.json");
    struct str list;
    size_t near = 0;

    (void)state;
    json_scan(buf_str(&text), &list);
    for (struct json_iter it = json_iter(list); json_next(&it);) {
        struct buf name = text_of(member(it.value, "name")), part;
        bool counts = strstr("prose C source JavaScript source SQL JSON", name.ptr) != NULL;
        struct err err;
        int64_t exact, guess;

        part = text_of(member(it.value, "text"));
        encoding_count(encoding_o200k(), buf_str(&part), &exact, NULL, &err);
        guess = tokens_approximate(buf_str(&part));
        if (counts && name.len > 2) {
            near++;
            if (guess * 4 < exact * 3 || guess * 4 > exact * 5)
                fail_msg("%s: about %lld, is %lld", name.ptr, (long long)guess, (long long)exact);
        }
        buf_clear(&name);
        buf_clear(&part);
    }
    assert_true(near >= 5);
    assert_int_equal(tokens_approximate(STR("")), 0);
    assert_int_equal(tokens_approximate(STR(" a")), 1);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_those_of_tiktoken),
        cmocka_unit_test(the_time_stays_linear),
        cmocka_unit_test(members_that_the_model_reads_are_counted),
        cmocka_unit_test(images_count_by_their_detail),
        cmocka_unit_test(the_model_chooses_the_encoding),
        cmocka_unit_test(bodies_without_a_prompt_have_no_estimate),
        cmocka_unit_test(long_texts_are_approximated_and_said_to_be),
        cmocka_unit_test(the_approximation_is_near_for_prose_code_and_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
