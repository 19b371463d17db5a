#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/api/api.h"
#include "daemon/otel/otel.h"
#include "ops/disk.h"
#include "view/view_budget.h"
#include "json/json.h"

void api_server_json(struct app *app, struct buf *out)
{
    struct catalog *catalog = app_catalog(app);
    cJSON *o = cJSON_CreateObject();
    char host[256] = "", stamp[CLOCK_ISO_SIZE], base[320];

    gethostname(host, sizeof(host) - 1);
    snprintf(base, sizeof(base), "%s/v1", app->url);
    json_put_text(o, "version", LOP_VERSION);
    json_put_int(o, "api", 1);
    json_put_int(o, "pid", getpid());
    json_put_text(o, "host", host);
    json_put_text(o, "url", app->url);
    json_put_text(o, "client_base_url", base);
    json_put_str(o, "upstream_url", catalog->base_url);
    json_put_text(o, "database", app->config->database_path);
    json_put_text(o, "started_at", clock_iso(app->started_wall_us, stamp));
    json_put_int(o, "uptime_ms", (clock_now_us() - app->started_us) / 1000);
    json_put_int(o, "workers", app->config->workers);
    json_print(out, o);
    cJSON_Delete(o);
    catalog_unref(catalog);
}

void api_store_json(struct app *app, struct store *store, struct buf *out)
{
    struct store_counters counters = {.total = UNKNOWN};
    const char *path = app->config->database_path;
    struct recorder_stats s;
    cJSON *o = cJSON_CreateObject();
    struct err err;

    recorder_stats(app->recorder, &s);
    if (!store || store_counters(store, &counters, &err) < 0)
        counters.total = UNKNOWN;
    json_put_int(o, "queue_depth", (int64_t)s.queue_depth);
    json_put_int(o, "queue_limit", (int64_t)s.queue_limit);
    json_put_int(o, "queue_bytes", (int64_t)s.queue_bytes);
    json_put_int(o, "queue_limit_bytes", (int64_t)s.queue_limit_bytes);
    json_put_int(o, "lag_ms", s.lag_ms);
    json_put_int(o, "shed_bodies", s.shed_bodies);
    json_put_int(o, "lost_events", s.lost_events);
    json_put_int(o, "rows", counters.total);
    json_put_int(o, "db_bytes", disk_file_size(path, ""));
    json_put_int(o, "wal_bytes", disk_file_size(path, "-wal"));
    json_put_int(o, "disk_free_bytes", disk_free(path));
    json_put_str(o, "last_error", s.last_error[0] ? str_c(s.last_error) : STR_NONE);
    json_print(out, o);
    cJSON_Delete(o);
}

/* null when no telemetry is exported. */
static void telemetry_json(struct app *app, struct buf *out)
{
    struct otel_stats s;
    cJSON *o;

    if (!app->otel) {
        buf_put(out, STR("null"));
        return;
    }
    otel_stats(app->otel, &s);
    o = cJSON_CreateObject();
    json_put_int(o, "queue_depth", (int64_t)s.queue_depth);
    json_put_int(o, "queue_limit", (int64_t)s.queue_limit);
    json_put_int(o, "exported_spans", s.exported_spans);
    json_put_int(o, "dropped_spans", s.dropped_spans);
    json_put_int(o, "failed_exports", s.failed_exports);
    json_put_str(o, "last_error", s.last_error[0] ? str_c(s.last_error) : STR_NONE);
    json_print(out, o);
    cJSON_Delete(o);
}

/* The members of an object of their own, behind what is there already. */
static void put_budgets(struct call *call, struct store *store)
{
    cJSON *o = cJSON_CreateObject();
    struct buf text = {0};

    view_put_budgets_live(o, store, clock_wall_us());
    if (json_print(&text, o)) {
        buf_put(&call->body, STR(","));
        buf_put(&call->body, str_cut(str_from(buf_str(&text), 1), text.len - 2));
    }
    cJSON_Delete(o);
    buf_clear(&text);
}

static void run_status(struct call *call, struct store *store)
{
    struct app *app = api_app(call);
    int64_t room = disk_free(app->config->database_path);
    struct recorder_stats s;

    recorder_stats(app->recorder, &s);
    call->status = 200;
    buf_printf(&call->body, "{\"status\":\"%s\",\"name\":\"llm-observe-proxy\",\"server\":",
               s.degraded || s.lost_events > 0 || (room != UNKNOWN && room < 100 << 20) ? "degraded"
                                                                                        : "ok");
    api_server_json(app, &call->body);
    buf_put(&call->body, STR(",\"store\":"));
    api_store_json(app, store, &call->body);
    buf_put(&call->body, STR(",\"telemetry\":"));
    telemetry_json(app, &call->body);
    put_budgets(call, store);
    buf_put(&call->body, STR(",\"jobs\":[]}"));
}

static void open_healthz(struct worker *w, struct conn *conn, struct request *r)
{
    (void)w;
    (void)r;
    conn_answer(conn, 200, STR("application/json"), NULL, STR("{\"status\":\"ok\"}"));
}

static void redirect(struct conn *conn, struct request *r, struct str to)
{
    struct headers extra = {0};
    struct err err;

    if (headers_add(&extra, &r->arena, STR("Location"), to, &err) == 0)
        conn_answer(conn, 307, STR_NONE, &extra, STR(""));
}

static void open_root(struct worker *w, struct conn *conn, struct request *r)
{
    (void)w;
    redirect(conn, r, STR("/admin"));
}

static void open_admin(struct worker *w, struct conn *conn, struct request *r)
{
    static const char page[] =
        "<!doctype html><meta charset=\"utf-8\"><title>llm-observe-proxy</title>"
        "<h1>llm-observe-proxy</h1><p>This build has no web admin. Captured requests: "
        "<a href=\"/api/requests\">/api/requests</a>, or <code>llm-observe-proxy requests "
        "list</code> in a terminal.</p>";
    struct headers extra = {0};
    struct err err;

    (void)w;
    if (headers_add(&extra, &r->arena, STR("Content-Security-Policy"),
                    STR("default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
                    &err) == 0 &&
        headers_add(&extra, &r->arena, STR("X-Frame-Options"), STR("DENY"), &err) == 0 &&
        headers_add(&extra, &r->arena, STR("Cross-Origin-Opener-Policy"), STR("same-origin"),
                    &err) == 0)
        conn_answer(conn, 200, STR("text/html; charset=utf-8"), &extra, STR(page));
}

const struct call_route api_status_routes[] = {
    {"GET", "/healthz", .open = open_healthz},
    {"GET", "/", .open = open_root},
    {"GET", "/admin", .open = open_admin},
    {"GET", "/admin/", .open = open_admin},
    {"GET", "/api/status", .run = run_status},
    {"GET", "/admin/api/status", .run = run_status},
    {0},
};
