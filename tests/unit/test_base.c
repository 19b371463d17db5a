#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "blob.h"
#include "buf.h"
#include "clock.h"
#include "headers.h"
#include "list.h"
#include "secret.h"
#include "utf8.h"
#include "xalloc.h"

/* ---- str ---------------------------------------------------------------------------------- */

static void absent_text_is_not_empty_text(void **state)
{
    (void)state;
    assert_null(str_c(NULL).ptr);
    assert_non_null(str_c("").ptr);
    assert_true(str_eq(STR_NONE, STR("")));
    assert_null(str_from(STR_NONE, 0).ptr);
    assert_null(str_from(STR_NONE, 5).ptr);
    assert_null(str_cut(STR_NONE, 5).ptr);
    assert_null(str_trim(STR_NONE).ptr);
    assert_int_equal(str_chr(STR_NONE, 'x'), -1);
    assert_int_equal(str_find(STR_NONE, STR("x")), -1);
    assert_null(str_dup(STR_NONE));
}

static void parts_stay_inside_the_text(void **state)
{
    struct str s = STR("abc");

    (void)state;
    assert_true(str_eq(str_from(s, 1), STR("bc")));
    assert_ptr_equal(str_from(s, 9).ptr, s.ptr + 3);
    assert_int_equal(str_from(s, 9).len, 0);
    assert_true(str_eq(str_cut(s, 2), STR("ab")));
    assert_true(str_eq(str_cut(s, 9), s));
}

static void texts_compare_with_and_without_case(void **state)
{
    (void)state;
    assert_true(str_ieq(STR("X-Api-Key"), STR("x-aPI-kEY")));
    assert_false(str_ieq(STR("@"), STR("`"))); /* 0x40 and 0x60 are no letters */
    assert_false(str_ieq(STR("ab"), STR("abc")));
    assert_true(str_starts(STR("abc"), STR("")) && str_starts(STR("abc"), STR("abc")));
    assert_false(str_starts(STR("ab"), STR("abc")));
    assert_true(str_istarts(STR("ABc"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")) && str_ends(STR("abc"), STR("")));
    assert_false(str_ends(STR("bc"), STR("abc")));
}

static void searching_gives_the_first_place(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("abcbc"), STR("bc")), 1);
    assert_int_equal(str_find(STR("abc"), STR("")), 0);
    assert_int_equal(str_find(STR("abc"), STR("abcd")), -1);
    assert_int_equal(str_ifind(STR("xTEXT/Event"), STR("text/")), 1);
    assert_int_equal(str_ifind(STR("a"), STR("ab")), -1);
    assert_int_equal(str_chr(STR("a\0b"), 'b'), 2);
    assert_true(str_eq(str_trim(STR(" \t\r\n a b\v\f")), STR("a b")));
    assert_int_equal(str_trim(STR("  ")).len, 0);
}

static void splitting_gives_every_part_once(void **state)
{
    struct str rest = STR("a,,b,"), part;

    (void)state;
    assert_true(str_split(&rest, ',', &part) && str_eq(part, STR("a")));
    assert_true(str_split(&rest, ',', &part) && part.len == 0);
    assert_true(str_split(&rest, ',', &part) && str_eq(part, STR("b")));
    assert_true(str_split(&rest, ',', &part) && part.len == 0);
    assert_false(str_split(&rest, ',', &part));
    rest = STR("");
    assert_true(str_split(&rest, ',', &part) && part.ptr && part.len == 0);
    assert_false(str_split(&rest, ',', &part));
}

static void integers_are_read_within_64_bits(void **state)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      "1x",
                                      " 1",
                                      "1 ",
                                      "0x1",
                                      "1.0",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    int64_t value = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(str_int64(str_c(bad[i]), &value));
    assert_int_equal(value, 7);
    assert_true(str_int64(STR("9223372036854775807"), &value) && value == INT64_MAX);
    assert_true(str_int64(STR("-9223372036854775808"), &value) && value == INT64_MIN);
    assert_true(str_int64(STR("+007"), &value) && value == 7);
}

/* ---- buf ---------------------------------------------------------------------------------- */

