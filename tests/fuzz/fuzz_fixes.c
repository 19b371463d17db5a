/* The same bytes for every way of cutting a stream; what is not rewritten comes out as it went in,
 * but that comments may overtake what is held; a broken stream loses nothing. The first byte picks
 * the fixes, the second seeds the cutting; the request ends at the first NUL, the rest is the
 * answer. */
#include "fuzz.h"

#include <string.h>

#include "llm/fix.h"
#include "llm/sse.h"
#include "json/json_scan.h"

static const char *const lists[] = {
    "[\"" FIX_QWEN "\"]",
    "[\"" FIX_THINK "\"]",
    "[\"" FIX_ARGUMENTS "\"]",
    "[\"" FIX_THINK "\",\"" FIX_QWEN "\",\"" FIX_ARGUMENTS "\"]",
};

struct outcome {
    struct buf body, told;
    bool rewritten;
};

static void tell(struct fix_run *run, struct outcome *o)
{
    struct str range;
    size_t audit;

    o->rewritten = fix_rewritten(run);
    fix_audit(run, STR("[]"), &o->told);
    REQUIRE(json_scan(buf_str(&o->told), &range) == JSON_OBJECT);
    audit = o->told.len;
    fix_warnings(run, &o->told);
    REQUIRE(json_scan(str_from(buf_str(&o->told), audit), &range) == JSON_OBJECT);
}

/* max: the largest piece; 0 is all at once. Pieces are copies, gone after each call. */
static struct outcome stream(struct fix_plan *plan, struct str bytes, bool broken, size_t max,
                             unsigned seed)
{
    struct fix_run *run = fix_run_new(plan);
    struct outcome o = {.rewritten = false};

    while (bytes.len > 0) {
        size_t want =
            max ? (seed = seed * 1103515245u + 12345u, (seed >> 16) % max + 1) : bytes.len;
        struct str part = str_cut(bytes, want);
        char *copy = malloc(part.len);

        if (!copy)
            abort();
        memcpy(copy, part.ptr, part.len);
        REQUIRE(fix_feed(run, (struct str){copy, part.len}, &o.body) == 0);
        free(copy);
        bytes = str_from(bytes, part.len);
    }
    REQUIRE(fix_finish(run, broken, &o.body) == 0);
    tell(run, &o);
    fix_run_free(run);
    return o;
}

static void clear(struct outcome *o)
{
    buf_clear(&o->body);
    buf_clear(&o->told);
}

static void same(const struct outcome *a, struct outcome b)
{
    REQUIRE(str_eq(buf_str(&a->body), buf_str(&b.body)));
    REQUIRE(str_eq(buf_str(&a->told), buf_str(&b.told)));
    REQUIRE(a->rewritten == b.rewritten);
    clear(&b);
}

static void note(void *ctx, struct str data, bool cut)
{
    struct buf *log = ctx;

    (void)cut;
    buf_printf(log, "%zu:", data.len);
    buf_put(log, data);
}

static struct buf events_of(struct str bytes)
{
    struct buf log = {0};
    struct sse sse;

    sse_init(&sse, 1 << 20, note, &log);
    sse_feed(&sse, bytes);
    sse_finish(&sse);
    sse_clear(&sse);
    return log;
}

static void same_events(struct str a, struct str b)
{
    struct buf x = events_of(a), y = events_of(b);

    REQUIRE(a.len == b.len && str_eq(buf_str(&x), buf_str(&y)));
    buf_clear(&x);
    buf_clear(&y);
}

static void check_stream(struct fix_plan *plan, struct str bytes, bool broken, unsigned seed)
{
    struct outcome whole = stream(plan, bytes, broken, 0, 0);

    same(&whole, stream(plan, bytes, broken, 1, 0));
    same(&whole, stream(plan, bytes, broken, 7, seed));
    same(&whole, stream(plan, bytes, broken, 64, seed));
    if (!whole.rewritten)
        same_events(buf_str(&whole.body), bytes);
    clear(&whole);
}

static void check_plain(struct fix_plan *plan, struct str bytes)
{
    struct fix_run *run = fix_run_new(plan);
    struct outcome o = {.rewritten = false};
    struct str range;

    if (fix_plain(run, bytes, &o.body))
        REQUIRE(json_scan(buf_str(&o.body), &range) == JSON_OBJECT);
    else
        REQUIRE(o.body.len == 0);
    tell(run, &o);
    fix_run_free(run);
    clear(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest, request;
    struct fix_plan *plan;
    ptrdiff_t end;

    if (size < 2)
        return 0;
    rest = (struct str){(const char *)data + 2, size - 2};
    end = str_chr(rest, '\0');
    if (end < 0)
        return 0;
    request = str_cut(rest, (size_t)end);
    rest = str_from(rest, (size_t)end + 1);
    plan = fix_plan_new(str_c(lists[data[0] % 4]), STR(FIX_ENDPOINT), request, STR("7"));
    if (!plan)
        return 0;
    check_plain(plan, rest);
    check_stream(plan, rest, false, data[1]);
    check_stream(plan, rest, true, data[1]);
    fix_plan_free(plan);
    return 0;
}
