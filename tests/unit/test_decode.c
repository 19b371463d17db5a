#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/blob.h"
#include "base/buf.h"
#include "daemon/upstream/decode.h"

#define MIB ((size_t)1024 * 1024)
enum { RAW = -15, ZLIB = 15, GZIP = 15 + 16 };

static struct blob_budget budget = {.limit = 2048 * MIB, .each = 2048 * MIB};

static void deflate_to(struct buf *out, struct str plain, int bits)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)plain.ptr, .avail_in = (uInt)plain.len};
    struct err err;

    deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
    assert_int_equal(buf_reserve(out, deflateBound(&z, plain.len), &err), 0);
    z.next_out = (Bytef *)out->ptr + out->len;
    z.avail_out = (uInt)(out->cap - out->len);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len += z.total_out;
    deflateEnd(&z);
}

static void zstd_to(struct buf *out, struct str plain)
{
    struct err err;
    size_t n;

    assert_int_equal(buf_reserve(out, ZSTD_compressBound(plain.len), &err), 0);
    n = ZSTD_compress(out->ptr + out->len, out->cap - out->len, plain.ptr, plain.len, 3);
    assert_false(ZSTD_isError(n));
    out->len += n;
}

/* Feed coded in pieces. 0 and what came out, or -1; *ended tells whether it may end here. */
static int decode_pieces(const char *coding, struct str coded, size_t piece, struct buf *out,
                         bool *ended)
{
    struct decode *d = NULL;
    struct err err = {0};
    int rc = 0;

    assert_int_equal(decode_new(str_c(coding), &d, &err), 0);
    assert_non_null(d);
    assert_true(decode_at_end(d)); /* nothing was fed */
    while (rc == 0 && coded.len > 0) {
        struct str in = str_cut(coded, piece), got;

        coded = str_from(coded, piece);
        do {
            rc = decode_step(d, &in, &got, &err);
            if (rc >= 0)
                assert_true(got.len <= 65536);
            if (rc >= 0)
                buf_put(out, got);
        } while (rc > 0 || (rc == 0 && got.len > 0));
        if (rc == 0)
            assert_int_equal(in.len, 0);
    }
    if (rc < 0)
        assert_int_equal(err.code, ERR_INVALID);
    *ended = decode_at_end(d);
    decode_free(d);
    return rc;
}

/* 200 KiB that compress somewhat. */
static struct str sample(void)
{
    static char text[200 * 1024];
    unsigned x = 1;

    for (size_t i = 0; i < sizeof(text); i++) {
        x = x * 1103515245u + 12345u;
        text[i] = (char)('a' + (x >> 16) % 7);
    }
    return (struct str){text, sizeof(text)};
}

static void code(struct buf *out, struct str plain, const char *coding)
{
    if (strcmp(coding, "gzip") == 0)
        deflate_to(out, plain, GZIP);
    else if (strcmp(coding, "deflate") == 0)
        deflate_to(out, plain, ZLIB);
    else if (strcmp(coding, "raw") == 0)
        deflate_to(out, plain, RAW);
    else
        zstd_to(out, plain);
}

static const struct {
    const char *coding, *coder;
} codings[] = {{"gzip", "gzip"},   {"X-GZIP", "gzip"}, {"deflate", "deflate"},
               {"deflate", "raw"}, {"zstd", "zstd"},   {"identity, gzip,", "gzip"}};
#define CODINGS (sizeof(codings) / sizeof(*codings))

static void every_coding_is_undone_in_pieces_of_any_size(void **state)
{
    static const size_t pieces[] = {1, 2, 7, 1000, 65536, 10 * MIB};

    (void)state;
    for (size_t i = 0; i < CODINGS; i++)
        for (size_t k = 0; k < sizeof(pieces) / sizeof(*pieces); k++) {
            struct buf coded = {0}, out = {0};
            bool ended;

            code(&coded, sample(), codings[i].coder);
            assert_int_equal(
                decode_pieces(codings[i].coding, buf_str(&coded), pieces[k], &out, &ended), 0);
            assert_true(str_eq(buf_str(&out), sample()));
            assert_true(ended);
            buf_clear(&out);
            buf_clear(&coded);
        }
}

static void lists_are_undone_from_the_end(void **state)
{
    static const size_t pieces[] = {1, 100, 10 * MIB};

    (void)state;
    for (size_t k = 0; k < sizeof(pieces) / sizeof(*pieces); k++) {
        struct buf a = {0}, b = {0}, c = {0}, out = {0};
        bool ended;

        code(&a, sample(), "zstd");
        code(&b, buf_str(&a), "deflate");
        code(&c, buf_str(&b), "gzip");
        assert_int_equal(decode_pieces("zstd, deflate ,gzip", buf_str(&c), pieces[k], &out, &ended),
                         0);
        assert_true(str_eq(buf_str(&out), sample()));
        assert_true(ended);
        buf_clear(&a);
        buf_clear(&b);
        buf_clear(&c);
        buf_clear(&out);
    }
}

