#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base64.h"
#include "cli/shell.h"
#include "text/term.h"

static void quoted(struct str s, const char *word)
{
    struct buf out = {0};
    struct err err;

    assert_int_equal(shell_quote(&out, s, &err), 0);
    assert_string_equal(out.ptr, word);
    buf_clear(&out);
}

static void words_are_quoted_for_any_shell(void **state)
{
    (void)state;
    quoted(STR(""), "''");
    quoted(STR("a b $x `y` \\ \"z\""), "'a b $x `y` \\ \"z\"'");
    quoted(STR("it's"), "'it'\\''s'");
    quoted(STR("a\n\tb"), "'a\n\tb'");
    quoted(STR("\xC3\xA9"), "'\xC3\xA9'");
}

static void what_a_terminal_obeys_is_escaped(void **state)
{
    (void)state;
    quoted(STR("\x1B[2J it's \\ \xC3\xA9"), "$'\\x1b[2J it\\'s \\\\ \xC3\xA9'");
    quoted(STR("\xFF"), "$'\\xff'");
    quoted(STR("\xE2\x80\xAE"), "$'\\xe2\\x80\\xae'");
    quoted(STR("\xC2\x9B"), "$'\\xc2\\x9b'");
}

static void variables_stand_for_secrets(void **state)
{
    struct buf out = {0};
    struct err err;

    (void)state;
    assert_int_equal(shell_quote_variable(&out, STR("a: \"$x` \\ ***"), "KEY", &err), 0);
    assert_string_equal(out.ptr, "\"a: \\\"\\$x\\` \\\\ $KEY\"");
    buf_clear(&out);
}

static void base64_of(struct str bytes, const char *text)
{
    struct buf out = {0}, back = {0};
    struct err err;

    assert_int_equal(base64_encode(&out, bytes, &err), 0);
    assert_string_equal(out.ptr, text);
    assert_int_equal(base64_decode(&back, buf_str(&out), &err), 0);
    assert_true(str_eq(buf_str(&back), bytes));
    buf_clear(&out);
    buf_clear(&back);
}

static void base64_gives_bytes_back(void **state)
{
    struct buf out = {0};
    struct err err;

    (void)state;
    base64_of(STR(""), "");
    base64_of(STR("f"), "Zg==");
    base64_of(STR("fo"), "Zm8=");
    base64_of(STR("foo"), "Zm9v");
    base64_of(STR("foob"), "Zm9vYg==");
    base64_of(STR("\x00\xFF\xFE\x80"), "AP/+gA==");
    assert_int_equal(base64_decode(&out, STR(" AP_-\ngA"), &err), 0);
    assert_true(str_eq(buf_str(&out), STR("\x00\xFF\xFE\x80")));
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_quoted_for_any_shell),
        cmocka_unit_test(what_a_terminal_obeys_is_escaped),
        cmocka_unit_test(variables_stand_for_secrets),
        cmocka_unit_test(base64_gives_bytes_back),
    };

    term_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
