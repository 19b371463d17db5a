#include "daemon/dispatch.h"

#include "base/log.h"
#include "base/query.h"
#include "daemon/api/api.h"
#include "daemon/http/head.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/refused.h"
#include "daemon/web/assets.h"
#include "ops/tables.h"
#include "json/json.h"

const struct call_route *const dispatch_tables[] = {OPS_TABLES,
                                                    api_live_routes,
                                                    api_status_routes,
                                                    api_routing_forms_routes,
                                                    api_probes_routes,
                                                    api_health_routes,
                                                    api_run_forms_routes,
                                                    api_price_forms_routes,
                                                    api_data_forms_routes,
                                                    api_metrics_routes,
                                                    api_openapi_routes,
                                                    web_docs_routes,
                                                    NULL};

static void answer_detail(struct conn *conn, int status, const struct headers *extra,
                          const char *detail)
{
    struct buf body = {0};

    buf_printf(&body, "{\"detail\":\"%s\"}", detail);
    conn_answer(conn, status, STR("application/json"), extra, buf_str(&body));
    buf_clear(&body);
}

static void answer_bad_id(struct conn *conn, const struct found *f, struct str query)
{
    struct buf body = {0};

    found_refuse_id(f, query, &body);
    conn_answer(conn, 422, STR("application/json"), NULL, buf_str(&body));
    buf_clear(&body);
}

/* A path that differs from a known one by a slash at its end. */
static bool redirect_slash(struct conn *conn, struct request *r, struct str path)
{
    struct headers extra = {0};
    struct buf to = {0}, slashed = {0};
    struct found f = {0};
    struct err err;
    bool ends = path.len > 1 && path.ptr[path.len - 1] == '/';

    if (buf_add(&slashed, path, &err) < 0 || (!ends && buf_add(&slashed, STR("/"), &err) < 0))
        goto out;
    path = ends ? str_cut(path, path.len - 1) : buf_str(&slashed);
    tables_find(dispatch_tables, STR("GET"), path, &f);
    if (f.allow.len == 0)
        goto out;
    if (buf_add(&to, ends ? str_cut(r->path, r->path.len - 1) : r->path, &err) < 0 ||
        (!ends && buf_add(&to, STR("/"), &err) < 0) ||
        (r->query.ptr && (buf_add(&to, STR("?"), &err) < 0 || buf_add(&to, r->query, &err) < 0)) ||
        headers_add(&extra, &r->arena, STR("Location"), buf_str(&to), &err) < 0)
        goto out;
    conn_answer(conn, 307, STR_NONE, &extra, STR(""));
out:
    buf_clear(&f.allow);
    buf_clear(&slashed);
    buf_clear(&to);
    return extra.count > 0;
}

static void dispatch_api(struct worker *w, struct conn *conn, struct request *r)
{
    struct buf path = {0};
    struct found f = {0};
    struct headers extra = {0};
    struct err err;

    if (query_decode(&path, r->path, false, &err) < 0) {
        answer_detail(conn, 503, NULL, "No memory for the call.");
        return;
    }
    tables_find(dispatch_tables, r->method, buf_str(&path), &f);
    if (f.route && f.bad_id.ptr) {
        answer_bad_id(conn, &f, r->query);
    } else if (f.route && f.route->open) {
        f.route->open(w, conn, r);
    } else if (f.route) {
        api_open(w, conn, r, f.route, f.id, f.slug);
    } else if (f.allow.len > 0) {
        headers_add(&extra, &r->arena, STR("Allow"), buf_str(&f.allow), &err);
        answer_detail(conn, 405, &extra, "Method Not Allowed");
    } else if (!redirect_slash(conn, r, buf_str(&path))) {
        answer_detail(conn, 404, NULL, "Not Found");
    }
    buf_clear(&f.allow);
    buf_clear(&path);
}

static bool is_v1(struct str path)
{
    return str_eq(path, STR("/v1")) || str_starts(path, STR("/v1/"));
}

void dispatch_head(void *ctx, struct conn *conn, struct request *r)
{
    struct worker *w = ctx;
    struct refusal refusal = {0};

    if (w->stopping) {
        refuse(&refusal, 503, "shutting_down", "The proxy is stopping.");
        conn_refuse(conn, &refusal, true);
        return;
    }
    if (!str_eq(r->path, STR("/healthz")) &&
        (!guard_host(&w->app->guard, r->authority, &refusal) ||
         !guard_origin(&w->app->guard, r->method, r->path, r->authority, &r->headers, &refusal))) {
        log_warning("refused code=%s client=%.*s", refusal.code, STR_ARG(conn_client(conn)));
        conn_refuse(conn, &refusal, !request_body_empty(r));
        return;
    }
    if (r->asterisk)
        conn_answer(conn, 204, STR_NONE, NULL, STR(""));
    else if (is_v1(r->path))
        exchange_open(w, conn, r);
    else
        dispatch_api(w, conn, r);
}

void dispatch_malformed(void *ctx, struct conn *conn, struct str bytes,
                        const struct refusal *refusal)
{
    struct str method, target;

    log_debug("refused code=%s client=%.*s", refusal->code, STR_ARG(conn_client(conn)));
    if (head_guess(bytes, &method, &target) && str_starts(target, STR("/v1/")))
        refused_record(ctx, conn, method, target, refusal);
}
