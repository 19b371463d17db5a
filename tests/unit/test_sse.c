#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cases.h"
#include "llm/sse.h"
#include "utf8.h"
#include "json/json.h"

/* Events as text: each between brackets, "!" behind one that was cut. */
static void note(void *ctx, struct str data, bool cut)
{
    struct buf *log = ctx;

    buf_put(log, STR("["));
    buf_put(log, data);
    buf_put(log, cut ? STR("]!") : STR("]"));
}

/* Feed bytes in pieces of that size; 0 is all at once. Each piece is a copy of its own, so that
 * reading what is gone shows. */
static void feed(struct sse *sse, struct str bytes, size_t piece)
{
    if (piece == 0)
        piece = bytes.len ? bytes.len : 1;
    while (bytes.len > 0) {
        struct str part = str_cut(bytes, piece);
        char *copy = malloc(part.len);

        memcpy(copy, part.ptr, part.len);
        sse_feed(sse, (struct str){copy, part.len});
        free(copy);
        bytes = str_from(bytes, piece);
    }
}

static struct buf events_of(struct str bytes, size_t piece, size_t keep, bool *done)
{
    struct buf log = {0};
    struct sse sse;

    sse_init(&sse, keep, note, &log);
    feed(&sse, bytes, piece);
    sse_finish(&sse);
    *done = sse.done;
    assert_true(sse.data.cap <= 2 * keep + 64 && sse.line.cap <= 2 * keep + 64);
    sse_clear(&sse);
    buf_put(&log, STR(""));
    return log;
}

/* All ways of cutting give the same; of two pieces, every one. */
static void gives(struct str bytes, const char *expect)
{
    for (size_t piece = 0; piece <= bytes.len; piece++) {
        bool done;
        struct buf log = events_of(bytes, piece, 1 << 20, &done);

        if (strcmp(log.ptr, expect) != 0)
            fail_msg("in pieces of %zu: %s, expected %s", piece, log.ptr, expect);
        buf_clear(&log);
    }
    for (size_t at = 0; at <= bytes.len; at++) {
        struct buf log = {0};
        struct sse sse;

        sse_init(&sse, 1 << 20, note, &log);
        feed(&sse, str_cut(bytes, at), 0);
        feed(&sse, str_from(bytes, at), 0);
        sse_finish(&sse);
        buf_put(&log, STR(""));
        assert_string_equal(log.ptr, expect);
        sse_clear(&sse);
        buf_clear(&log);
    }
}

static void add_event(void *ctx, struct str data, bool cut)
{
    struct buf text = {0};
    struct err err;
    cJSON *value;

    assert_false(cut);
    assert_int_equal(utf8_repair(&text, data, &err), 0);
    value = json_parse(buf_str(&text));
    if (!value) {
        value = cJSON_CreateObject();
        json_put_str(value, "data", buf_str(&text));
    }
    cJSON_AddItemToArray(ctx, value);
    buf_clear(&text);
}

static void sse_case(const char *name, const cJSON *input, const cJSON *expect)
{
    static const size_t pieces[] = {0, 1, 7};
    struct buf body = cases_body(input);

    for (size_t i = 0; i < 3; i++) {
        cJSON *events = cJSON_CreateArray();
        struct sse sse;

        sse_init(&sse, 16 << 20, add_event, events);
        feed(&sse, buf_str(&body), pieces[i]);
        sse_finish(&sse);
        if (!cJSON_Compare(events, cases_get(expect, "events"), true)) {
            char *text = cJSON_PrintUnformatted(events);

            fail_msg("%s in pieces of %zu: %s", name, pieces[i], text);
        }
        sse_clear(&sse);
        cJSON_Delete(events);
    }
    buf_clear(&body);
}

static void events_are_decoded_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("sse", sse_case);
}