static void add_refuses_what_exceeds_the_limit(void **state)
{
    struct buf b = {.limit = 4};
    struct err err;

    (void)state;
    assert_int_equal(buf_add(&b, STR("abcde"), &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_add(&b, STR("abcd"), &err), 0);
    assert_int_equal(buf_add(&b, STR("e"), &err), -1);
    assert_string_equal(b.ptr, "abcd");
    assert_int_equal(buf_reserve(&b, SIZE_MAX, &err), -1);
    buf_clear(&b);
    assert_int_equal(b.limit, 4);
}

static void a_buffer_grows_and_always_ends_with_a_nul(void **state)
{
    struct buf b = {0};
    struct err err;

    (void)state;
    assert_true(buf_str(&b).ptr && buf_str(&b).len == 0);
    assert_int_equal(buf_add(&b, STR_NONE, &err), 0);
    assert_string_equal(b.ptr, "");
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%d,", i % 10);
    assert_int_equal(b.len, 2000);
    assert_int_equal(strlen(b.ptr), 2000);
    buf_drop(&b, 1998);
    assert_string_equal(b.ptr, "9,");
    buf_put(&b, STR("xyz"));
    buf_cut(&b, 3);
    assert_string_equal(b.ptr, "9,x");
    buf_cut(&b, 10);
    assert_int_equal(b.len, 3);
    buf_drop(&b, 10);
    assert_string_equal(b.ptr, "");
    buf_clear(&b);
    buf_cut(&b, 0);
    buf_drop(&b, 0);
    assert_null(buf_take(&b));
}

static void taking_leaves_the_buffer_empty(void **state)
{
    struct buf b = {0};
    char *text;

    (void)state;
    buf_put(&b, STR("ab"));
    text = buf_take(&b);
    assert_string_equal(text, "ab");
    assert_null(b.ptr);
    assert_int_equal(b.len + b.cap, 0);
    free(text);
}

/* ---- arena and headers -------------------------------------------------------------------- */

static void an_arena_keeps_what_it_gave(void **state)
{
    struct arena a = {0};
    struct str texts[500];
    char big[9000];

    (void)state;
    memset(big, 'x', sizeof(big));
    for (size_t i = 0; i < 500; i++) {
        void *aligned = arena_alloc(&a, i % 40);

        assert_non_null(aligned);
        assert_int_equal((uintptr_t)aligned % _Alignof(max_align_t), 0);
        texts[i] = i % 50 == 7 ? arena_dup(&a, (struct str){big, sizeof(big)})
                               : arena_printf(&a, "text %zu", i);
        assert_true(texts[i].ptr && texts[i].ptr[texts[i].len] == '\0');
    }
    for (size_t i = 0; i < 500; i++) {
        char expect[32];

        snprintf(expect, sizeof(expect), "text %zu", i);
        if (i % 50 == 7)
            assert_true(str_eq(texts[i], (struct str){big, sizeof(big)}));
        else
            assert_string_equal(texts[i].ptr, expect);
    }
    assert_true(a.used > 10 * sizeof(big));
    assert_null(arena_dup(&a, STR_NONE).ptr);
    assert_non_null(arena_dup(&a, STR("")).ptr);
    assert_null(arena_alloc(&a, SIZE_MAX));
    arena_clear(&a);
    assert_int_equal(a.used, 0);
    assert_non_null(arena_dup(&a, STR("again")).ptr);
    arena_clear(&a);
}

static void headers_keep_order_and_repeats(void **state)
{
    struct headers h = {0};
    struct arena a = {0};
    struct err err;
    char name[16];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "X-%d", i % 50);
        assert_int_equal(
            headers_add(&h, &a, str_c(name), i < 50 ? STR("first") : STR("second"), &err), 0);
    }
    assert_int_equal(h.count, 100);
    assert_true(str_eq(h.items[17].name, STR("X-17")));
    assert_true(str_eq(headers_get(&h, STR("x-3")), STR("first")));
    assert_int_equal(headers_count(&h, STR("x-3")), 2);
    assert_null(headers_get(&h, STR("x-50")).ptr);
    assert_int_equal(headers_add(&h, &a, STR_NONE, STR("v"), &err), -1);
    arena_clear(&a);
}

/* ---- blob --------------------------------------------------------------------------------- */

static void fill(struct blob *b, size_t size, size_t piece)
{
    char part[4096];
    struct err err;

    assert_true(piece <= sizeof(part));
    while (b->len < size) {
        for (size_t i = 0; i < piece; i++)
            part[i] = (char)((b->len + i) % 251);
        assert_int_equal(blob_add(b, (struct str){part, piece}, &err), 0);
    }
}

static void holds(const struct blob *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (b->ptr[i] != (char)(i % 251))
            fail_msg("byte %zu is wrong", i);
}

