#include "daemon/upstream/decode.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/blob.h"

#define STEP_SIZE ((size_t)64 * 1024)
#define STAGES_MAX 4
#define RUNS_MAX 16 /* of a stage in one step: 64 KiB of input or output each */
#define OUT_MAX ((uint64_t)1024 * 1024 * 1024)
#define RATIO_FREE ((uint64_t)64 * 1024 * 1024)
#define RATIO_MAX 1000
/* Larger windows are not allowed on the web (RFC 9659), and would let a peer choose our memory. */
#define ZSTD_WINDOW_LOG 23

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_DEFLATE, CODING_ZSTD, CODING_UNKNOWN };

/* One coding. Its output is the input of the next one. */
struct stage {
    enum coding coding;
    bool open;    /* z is initialised */
    bool started; /* bytes were fed since the last end marker */
    bool ended;   /* no more bytes may come (deflate) */
    bool full;    /* the last run filled buf: there may be more without new input */
    z_stream z;
    ZSTD_DStream *zstd;
    uint64_t out_bytes;
    struct str out; /* what the next stage has not taken yet, in buf */
    char *buf;      /* STEP_SIZE bytes */
};

struct decode {
    size_t count; /* stages[0] takes what comes from the wire */
    uint64_t in_bytes;
    struct stage stages[STAGES_MAX];
};

static enum coding coding_of(struct str name)
{
    if (name.len == 0 || str_ieq(name, STR("identity")))
        return CODING_IDENTITY;
    if (str_ieq(name, STR("gzip")) || str_ieq(name, STR("x-gzip")))
        return CODING_GZIP;
    if (str_ieq(name, STR("deflate")))
        return CODING_DEFLATE;
    return str_ieq(name, STR("zstd")) ? CODING_ZSTD : CODING_UNKNOWN;
}

/* The codings were applied in the order of the list, so the last one is undone first. */
static int read_list(struct str list, enum coding out[STAGES_MAX], size_t *count, struct err *err)
{
    struct str part;

    while (str_split(&list, ',', &part)) {
        enum coding coding = coding_of(str_trim(part));

        if (coding == CODING_IDENTITY)
            continue;
        if (coding == CODING_UNKNOWN)
            return err_set(err, ERR_INVALID, "unknown content coding \"%.*s\"",
                           STR_ARG(str_cut(str_trim(part), 60)));
        if (*count == STAGES_MAX)
            return err_set(err, ERR_INVALID, "more than %d content codings", STAGES_MAX);
        out[(*count)++] = coding;
    }
    return 0;
}