static void an_outer_coding_may_give_nothing_for_long(void **state)
{
    /* zstd inside gzip, where gzip's input comes byte by byte: the inner one starves meanwhile. */
    struct buf inner = {0}, outer = {0}, out = {0};
    bool ended;

    (void)state;
    code(&inner, str_cut(sample(), 5000), "zstd");
    code(&outer, buf_str(&inner), "gzip");
    assert_int_equal(decode_pieces("zstd, gzip", buf_str(&outer), 1, &out, &ended), 0);
    assert_true(str_eq(buf_str(&out), str_cut(sample(), 5000)));
    buf_clear(&inner);
    buf_clear(&outer);
    buf_clear(&out);
}

static void members_and_frames_may_follow_each_other(void **state)
{
    static const char *const kinds[] = {"gzip", "zstd"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct buf coded = {0}, out = {0};
        bool ended;

        code(&coded, STR("one "), kinds[i]);
        code(&coded, STR(""), kinds[i]);
        code(&coded, STR("two"), kinds[i]);
        assert_int_equal(decode_pieces(kinds[i], buf_str(&coded), 3, &out, &ended), 0);
        assert_string_equal(out.ptr, "one two");
        assert_true(ended);
        buf_clear(&coded);
        buf_clear(&out);
    }
}

static void what_is_written_so_far_comes_out_at_once(void **state)
{
    z_stream z = {0};
    unsigned char coded[200];
    struct decode *d = NULL;
    struct str in, got;
    struct err err;

    (void)state;
    deflateInit2(&z, 6, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)(uintptr_t) "data: x\n\n";
    z.avail_in = 9;
    z.next_out = coded;
    z.avail_out = sizeof(coded);
    deflate(&z, Z_SYNC_FLUSH);
    assert_int_equal(decode_new(STR("gzip"), &d, &err), 0);
    in = (struct str){(char *)coded, z.total_out};
    assert_int_equal(decode_step(d, &in, &got, &err), 0);
    assert_true(str_eq(got, STR("data: x\n\n")));
    assert_false(decode_at_end(d));
    decode_free(d);
    deflateEnd(&z);
}

static void a_cut_body_has_no_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODINGS; i++) {
        struct buf coded = {0}, out = {0};
        bool ended;

        code(&coded, sample(), codings[i].coder);
        for (size_t cut = 1; cut < coded.len; cut += coded.len / 20 + 1) {
            out.len = 0;
            assert_int_equal(decode_pieces(codings[i].coding,
                                           str_cut(buf_str(&coded), coded.len - cut), 10 * MIB,
                                           &out, &ended),
                             0);
            assert_false(ended);
        }
        buf_clear(&coded);
        buf_clear(&out);
    }
}

static void corrupt_bytes_are_found_or_harmless(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODINGS; i++) {
        struct buf coded = {0}, out = {0};
        unsigned found = 0;

        code(&coded, str_cut(sample(), 3000), codings[i].coder);
        for (size_t at = 0; at < coded.len; at += 3) {
            bool ended;

            out.len = 0;
            coded.ptr[at] ^= 0x55;
            if (decode_pieces(codings[i].coding, buf_str(&coded), 10 * MIB, &out, &ended) < 0 ||
                !ended)
                found++;
            coded.ptr[at] ^= 0x55;
        }
        assert_true(found > 0);
        buf_clear(&coded);
        buf_clear(&out);
    }
}

static void bytes_behind_the_end_are_corrupt(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODINGS; i++) {
        struct buf coded = {0}, out = {0};
        bool ended;

        code(&coded, STR("body"), codings[i].coder);
        buf_put(&coded, STR("garbage"));
        assert_int_equal(decode_pieces(codings[i].coding, buf_str(&coded), 10 * MIB, &out, &ended),
                         -1);
        buf_clear(&coded);
        buf_clear(&out);
    }
}

