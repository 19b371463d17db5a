/* How bodies are kept: as they are while small, else as one zstd frame if that is smaller. */
#include <stdlib.h>
#include <zstd.h>

#include "store/store_priv.h"

#define PACK_ABOVE ((size_t)2048)
#define PACK_LEVEL 1
#define SCRATCH_KEEP ((size_t)1 << 20)

void packer_clear(struct packer *p)
{
    ZSTD_freeCCtx(p->compress);
    ZSTD_freeDCtx(p->decompress);
    for (size_t i = 0; i < 3; i++)
        free(p->scratch[i].ptr);
    *p = (struct packer){0};
}

void packer_trim(struct packer *p)
{
    for (size_t i = 0; i < 3; i++) {
        if (p->scratch[i].cap > SCRATCH_KEEP) {
            free(p->scratch[i].ptr);
            p->scratch[i].ptr = NULL;
            p->scratch[i].cap = 0;
        }
    }
}

static bool need_scratch(struct packer *p, unsigned slot, size_t size)
{
    char *grown;

    if (p->scratch[slot].cap >= size)
        return true;
    grown = realloc(p->scratch[slot].ptr, size);
    if (!grown)
        return false;
    p->scratch[slot].ptr = grown;
    p->scratch[slot].cap = size;
    return true;
}

struct str packer_pack(struct packer *p, unsigned slot, struct str body,
                       enum body_encoding *encoding)
{
    /* A frame that does not fit is no gain: zstd stops there. */
    size_t room = body.len - body.len / 16, packed;

    *encoding = BODY_RAW;
    if (body.len <= PACK_ABOVE)
        return body;
    if (!p->compress)
        p->compress = ZSTD_createCCtx();
    if (!p->compress || !need_scratch(p, slot, room))
        return body;
    packed =
        ZSTD_compressCCtx(p->compress, p->scratch[slot].ptr, room, body.ptr, body.len, PACK_LEVEL);
    if (ZSTD_isError(packed))
        return body;
    *encoding = BODY_ZSTD;
    return (struct str){p->scratch[slot].ptr, packed};
}

static ZSTD_DCtx *decompressor(struct packer *p)
{
    if (!p->decompress)
        p->decompress = ZSTD_createDCtx();
    return p->decompress;
}

int packer_unpack(struct packer *p, struct str stored, enum body_encoding encoding, size_t length,
                  struct arena *arena, struct str *out, struct err *err)
{
    ZSTD_DCtx *context;
    size_t got;
    char *room;

    if (encoding == BODY_RAW) {
        *out = arena_dup(arena, stored);
        return out->ptr ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for a body");
    }
    if (encoding != BODY_ZSTD)
        return err_set(err, ERR_CORRUPT, "a body has the unknown encoding %d", (int)encoding);
    if (ZSTD_getFrameContentSize(stored.ptr, stored.len) != length)
        return err_set(err, ERR_CORRUPT, "a stored body is damaged: its length differs");
    context = decompressor(p);
    room = context ? arena_alloc(arena, length + 1) : NULL;
    if (!room)
        return err_set(err, ERR_NO_MEMORY, "no memory for a body of %zu bytes", length);
    got = ZSTD_decompressDCtx(context, room, length, stored.ptr, stored.len);
    if (ZSTD_isError(got) || got != length)
        return err_set(err, ERR_CORRUPT, "a stored body is damaged: %s",
                       ZSTD_isError(got) ? ZSTD_getErrorName(got) : "too short");
    room[length] = '\0';
    *out = (struct str){room, length};
    return 0;
}

static int copy_start(packer_more_fn *more, void *ctx, ZSTD_outBuffer *to, struct err *err)
{
    struct str piece;

    while (to->pos < to->size) {
        size_t take;

        if (more(ctx, &piece, err) < 0)
            return -1;
        if (piece.len == 0)
            break;
        take = piece.len < to->size - to->pos ? piece.len : to->size - to->pos;
        memcpy((char *)to->dst + to->pos, piece.ptr, take);
        to->pos += take;
    }
    return 0;
}

static int unpack_pieces(ZSTD_DCtx *context, packer_more_fn *more, void *ctx, ZSTD_outBuffer *to,
                         struct err *err)
{
    struct str piece;
    size_t left = 1;

    while (to->pos < to->size && left != 0) {
        ZSTD_inBuffer from;

        if (more(ctx, &piece, err) < 0)
            return -1;
        if (piece.len == 0)
            break;
        from = (ZSTD_inBuffer){piece.ptr, piece.len, 0};
        while (from.pos < from.size && to->pos < to->size && left != 0) {
            left = ZSTD_decompressStream(context, to, &from);
            if (ZSTD_isError(left))
                return err_set(err, ERR_CORRUPT, "a stored body is damaged: %s",
                               ZSTD_getErrorName(left));
        }
    }
    return 0;
}

int packer_unpack_start(struct packer *p, enum body_encoding encoding, packer_more_fn *more,
                        void *ctx, char *out, size_t size, size_t *got, struct err *err)
{
    ZSTD_outBuffer to = {out, size, 0};
    int rc;

    if (encoding == BODY_RAW) {
        rc = copy_start(more, ctx, &to, err);
    } else {
        if (!decompressor(p))
            return err_set(err, ERR_NO_MEMORY, "no memory to read a body");
        ZSTD_DCtx_reset(p->decompress, ZSTD_reset_session_only);
        rc = unpack_pieces(p->decompress, more, ctx, &to, err);
    }
    *got = to.pos;
    return rc;
}