static int open_stage(struct stage *s, enum coding coding, struct err *err)
{
    s->coding = coding;
    s->buf = malloc(STEP_SIZE);
    if (!s->buf)
        return err_set(err, ERR_NO_MEMORY, "no memory to decode");
    if (coding != CODING_ZSTD)
        return 0; /* inflate is set up at the first byte, which may say of which kind it is */
    s->zstd = ZSTD_createDStream();
    if (!s->zstd ||
        ZSTD_isError(ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
        return err_set(err, ERR_NO_MEMORY, "no memory to decode");
    return 0;
}

int decode_new(struct str content_encoding, struct decode **out, struct err *err)
{
    enum coding codings[STAGES_MAX];
    struct decode *d;
    size_t count = 0;

    if (read_list(content_encoding, codings, &count, err) < 0)
        return -1;
    if (count == 0) {
        *out = NULL;
        return 0;
    }
    d = calloc(1, sizeof(*d));
    if (!d)
        return err_set(err, ERR_NO_MEMORY, "no memory to decode");
    d->count = count;
    for (size_t i = 0; i < count; i++)
        if (open_stage(&d->stages[i], codings[count - 1 - i], err) < 0) {
            decode_free(d);
            return -1;
        }
    *out = d;
    return 0;
}

/* "deflate" means zlib's format, but some send the bare one. A zlib header begins with method 8
 * and a window of at most 7; a bare block that begins so would be padded with ones. */
static int window_bits(const struct stage *s, unsigned char first)
{
    if (s->coding == CODING_GZIP)
        return 15 + 16;
    return (first & 15) == 8 && first >> 4 <= 7 ? 15 : -15;
}

static int corrupt(const struct stage *s, struct err *err)
{
    static const char *const names[] = {
        [CODING_GZIP] = "gzip", [CODING_DEFLATE] = "deflate", [CODING_ZSTD] = "zstd"};

    return err_set(err, ERR_INVALID, "corrupt %s data", names[s->coding]);
}

static int start_inflate(struct stage *s, unsigned char first, struct err *err)
{
    int rc;

    if (s->ended)
        return corrupt(s, err);
    if (!s->open && inflateInit2(&s->z, window_bits(s, first)) != Z_OK)
        return err_set(err, ERR_NO_MEMORY, "no memory to decode");
    rc = s->open ? inflateReset(&s->z) : Z_OK;
    s->open = true;
    s->started = true;
    return rc == Z_OK ? 0 : corrupt(s, err);
}

static int run_inflate(struct stage *s, struct str *in, size_t *made, struct err *err)
{
    uInt avail = in->len > UINT_MAX ? UINT_MAX : (uInt)in->len;
    int rc;

    if (!s->started && in->len == 0)
        return 0;
    if (!s->started && start_inflate(s, (unsigned char)in->ptr[0], err) < 0)
        return -1;
    s->z.next_in = (Bytef *)(uintptr_t)in->ptr; /* zlib does not write there */
    s->z.avail_in = avail;
    s->z.next_out = (Bytef *)s->buf;
    s->z.avail_out = (uInt)STEP_SIZE;
    rc = inflate(&s->z, Z_SYNC_FLUSH);
    *in = str_from(*in, avail - s->z.avail_in);
    *made = STEP_SIZE - s->z.avail_out;
    if (rc == Z_STREAM_END) {
        s->started = false; /* gzip: another member may follow */
        s->ended = s->coding == CODING_DEFLATE;
        return 0;
    }
    if (rc == Z_MEM_ERROR)
        return err_set(err, ERR_NO_MEMORY, "no memory to decode");
    return rc == Z_OK || rc == Z_BUF_ERROR ? 0 : corrupt(s, err);
}

static int run_zstd(struct stage *s, struct str *in, size_t *made, struct err *err)
{
    ZSTD_inBuffer src = {in->ptr, in->len, 0};
    ZSTD_outBuffer dst = {s->buf, STEP_SIZE, 0};
    size_t rc;

    if (!s->started && in->len == 0)
        return 0;
    s->started = true;
    rc = ZSTD_decompressStream(s->zstd, &dst, &src);
    if (ZSTD_isError(rc))
        return corrupt(s, err);
    *in = str_from(*in, src.pos);
    *made = dst.pos;
    if (rc == 0)
        s->started = false; /* the frame is complete and flushed; another may follow */
    return 0;
}

static int run_stage(struct decode *d, struct stage *s, struct str *in, struct err *err)
{
    size_t made, left;

    s->out.len = 0;
    if (in->len == 0 && !s->full)
        return 0;
    do {
        made = 0;
        left = in->len;
        if ((s->coding == CODING_ZSTD ? run_zstd : run_inflate)(s, in, &made, err) < 0)
            return -1;
    } while (made == 0 && in->len > 0 && in->len < left);
    if (made == 0 && in->len > 0)
        return corrupt(s, err); /* no progress */
    s->full = made == STEP_SIZE;
    s->out_bytes += made;
    if (s->out_bytes > OUT_MAX ||
        (s->out_bytes > RATIO_FREE && s->out_bytes / RATIO_MAX > d->in_bytes))
        return err_set(err, ERR_INVALID, "the body decodes to far more than its size");
    s->out = (struct str){s->buf, made};
    return 0;
}

int decode_step(struct decode *d, struct str *in, struct str *out, struct err *err)
{
    size_t before = in->len, i = d->count - 1;

    *out = (struct str){"", 0};
    for (int runs = 0; runs < RUNS_MAX; runs++) {
        struct stage *s = &d->stages[i];

        if (run_stage(d, s, i == 0 ? in : &d->stages[i - 1].out, err) < 0)
            return -1;
        if (i == 0) { /* the only one that takes from the wire */
            d->in_bytes += before - in->len;
            before = in->len;
        }
        if (s->out.len == 0) {
            if (i == 0)
                return 0;
            i--;
        } else if (++i == d->count) {
            *out = s->out;
            s->out.len = 0;
            return 0;
        }
    }
    return 1;
}

bool decode_at_end(const struct decode *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->stages[i].started)
            return false;
    return true;
}

void decode_free(struct decode *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->count; i++) {
        if (d->stages[i].open)
            inflateEnd(&d->stages[i].z);
        ZSTD_freeDStream(d->stages[i].zstd);
        free(d->stages[i].buf);
    }
    free(d);
}

static int append(struct blob *out, struct str s, size_t *room, struct err *err)
{
    if (s.len > *room)
        return err_set(err, ERR_TOO_LARGE, "the decoded body is too large");
    *room -= s.len;
    return blob_add(out, s, err);
}

int decode_all(struct str content_encoding, struct str in, size_t limit, struct blob *out,
               struct err *err)
{
    struct decode *d = NULL;
    struct str part = STR_NONE;
    int got, rc = -1;

    if (decode_new(content_encoding, &d, err) < 0)
        return -1;
    if (!d)
        return append(out, in, &limit, err);
    do {
        got = decode_step(d, &in, &part, err);
        if (got < 0 || append(out, part, &limit, err) < 0)
            goto out;
    } while (got > 0 || part.len > 0);
    if (decode_at_end(d))
        rc = 0;
    else
        err_set(err, ERR_INVALID, "the coded body is cut off");
out:
    decode_free(d);
    return rc;
}
