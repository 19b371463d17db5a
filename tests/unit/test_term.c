#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "text/term.h"

static void clean_to(struct str in, unsigned flags, const char *expected)
{
    struct buf out = {0};
    struct err err;

    assert_int_equal(term_clean(&out, in, flags, &err), 0);
    assert_string_equal(out.ptr ? out.ptr : "", expected);
    buf_clear(&out);
}

static void controls_become_escapes_in_one_line(void **state)
{
    (void)state;
    clean_to(STR("a\x1b[31mred\x07\x7f\x00z"), 0, "a\\e[31mred\\x07\\x7F\\x00z");
    clean_to(STR("tab\there\nand\r\n"), 0, "tab\\there\\nand\\r\\n");
    clean_to(STR("C:\\dir"), 0, "C:\\dir");
    clean_to(STR("C:\\dir\t"), TERM_BACKSLASH, "C:\\\\dir\\t");
}

static void lines_and_tabs_stay_in_many_lines(void **state)
{
    (void)state;
    clean_to(STR("a\tb\r\nc\rd\n\n"), TERM_MULTILINE, "a       b\nc\\rd\n\n");
    clean_to(STR("12345678\tx"), TERM_MULTILINE, "12345678        x");
    clean_to(STR("\xE6\xBC\xA2\tx"), TERM_MULTILINE, "\xE6\xBC\xA2      x");
    clean_to(STR("\x1b]52;c;aGk=\x07\n"), TERM_MULTILINE, "\\e]52;c;aGk=\\x07\n");
}

static void reordering_and_hiding_code_points_become_escapes(void **state)
{
    (void)state;
    clean_to(STR("a\xE2\x80\xAE" "b"), 0, "a\\u{202E}b");
    clean_to(STR("\xEF\xBB\xBFx\xE2\x80\x8By"), 0, "\\u{FEFF}x\\u{200B}y");
    clean_to(STR("\xC2\x9B" "31m"), 0, "\\u{009B}31m");
    clean_to(STR("\xF3\xA0\x81\xA1"), 0, "\\u{E0061}");
    clean_to(STR("\xE2\x80\xA8\xE2\x81\xA7\xD8\x9C"), 0, "\\u{2028}\\u{2067}\\u{061C}");
    clean_to(STR("\xEE\x80\x80\xF4\x80\x80\x80"), 0, "\\u{E000}\\u{100000}");
    clean_to(STR("\xCD\xB8"), 0, "\\u{0378}");
}

static void invalid_bytes_become_escapes(void **state)
{
    (void)state;
    clean_to(STR("a\xFF\xC3(\xED\xA0\x80"), 0, "a\\xFF\\xC3(\\xED\\xA0\\x80");
    clean_to(STR("\x9B" "31m"), 0, "\\x9B31m");
    clean_to(STR("\xE2\x82"), 0, "\\xE2\\x82");
}

static void joiners_stay_once_after_a_visible_character(void **state)
{
    (void)state;
    clean_to(STR("\xE2\x9D\xA4\xEF\xB8\x8F\xE2\x80\x8D\xF0\x9F\x94\xA5"), 0,
             "\xE2\x9D\xA4\xEF\xB8\x8F\xE2\x80\x8D\xF0\x9F\x94\xA5");
    clean_to(STR("a\xE2\x80\x8D\xE2\x80\x8D"), 0, "a\xE2\x80\x8D\\u{200D}");
    clean_to(STR("\xE2\x80\x8Dx"), 0, "\\u{200D}x");
}

static void at_most_eight_marks_follow_a_character(void **state)
{
    struct buf in = {0}, out = {0};
    struct err err;
    size_t marks = 0;

    (void)state;
    buf_put(&in, STR("e"));
    for (int i = 0; i < 10000; i++)
        buf_put(&in, STR("\xCC\x81"));
    assert_int_equal(term_clean(&out, buf_str(&in), 0, &err), 0);
    for (size_t i = 0; i < out.len; i++)
        marks += out.ptr[i] == '\xCC';
    assert_int_equal(marks, 8);
    assert_int_equal(term_cells(buf_str(&out)), 1 + 9992 * strlen("\\u{0301}"));
    buf_clear(&in);
    buf_clear(&out);
    clean_to(STR("\xCC\x81x"), 0, "\\u{0301}x");
}

static void other_characters_become_question_marks_outside_utf8(void **state)
{
    (void)state;
    clean_to(STR("caf\xC3\xA9 \xE6\xBC\xA2 e\xCC\x81 \xCD\xB8"), TERM_ASCII, "caf? ? e ?");
    clean_to(STR("\xE2\x80\xAE\x1b\xFF"), TERM_ASCII, "\\u{202E}\\e\\xFF");
}

