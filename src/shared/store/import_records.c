/* Runs and requests of the old database, the latter with their bodies and images. */
#include <stdlib.h>

#include "base/clock.h"
#include "core/forward.h"
#include "core/mask.h"
#include "llm/answer.h"
#include "llm/facts.h"
#include "store/import_priv.h"

/* A larger answer is not read for what it says about itself. */
#define READ_MAX ((size_t)16 << 20)
#define COUNT_MAX INT64_C(1000000000000)
#define INTERRUPTED "interrupted: proxy stopped before completion"

static bool id_ok(int64_t id)
{
    return id >= 1 && id <= IMPORT_ID_MAX;
}

/* ---- runs ---- */

static int add_run(struct importer *im, int64_t from, int64_t to, struct err *err)
{
    if (im->run_count == im->run_cap) {
        size_t cap = im->run_cap ? im->run_cap * 2 : 64;
        struct import_run *grown = realloc(im->runs, cap * sizeof(*grown));

        if (!grown)
            return err_set(err, ERR_NO_MEMORY, "no memory for so many runs");
        im->runs = grown;
        im->run_cap = cap;
    }
    im->runs[im->run_count++] = (struct import_run){from, to};
    return 0;
}

int64_t import_find_run(const struct importer *im, int64_t old)
{
    size_t low = 0, high = im->run_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (im->runs[middle].from < old)
            low = middle + 1;
        else
            high = middle;
    }
    return low < im->run_count && im->runs[low].from == old ? im->runs[low].to : UNKNOWN;
}

/* The id under which an earlier import stored this run; UNKNOWN. */
static int known_run(struct importer *im, const struct run *run, int64_t *id, struct err *err)
{
    *id = UNKNOWN;
    for (size_t i = 0; i < im->run_ids.count && *id == UNKNOWN; i++) {
        int64_t here = im->row + im->run_ids.offsets[i];
        struct run there;

        if (store_run_get(im->store, here, &im->arena, &there, err) == 0) {
            if (there.started_us == run->started_us && str_eq(there.name, run->name))
                *id = here;
        } else if (err->code != ERR_NOT_FOUND) {
            return -1;
        }
    }
    return 0;
}

static int put_run(struct importer *im, struct legacy_row *row, struct run *run, struct err *err)
{
    int64_t last;

    if (store_run_last_id(im->store, &last, err) < 0 ||
        import_ids_new(im, &im->run_ids, im->row, last, &run->id, err) < 0)
        return -1;
    if (db_run(im->store->db, SQL_IMPORT_RUN,
               DB_ARGS(DB_INT(run->id), DB_TEXT(run->name), DB_TEXT(run->notes),
                       DB_INT(run->started_us), store_int(run->ended_us), store_int(run->paused_us),
                       DB_TEXT(legacy_text(row, "summary")),
                       DB_TEXT(legacy_json(row, "metadata_json", 0))),
               err) < 0)
        return import_failed(im, err);
    import_written(im);
    return add_run(im, im->row, run->id, err);
}

int import_run_row(struct importer *im, struct legacy_row *row, struct err *err)
{
    struct run run = {
        .name = legacy_text(row, "name"),
        .notes = legacy_text(row, "notes"),
        .started_us = legacy_time(row, "started_at"),
        .ended_us = legacy_time(row, "ended_at"),
        .paused_us = legacy_time(row, "paused_at"),
    };
    int64_t id;

    if (!id_ok(im->row))
        return import_skip(im, "the id is out of range");
    if (run.started_us == UNKNOWN)
        return import_skip(im, "started_at is missing or no time");
    if (run_check(&run.name, &run.notes, err) < 0)
        return import_failed(im, err);
    if (known_run(im, &run, &id, err) < 0)
        return -1;
    if (id == UNKNOWN)
        return put_run(im, row, &run, err);
    import_known(im);
    return add_run(im, im->row, id, err);
}

int import_runs_end(struct importer *im, struct err *err)
{
    struct arena arena = {0};
    struct run active;
    int rc = store_run_active(im->store, &arena, &active, err);

    if (rc == 0)
        rc = db_run(im->store->db, SQL_RUN_PAUSE_OTHERS,
                    DB_ARGS(DB_INT(active.id), DB_INT(clock_wall_us())), err);
    else if (err->code == ERR_NOT_FOUND)
        rc = 0;
    arena_clear(&arena);
    return rc;
}

/* ---- images ---- */

