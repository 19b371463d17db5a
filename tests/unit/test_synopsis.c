#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cli/synopsis.h"
#include "cli/topics.h"

/* "RUN? ID+": ? may be left out, + may be repeated. */
static void arguments_are_read_from_the_synopsis(void **state)
{
    static const struct {
        const char *synopsis, *arguments;
    } cases[] = {
        {"", ""},
        {"[options]", ""},
        {"[-f] [options]", ""},
        {"ID [options]", "ID"},
        {"[RUN]", "RUN?"},
        {"RUN...", "RUN+"},
        {"[SLUG]...", "SLUG?+"},
        {"[SLUG...] [options]", "SLUG?+"},
        {"NAME [--notes TEXT] [--no-replace]", "NAME"},
        {"PROVIDER MODEL --input N", "PROVIDER MODEL N"},
        {"[status|on|off|rebuild]", "status|on|off|rebuild?"},
        {"[options] [--] CMD [ARG]...", "CMD ARG?+"},
        {"ROUTE | --model NAME [options]", "ROUTE?"},
        {"[ROUTE | --model NAME] [options]", "ROUTE?"},
        {"FORMAT FILE|URL", "FORMAT FILE|URL"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct argument arguments[ARGUMENTS_MAX];
        size_t n = synopsis_read(cases[i].synopsis, arguments);
        char text[200] = "";

        for (size_t a = 0; a < n; a++)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s%s%s", a ? " " : "",
                     STR_ARG(arguments[a].name), arguments[a].optional ? "?" : "",
                     arguments[a].repeated ? "+" : "");
        assert_string_equal(text, cases[i].arguments);
    }
}

static void arguments_are_counted_and_words_compared(void **state)
{
    static const struct {
        const char *synopsis, *words[3], *message; /* NULL: fine */
    } cases[] = {
        {"", {NULL}, NULL},
        {"", {"a"}, "unexpected argument \"a\""},
        {"ID", {NULL}, "ID is missing"},
        {"ID", {"1"}, NULL},
        {"ID", {"1", "2"}, "unexpected argument \"2\""},
        {"ID...", {"1", "2", "3"}, NULL},
        {"[RUN]", {NULL}, NULL},
        {"PROVIDER MODEL", {"p"}, "MODEL is missing"},
        {"on|off", {"of"}, "\"of\" is none of on, off"},
        {"on|off", {"off"}, NULL},
        {"FILE|URL", {"x"}, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct opts opts = {.args = (const char **)cases[i].words};
        struct err err = {0};
        int rc;

        while (opts.arg_count < 3 && cases[i].words[opts.arg_count])
            opts.arg_count++;
        rc = synopsis_check(cases[i].synopsis, &opts, &err);
        assert_int_equal(rc, cases[i].message ? -1 : 0);
        if (cases[i].message)
            assert_string_equal(err.msg, cases[i].message);
    }
}

static void every_exit_status_is_explained(void **state)
{
    static const enum err_code codes[] = {
#define X(name, http, exit) ERR_##name,
        ERR_CODES(X)
#undef X
    };

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        const struct exit_code *e = help_exit_codes;

        while (e->name && e->code != err_exit_status(codes[i]))
            e++;
        assert_non_null(e->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_read_from_the_synopsis),
        cmocka_unit_test(arguments_are_counted_and_words_compared),
        cmocka_unit_test(every_exit_status_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
