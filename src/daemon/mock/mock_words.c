#include "daemon/mock/mock_priv.h"

#define PIECE_MAX 4096 /* bytes of a token from a file without blanks */

static const struct str sentences[] = {
    STR(" This answer was made by a mock, so nothing in it was thought about."),
    STR(" Every byte of it is forwarded as it came."),
    STR(" A stream arrives token by token, and each one is counted."),
    STR(" The first token decides how fast a model feels."),
    STR(" Long prompts cost more than long answers, unless they are cached."),
    STR(" Tools are called with arguments that fit their schema."),
    STR(" What went over the wire can be read again later."),
    STR(" An error is an answer too, and it is kept like any other."),
    STR(" Some requests end early because the client has gone."),
    STR(" Latency is a number, patience is not."),
    STR(" The proxy waits for nothing but sockets."),
    STR(" Equal seeds give equal words, so two runs can be compared."),
    STR(" A cut stream looks cut, and a finished one looks finished."),
    STR(" Measure first, then change one thing, then measure again."),
    STR(" The same question twice gets the same answer here."),
    STR(" Numbers that nobody knows are shown as a dash."),
};
const struct mock_text mock_sentences = {sentences, sizeof(sentences) / sizeof(*sentences), false};

uint64_t mock_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a + (b + 1) * 0x9E3779B97F4A7C15u;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

uint64_t mock_hash(uint64_t key, struct str bytes)
{
    uint64_t h = 0xCBF29CE484222325u ^ mock_mix(key, bytes.len);

    for (size_t i = 0; i < bytes.len; i++)
        h = (h ^ (unsigned char)bytes.ptr[i]) * 0x100000001B3u;
    return mock_mix(h, 0);
}

char *mock_id(char out[MOCK_ID_SIZE], const char *prefix, uint64_t key, uint64_t salt)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    size_t len = strlen(prefix);

    memcpy(out, prefix, len);
    for (unsigned half = 0; half < 2; half++) {
        uint64_t x = mock_mix(key, salt * 2 + half + 1000);

        for (unsigned i = 0; i < 12; i++, x >>= 5)
            out[len++] = digits[x & 31];
    }
    out[len] = '\0';
    return out;
}

/* Not in the middle of a character. */
static size_t whole(struct str s, size_t len)
{
    while (len < s.len && ((unsigned char)s.ptr[len] & 0xC0) == 0x80)
        len++;
    return len;
}

static bool blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* A word and the blanks before it. */
static size_t word(struct str s)
{
    size_t n = 0;

    while (n < s.len && n < PIECE_MAX && blank(s.ptr[n]))
        n++;
    while (n < s.len && n < PIECE_MAX && !blank(s.ptr[n]))
        n++;
    return whole(s, n);
}

static bool small_piece(struct mock_pieces *p, struct str *out)
{
    size_t len = 4 + mock_mix(p->key, p->n++) % 8;

    if (p->rest.len == 0)
        return false;
    *out = str_cut(p->rest, len < p->rest.len ? whole(p->rest, len) : p->rest.len);
    p->rest = str_from(p->rest, out->len);
    return true;
}

bool mock_piece(struct mock_pieces *p, struct str *out)
{
    bool first = p->n == 0;

    if (!p->text)
        return small_piece(p, out);
    if (p->left <= 0)
        return false;
    p->left--;
    if (p->rest.len == 0) {
        uint64_t at = p->text->in_order ? p->n : mock_mix(p->key, p->n);

        p->rest = p->text->items[at % p->text->count];
        p->n++;
    }
    *out = str_cut(p->rest, word(p->rest));
    p->rest = str_from(p->rest, out->len);
    if (first && !p->text->in_order) /* the blank between sentences */
        *out = str_from(*out, 1);
    return true;
}
