#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/edit.h"
#include "json/json_scan.h"

static const struct opt options[] = {
    {"name", 0, OPT_TEXT, "TEXT", "a text"},
    {"count", 0, OPT_TEXT, "N", "a number"},
    {"rate", 0, OPT_TEXT, "RATE", "a decimal"},
    {"alias", 0, OPT_LIST, "NAME", "texts"},
    {"on", 0, OPT_FLAG, NULL, "yes"},
    {"off", 0, OPT_FLAG, NULL, "no"},
    LIST_END,
};

static const struct edit_field fields[] = {
    {"name", "name", EDIT_TEXT},    {"count", "count", EDIT_NUMBER},
    {"rate", "rate", EDIT_DECIMAL}, {"aliases", "alias", EDIT_LIST},
    {"kept", NULL, EDIT_AS_IS},     {0},
};

/* What an edit of old (NULL: a new row) with these words writes; "!" and the message when it is
 * refused. Returns owned. */
static char *edited(const char *old, int argc, const char *const *words)
{
    static const struct verb verb = {"set", "[options]", "change", options, FORM_JSON, NULL, NULL};
    char **argv = calloc((size_t)argc + 1, sizeof(*argv));
    struct buf out = {0};
    struct row row = {0};
    struct str json;
    struct edit e;
    struct cli cli;
    struct err err;

    for (int i = 0; i < argc; i++)
        argv[i] = str_dup(str_c(words[i]));
    assert_int_equal(cli_parse(&cli, "x set", &verb, argc, argv, &err), 0);
    if (old)
        assert_true(json_scan(str_c(old), &json) == JSON_OBJECT && row_read(&row, json));
    edit_start(&e, old ? &row : NULL);
    if (edit_fields(&e, &cli, fields, &err) < 0 ||
        edit_flag(&e, &cli, "active", "on", "off", &err) < 0)
        buf_printf(&out, "!%s", err.msg);
    else
        buf_put(&out, edit_end(&e));
    if (e.changed)
        buf_put(&out, STR(" changed"));
    edit_clear(&e);
    row_clear(&row);
    cli_clear(&cli);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    free(argv);
    return buf_take(&out);
}

#define ROW                                                                                        \
    "{\"name\":\"a\",\"count\":7,\"rate\":0.12345678901234567890,\"aliases\":[\"x\"],"             \
    "\"kept\":1e3,\"active\":true,\"other\":1,\"updated_at\":\"then\"}"

static void check(const char *old, const char *const *words, const char *expected)
{
    int argc = 0;
    char *got;

    while (words[argc])
        argc++;
    got = edited(old, argc, words);
    assert_string_equal(got, expected);
    free(got);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void what_is_not_given_stays_digit_by_digit(void **state)
{
    (void)state;
    check(ROW, WORDS("--name", "b\"\n"),
          "{\"name\":\"b\\\"\\n\",\"count\":7,\"rate\":\"0.12345678901234567890\","
          "\"aliases\":[\"x\"],\"kept\":1e3,\"active\":true,\"updated_at\":\"then\"} changed");
    check(ROW, WORDS("--rate", "0.10", "--off"),
          "{\"name\":\"a\",\"count\":7,\"rate\":\"0.10\",\"aliases\":[\"x\"],\"kept\":1e3,"
          "\"active\":false,\"updated_at\":\"then\"} changed");
}

static void what_is_given_as_it_was_is_no_change(void **state)
{
    (void)state;
    check("{\"name\":\"a\",\"rate\":0.5,\"aliases\":[\"x\"],\"active\":true}",
          WORDS("--name", "a", "--rate", "0.5", "--alias", "x", "--on"),
          "{\"name\":\"a\",\"rate\":\"0.5\",\"aliases\":[\"x\"],\"active\":true}");
}

static void a_new_row_has_only_what_is_given(void **state)
{
    (void)state;
    check(NULL, WORDS("--count", "+007", "--alias", "a", "--alias", "b", "--name", ""),
          "{\"name\":\"\",\"count\":7,\"aliases\":[\"a\",\"b\"]} changed");
    check(NULL, WORDS("--count", "10k"), "{\"count\":10000} changed");
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    check(NULL, WORDS("--count", "many"), "!--count: \"many\" is no whole number");
    check(ROW, WORDS("--on", "--off"), "!--on and --off exclude each other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_stays_digit_by_digit),
        cmocka_unit_test(what_is_given_as_it_was_is_no_change),
        cmocka_unit_test(a_new_row_has_only_what_is_given),
        cmocka_unit_test(what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
