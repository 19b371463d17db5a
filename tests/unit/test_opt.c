#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/opt.h"

static const struct opt table[] = {
    {"follow", 'f', OPT_FLAG, NULL, "go on"},
    {"lines", 'n', OPT_TEXT, "N", "how many"},
    {"json", 0, OPT_OPTIONAL, "FIELDS", "as JSON"},
    {"fix", 0, OPT_LIST, "ID", "a fix; repeatable"},
    {"quiet", 'q', OPT_FLAG, NULL, "say less"},
    {0},
};

#define PARSE(o, err, ...)                                                                         \
    opts_parse(&(o), table, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)),               \
               (char *[]){__VA_ARGS__}, &(err))

static void options_and_arguments_mix_freely(void **state)
{
    struct opts o;
    struct err err;

    (void)state;
    assert_int_equal(PARSE(o, err, "a", "--lines", "5", "b", "-f", "-", "--", "--quiet"), 0);
    assert_string_equal(opts_text(&o, "lines"), "5");
    assert_true(opts_flag(&o, "follow"));
    assert_false(opts_flag(&o, "quiet"));
    assert_int_equal(o.arg_count, 4);
    assert_string_equal(o.args[2], "-");
    assert_string_equal(o.args[3], "--quiet");
    opts_clear(&o);
}

static void the_first_argument_may_end_the_options(void **state)
{
    char *argv[] = {"-q", "make", "-f", "--lines", "--", "x"};
    struct opts o;
    struct err err;

    (void)state;
    assert_int_equal(opts_parse_leading(&o, table, 6, argv, &err), 0);
    assert_true(opts_flag(&o, "quiet"));
    assert_false(opts_flag(&o, "follow"));
    assert_int_equal(o.arg_count, 5);
    assert_string_equal(o.args[0], "make");
    assert_string_equal(o.args[3], "--");
    opts_clear(&o);
}

static void short_options_may_be_bundled(void **state)
{
    struct opts o;
    struct err err;

    (void)state;
    assert_int_equal(PARSE(o, err, "-qfn20"), 0);
    assert_true(opts_flag(&o, "quiet"));
    assert_true(opts_flag(&o, "follow"));
    assert_string_equal(opts_text(&o, "lines"), "20");
    opts_clear(&o);
    assert_int_equal(PARSE(o, err, "-fn", "7", "x"), 0);
    assert_string_equal(opts_text(&o, "lines"), "7");
    assert_int_equal(o.arg_count, 1);
    opts_clear(&o);
}

static void an_optional_value_comes_only_after_an_equals_sign(void **state)
{
    struct opts o;
    struct err err;

    (void)state;
    assert_int_equal(PARSE(o, err, "--json", "id"), 0);
    assert_true(opts_flag(&o, "json"));
    assert_null(opts_text(&o, "json"));
    assert_string_equal(o.args[0], "id");
    opts_clear(&o);
    assert_int_equal(PARSE(o, err, "--json=id,model"), 0);
    assert_string_equal(opts_text(&o, "json"), "id,model");
    opts_clear(&o);
}

static void lists_keep_all_values_and_empty_ones_count(void **state)
{
    struct opts o;
    struct err err;

    (void)state;
    assert_int_equal(PARSE(o, err, "--fix", "a", "--fix=", "--fix=c=d", "--lines="), 0);
    assert_int_equal(opts_find(&o, "fix")->count, 3);
    assert_string_equal(opts_find(&o, "fix")->list[1], "");
    assert_string_equal(opts_find(&o, "fix")->list[2], "c=d");
    assert_string_equal(opts_text(&o, "lines"), "");
    opts_clear(&o);
}

static void expect_error(int argc, char **argv, const char *message)
{
    struct opts o;
    struct err err;

    assert_int_equal(opts_parse(&o, table, argc, argv, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.msg, message);
    opts_clear(&o);
}
#define ERROR(message, ...)                                                                        \
    expect_error((int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)),                          \
                 (char *[]){__VA_ARGS__}, message)

static void mistakes_name_the_option(void **state)
{
    (void)state;
    ERROR("unknown option \"--folow\", did you mean \"--follow\"?", "--folow");
    ERROR("unknown option \"--line\", did you mean \"--lines\"?", "--line=5");
    ERROR("unknown option \"--zzz\"", "--zzz");
    ERROR("unknown option \"-x\"", "-fx");
    ERROR("--lines needs a value (N)", "--lines");
    ERROR("-n needs a value (N)", "-fn");
    ERROR("--follow takes no value", "--follow=yes");
    ERROR("--lines was given twice", "--lines=1", "-n2");
    ERROR("--json was given twice", "--json", "--json=id");
}

static void near(const char *word, const char *expected)
{
    static const char *const names[] = {"requests", "runs", "routes", "serve", "providers"};
    struct buf out = {0};

    opts_suggest(&out, str_c(word), names, sizeof(names) / sizeof(names[0]));
    assert_string_equal(out.ptr ? out.ptr : "", expected);
    buf_clear(&out);
}

static void near_names_are_suggested_nearest_first(void **state)
{
    char lengthy[5000];

    (void)state;
    near("request", ", did you mean \"requests\"?");
    near("reqeusts", ", did you mean \"requests\"?");
    near("rnus", ", did you mean \"runs\"?");
    near("rus", ", did you mean \"runs\"?");
    near("provisional", ", did you mean \"providers\"?");
    near("xyz", "");
    near("", "");
    near("r", "");
    memset(lengthy, 'r', sizeof(lengthy) - 1);
    lengthy[sizeof(lengthy) - 1] = '\0';
    near(lengthy, "");
}

static void help_stays_within_80_columns(void **state)
{
    static const struct opt wide[] = {
        {"a-rather-long-option-name", 0, OPT_TEXT, "PLACEHOLDER",
         "words that do not fit on one line of eighty columns and so go on on the next one"},
        {"json", 'j', OPT_OPTIONAL, "FIELDS", "as JSON"},
        {0},
    };
    struct buf out = {0};
    struct str rest, line;

    (void)state;
    opts_help(&out, wide);
    for (rest = buf_str(&out); str_split(&rest, '\n', &line);)
        assert_true(line.len <= 80);
    assert_true(str_find(buf_str(&out), STR("  -j, --json[=FIELDS]       as JSON\n")) > 0);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_arguments_mix_freely),
        cmocka_unit_test(the_first_argument_may_end_the_options),
        cmocka_unit_test(short_options_may_be_bundled),
        cmocka_unit_test(an_optional_value_comes_only_after_an_equals_sign),
        cmocka_unit_test(lists_keep_all_values_and_empty_ones_count),
        cmocka_unit_test(mistakes_name_the_option),
        cmocka_unit_test(near_names_are_suggested_nearest_first),
        cmocka_unit_test(help_stays_within_80_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
