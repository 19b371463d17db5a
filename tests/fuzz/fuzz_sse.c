/* The same events for every way of cutting, whatever is kept of each; and nothing in watch breaks.
 * The first byte is how much is kept, the second seeds the cutting. */
#include "fuzz.h"

#include <string.h>

#include "llm/watch.h"

static void note(void *ctx, struct str data, bool cut)
{
    struct buf *log = ctx;

    buf_printf(log, "%zu%c", data.len, cut ? '!' : ':');
    buf_put(log, data);
}

struct outcome {
    struct buf log;
    bool done, boundary;
};

/* max: the largest piece; 0 is all at once. Pieces are copies, gone after each call. */
static struct outcome run(struct str bytes, size_t keep, size_t max, unsigned seed)
{
    struct outcome o = {.done = false};
    struct sse sse;

    sse_init(&sse, keep, note, &o.log);
    while (bytes.len > 0) {
        size_t want =
            max ? (seed = seed * 1103515245u + 12345u, (seed >> 16) % max + 1) : bytes.len;
        struct str part = str_cut(bytes, want);
        char *copy = malloc(part.len);

        if (!copy)
            abort();
        memcpy(copy, part.ptr, part.len);
        sse_feed(&sse, (struct str){copy, part.len});
        free(copy);
        bytes = str_from(bytes, part.len);
    }
    o.boundary = sse.at_boundary;
    sse_finish(&sse);
    REQUIRE(sse.at_boundary == o.boundary);
    o.done = sse.done;
    sse_clear(&sse);
    return o;
}

static void same(const struct outcome *a, struct outcome b)
{
    REQUIRE(str_eq(buf_str(&a->log), buf_str(&b.log)));
    REQUIRE(a->done == b.done && a->boundary == b.boundary);
    buf_clear(&b.log);
}

static void compare(struct str bytes, size_t keep, unsigned seed)
{
    struct outcome whole = run(bytes, keep, 0, 0);

    same(&whole, run(bytes, keep, 1, 0));
    same(&whole, run(bytes, keep, 7, seed));
    same(&whole, run(bytes, keep, 64, seed));
    buf_clear(&whole.log);
}

static void watch_all(struct watch *w, struct str bytes, size_t piece)
{
    watch_init(w);
    for (int64_t now = 1; bytes.len > 0; bytes = str_from(bytes, piece))
        watch_feed(w, str_cut(bytes, piece), now++);
    watch_finish(w, 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct watch a, b;
    struct str bytes;
    unsigned seed;

    if (size < 2)
        return 0;
    seed = data[1];
    bytes = (struct str){(const char *)data + 2, size - 2};
    compare(bytes, (size_t)data[0] % 32 + 1, seed);
    compare(bytes, 65536, seed);
    watch_all(&a, bytes, bytes.len ? bytes.len : 1);
    watch_all(&b, bytes, seed % 16 + 1);
    REQUIRE(a.event_count == b.event_count && a.content_count == b.content_count);
    REQUIRE(a.done == b.done && strcmp(a.finish_reason, b.finish_reason) == 0);
    REQUIRE(str_eq(buf_str(&a.error_event), buf_str(&b.error_event)));
    REQUIRE(a.content_count <= a.event_count);
    REQUIRE((watch_gap_p95_us(&b) == UNKNOWN) == (b.content_count < 2));
    watch_clear(&a);
    watch_clear(&b);
    return 0;
}