static int import_image(struct importer *im, struct legacy_row *row, struct err *err)
{
    struct image image = {.kind = legacy_text(row, "kind"),
                          .mime_type = legacy_text(row, "mime_type"),
                          .head = legacy_text(row, "source"),
                          .data_base64 = legacy_text(row, "data_base64")};
    ptrdiff_t comma = str_chr(image.head, ',');

    if (im->request == REQUEST_KNOWN) {
        import_known(im);
        return 0;
    }
    if (im->request == REQUEST_LEFT_OUT)
        return import_skip(im, "its request was left out");
    if (!image.kind.len || !image.head.len)
        return import_skip(im, "kind or source is missing");
    if (im->found.count == IMAGES_MAX)
        return import_skip(im, "more than %d images of one request", IMAGES_MAX);
    if (str_istarts(image.head, STR("data:")) && comma >= 0) {
        image.kind = STR(IMAGE_DATA_URL);
        if (!image.data_base64.len)
            image.data_base64 = str_from(image.head, (size_t)comma + 1);
        image.head = str_cut(image.head, (size_t)comma + 1);
    }
    im->found.items =
        store_grow(&im->arena, im->found.items, im->found.count, &im->found_cap, sizeof(image));
    image.kind = arena_dup(&im->arena, image.kind);
    image.mime_type = arena_dup(&im->arena, image.mime_type);
    image.head = arena_dup(&im->arena, image.head);
    image.data_base64 = arena_dup(&im->arena, image.data_base64);
    if (!im->found.items || !image.head.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory for the images of a request");
    im->found.items[im->found.count++] = image;
    import_written(im);
    return 0;
}

/* All images of the request at hand: into im->found when it is new, else only counted. */
static int take_images(struct importer *im, struct err *err)
{
    int64_t image, orphans = 0;
    int got;

    im->found = (struct images){0};
    im->found_cap = 0;
    while ((got = legacy_children_next(&im->images, im->row, &image, &orphans, err)) == 1)
        if (import_one(im, LEGACY_IMAGES, image, import_image, err) < 0)
            return -1;
    import_orphans(im, LEGACY_IMAGES, orphans, "its request is not there");
    return got;
}

static int put_images(struct importer *im, const struct record *r, struct err *err)
{
    struct images in_body = {0};

    if (im->found.count == 0)
        return 0;
    if (r->request_body.len <= IMAGES_MAX_BYTES * 4)
        images_find(r->request_body, r->request_content_type, 1, &im->arena, &in_body);
    return store_images_put(im->store, r->id, &im->found, in_body.count > 0, err);
}

/* ---- what is stored of a request ---- */

/* A URL or a query without its secrets, in the arena. */
static struct str masked(struct importer *im, struct str text,
                         int (*mask)(struct buf *out, struct str text, struct err *err))
{
    struct buf out = {0};
    struct str kept = STR_NONE;
    struct err err;

    if (text.len > 0 && mask(&out, text, &err) == 0)
        kept = arena_dup(&im->arena, buf_str(&out));
    buf_clear(&out);
    return kept;
}

static struct str headers(struct importer *im, struct legacy_row *row, const char *column)
{
    struct str json = legacy_json(row, column, '{'), kept = STR_NONE;
    struct buf out = {0};

    if (json.ptr && mask_stored_json(&out, json))
        kept = arena_dup(&im->arena, buf_str(&out));
    buf_clear(&out);
    return kept;
}

static void read_arrival(struct importer *im, struct legacy_row *row, struct record *r)
{
    struct str endpoint = legacy_text(row, "endpoint");
    ptrdiff_t query;

    if (!endpoint.len)
        endpoint = legacy_text(row, "path");
    query = str_chr(endpoint, '?');
    r->endpoint = query >= 0 ? str_cut(endpoint, (size_t)query) : endpoint;
    r->created_us = legacy_time(row, "created_at");
    r->method = legacy_text(row, "method");
    r->query_string = masked(im, legacy_text(row, "query_string"), mask_query);
    r->model = legacy_text(row, "model");
    r->upstream_model = legacy_text(row, "upstream_model");
    r->model_route = legacy_text(row, "model_route");
    r->route_decision = r->model_route.ptr      ? STR("route")
                        : r->upstream_model.ptr ? STR("fallback")
                                                : STR("passthrough");
    r->route_source = r->model_route.ptr      ? STR_NONE
                      : r->upstream_model.ptr ? STR("fallback")
                                              : STR("none");
    r->upstream_url = masked(im, legacy_text(row, "upstream_url"), mask_url);
    r->request_content_type = legacy_text(row, "request_content_type");
    r->request_headers_json = headers(im, row, "request_headers_json");
    r->request_body = legacy_bytes(row, "request_body");
    r->request_bytes = r->request_body.ptr ? (int64_t)r->request_body.len : UNKNOWN;
    r->has_images = legacy_bool(row, "has_images", false);
    r->estimated_input_tokens = legacy_int(row, "estimated_input_tokens", 0, COUNT_MAX);
    r->estimated_input_tokenizer = legacy_text(row, "estimated_input_tokenizer");
    r->estimated_input_model = legacy_text(row, "estimated_input_model");
}

static void read_billing(struct legacy_row *row, struct record *r)
{
    r->billing_provider_slug = legacy_text(row, "billing_provider_slug");
    r->billing_provider_name = legacy_text(row, "billing_provider_name");
    r->provider_slug = r->billing_provider_slug;
    r->billing_model = legacy_text(row, "billing_model");
    r->billing_input_tokens = legacy_int(row, "billing_input_tokens", 0, COUNT_MAX);
    r->billing_cached_input_tokens = legacy_int(row, "billing_cached_input_tokens", 0, COUNT_MAX);
    r->billing_output_tokens = legacy_int(row, "billing_output_tokens", 0, COUNT_MAX);
    r->billing_total_tokens = legacy_int(row, "billing_total_tokens", 0, COUNT_MAX);
    r->billing_input_cost_pusd = legacy_money(row, "billing_input_cost_usd");
    r->billing_output_cost_pusd = legacy_money(row, "billing_output_cost_usd");
    r->billing_total_cost_pusd = legacy_money(row, "billing_total_cost_usd");
    r->pricing_snapshot_json = legacy_json(row, "pricing_snapshot_json", '{');
}

static void read_outcome(struct importer *im, struct legacy_row *row, struct record *r)
{
    r->is_stream = legacy_bool(row, "is_stream", false);
    r->has_tool_calls = legacy_bool(row, "has_tool_calls", false);
    r->completed_us = legacy_time(row, "completed_at");
    r->response_status = legacy_int(row, "response_status", 100, 999);
    r->response_content_type = legacy_text(row, "response_content_type");
    r->response_headers_json = headers(im, row, "response_headers_json");
    r->response_body = legacy_bytes(row, "response_body");
    r->response_bytes = r->response_body.ptr ? (int64_t)r->response_body.len : UNKNOWN;
    r->upstream_response_body = legacy_bytes(row, "upstream_response_body_raw");
    r->response_was_rewritten = legacy_bool(row, "response_was_rewritten", false);
    r->compat_fixes_json = legacy_json(row, "compat_fixes_json", 0);
    r->compat_fix_errors_json = legacy_json(row, "compat_fix_errors_json", 0);
    r->duration_ms = legacy_int(row, "duration_ms", 0, COUNT_MAX);
    r->error = legacy_text(row, "error");
    read_billing(row, r);
    if (r->completed_us != UNKNOWN)
        return;
    /* The old proxy does not come back to it. */
    r->completed_us = r->created_us;
    if (r->duration_ms != UNKNOWN)
        r->completed_us += r->duration_ms * 1000;
    if (r->response_status == UNKNOWN && !r->error.ptr)
        r->error = STR(INTERRUPTED);
}

static void fill(int64_t *count, int64_t found)
{
    if (*count == UNKNOWN)
        *count = found;
}

/* Counts that the old proxy had no column for belong to those that it recorded. Where it recorded
 * none, they stay unknown unless asked for: pricing old requests finds them by itself. */
static void note_usage(struct importer *im, struct legacy_row *row, struct record *r,
                       const struct usage *u)
{
    bool counted = r->billing_input_tokens != UNKNOWN || r->billing_output_tokens != UNKNOWN;

    if (im->options->count_tokens || !legacy_has_column(row, "billing_input_tokens")) {
        fill(&r->billing_input_tokens, u->input);
        fill(&r->billing_cached_input_tokens, u->cached_input);
        fill(&r->billing_output_tokens, u->output);
        fill(&r->billing_total_tokens, u->total);
        counted = true;
    }
    if (counted) {
        fill(&r->billing_cache_write_input_tokens, u->cache_write_input);
        fill(&r->billing_reasoning_tokens, u->reasoning);
    }
}

/* What the answer says about itself, for which the old database had no columns. */
static void read_answer(struct importer *im, struct legacy_row *row, struct record *r)
{
    struct upstream_error e = {0};
    struct answer a;

    if (r->response_body.len == 0 || r->response_body.len > READ_MAX ||
        r->response_status == UNKNOWN)
        return;
    if (r->response_status >= 400 && facts_error_in_body(r->response_body, r->response_content_type,
                                                         r->response_status, &im->arena, &e)) {
        r->upstream_error_type = e.type;
        r->upstream_error_code = e.code;
        r->upstream_error_message = e.message.ptr ? e.message : e.type.ptr ? e.type : e.code;
    }
    if (r->error.ptr)
        return; /* the answer may be the proxy's own */
    answer_read(r->response_body, r->is_stream || forward_is_sse(r->response_content_type),
                &im->arena, &a);
    r->response_model = a.model;
    r->response_id = a.id;
    r->finish_reason = a.finish_reason;
    r->tool_call_count = a.tool_call_count;
    r->has_tool_calls = r->has_tool_calls || a.has_tools;
    r->service_tier = a.service_tier;
    if (usage_is_consumption(r->method, r->endpoint)) {
        r->reported_cost_pusd = a.reported_cost_pusd;
        note_usage(im, row, r, &a.usage);
    }
}

/* ---- requests ---- */

/* NULL when the row can be stored. */
static const char *what_is_missing(const struct importer *im, const struct record *r)
{
    if (!id_ok(im->row))
        return "the id is out of range";
    if (r->created_us == UNKNOWN)
        return "created_at is missing or no time";
    if (!r->method.len)
        return "method is missing";
    if (!r->endpoint.len)
        return "endpoint and path are missing";
    return NULL;
}

/* Whether an earlier import stored this request under that id: 1, 0, -1. */
static int is_stored(struct importer *im, const struct record *r, int64_t id, struct err *err)
{
    struct db_rows *rows =
        db_query(im->store->db, SQL_IMPORT_REQUEST_KNOWN, DB_ARGS(DB_INT(id)), err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1)
        got = db_int(rows, 0) == r->created_us && str_eq(db_bytes(rows, 1), r->method) &&
              str_eq(db_bytes(rows, 2), r->endpoint) && str_eq(db_bytes(rows, 3), r->upstream_url);
    db_done(rows);
    return got;
}

static int is_known(struct importer *im, const struct record *r, struct err *err)
{
    int got = 0;

    for (size_t i = 0; i < im->request_ids.count && got == 0; i++)
        got = is_stored(im, r, im->row + im->request_ids.offsets[i], err);
    return got;
}

static void find_run(struct importer *im, struct legacy_row *row, struct record *r)
{
    int64_t old = legacy_int(row, "task_run_id", 1, IMPORT_ID_MAX);

    r->task_run_id = old == UNKNOWN ? UNKNOWN : import_find_run(im, old);
    if (old != UNKNOWN && r->task_run_id == UNKNOWN)
        import_note(im, "its run is not there; the request stays without");
}

static int put_request(struct importer *im, struct legacy_row *row, struct record *r,
                       struct err *err)
{
    int64_t last;

    if (store_last_id(im->store, &last, err) < 0 ||
        import_ids_new(im, &im->request_ids, im->row, last, &r->id, err) < 0)
        return -1;
    find_run(im, row, r);
    r->has_images = r->has_images || im->found.count > 0;
    read_answer(im, row, r);
    im->batch_bytes += r->request_body.len + r->response_body.len + r->upstream_response_body.len;
    if (!im->options->dry_run) {
        if (store_record_insert(im->store, r, err) < 0)
            return import_failed(im, err);
        if (put_images(im, r, err) < 0)
            return -1;
    }
    import_written(im);
    return 0;
}

int import_request(struct importer *im, struct legacy_row *row, struct err *err)
{
    const char *missing;
    struct record r;
    int known = 0;

    record_init(&r);
    read_arrival(im, row, &r);
    missing = what_is_missing(im, &r);
    if (!missing)
        known = is_known(im, &r, err);
    if (known < 0)
        return -1;
    im->request = missing ? REQUEST_LEFT_OUT : known ? REQUEST_KNOWN : REQUEST_NEW;
    if (take_images(im, err) < 0)
        return -1;
    if (missing)
        return import_skip(im, "%s", missing);
    if (known) {
        import_known(im);
        return 0;
    }
    read_outcome(im, row, &r);
    return put_request(im, row, &r, err);
}