static void a_small_body_stays_in_memory_and_counts(void **state)
{
    struct blob_budget budget = {
        .limit = 1 << 20, .each = 100000, .spool_dirs = {"/var/tmp", "/tmp"}};
    struct blob b = {.budget = &budget};

    (void)state;
    assert_true(blob_str(&b).ptr && blob_str(&b).len == 0);
    fill(&b, 90000, 1000); /* doubling alone would go beyond each */
    assert_false(b.spooled);
    assert_int_equal(budget.used, b.cap);
    holds(&b);
    blob_clear(&b);
    assert_int_equal(budget.used, 0);
    assert_ptr_equal(b.budget, &budget);
    fill(&b, 10, 10);
    blob_clear(&b);
}

static void a_large_body_goes_to_a_file_and_grows_there(void **state)
{
    struct blob_budget budget = {.limit = 1 << 20, .each = 10000, .spool_dirs = {NULL, "/tmp"}};
    struct blob b = {.budget = &budget};
    struct stat st;

    (void)state;
    fill(&b, 9000, 900);
    assert_false(b.spooled);
    fill(&b, 700000, 1000);
    assert_true(b.spooled);
    assert_int_equal(budget.used, 0);
    assert_int_equal(fstat(b.fd, &st), 0);
    assert_int_equal(st.st_nlink, 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true((fcntl(b.fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(b.len, 700000);
    holds(&b);
    blob_clear(&b);
    assert_false(b.spooled);
    assert_null(b.ptr);
}

static void above_the_shared_limit_bodies_go_to_files_at_once(void **state)
{
    struct blob_budget budget = {.limit = 50000, .each = 40000, .spool_dirs = {"/var/tmp", "/tmp"}};
    struct blob a = {.budget = &budget}, b = {.budget = &budget}, c = {.budget = &budget};

    (void)state;
    fill(&a, 39000, 1000);
    assert_false(a.spooled);
    fill(&b, 20000, 1000);
    assert_true(b.spooled);
    assert_true(budget.used <= budget.limit);
    blob_clear(&a);
    assert_int_equal(budget.used, 0);
    fill(&c, 20000, 1000);
    assert_false(c.spooled);
    holds(&b);
    holds(&c);
    blob_clear(&b);
    blob_clear(&c);
    assert_int_equal(budget.used, 0);
}

static void a_failed_growth_leaves_the_body_as_it_was(void **state)
{
    struct blob_budget budget = {
        .limit = 1 << 20, .each = 4000, .spool_dirs = {"/nonexistent/folder", NULL}};
    struct blob b = {.budget = &budget};
    char part[2000] = {0};
    struct err err;

    (void)state;
    fill(&b, 3000, 1000);
    assert_int_equal(blob_add(&b, (struct str){part, sizeof(part)}, &err), -1);
    assert_int_equal(err.code, ERR_FULL);
    assert_int_equal(b.len, 3000);
    assert_int_equal(budget.used, b.cap);
    holds(&b);
    assert_int_equal(blob_reserve(&b, SIZE_MAX - 1, &err), -1);
    assert_int_equal(blob_add(&b, (struct str){part, SIZE_MAX / 2}, &err), -1);
    blob_clear(&b);
    assert_int_equal(budget.used, 0);
}

static void a_length_known_beforehand_is_reserved_once(void **state)
{
    struct blob_budget budget = {
        .limit = 1 << 20, .each = 100000, .spool_dirs = {"/var/tmp", "/tmp"}};
    struct blob b = {.budget = &budget};
    struct err err;
    char *before;

    (void)state;
    assert_int_equal(blob_reserve(&b, 5000, &err), 0);
    before = b.ptr;
    fill(&b, 5000, 1000);
    assert_ptr_equal(b.ptr, before);
    assert_int_equal(b.cap, 5000);
    assert_int_equal(blob_reserve(&b, 200000, &err), 0);
    assert_true(b.spooled);
    holds(&b);
    blob_clear(&b);
}

static void *spend(void *arg)
{
    for (int i = 0; i < 200; i++) {
        struct blob b = {.budget = arg};
        char part[3000] = {0};
        struct err err;

        for (int k = 0; k < 5; k++)
            if (blob_add(&b, (struct str){part, sizeof(part)}, &err) < 0)
                return arg; /* not NULL: failed */
        blob_clear(&b);
    }
    return NULL;
}

static void a_budget_is_shared_by_threads(void **state)
{
    struct blob_budget budget = {
        .limit = 40000, .each = 100000, .spool_dirs = {"/var/tmp", "/tmp"}};
    pthread_t threads[4];
    void *failed;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, spend, &budget), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(budget.used, 0);
}

/* ---- utf8 --------------------------------------------------------------------------------- */

static void code_points_are_read_and_written(void **state)
{
    static const int32_t codes[] = {0,      0x41,   0x7F,   0x80,    0x7FF,   0x800,
                                    0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF};

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        char bytes[4];
        size_t size = utf8_encode(codes[i], bytes), len;

        assert_int_equal(utf8_next((struct str){bytes, size}, &len), codes[i]);
        assert_int_equal(len, size);
        assert_true(utf8_valid((struct str){bytes, size}));
    }
}

static void repaired(struct str s, const char *expect)
{
    struct buf out = {0};
    struct err err;

    assert_int_equal(utf8_repair(&out, s, &err), 0);
    assert_true(str_eq(buf_str(&out), str_c(expect)));
    assert_int_equal(utf8_valid(s), str_eq(s, str_c(expect)));
    buf_clear(&out);
}

#define BAD "\xEF\xBF\xBD"

static void every_maximal_invalid_part_is_replaced(void **state)
{
    (void)state;
    repaired(STR("plain text and more"), "plain text and more");
    repaired(STR("\xC3\xA9"), "\xC3\xA9");
    repaired(STR("\xFF"), BAD);
    repaired(STR("a\x80\x80z"), "a" BAD BAD "z");
    repaired(STR("\xC0\xAF"), BAD BAD);
    repaired(STR("\xE2\x82"), BAD);
    repaired(STR("\xE2\x82z"), BAD "z");
    repaired(STR("\xE0\x80\x80"), BAD BAD BAD);
    repaired(STR("\xED\xA0\x80"), BAD BAD BAD);
    repaired(STR("\xF0\x9F\x98"), BAD);
    repaired(STR("\xF4\x90\x80\x80"), BAD BAD BAD BAD);
    repaired(STR("1234567\xC3\xA9"
                 "1234567\xFF"),
             "1234567\xC3\xA9"
             "1234567" BAD);
    repaired(STR_NONE, "");
}

static void cutting_splits_no_character(void **state)
{
    struct str s = STR("a\xC3\xA9\xF0\x9F\x98\x80");

    (void)state;
    assert_int_equal(utf8_cut(s, 0).len, 0);
    assert_int_equal(utf8_cut(s, 2).len, 1);
    assert_int_equal(utf8_cut(s, 3).len, 3);
    assert_int_equal(utf8_cut(s, 6).len, 3);
    assert_int_equal(utf8_cut(s, 7).len, 7);
    assert_int_equal(utf8_cut(s, 70).len, 7);
    assert_int_equal(utf8_cut(STR("\x80\x80\x80\x80\x80\x80\x80\x80"), 6).len, 6); /* never valid */
}

static void latin1_becomes_utf8(void **state)
{
    struct buf out = {0};
    struct err err;

    (void)state;
    assert_int_equal(utf8_from_latin1(&out, STR("caf\xE9 \x80\xFF\x7F"), &err), 0);
    assert_string_equal(out.ptr, "caf\xC3\xA9 \xC2\x80\xC3\xBF\x7F");
    out.limit = out.len;
    assert_int_equal(utf8_from_latin1(&out, STR("x"), &err), -1);
    assert_int_equal(out.len, out.limit);
    buf_clear(&out);
}

/* ---- clock, err, secret, list ------------------------------------------------------------- */

static void iso(int64_t us, const char *expect)
{
    char text[CLOCK_ISO_SIZE];

    assert_ptr_equal(clock_iso(us, text), text);
    assert_string_equal(text, expect);
}

static void times_are_written_in_utc_with_microseconds(void **state)
{
    (void)state;
    iso(0, "1970-01-01T00:00:00.000000Z");
    iso(-1, "1969-12-31T23:59:59.999999Z");
    iso(INT64_C(1932962828090000), "2031-04-03T06:07:08.090000Z");
    iso(INT64_C(951827696000001), "2000-02-29T12:34:56.000001Z");
    iso(INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z");
    iso(INT64_C(253402300800000000), "");
    iso(INT64_C(-62167219200000000), "0000-01-01T00:00:00.000000Z");
    iso(INT64_C(-62167219200000001), "");
    iso(INT64_MAX, "");
    iso(UNKNOWN, "");
}

static void clocks_go_forward(void **state)
{
    int64_t then = clock_now_us();

    (void)state;
    assert_true(clock_now_us() >= then);
    assert_true(clock_wall_us() > INT64_C(1577836800000000)); /* 2020 */
}

static void errors_say_what_was_being_done(void **state)
{
    struct err err;
    char large[2000];

    (void)state;
    assert_int_equal(err_set(&err, ERR_STORE, "disk %s", "full"), -1);
    assert_int_equal(err_wrap(&err, "open %s", "store"), -1);
    assert_string_equal(err.msg, "open store: disk full");
    assert_int_equal(err.code, ERR_STORE);
    assert_int_equal(err_exit_status(ERR_NOT_FOUND), 3);
    assert_int_equal(err_http_status(ERR_TOO_LARGE), 413);
    memset(large, 'x', sizeof(large));
    large[sizeof(large) - 1] = '\0';
    err_set(&err, ERR_FAILED, "%s", large);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    err_wrap(&err, "%s", large);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void a_secret_may_be_set_from_itself(void **state)
{
    struct secret s = {0};

    (void)state;
    secret_set(&s, STR(" key "));
    secret_set(&s, str_trim(secret_expose(&s)));
    assert_true(str_eq(secret_expose(&s), STR("key")));
    secret_set(&s, STR_NONE);
    assert_null(secret_expose(&s).ptr);
    secret_clear(&s);
}

struct item {
    int value;
    struct list node;
};

static void a_list_allows_removal_while_it_is_walked(void **state)
{
    struct item items[5];
    struct list head;
    int sum = 0;

    (void)state;
    list_init(&head);
    assert_true(list_empty(&head));
    for (int i = 0; i < 5; i++) {
        items[i] = (struct item){.value = i};
        assert_false(list_linked(&items[i].node));
        list_add_tail(&head, &items[i].node);
    }
    LIST_EACH_SAFE (node, &head) {
        if (LIST_ENTRY(node, struct item, node)->value % 2)
            list_remove(node);
    }
    list_remove(&items[1].node); /* again, harmless */
    LIST_EACH (node, &head) {
        sum = sum * 10 + LIST_ENTRY(node, struct item, node)->value;
    }
    assert_int_equal(sum, 24);
    assert_true(list_linked(&items[2].node) && !list_linked(&items[3].node));
}

static void small_memory_is_zeroed_and_never_null(void **state)
{
    char *p = xcalloc(0, 0), *q = xcalloc(3, 5), *r = xstrdup("abc");

    (void)state;
    assert_non_null(p);
    for (int i = 0; i < 15; i++)
        assert_int_equal(q[i], 0);
    assert_string_equal(r, "abc");
    assert_null(xstrdup(NULL));
    p = xrealloc(p, 10, 10);
    p[99] = 1;
    p = xrealloc(p, 0, 10);
    assert_non_null(p);
    free(p);
    free(q);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_text_is_not_empty_text),
        cmocka_unit_test(parts_stay_inside_the_text),
        cmocka_unit_test(texts_compare_with_and_without_case),
        cmocka_unit_test(searching_gives_the_first_place),
        cmocka_unit_test(splitting_gives_every_part_once),
        cmocka_unit_test(integers_are_read_within_64_bits),
        cmocka_unit_test(add_refuses_what_exceeds_the_limit),
        cmocka_unit_test(a_buffer_grows_and_always_ends_with_a_nul),
        cmocka_unit_test(taking_leaves_the_buffer_empty),
        cmocka_unit_test(an_arena_keeps_what_it_gave),
        cmocka_unit_test(headers_keep_order_and_repeats),
        cmocka_unit_test(a_small_body_stays_in_memory_and_counts),
        cmocka_unit_test(a_large_body_goes_to_a_file_and_grows_there),
        cmocka_unit_test(above_the_shared_limit_bodies_go_to_files_at_once),
        cmocka_unit_test(a_failed_growth_leaves_the_body_as_it_was),
        cmocka_unit_test(a_length_known_beforehand_is_reserved_once),
        cmocka_unit_test(a_budget_is_shared_by_threads),
        cmocka_unit_test(code_points_are_read_and_written),
        cmocka_unit_test(every_maximal_invalid_part_is_replaced),
        cmocka_unit_test(cutting_splits_no_character),
        cmocka_unit_test(latin1_becomes_utf8),
        cmocka_unit_test(times_are_written_in_utc_with_microseconds),
        cmocka_unit_test(clocks_go_forward),
        cmocka_unit_test(errors_say_what_was_being_done),
        cmocka_unit_test(a_secret_may_be_set_from_itself),
        cmocka_unit_test(a_list_allows_removal_while_it_is_walked),
        cmocka_unit_test(small_memory_is_zeroed_and_never_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
