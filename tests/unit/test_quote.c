#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/quote.h"

/* What was typed, what it means, the open quote, and how much of it stays. */
static void quotes_are_removed_as_a_shell_does(void **state)
{
    static const struct {
        const char *typed, *word;
        char quote;
        size_t kept;
    } cases[] = {
        {"", "", '\0', 0},
        {"plain", "plain", '\0', 0},
        {"a\\ b", "a b", '\0', 0},
        {"\"a b", "a b", '"', 0},
        {"'a b", "a b", '\'', 0},
        {"\"a\" 'b'", "a b", '\0', 2},
        {"'it'\\''s", "it's", '\'', 3},
        {"\"say \\\"x\\\" \\n", "say \"x\" \\n", '"', 0},
        {"'a\\b'", "a\\b", '\0', 0},
        {"--model=qwen3:", "--model=qwen3:", '\0', 14},
        {"--model=\"qwen3:8", "--model=qwen3:8", '"', 8},
        {"qwen3\\:8", "qwen3:8", '\0', 0},
        {"end\\", "end\\", '\0', 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = {0};
        struct typed typed;

        quote_remove(&out, str_c(cases[i].typed), &typed);
        assert_string_equal(out.ptr ? out.ptr : "", cases[i].word);
        assert_int_equal(typed.quote, cases[i].quote);
        assert_int_equal(typed.kept, cases[i].kept);
        buf_clear(&out);
    }
}

static void what_is_quoted_reads_back(void **state)
{
    static const char text[] = "a b'c\"d\\e$f`g*h;i|j&k(l)m<n>o#p~q!r{s}t[u]v?w\xc3\xa4";
    static const char quotes[] = {'\0', '"', '\''};

    (void)state;
    for (size_t i = 0; i < sizeof(quotes); i++) {
        struct buf quoted = {0}, back = {0};
        struct typed typed;

        if (quotes[i])
            buf_put(&quoted, (struct str){&quotes[i], 1});
        quote_add(&quoted, str_c(text), quotes[i]);
        quote_remove(&back, buf_str(&quoted), &typed);
        assert_string_equal(back.ptr, text);
        assert_int_equal(typed.quote, quotes[i]);
        buf_clear(&quoted);
        buf_clear(&back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_are_removed_as_a_shell_does),
        cmocka_unit_test(what_is_quoted_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
