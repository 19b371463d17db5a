/* The answers of /api/runs. */
#include <inttypes.h>
#include <stdio.h>

#include "view/display.h"
#include "view/view_priv.h"
#include "view/view_run.h"
#include "json/json.h"

#define RUNS_LISTED 100

int view_run_answer(struct store *store, int64_t id, int64_t now_wall_us, struct buf *out,
                    struct err *err)
{
    struct arena arena = {0};
    struct run run;
    cJSON *o = cJSON_CreateObject();
    int rc = 0;

    if (id == UNKNOWN) {
        json_put_null(o, "run");
    } else {
        rc = store_run_get(store, id, &arena, &run, err);
        if (rc == 0)
            rc = store_run_count(store, id, &run.request_count, err);
        if (rc == 0)
            cJSON_AddItemToObject(o, "run", view_run_summary(&run, now_wall_us));
    }
    arena_clear(&arena);
    if (rc == 0)
        return view_answer(o, out, err);
    cJSON_Delete(o);
    return -1;
}

/* ---- the list ---- */

struct listing {
    cJSON *items;
    int64_t now_wall_us;
    int64_t shown, paused, requests, tokens, cost_pusd;
};

static void add_item(void *ctx, const struct run *run, const struct run_sums *sums)
{
    struct listing *l = ctx;

    cJSON_AddItemToArray(l->items, view_run_item(run, sums, l->now_wall_us));
    l->shown++;
    l->paused += run_state(run) == RUN_PAUSED;
    l->requests += sums->requests;
    l->tokens = budget_sum(l->tokens, sums->total_tokens);
    l->cost_pusd = budget_sum(l->cost_pusd, sums->cost_pusd);
}

static void put_totals(cJSON *o, const struct listing *l, bool active)
{
    cJSON *stats = cJSON_AddObjectToObject(o, "stats");
    char text[DISPLAY_SIZE];

    json_put_int(stats, "shown", l->shown);
    view_put_compact(stats, "shown_display", l->shown);
    json_put_int(stats, "active", active);
    json_put_int(stats, "paused", l->paused);
    json_put_int(stats, "total_requests", l->requests);
    view_put_compact(stats, "total_requests_display", l->requests);
    json_put_int(stats, "total_tokens", l->tokens);
    view_put_compact(stats, "total_tokens_display", l->tokens);
    json_put_money(stats, "total_cost_usd", l->cost_pusd);
    json_put_text(stats, "total_cost_display", display_usd(l->cost_pusd, text));
}

static int build_list(cJSON *o, struct store *store, const struct view_context *ctx,
                      struct err *err)
{
    struct listing l = {.items = cJSON_AddArrayToObject(o, "items"),
                        .now_wall_us = ctx->now_wall_us};

    if (store_run_list(store, RUNS_LISTED, add_item, &l, err) < 0 ||
        view_put_active_run(o, store, ctx, err) < 0)
        return -1;
    put_totals(o, &l, cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(o, "active_run")));
    return view_put_upstream(o, store, ctx, err);
}

int view_run_list(struct store *store, const struct view_context *ctx, struct buf *out,
                  struct err *err)
{
    cJSON *o;
    int rc;

    if (store_begin(store, err) < 0) /* one state of the database for all parts */
        return -1;
    o = cJSON_CreateObject();
    rc = build_list(o, store, ctx, err);
    store_rollback(store);
    if (rc == 0)
        return view_answer(o, out, err);
    cJSON_Delete(o);
    return -1;
}

/* ---- one run ---- */

struct detail {
    unsigned parts;
    struct run run;
    struct run_sums sums;
    struct view_page *page; /* NULL: none is asked for */
};

static int build_detail(cJSON *o, struct store *store, struct detail *d,
                        const struct view_context *ctx, struct err *err)
{
    struct run run = d->run;
    cJSON *page = cJSON_CreateObject();
    char url[64];
    int rc = -1;

    run.request_count = UNKNOWN; /* the statistics have it */
    cJSON_AddItemToObject(o, "run", view_run_summary(&run, ctx->now_wall_us));
    if (d->page && view_page_build(d->page, page, store, ctx, err) < 0)
        goto out;
    if (d->page)
        cJSON_AddItemToObject(o, "items", cJSON_DetachItemFromObject(page, "items"));
    if ((d->parts & VIEW_RUN_STATS) &&
        view_put_run_stats(o, store, &d->run, &d->sums, ctx->now_wall_us, err) < 0)
        goto out;
    if (d->parts == (VIEW_RUN_PAGE | VIEW_RUN_STATS)) {
        snprintf(url, sizeof(url), "/admin/api/runs/%" PRId64 "/what-if", d->run.id);
        json_put_text(o, "what_if_api_url", url);
    }
    if (d->page)
        cJSON_AddItemToObject(o, "pagination", cJSON_DetachItemFromObject(page, "pagination"));
    if ((d->parts & VIEW_RUN_STATS) && view_put_active_run(o, store, ctx, err) < 0)
        goto out;
    rc = view_put_upstream(o, store, ctx, err);
out:
    cJSON_Delete(page);
    return rc;
}

static int answer_run(struct store *store, int64_t id, struct detail *d,
                      const struct view_context *ctx, int *status, struct buf *out, struct err *err)
{
    struct arena arena = {0};
    cJSON *o = NULL;
    int rc;

    if (store_begin(store, err) < 0)
        return -1;
    rc = store_run_sums(store, id, &arena, &d->run, &d->sums, err);
    if (rc == 0) {
        o = cJSON_CreateObject();
        rc = build_detail(o, store, d, ctx, err);
        *status = 200;
    } else if (err->code == ERR_NOT_FOUND) {
        rc = view_answer_text("Run not found.", out, err);
        *status = 404;
    }
    store_rollback(store);
    arena_clear(&arena);
    if (o && rc == 0)
        return view_answer(o, out, err);
    cJSON_Delete(o);
    return rc;
}

int view_run_detail(struct store *store, int64_t id, unsigned parts, struct str path,
                    struct str query, const struct view_context *ctx, int *status, struct buf *out,
                    struct err *err)
{
    struct detail d = {.parts = parts};
    int rc;

    if (parts & VIEW_RUN_PAGE) {
        d.page = view_page_of_run(id, path, query);
        if (view_page_refused(d.page)) {
            rc = view_page_refusal(d.page, out, err);
            *status = 422;
            goto out;
        }
    }
    rc = answer_run(store, id, &d, ctx, status, out, err);
out:
    view_page_free(d.page);
    return rc;
}