static void a_bomb_is_taken_for_corrupt(void **state)
{
    static char zeros[16 * MIB];
    const char *const kinds[] = {"gzip", "zstd"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct buf coded = {0};
        struct decode *d = NULL;
        struct err err = {0};
        struct str in, got;
        size_t total = 0;
        int rc;

        for (int k = 0; k < (i == 0 ? 8 : 80); k++)
            code(&coded, (struct str){zeros, sizeof(zeros)}, kinds[i]);
        in = buf_str(&coded);
        assert_int_equal(decode_new(str_c(kinds[i]), &d, &err), 0);
        do {
            rc = decode_step(d, &in, &got, &err);
            total += rc == 0 ? got.len : 0;
        } while (rc > 0 || (rc == 0 && got.len > 0));
        assert_int_equal(rc, -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_true(total >= 60 * MIB && total <= 1024 * MIB);
        decode_free(d);
        buf_clear(&coded);
    }
}

static void a_bomb_inside_a_bomb_is_found_too(void **state)
{
    static char zeros[16 * MIB];
    struct buf once = {0}, twice = {0}, out = {0};
    bool ended;

    (void)state;
    for (int k = 0; k < 40; k++)
        code(&once, (struct str){zeros, sizeof(zeros)}, "gzip");
    code(&twice, buf_str(&once), "gzip");
    assert_int_equal(decode_pieces("gzip, gzip", buf_str(&twice), 10 * MIB, &out, &ended), -1);
    assert_true(out.len <= 70 * MIB);
    buf_clear(&once);
    buf_clear(&twice);
    buf_clear(&out);
}

/* Layers that hide each other: the outer one is large, what is inside is nothing at all. */
static void much_work_for_nothing_is_cut_into_steps(void **state)
{
    struct buf empty = {0}, many = {0}, coded = {0};
    struct decode *d = NULL;
    struct err err = {0};
    struct str in, got;
    int rc, steps = 0;

    (void)state;
    code(&empty, STR(""), "gzip");
    while (many.len < 8 * MIB)
        buf_put(&many, buf_str(&empty));
    code(&coded, buf_str(&many), "gzip");
    in = buf_str(&coded);
    assert_true(in.len < 64 * 1024);
    assert_int_equal(decode_new(STR("gzip, gzip"), &d, &err), 0);
    while ((rc = decode_step(d, &in, &got, &err)) > 0) {
        assert_int_equal(got.len, 0);
        steps++;
    }
    assert_int_equal(rc, 0);
    assert_int_equal(got.len, 0);
    assert_int_equal(in.len, 0);
    assert_true(decode_at_end(d));
    assert_true(steps >= 8);
    decode_free(d);
    buf_clear(&empty);
    buf_clear(&many);
    buf_clear(&coded);
}

static void identity_needs_no_decoder(void **state)
{
    static const char *const names[] = {"", "identity", "Identity , identity", ","};
    struct decode *d;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        d = (struct decode *)&err;
        assert_int_equal(decode_new(str_c(names[i]), &d, &err), 0);
        assert_null(d);
    }
    assert_int_equal(decode_new(STR_NONE, &d, &err), 0);
    assert_null(d);
}

static void unknown_codings_are_refused(void **state)
{
    static const char *const names[] = {"br", "gzip, br", "gzip;q=1", "compress",
                                        "gzip,gzip,gzip,gzip,gzip"};
    struct decode *d = NULL;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        assert_int_equal(decode_new(str_c(names[i]), &d, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static void a_whole_body_is_decoded_up_to_a_limit(void **state)
{
    struct blob out = {.budget = &budget};
    struct buf coded = {0};
    struct err err;

    (void)state;
    code(&coded, sample(), "gzip");
    assert_int_equal(decode_all(STR("gzip"), buf_str(&coded), sample().len, &out, &err), 0);
    assert_true(str_eq(blob_str(&out), sample()));
    blob_clear(&out);
    assert_int_equal(decode_all(STR("gzip"), buf_str(&coded), sample().len - 1, &out, &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    blob_clear(&out);
    assert_int_equal(decode_all(STR("gzip"), str_cut(buf_str(&coded), 100), MIB, &out, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    blob_clear(&out);
    assert_int_equal(decode_all(STR("identity"), STR("abc"), 3, &out, &err), 0);
    assert_true(str_eq(blob_str(&out), STR("abc")));
    blob_clear(&out);
    buf_clear(&coded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_coding_is_undone_in_pieces_of_any_size),
        cmocka_unit_test(lists_are_undone_from_the_end),
        cmocka_unit_test(an_outer_coding_may_give_nothing_for_long),
        cmocka_unit_test(members_and_frames_may_follow_each_other),
        cmocka_unit_test(what_is_written_so_far_comes_out_at_once),
        cmocka_unit_test(a_cut_body_has_no_end),
        cmocka_unit_test(corrupt_bytes_are_found_or_harmless),
        cmocka_unit_test(bytes_behind_the_end_are_corrupt),
        cmocka_unit_test(a_bomb_is_taken_for_corrupt),
        cmocka_unit_test(a_bomb_inside_a_bomb_is_found_too),
        cmocka_unit_test(much_work_for_nothing_is_cut_into_steps),
        cmocka_unit_test(identity_needs_no_decoder),
        cmocka_unit_test(unknown_codings_are_refused),
        cmocka_unit_test(a_whole_body_is_decoded_up_to_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
