/* GET /api/requests/{id}. */
#include "base/clock.h"
#include "llm/images.h"
#include "llm/render.h"
#include "view/view_priv.h"
#include "json/json.h"

const struct param view_record_detail_params[] = {
    {"mode", PARAM_TEXT, .choices = "auto|json|text|markdown|tool|sse",
     .about = "How the response body is shown"},
    {"bodies", PARAM_TEXT, .choices = "all|images|none",
     .about = "What comes with the record: rendered bodies and images, images only, or neither"},
    {0},
};

static enum render_mode asked_mode(struct str query)
{
    struct buf name = {0};
    enum render_mode mode = param_text(view_record_detail_params, query, "mode", &name)
                                ? render_mode_parse(buf_str(&name))
                                : RENDER_AUTO;

    buf_clear(&name);
    return mode;
}

/* What comes with the record. */
struct wanted {
    bool bodies, images;
};

static struct wanted asked_bodies(struct str query)
{
    struct buf name = {0};
    struct wanted w = {true, true};

    if (param_text(view_record_detail_params, query, "bodies", &name)) {
        w.images = !str_eq(buf_str(&name), STR("none"));
        w.bodies = w.images && !str_eq(buf_str(&name), STR("images"));
    }
    buf_clear(&name);
    return w;
}

static void put_render(cJSON *o, const char *key, struct str body, struct str content_type,
                       enum render_mode mode)
{
    cJSON *render = render_body(body.ptr ? body : STR(""), content_type, mode);

    cJSON_AddItemToObject(o, key, render ? render : cJSON_CreateNull());
}

static void put_no_renders(cJSON *o)
{
    json_put_null(o, "request_render");
    json_put_null(o, "response_render");
    json_put_null(o, "raw_response_render");
}

static void put_renders(cJSON *o, const struct record *r, enum render_mode mode)
{
    const char *resolved = render_mode_name(mode);
    char name[16] = "";

    put_render(o, "request_render", r->request_body, r->request_content_type, RENDER_JSON);
    put_render(o, "response_render", r->response_body, r->response_content_type, mode);
    if (r->upstream_response_body.len)
        put_render(o, "raw_response_render", r->upstream_response_body, r->response_content_type,
                   mode);
    else
        json_put_null(o, "raw_response_render");
    if (mode == RENDER_AUTO && json_get_str(o, "response_render.mode", &resolved)) {
        /* the name is part of the tree that it is put into */
        memcpy(name, resolved, strlen(resolved) < sizeof(name) ? strlen(resolved) : 0);
        resolved = name;
    }
    json_put_text(o, "mode", resolved);
}

static void put_image(cJSON *list, const struct image *image, bool data)
{
    cJSON *o = cJSON_CreateObject();
    struct buf source = {0};
    struct err err;

    cJSON_AddItemToArray(list, o);
    json_put_str(o, "kind", image->kind);
    json_put_str(o, "mime_type", image->mime_type);
    if (!data)
        return;
    if (str_eq(image->kind, STR(IMAGE_DATA_URL)) && buf_add(&source, image->head, &err) == 0 &&
        buf_add(&source, image->data_base64, &err) == 0)
        json_put_str(o, "source", buf_str(&source));
    else
        json_put_str(o, "source", image->head);
    json_put_str(o, "data_base64", image->data_base64);
    buf_clear(&source);
}

/* From the body while it is there in full, which is where the table refers to for their data. */
int view_put_images(cJSON *o, struct store *store, const struct record *r, bool data,
                    struct err *err)
{
    cJSON *list = cJSON_AddArrayToObject(o, "images");
    struct arena arena = {0};
    struct images images = {0};
    int rc = 0;

    if (r->has_images && r->request_body.ptr && !r->request_body_truncated)
        images_find(r->request_body, r->request_content_type, IMAGES_MAX, &arena, &images);
    if (r->has_images && images.count == 0)
        rc = store_images_get(store, r->id, &arena, &images, err);
    for (size_t i = 0; rc == 0 && i < images.count; i++)
        put_image(list, &images.items[i], data);
    arena_clear(&arena);
    return rc;
}

static cJSON *view_attempt(const struct attempt *a)
{
    cJSON *o = cJSON_CreateObject();
    char iso[CLOCK_ISO_SIZE];

    json_put_int(o, "number", a->number);
    json_put_str(o, "upstream_url", a->upstream_url);
    json_put_str(o, "upstream_model", a->upstream_model);
    json_put_str(o, "provider_slug", a->provider_slug);
    json_put_int(o, "status", a->status);
    json_put_str(o, "error", a->error);
    json_put_text(o, "started_at", clock_iso(a->started_us, iso));
    json_put_int(o, "headers_ms", a->headers_ms);
    json_put_int(o, "duration_ms", a->duration_ms);
    return o;
}

static int put_attempts(cJSON *row, struct store *store, const struct record *r, struct err *err)
{
    struct arena arena = {0};
    struct attempt *attempts;
    size_t count;
    int rc = store_attempts_get(store, r->id, &arena, &attempts, &count, err);
    cJSON *list;

    json_put_int(row, "attempt_count", r->attempt_count);
    list = cJSON_AddArrayToObject(row, "attempts");
    for (size_t i = 0; rc == 0 && i < count; i++)
        cJSON_AddItemToArray(list, view_attempt(&attempts[i]));
    arena_clear(&arena);
    return rc;
}

static int build_detail(cJSON *o, struct store *store, const struct record *r, struct str query,
                        const struct view_context *ctx, struct err *err)
{
    cJSON *row = view_record_detail_row(r, ctx->now_wall_us);
    struct wanted wanted = asked_bodies(query);

    cJSON_AddItemToObject(o, "record", row);
    if (view_put_task_run(row, store, r, ctx->now_wall_us, err) < 0)
        return -1;
    if (put_attempts(row, store, r, err) < 0)
        return -1;
    if (view_put_images(o, store, r, wanted.images, err) < 0)
        return -1;
    if (wanted.bodies) {
        put_renders(o, r, asked_mode(query));
    } else {
        put_no_renders(o);
        json_put_text(o, "mode", render_mode_name(asked_mode(query)));
    }
    if (view_put_active_run(o, store, ctx, err) < 0)
        return -1;
    return view_put_upstream(o, store, ctx, err);
}

int view_record_detail(struct store *store, int64_t id, struct str query,
                       const struct view_context *ctx, int *status, struct buf *out,
                       struct err *err)
{
    struct arena arena = {0};
    struct record record;
    cJSON *o = NULL;
    int rc = -1;

    if (store_begin(store, err) < 0)
        goto out;
    if (store_record_get(store, id, &arena, &record, err) < 0) {
        if (err->code == ERR_NOT_FOUND)
            rc = view_answer_text("Request not found.", out, err);
        *status = 404;
        goto out;
    }
    o = cJSON_CreateObject();
    if (build_detail(o, store, &record, query, ctx, err) < 0)
        goto out;
    rc = view_answer(o, out, err);
    o = NULL;
    *status = 200;
out:
    store_rollback(store);
    cJSON_Delete(o);
    arena_clear(&arena);
    return rc;
}