static void escapes_are_dim_where_there_is_colour(void **state)
{
    (void)state;
    clean_to(STR("a\x01\x02" "b\x03"), TERM_DIM,
             "a\x1b[2m\\x01\\x02\x1b[22mb\x1b[2m\\x03\x1b[22m");
}

/* Whatever comes in, nothing that a terminal obeys comes out, and not much more of it. */
static void random_bytes_come_out_harmless(void **state)
{
    uint32_t seed = 12345;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        char in[64];
        struct buf out = {0}, again = {0};
        struct err err;

        for (size_t i = 0; i < sizeof(in); i++) {
            seed = seed * 1664525 + 1013904223;
            in[i] = (char)(seed >> 24);
        }
        assert_int_equal(term_clean(&out, (struct str){in, sizeof(in)}, 0, &err), 0);
        assert_true(out.len <= 6 * sizeof(in));
        assert_true(term_is_plain(buf_str(&out)));
        assert_int_equal(str_chr(buf_str(&out), '\n'), -1);
        assert_int_equal(str_chr(buf_str(&out), '\x1b'), -1);
        assert_int_equal(term_clean(&again, buf_str(&out), 0, &err), 0);
        assert_true(str_eq(buf_str(&again), buf_str(&out)));
        buf_clear(&out);
        buf_clear(&again);
    }
}

static void plain_text_is_told_from_what_a_terminal_obeys(void **state)
{
    (void)state;
    assert_true(term_is_plain(STR("{\n\t\"caf\xC3\xA9\": \"\xE6\xBC\xA2\"\n}\n")));
    assert_false(term_is_plain(STR("a\rb")));
    assert_false(term_is_plain(STR("a\x1b[2J")));
    assert_false(term_is_plain(STR("a\xE2\x80\xAE")));
    assert_false(term_is_plain(STR("\xFF")));
    assert_false(term_is_plain(STR("\x7F")));
    assert_false(term_is_plain((struct str){"a\0b", 3}));
}

static void fit_to(const char *in, size_t width, bool right, unsigned flags, const char *expected)
{
    struct buf out = {0};
    struct err err;

    assert_int_equal(term_fit(&out, str_c(in), width, right, flags, &err), 0);
    assert_string_equal(out.ptr ? out.ptr : "", expected);
    if (!flags)
        assert_int_equal(term_cells(buf_str(&out)), width);
    buf_clear(&out);
}

static void cells_are_padded_and_cut_by_display_width(void **state)
{
    (void)state;
    fit_to("ab", 4, false, 0, "ab  ");
    fit_to("ab", 4, true, 0, "  ab");
    fit_to("abcd", 4, false, 0, "abcd");
    fit_to("abcde", 4, false, 0, "abc…");
    fit_to("abcde", 4, false, TERM_ASCII, "abc+");
    fit_to("abc", 1, false, 0, "…");
    fit_to("漢字漢字", 7, false, 0, "漢字漢…");
    fit_to("漢字漢字", 6, false, 0, "漢字 …");
    fit_to("漢字", 5, true, 0, " 漢字");
    fit_to("e\xCC\x81g", 2, false, 0, "e\xCC\x81g");
    fit_to("e\xCC\x81gh", 2, false, 0, "e\xCC\x81…");
    fit_to("x", 0, false, 0, "");
    fit_to("", 40, false, 0, "                                        ");
}

static int start(void **state)
{
    (void)state;
    setenv("LC_ALL", "C.UTF-8", 1);
    term_start();
    return 0;
}

static void the_environment_names_the_character_set(void **state)
{
    (void)state;
    assert_true(term_is_utf8());
    setenv("LC_ALL", "C", 1);
    assert_false(term_is_utf8());
    setenv("LC_ALL", "no_SUCH.locale", 1);
    assert_false(term_is_utf8());
    setenv("LC_ALL", "C.UTF-8", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_become_escapes_in_one_line),
        cmocka_unit_test(lines_and_tabs_stay_in_many_lines),
        cmocka_unit_test(reordering_and_hiding_code_points_become_escapes),
        cmocka_unit_test(invalid_bytes_become_escapes),
        cmocka_unit_test(joiners_stay_once_after_a_visible_character),
        cmocka_unit_test(at_most_eight_marks_follow_a_character),
        cmocka_unit_test(other_characters_become_question_marks_outside_utf8),
        cmocka_unit_test(escapes_are_dim_where_there_is_colour),
        cmocka_unit_test(random_bytes_come_out_harmless),
        cmocka_unit_test(plain_text_is_told_from_what_a_terminal_obeys),
        cmocka_unit_test(cells_are_padded_and_cut_by_display_width),
        cmocka_unit_test(the_environment_names_the_character_set),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