static void lines_end_at_lf_cr_and_crlf_only(void **state)
{
    (void)state;
    gives(STR("data: a\n\ndata:b\r\rdata: c\r\n\r\n"), "[a][b][c]");
    gives(STR("data: a\r\n\rdata: b\n\r\n"), "[a][b]");
    gives(STR("data: a\x0b"
              "b\x0c"
              "c\xC2\x85"
              "d\xE2\x80\xA8"
              "e\n\n"),
          "[a\x0b"
          "b\x0c"
          "c\xC2\x85"
          "d\xE2\x80\xA8"
          "e]");
    gives(STR("data: a\n\r\rdata: b"), "[a][b]");
}

static void data_lines_are_trimmed_and_joined(void **state)
{
    (void)state;
    gives(STR("data:  a \t\ndata:\ndata: b  c \n\n"), "[a\n\nb  c]");
    gives(STR("data:\n\n"), "");
    gives(STR("data:   \n\n"), "");
    gives(STR("data: x\n  \t \ndata: y\n\n"), "[x][y]");
    gives(STR("data:x\n : no\ndata:y\n"), "[x\ny]");
}

static void other_lines_are_skipped(void **state)
{
    (void)state;
    gives(STR(": c\nevent: e\nid: 1\nretry: 5\ndata\ndat: x\ndatax: y\n data: z\nDATA: q\ndata: "
              "a\n\n"),
          "[a]");
    gives(STR("event: e\n\n\n\n: x\n\n"), "");
    gives(STR(""), "");
}

static void a_byte_order_mark_is_skipped_once(void **state)
{
    (void)state;
    gives(STR("\xEF\xBB\xBF"
              "data: a\n\n"),
          "[a]");
    gives(STR("\xEF\xBB\xBF\xEF\xBB\xBF"
              "data: a\n\ndata: b\n\n"),
          "[b]");
    gives(STR("\xEF\xBB"
              "data: a\n\ndata: b\n\n"),
          "[b]");
    gives(STR("\xEF\xBB"), "");
    gives(STR("\xEF\n\ndata: b\n\n"), "[b]");
}

static void done_is_no_event_and_is_remembered(void **state)
{
    bool done;
    struct buf log = events_of(STR("data: a\n\ndata: [DONE]\n\ndata: b\n\n"), 3, 64, &done);

    (void)state;
    assert_string_equal(log.ptr, "[a][b]");
    assert_true(done);
    buf_clear(&log);
    log = events_of(STR("data: [DONE]"), 0, 64, &done);
    assert_true(done);
    buf_clear(&log);
    log = events_of(STR("data: [DONE] x\n\n"), 0, 64, &done);
    assert_false(done);
    assert_string_equal(log.ptr, "[[DONE] x]");
    buf_clear(&log);
}

static void the_last_event_needs_no_blank_line(void **state)
{
    (void)state;
    gives(STR("data: a\n\ndata: b"), "[a][b]");
    gives(STR("data: a\r"), "[a]");
    gives(STR("data: a\ndata: b\n"), "[a\nb]");
}

/* Events around the limit, for every way of cutting: the same start is kept, and what is lost is
 * told, but blanks at the end of a line are no loss. */
static void a_long_event_is_cut_the_same_way_for_every_cutting(void **state)
{
    static const char *const texts[] = {
        "data: 12345678\n\n",           "data: 123456789\n\n",       "data: 12345678  \n\n",
        "data: 123456  \ndata: 9\n\n",  "data: 123\ndata: 4567\n\n", "data: 123\ndata: 45678\n\n",
        "data:           1\n\n",        "data: 1234567   x\n\n",     "data: 123456789\ndata: x\n\n",
        "data: 1\ndata: 123456789\n\n", "data:                \n\n", "data: 12345678\ndata:\n\n",
        "data: 1234567 \ndata: x\n\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        bool done;
        struct buf whole = events_of(str_c(texts[i]), 0, 8, &done);

        for (size_t piece = 1; piece < 20; piece++) {
            struct buf log = events_of(str_c(texts[i]), piece, 8, &done);

            if (strcmp(log.ptr, whole.ptr) != 0)
                fail_msg("%s in pieces of %zu: %s, not %s", texts[i], piece, log.ptr, whole.ptr);
            buf_clear(&log);
        }
        if (i == 1)
            assert_string_equal(whole.ptr, "[12345678]!");
        if (i == 2)
            assert_string_equal(whole.ptr, "[12345678]");
        buf_clear(&whole);
    }
}

