/* /admin: the pages of the web admin. All of them are one shell, which the script in it fills. */
#include "daemon/web/assets.h"

#include <cjson/cJSON.h>

#include "json/json.h"

#define NAME "LLM Observe Proxy"
#define POLL_INTERVAL_MS 1000

/* ---- the shell ---- */

static void put_escaped(struct buf *out, struct str json)
{
    /* "<" as an escape, so that no text in it can end the element around it. */
    for (size_t i = 0; i < json.len; i++)
        buf_put(out, json.ptr[i] == '<' ? STR("\\u003c") : (struct str){json.ptr + i, 1});
}

static void put_boot(struct buf *out, struct call *call)
{
    struct app *app = api_app(call);
    struct buf json = {0};
    cJSON *o = cJSON_CreateObject();

    json_put_text(o, "version", LOP_VERSION);
    json_put_int(o, "poll_interval_ms", POLL_INTERVAL_MS);
    json_put_text(o, "listener", app->url);
    json_put_str(o, "upstream_url", call_view_context(call).upstream_url);
    json_put_bool(o, "exposed", app->config->expose_all);
    json_print(&json, o);
    put_escaped(out, buf_str(&json));
    buf_clear(&json);
    cJSON_Delete(o);
}

/* The template with its two places filled. */
static void put_shell(struct buf *out, struct call *call, struct str page, const char *title)
{
    struct str rest = page;
    ptrdiff_t at;

    while ((at = str_find(rest, STR("%"))) >= 0) {
        buf_put(out, str_cut(rest, (size_t)at));
        rest = str_from(rest, (size_t)at);
        if (str_starts(rest, STR("%title%"))) {
            buf_printf(out, "%s - " NAME, title);
            rest = str_from(rest, strlen("%title%"));
        } else if (str_starts(rest, STR("%boot%"))) {
            put_boot(out, call);
            rest = str_from(rest, strlen("%boot%"));
        } else {
            buf_put(out, str_cut(rest, 1));
            rest = str_from(rest, 1);
        }
    }
    buf_put(out, rest);
}

static void answer_shell(struct call *call, int status, const char *title)
{
    const struct asset *shell = asset_find(assets_admin, STR("index.html"));
    struct buf page = {0};
    struct err err;

    call->status = status;
    call->content_type = STR("text/html; charset=utf-8");
    if (!asset_text(shell, &page) || !asset_protect(call, true) ||
        headers_add(&call->extra, &call->arena, STR("Cache-Control"), STR("no-cache"), &err) < 0)
        call_detail(call, 503, "No memory for the page.");
    else
        put_shell(&call->body, call, buf_str(&page), title);
    buf_clear(&page);
}

/* ---- addresses ---- */

static void run_requests(struct call *call, struct store *store)
{
    (void)store;
    answer_shell(call, 200, "Request Browser");
}

static void run_request(struct call *call, struct store *store)
{
    char title[48];

    (void)store;
    snprintf(title, sizeof(title), "Request #%lld", (long long)call->id);
    answer_shell(call, 200, title);
}

static void run_runs(struct call *call, struct store *store)
{
    (void)store;
    answer_shell(call, 200, "Runs");
}

static void run_run(struct call *call, struct store *store)
{
    (void)store;
    answer_shell(call, 200, "Run");
}

static void run_metrics(struct call *call, struct store *store)
{
    (void)store;
    answer_shell(call, 200, "Metrics");
}

static void run_settings(struct call *call, struct store *store)
{
    struct err err;

    (void)store;
    call->status = 303;
    if (headers_add(&call->extra, &call->arena, STR("Location"), STR("/admin/settings/server"),
                    &err) < 0)
        call_error(call, &err);
}

static void run_section(struct call *call, struct store *store)
{
    static const char *const sections[] = {"server",  "routing",     "providers",
                                           "pricing", "diagnostics", "data"};

    (void)store;
    for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
        if (str_eq(call->slug, str_c(sections[i]))) {
            answer_shell(call, 200, "Settings");
            return;
        }
    }
    answer_shell(call, 404, "Page not found");
}

/* The path of a form, too: a page of its own, or it would be the form's alone. */
static void run_providers(struct call *call, struct store *store)
{
    (void)store;
    answer_shell(call, 200, "Settings");
}

static void run_unknown(struct call *call, struct store *store)
{
    (void)store;
    answer_shell(call, 404, "Page not found");
}

/* The build put a digest of its content into the name of a script or style. */
static bool is_lasting(struct str name)
{
    return str_ends(name, STR(".js")) || str_ends(name, STR(".css"));
}

static void run_file(struct call *call, struct store *store)
{
    bool shell = str_eq(call->slug, STR("index.html"));

    (void)store;
    asset_answer(call, shell ? NULL : asset_find(assets_admin, call->slug), is_lasting(call->slug));
}

const struct call_route web_admin_routes[] = {
    {"GET", "/admin", .run = run_requests},
    {"GET", "/admin/", .run = run_requests},
    {"GET", "/admin/requests/{record_id}", .run = run_request},
    {"GET", "/admin/runs", .run = run_runs},
    {"GET", "/admin/runs/{run_id}", .run = run_run},
    {"GET", "/admin/metrics", .run = run_metrics},
    {"GET", "/admin/settings", .run = run_settings},
    {"GET", "/admin/settings/{slug}", .run = run_section},
    {"GET", "/admin/settings/providers", .run = run_providers},
    {"GET", "/admin/static/{slug}", .run = run_file},
    {0},
};

const struct call_route web_admin_unknown = {"GET", "/admin/{slug}", .run = run_unknown};
