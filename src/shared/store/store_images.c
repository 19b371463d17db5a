/* The images of a request, in and out. */
#include "store/store_priv.h"

static int put_all(struct store *store, int64_t id, const struct images *images, bool in_body,
                   struct err *err)
{
    if (db_run(store->db, SQL_IMAGE_DELETE, DB_ARGS(DB_INT(id)), err) < 0)
        return -1;
    for (size_t i = 0; i < images->count; i++) {
        const struct image *image = &images->items[i];
        struct str data = in_body ? STR_NONE : image->data_base64;

        if (db_run(store->db, SQL_IMAGE_INSERT,
                   DB_ARGS(DB_INT(id), DB_TEXT(image->kind), DB_TEXT(image->mime_type),
                           DB_TEXT(image->head), DB_TEXT(data)),
                   err) < 0)
            return -1;
    }
    return 0;
}

int store_images_put(struct store *store, int64_t request_id, const struct images *images,
                     bool in_body, struct err *err)
{
    bool own;

    if (store_begin_own(store, &own, err) < 0)
        return -1;
    return store_end_own(store, own, put_all(store, request_id, images, in_body, err), err);
}

static int keep(struct arena *arena, struct db_rows *rows, int column, struct str *out,
                struct err *err)
{
    *out = db_is_null(rows, column) ? STR_NONE : arena_dup(arena, db_bytes(rows, column));
    if (!out->ptr && !db_is_null(rows, column))
        return err_set(err, ERR_NO_MEMORY, "no memory to read an image");
    return 0;
}

static int read_image(struct db_rows *rows, struct arena *arena, struct image *out, struct err *err)
{
    if (keep(arena, rows, 0, &out->kind, err) < 0 ||
        keep(arena, rows, 1, &out->mime_type, err) < 0 || keep(arena, rows, 2, &out->head, err) < 0)
        return -1;
    return keep(arena, rows, 3, &out->data_base64, err);
}

static int count_images(struct store *store, int64_t id, size_t *out, struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_IMAGE_COUNT, DB_ARGS(DB_INT(id)), err);
    int got = rows ? db_next(rows, err) : -1;
    int64_t count = got == 1 ? db_int(rows, 0) : 0;

    db_done(rows);
    *out = count < IMAGES_MAX ? (size_t)count : IMAGES_MAX;
    return got < 0 ? -1 : 0;
}

static int read_images(struct store *store, int64_t id, size_t count, struct arena *arena,
                       struct images *out, struct err *err)
{
    struct db_rows *rows =
        db_query(store->db, SQL_IMAGE_LIST, DB_ARGS(DB_INT(id), DB_INT((int64_t)count)), err);
    int got = rows ? 0 : -2;

    while (got == 0 && out->count < count) {
        got = db_next(rows, err) - 1; /* 0 a row, -1 no more, -2 error */
        if (got == 0 && read_image(rows, arena, &out->items[out->count], err) < 0)
            got = -2;
        out->count += got == 0;
    }
    db_done(rows);
    return got == -2 ? -1 : 0;
}

int store_images_get(struct store *store, int64_t request_id, struct arena *arena,
                     struct images *out, struct err *err)
{
    struct images images = {0};
    size_t count;

    if (count_images(store, request_id, &count, err) < 0)
        return -1;
    if (count > 0) {
        images.items = arena_alloc(arena, count * sizeof(*images.items));
        if (!images.items)
            return err_set(err, ERR_NO_MEMORY, "no memory to read images");
        if (read_images(store, request_id, count, arena, &images, err) < 0)
            return -1;
    }
    *out = images;
    return 0;
}