static void a_huge_line_is_kept_in_bounded_memory(void **state)
{
    struct buf log = {0};
    struct sse sse;
    char part[4096];

    (void)state;
    memset(part, 'x', sizeof(part));
    sse_init(&sse, 1000, note, &log);
    sse_feed(&sse, STR("data: "));
    for (int i = 0; i < 16384; i++)
        sse_feed(&sse, (struct str){part, sizeof(part)});
    assert_true(sse.line.cap <= 2048 && sse.data.cap <= 2048);
    sse_feed(&sse, STR("\n\ndata: b\n\n"));
    assert_int_equal(log.len, 1000 + 3 + 3);
    assert_true(str_ends(buf_str(&log), STR("x]![b]")));
    sse_clear(&sse);
    buf_clear(&log);
}

/* 4 million carriage returns, and as many line feeds, in one piece: linear or never. */
static void one_kind_of_line_end_in_a_large_piece_is_no_trap(void **state)
{
    struct buf log = {0};
    struct sse sse;
    char *part = malloc(4 << 20);

    (void)state;
    sse_init(&sse, 1000, note, &log);
    memset(part, '\r', 4 << 20);
    sse_feed(&sse, (struct str){part, 4 << 20});
    memset(part, '\n', 4 << 20);
    sse_feed(&sse, (struct str){part, 4 << 20});
    assert_int_equal(log.len, 0);
    free(part);
    sse_clear(&sse);
    buf_clear(&log);
}

static bool boundary_after(const char *text)
{
    struct buf log = {0};
    struct sse sse;
    bool at;

    sse_init(&sse, 64, note, &log);
    sse_feed(&sse, str_c(text));
    at = sse.at_boundary;
    sse_clear(&sse);
    buf_clear(&log);
    return at;
}

static void the_boundary_is_after_a_blank_line_only(void **state)
{
    (void)state;
    assert_true(boundary_after(""));
    assert_true(boundary_after("data: a\n\n"));
    assert_true(boundary_after("data: a\r\n\r\n"));
    assert_true(boundary_after("data: a\r\n\r"));
    assert_false(boundary_after("data: a\n"));
    assert_false(boundary_after("data: a\r\n"));
    assert_false(boundary_after("data: a\n\nd"));
    assert_false(boundary_after("data: a\n\n: c\n"));
}

static const char *expected_at;

static void is_inside(void *ctx, struct str data, bool cut)
{
    assert_false(cut);
    assert_ptr_equal(data.ptr, expected_at);
    (*(int *)ctx)++;
}

static void an_event_inside_one_piece_is_not_copied(void **state)
{
    static const char text[] = "data: {\"a\":1}\n\n";
    struct sse sse;
    int seen = 0;

    (void)state;
    expected_at = text + 6;
    sse_init(&sse, 64, is_inside, &seen);
    sse_feed(&sse, str_c(text));
    assert_int_equal(seen, 1);
    assert_null(sse.data.ptr);
    assert_null(sse.line.ptr);
    sse_clear(&sse);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_decoded_as_the_cases_say),
        cmocka_unit_test(lines_end_at_lf_cr_and_crlf_only),
        cmocka_unit_test(data_lines_are_trimmed_and_joined),
        cmocka_unit_test(other_lines_are_skipped),
        cmocka_unit_test(a_byte_order_mark_is_skipped_once),
        cmocka_unit_test(done_is_no_event_and_is_remembered),
        cmocka_unit_test(the_last_event_needs_no_blank_line),
        cmocka_unit_test(a_long_event_is_cut_the_same_way_for_every_cutting),
        cmocka_unit_test(a_huge_line_is_kept_in_bounded_memory),
        cmocka_unit_test(one_kind_of_line_end_in_a_large_piece_is_no_trap),
        cmocka_unit_test(the_boundary_is_after_a_blank_line_only),
        cmocka_unit_test(an_event_inside_one_piece_is_not_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
