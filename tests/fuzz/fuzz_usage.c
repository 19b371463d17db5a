/* Whatever an answer or a request holds: reading it ends, keeps the rules of counts, and a stream
 * that was watched in pieces keeps the same for every way of cutting. The first byte says how. */
#include "fuzz.h"

#include "llm/answer.h"
#include "llm/images.h"
#include "llm/signals.h"
#include "llm/watch.h"

static void check_count(int64_t n)
{
    REQUIRE(n == UNKNOWN || n >= 0);
}

static void check(const struct answer *a)
{
    const struct usage *u = &a->usage;

    check_count(u->input);
    check_count(u->cached_input);
    check_count(u->cache_write_input);
    check_count(u->output);
    check_count(u->reasoning);
    check_count(u->total);
    check_count(a->reported_cost_pusd);
    check_count(a->tool_call_count);
    if (u->input != UNKNOWN && u->cached_input != UNKNOWN)
        REQUIRE(u->cached_input <= u->input);
    if (u->input != UNKNOWN && u->output != UNKNOWN)
        REQUIRE(u->total != UNKNOWN);
    REQUIRE(!a->model.ptr || a->model.len > 0);
}

static void kept(struct str body, size_t piece, struct buf *out)
{
    struct watch w;

    watch_init(&w);
    for (; body.len > 0; body = str_from(body, piece))
        watch_feed(&w, str_cut(body, piece), 1);
    watch_finish(&w, 1);
    watch_kept(&w, out);
    watch_clear(&w);
}

static void find_images(struct str body, struct arena *arena)
{
    struct images all, one;

    images_find(body, STR_NONE, IMAGES_MAX, arena, &all);
    images_find(body, STR_NONE, 1, arena, &one);
    REQUIRE(one.count == (all.count > 0));
    for (size_t i = 0; i < all.count; i++)
        REQUIRE(all.items[i].head.len > 0);
    images_find(body, STR("multipart/form-data; boundary=b"), IMAGES_MAX, arena, &all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = {0}, pieces = {0};
    struct arena arena = {0};
    struct answer a;
    struct str body;

    if (size == 0)
        return 0;
    body = (struct str){(const char *)data + 1, size - 1};
    answer_read(body, data[0] % 2, &arena, &a);
    check(&a);
    (void)answer_asked_tier(body, &arena);
    kept(body, body.len + 1, &whole);
    kept(body, data[0] % 16u + 1, &pieces);
    REQUIRE(str_eq(buf_str(&whole), buf_str(&pieces)));
    answer_read(buf_str(&whole), true, &arena, &a);
    check(&a);
    find_images(body, &arena);
    buf_clear(&whole);
    buf_clear(&pieces);
    arena_clear(&arena);
    return 0;
}
