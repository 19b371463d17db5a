#include "bpe.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <stdlib.h>

#include "llm/ranks.h"

/* ---- the pieces of a text ----------------------------------------------------------------- */

struct encoding {
    const struct ranks *ranks;
    pcre2_code *pieces;
};

#define SPACE "\\p{White_Space}"
#define ENDING "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define UPPER "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
#define LOWER "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"
#define BLANKS SPACE "*[\\r\\n]+|" SPACE "+(?!\\P{White_Space})|" SPACE "+"

static const char cl100k_pieces[] = ENDING "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
                                           "|\\p{N}{1,3}"
                                           "| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n]*"
                                           "|" BLANKS;
static const char o200k_pieces[] = "[^\\r\\n\\p{L}\\p{N}]?[" UPPER "]*[" LOWER "]+" ENDING "?"
                                   "|[^\\r\\n\\p{L}\\p{N}]?[" UPPER "]+[" LOWER "]*" ENDING "?"
                                   "|\\p{N}{1,3}"
                                   "| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n/]*"
                                   "|" BLANKS;

static struct encoding cl100k, o200k;

static void encoding_init(struct encoding *e, const struct ranks *ranks, const char *pattern)
{
    PCRE2_SIZE offset;
    int error;

    if (!ranks)
        return;
    e->pieces = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                              PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED, &error, &offset, NULL);
    if (!e->pieces)
        return;
    (void)pcre2_jit_compile(e->pieces, PCRE2_JIT_COMPLETE); /* without it: slower, the same */
    e->ranks = ranks;
}

static void init_all(void)
{
    encoding_init(&cl100k, ranks_cl100k, cl100k_pieces);
    encoding_init(&o200k, ranks_o200k, o200k_pieces);
}

static const struct encoding *get(const struct encoding *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init_all);
    return e->ranks ? e : NULL;
}

const struct encoding *encoding_cl100k(void)
{
    return get(&cl100k);
}

const struct encoding *encoding_o200k(void)
{
    return get(&o200k);
}

/* ---- merging ------------------------------------------------------------------------------ */

/* The parts of a piece are a list by the offsets at which they begin. Each has the rank that it
 * would be together with the next one. */
struct part {
    uint32_t prev, next, rank;
};

struct merge {
    const struct ranks *ranks;
    struct str piece;
    struct part *parts; /* piece.len + 1; the last one is the end */
    uint64_t *heap;     /* rank and offset of pairs, the least one first; outdated ones too */
    size_t part_cap, heap_count, heap_cap;
};

static int grow(void **items, size_t *cap, size_t need, size_t size, struct err *err)
{
    void *grown;

    if (need <= *cap)
        return 0;
    need = need < 64 ? 64 : need + need / 2;
    grown = realloc(*items, need * size);
    if (!grown)
        return err_set(err, ERR_NO_MEMORY, "no memory to count tokens");
    *items = grown;
    *cap = need;
    return 0;
}

static void heap_push(struct merge *m, uint64_t item)
{
    size_t at = m->heap_count++;

    for (; at > 0 && m->heap[(at - 1) / 2] > item; at = (at - 1) / 2)
        m->heap[at] = m->heap[(at - 1) / 2];
    m->heap[at] = item;
}

static uint64_t heap_pop(struct merge *m)
{
    uint64_t least = m->heap[0], item = m->heap[--m->heap_count];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < m->heap_count) {
        if (child + 1 < m->heap_count && m->heap[child + 1] < m->heap[child])
            child++;
        if (m->heap[child] >= item)
            break;
        m->heap[at] = m->heap[child];
        at = child;
    }
    m->heap[at] = item;
    return least;
}

/* Look at the part at offset and the one behind it. */
static void rate(struct merge *m, uint32_t at)
{
    struct part *part = &m->parts[at];

    part->rank = RANK_NONE;
    if (part->next < m->piece.len)
        part->rank =
            ranks_find(m->ranks, (struct str){m->piece.ptr + at, m->parts[part->next].next - at});
    if (part->rank != RANK_NONE)
        heap_push(m, (uint64_t)part->rank << 32 | at);
}

/* Every merge outdates up to three pairs and makes up to two. */
static int merge_start(struct merge *m, struct err *err)
{
    uint32_t len = (uint32_t)m->piece.len;

    if (grow((void **)&m->parts, &m->part_cap, m->piece.len + 1, sizeof(*m->parts), err) < 0 ||
        grow((void **)&m->heap, &m->heap_cap, 3 * m->piece.len, sizeof(*m->heap), err) < 0)
        return -1;
    for (uint32_t i = 0; i <= len; i++)
        m->parts[i] = (struct part){i - 1, i + 1, RANK_NONE};
    m->heap_count = 0;
    for (uint32_t i = 0; i + 1 < len; i++)
        rate(m, i);
    return 0;
}

static int merge_piece(struct merge *m, int64_t *count, struct err *err)
{
    uint32_t at;

    if (merge_start(m, err) < 0)
        return -1;
    *count = (int64_t)m->piece.len;
    while (m->heap_count > 0) {
        uint64_t item = heap_pop(m);
        uint32_t gone;

        at = (uint32_t)item;
        if (m->parts[at].rank != item >> 32)
            continue;
        gone = m->parts[at].next;
        m->parts[gone].rank = RANK_NONE;
        m->parts[at].next = m->parts[gone].next;
        m->parts[m->parts[gone].next].prev = at;
        rate(m, at);
        if (at > 0)
            rate(m, m->parts[at].prev);
        --*count;
    }
    return 0;
}

static int put_id(struct buf *ids, uint32_t id, struct err *err)
{
    return buf_add(ids, (struct str){(const char *)&id, sizeof(id)}, err);
}

static int put_parts(const struct merge *m, struct buf *ids, struct err *err)
{
    for (uint32_t at = 0; at < m->piece.len; at = m->parts[at].next) {
        struct str part = {m->piece.ptr + at, m->parts[at].next - at};

        if (put_id(ids, ranks_find(m->ranks, part), err) < 0)
            return -1;
    }
    return 0;
}

static int count_piece(struct merge *m, int64_t *count, struct buf *ids, struct err *err)
{
    uint32_t whole = ranks_find(m->ranks, m->piece);

    *count = 1;
    if (whole != RANK_NONE)
        return ids ? put_id(ids, whole, err) : 0;
    if (merge_piece(m, count, err) < 0)
        return -1;
    return ids ? put_parts(m, ids, err) : 0;
}

/* ---- a text ------------------------------------------------------------------------------- */

int encoding_count(const struct encoding *encoding, struct str text, int64_t *count,
                   struct buf *ids, struct err *err)
{
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    struct merge merge = {.ranks = encoding->ranks};
    int rc = -1;

    *count = 0;
    if (!match) {
        err_set(err, ERR_NO_MEMORY, "no memory to count tokens");
        goto done;
    }
    for (size_t at = 0, end; at < text.len; at = end) {
        int64_t more;

        if (pcre2_match(encoding->pieces, (PCRE2_SPTR)text.ptr, text.len, at, PCRE2_NO_UTF_CHECK,
                        match, NULL) < 0) {
            err_set(err, ERR_FAILED, "cannot cut text into pieces at byte %zu", at);
            goto done;
        }
        end = pcre2_get_ovector_pointer(match)[1];
        merge.piece = (struct str){text.ptr + at, end - at};
        if (count_piece(&merge, &more, ids, err) < 0)
            goto done;
        *count += more;
    }
    rc = 0;
done:
    free(merge.parts);
    free(merge.heap);
    pcre2_match_data_free(match);
    return rc;
}
