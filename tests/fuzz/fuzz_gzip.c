/* Coded bodies: output in bounded steps, the same for every way of cutting the input. */
#include "fuzz.h"

#include "daemon/upstream/decode.h"

#define STEPS_MAX 2000

/* A hash of all that comes out; -1 in *rc when the input is corrupt. */
static uint64_t decode(struct str coding, struct str bytes, size_t step, int *rc, bool *ended)
{
    struct decode *d = NULL;
    uint64_t hash = 14695981039346656037u;
    struct err err;
    int steps = 0;

    *rc = decode_new(coding, &d, &err);
    *ended = true;
    if (*rc < 0 || !d)
        return 0;
    while (*rc == 0 && bytes.len > 0 && steps < STEPS_MAX) {
        struct str in = str_cut(bytes, step), out;

        bytes = str_from(bytes, step);
        do {
            *rc = decode_step(d, &in, &out, &err);
            REQUIRE(*rc < 0 || out.len <= 65536);
            for (size_t i = 0; *rc >= 0 && i < out.len; i++)
                hash = (hash ^ (unsigned char)out.ptr[i]) * 1099511628211u;
        } while ((*rc > 0 || (*rc == 0 && out.len > 0)) && ++steps < STEPS_MAX);
        REQUIRE(*rc < 0 || in.len == 0 || steps >= STEPS_MAX);
    }
    if (steps >= STEPS_MAX)
        *rc = -2; /* more than is worth comparing */
    *ended = decode_at_end(d);
    decode_free(d);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str codings[] = {
        {"gzip", 4}, {"deflate", 7}, {"zstd", 4}, {"gzip, zstd", 10}, {"deflate, gzip", 13}};
    struct str bytes = {(const char *)data + 2, size - 2}, coding;
    bool ended_a, ended_b;
    uint64_t a, b;
    int rc_a, rc_b;

    if (size < 2)
        return 0;
    coding = codings[data[0] % (sizeof(codings) / sizeof(*codings))];
    a = decode(coding, bytes, SIZE_MAX, &rc_a, &ended_a);
    b = decode(coding, bytes, (size_t)data[1] + 1, &rc_b, &ended_b);
    if (rc_a == 0 && rc_b == 0)
        REQUIRE(a == b && ended_a == ended_b);
    else
        REQUIRE(rc_a != 0 && rc_b != 0);
    return 0;
}
