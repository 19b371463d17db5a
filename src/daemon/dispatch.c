#include "daemon/dispatch.h"

#include "base/log.h"
#include "base/query.h"
#include "daemon/api/api_operations.h"
#include "daemon/http/head.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/refused.h"
#include "daemon/web/assets.h"
#include "json/json.h"

const struct api_route *const dispatch_tables[] = {
    api_records_routes,        api_live_routes,      api_status_routes,
    api_routes_routes,         api_providers_routes, api_simulate_routes,
    api_default_routes_routes, api_settings_routes,  api_routing_forms_routes,
    api_probes_routes,         api_prices_routes,    api_price_forms_routes,
    api_costs_routes,          api_catalog_routes,   api_runs_routes,
    api_storage_routes,        api_metrics_routes,   api_models_routes,
    api_openapi_routes,        web_docs_routes,      api_usage_routes,
    api_health_routes,         api_budgets_routes,   NULL};

enum match { NO_MATCH, MATCH, BAD_ID };

struct found {
    const struct api_route *route;
    bool literal; /* the path is known as it stands: parameters do not count */
    int64_t id;
    struct str slug, id_name, bad_id;
    struct buf allow; /* methods of the path when the method does not fit */
};

/* Compare a percent-decoded path with a pattern; {slug} takes one segment, any other {name} an
 * integer. */
static enum match match_path(struct str path, struct str pattern, struct found *out)
{
    struct str have, want;

    *out = (struct found){.literal = true};
    while (str_split(&pattern, '/', &want)) {
        if (!str_split(&path, '/', &have))
            return NO_MATCH;
        if (!str_starts(want, STR("{"))) {
            if (!str_eq(want, have))
                return NO_MATCH;
            continue;
        }
        out->literal = false;
        if (have.len == 0)
            return NO_MATCH;
        if (str_eq(want, STR("{slug}")))
            out->slug = have;
        else if (!str_int64(have, &out->id))
            out->bad_id = have;
        out->id_name = str_cut(str_from(want, 1), want.len - 2);
    }
    if (path.ptr)
        return NO_MATCH;
    return out->bad_id.ptr ? BAD_ID : MATCH;
}

static bool method_fits(const struct api_route *route, struct str method)
{
    return str_eq(method, str_c(route->method)) ||
           (str_eq(method, STR("HEAD")) && str_eq(str_c(route->method), STR("GET")));
}

static void take(struct found *f, const struct found *one, const struct api_route *route,
                 struct str method)
{
    if (one->literal && !f->literal) { /* what parameters matched does not count */
        buf_clear(&f->allow);
        *f = (struct found){.literal = true};
    }
    if (method_fits(route, method) && !f->route) {
        f->route = route;
        f->id = one->id;
        f->slug = one->slug;
        f->id_name = one->id_name;
        f->bad_id = one->bad_id;
    }
    buf_printf(&f->allow, "%s%s", f->allow.len ? ", " : "", route->method);
}

static void find(struct found *f, struct str method, struct str path)
{
    for (size_t t = 0; dispatch_tables[t]; t++) {
        for (const struct api_route *route = dispatch_tables[t]; route->method; route++) {
            struct found one;

            if (match_path(path, str_c(route->pattern), &one) == NO_MATCH ||
                (f->literal && !one.literal))
                continue;
            take(f, &one, route, method);
        }
    }
}

static void answer_detail(struct conn *conn, int status, const struct headers *extra,
                          const char *detail)
{
    struct buf body = {0};

    buf_printf(&body, "{\"detail\":\"%s\"}", detail);
    conn_answer(conn, status, STR("application/json"), extra, buf_str(&body));
    buf_clear(&body);
}

/* What is wrong with the path, and then with the query. */
static void answer_bad_id(struct conn *conn, const struct found *f, struct str query)
{
    const struct api_operation *op = api_operation_of(f->route);
    const struct str start = STR("{\"detail\":["), end = STR("]}");
    struct buf body = {0}, more = {0};

    buf_put(&body, start);
    buf_printf(&body,
               "{\"type\":\"int_parsing\",\"loc\":[\"path\",\"%.*s\"],"
               "\"msg\":\"must be an integer\",\"input\":",
               STR_ARG(f->id_name));
    if (!json_quote(&body, str_cut(f->bad_id, 200)))
        buf_put(&body, STR("null"));
    buf_put(&body, STR("}"));
    if (op && !params_check(op->params, query, &more)) {
        buf_put(&body, STR(","));
        buf_put(&body, str_from(buf_str(&more), start.len));
    } else {
        buf_put(&body, end);
    }
    conn_answer(conn, 422, STR("application/json"), NULL, buf_str(&body));
    buf_clear(&body);
    buf_clear(&more);
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
    find(&f, STR("GET"), path);
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
    find(&f, r->method, buf_str(&path));
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
