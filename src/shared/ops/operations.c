#include "ops/operations.h"

#include "core/traffic.h"
#include "view/view_filter.h"
#include "view/view_live.h"
#include "view/view_metrics.h"
#include "view/view_run.h"
#include "view/view_what_if.h"

#define SIMPLE_PAGES PARAM_PAGES(25, 100)
#define STATUS(other)                                                                              \
    {                                                                                              \
        "status", PARAM_TEXT, .choices = other, .about = "active or inactive only"                 \
    }
#define DAYS                                                                                       \
    {                                                                                              \
        "days", PARAM_INT, .fallback = 30, .least = 1, .most = 3650, .about = "How far back"       \
    }

static const struct param model_params[] = {
    {"search", PARAM_TEXT, .about = "Part of a model, upstream URL or provider name"},
    {"provider", PARAM_TEXT, .about = "Slug of a provider"},
    {"status", PARAM_TEXT, .standard = "active", .choices = "all|active|inactive",
     .about = "active or inactive only"},
    SIMPLE_PAGES,
    {0},
};
static const struct param suggest_params[] = {
    {"q", PARAM_TEXT, .about = "How the model begins, in any case"},
    {"limit", PARAM_INT, .fallback = 10, .least = 1, .most = 50, .about = "Models at most"},
    {0},
};
static const struct param lookup_params[] = {
    {"model", PARAM_TEXT, .required = true, .about = "A model as a client would name it"},
    {"provider_slug", PARAM_TEXT, .about = "Forces a provider"},
    {0},
};
static const struct param body_params[] = {
    {"side", PARAM_TEXT, .required = true, .choices = "request|response|upstream",
     .about = "Whose body"},
    {0},
};
static const struct param live_params[] = {
    {"since", PARAM_INT, .least = INT64_MIN, .most = INT64_MAX,
     .about = "The rev of the last answer: only what finished since then"},
    {"rows", PARAM_INT, .fallback = 200, .most = LIVE_ROWS_MAX, .about = "Finished rows at most"},
    {"series", PARAM_INT, .fallback = 120, .most = TRAFFIC_SECONDS, .about = "Seconds of history"},
    {"text", PARAM_INT, .most = INT64_MAX, .about = "A request whose text is wanted"},
    {"parts", PARAM_TEXT,
     .about = "Names of members, with commas: only these, and rev, now, instance"},
    PARAM_WHERE,
    {0},
};
static const struct param event_params[] = {
    {"kinds", PARAM_TEXT, .about = "change, finished, or both with a comma"},
    {"interval_ms", PARAM_INT, .fallback = 1000, .least = 100, .most = 60000,
     .about = "For events that come regularly; there are none yet"},
    PARAM_WHERE,
    {0},
};
static const struct param route_params[] = {
    {"search", PARAM_TEXT, .about = "Part of a model, upstream URL or provider name"},
    STATUS("all|active|inactive"),
    {"provider", PARAM_TEXT, .about = "Slug of a provider"},
    {"include_startup", PARAM_INT, .most = 1, .about = "1: those of the configuration, too"},
    SIMPLE_PAGES,
    {0},
};
static const struct param provider_params[] = {
    {"search", PARAM_TEXT, .about = "Part of slug, name, upstream URL or currency"},
    STATUS("all|active|inactive"),
    {"currency", PARAM_TEXT, .about = "USD"},
    SIMPLE_PAGES,
    {0},
};
static const struct param price_params[] = {
    {"search", PARAM_TEXT, .about = "Part of a model, its names or its provider"},
    {"provider", PARAM_TEXT, .about = "Slug of a provider"},
    STATUS("all|active|inactive"),
    SIMPLE_PAGES,
    {0},
};
static const struct param find_params[] = {
    {"provider", PARAM_TEXT, .required = true, .about = "Slug of a provider"},
    {"model", PARAM_TEXT, .required = true, .about = "A model or another name of one"},
    {0},
};
static const struct param alert_params[] = {
    {"limit", PARAM_INT, .fallback = 100, .least = 1, .most = 1000, .about = "Alerts at most"},
    {"before_id", PARAM_INT, .fallback = INT64_MAX, .least = 1, .most = INT64_MAX,
     .about = "Only older ones than this"},
    {"unacknowledged", PARAM_INT, .most = 1, .about = "1: only those nobody has acknowledged"},
    {0},
};
static const struct param days_params[] = {DAYS, {0}};
static const struct param since_params[] = {
    {"since", PARAM_TIME, .about = "From when on; without it, the start of this day in UTC"},
    {0},
};
static const struct param recent_params[] = {
    DAYS,
    {"limit", PARAM_INT, .fallback = 10, .least = 1, .most = 100, .about = "Models at most"},
    {0},
};

const struct operation operations[] = {
    /* the public API */
    {"GET", "/healthz", "Whether the program runs", .answer = "Health", .is_public = true},
    {"GET", "/api/models", "Models that clients can ask for", .answer = "ModelPage",
     .params = model_params, .is_public = true},
    {"GET", "/api/models/suggest", "Models that begin so", .answer = "Suggestions",
     .params = suggest_params, .is_public = true},
    {"GET", "/api/models/lookup", "Where a model goes", .answer = "Lookup", .params = lookup_params,
     .is_public = true},
    {"GET", "/api/requests", "Captured requests, newest first", .answer = "RequestList",
     .params = view_record_params, .is_public = true},
    {"GET", "/api/requests/{record_id}", "One captured request", .answer = "RequestDetail",
     .params = view_record_detail_params, .is_public = true},
    {"GET", "/api/runs", "The newest 100 runs", .answer = "RunList", .is_public = true},
    {"POST", "/api/runs/start", "Start a run; the active one ends", .answer = "RunAnswer",
     .body = "RunStart", .body_optional = true, .is_public = true},
    {"POST", "/api/runs/end", "End the active run", .answer = "RunAnswer", .is_public = true},
    {"POST", "/api/runs/pause", "Pause the active run", .answer = "RunAnswer", .is_public = true},
    {"POST", "/api/runs/{run_id}/resume", "Resume a paused run", .answer = "RunAnswer",
     .is_public = true},
    {"GET", "/api/runs/{run_id}", "A run: what it came to, and its requests", .answer = "RunDetail",
     .params = view_run_page_params, .is_public = true},
    {"GET", "/api/runs/{run_id}/stats", "What a run came to", .answer = "RunStatsAnswer",
     .is_public = true},
    {"GET", "/api/runs/{run_id}/requests", "Requests of a run", .answer = "RunRequests",
     .params = view_run_page_params, .is_public = true},

    /* the rest of it */
    {"GET", "/api/requests/{record_id}/body", "A stored body, byte for byte", .answer = "any",
     .params = body_params, .media = "application/octet-stream"},
    {"GET", "/api/requests/{record_id}/conversation", "A request and its answer as messages",
     .answer = "Conversation"},
    {"POST", "/api/requests/{record_id}/cancel", "Cancel a request in flight",
     .answer = "Cancelled", .body = "CancelQuestion", .body_optional = true},
    {"POST", "/api/runs/{run_id}/end", "End a run", .answer = "RunAnswer"},
    {"PATCH", "/api/runs/{run_id}", "Change name, notes or budget of a run", .answer = "RunAnswer",
     .body = "RunEdit"},
    {"GET", "/api/budgets", "Budgets, and what was spent", .answer = "Budgets"},
    {"PATCH", "/api/budgets", "Change budgets by the names of their settings", .answer = "Budgets",
     .body = "object"},
    {"GET", "/api/alerts", "Thresholds that were passed", .answer = "Alerts",
     .params = alert_params},
    {"POST", "/api/alerts/acknowledge", "Acknowledge all alerts", .answer = "Acknowledged"},
    {"POST", "/api/alerts/{alert_id}/acknowledge", "Acknowledge an alert", .answer = "AlertAnswer"},
    {"GET", "/api/runs/{run_id}/what-if", "A run at other prices", .answer = "WhatIf",
     .params = view_what_if_params},
    {"GET", "/api/status", "What runs, and how the store keeps up", .answer = "Status"},
    {"GET", "/api/live", "Requests in flight and those just finished", .answer = "Live",
     .params = live_params, .without_store = true},
    {"GET", "/api/events", "The same as an event stream", .answer = "any", .params = event_params,
     .media = "text/event-stream"},
    {"GET", "/metrics", "Counters for Prometheus", .answer = "any", .media = "text/plain"},

    {"GET", "/admin/api/export",
     "A piece of the requests, oldest first; bodies=1: with headers and bodies; after=next goes on",
     .answer = "ExportPiece", .params = view_record_params},
    {"GET", "/admin/api/metrics/timeseries", "Requests over time, in buckets",
     .answer = "Timeseries", .params = view_metrics_params},
    {"GET", "/admin/api/providers", "Providers", .answer = "ProviderPage",
     .params = provider_params},
    {"POST", "/admin/api/providers", "Add or replace a provider", .answer = "Provider",
     .body = "ProviderInput"},
    {"GET", "/admin/api/providers/usage", "What providers did today", .answer = "[ProviderUsage]",
     .params = since_params},
    {"GET", "/admin/api/providers/health", "What the last checks found",
     .answer = "[ProviderHealth]"},
    {"POST", "/admin/api/providers/health-checks", "Ask all active providers",
     .answer = "[ProviderCheck]"},
    {"GET", "/admin/api/providers/{slug}", "One provider", .answer = "Provider"},
    {"PUT", "/admin/api/providers/{slug}", "Add or replace a provider", .answer = "Provider",
     .body = "ProviderInput"},
    {"DELETE", "/admin/api/providers/{slug}", "Delete a provider and its prices",
     .answer = "Deleted"},
    {"POST", "/admin/api/providers/{slug}/test", "Ask one provider", .answer = "ProviderCheck"},

    {"GET", "/admin/api/routes", "Stored routes", .answer = "RoutePage", .params = route_params},
    {"POST", "/admin/api/routes", "Add a route", .answer = "Route", .body = "RouteInput"},
    {"GET", "/admin/api/routes/usage", "What routes did today", .answer = "[RouteUsage]",
     .params = since_params},
    {"GET", "/admin/api/routes/recent-models", "Models of the last days, and where they would go",
     .answer = "RecentModels", .params = recent_params},
    {"POST", "/admin/api/diagnostics/test-upstream", "Send a request by a model's name",
     .answer = "UpstreamTest", .body = "UpstreamQuestion"},
    {"DELETE", "/admin/api/requests/{record_id}", "Delete a request", .answer = "Deleted"},
    {"POST", "/admin/api/routes/simulate", "Where a model would go", .answer = "Simulation",
     .body = "SampleQuestion"},
    {"POST", "/admin/api/routes/sample-request", "How to ask for a model",
     .answer = "SampleRequest", .body = "SampleQuestion"},
    {"POST", "/admin/api/routes/defaults/preview", "Routes that prices give",
     .answer = "SeedAnswer", .body = "SeedQuestion"},
    {"POST", "/admin/api/routes/defaults/apply", "Store the routes that prices give",
     .answer = "SeedAnswer", .body = "SeedQuestion"},
    {"GET", "/admin/api/routes/{route_id}", "One route", .answer = "Route"},
    {"PUT", "/admin/api/routes/{route_id}", "Replace a route", .answer = "Route",
     .body = "RouteInput"},
    {"DELETE", "/admin/api/routes/{route_id}", "Delete a route", .answer = "Deleted"},
    {"POST", "/admin/api/routes/{route_id}/test", "Send a request through a route",
     .answer = "UpstreamTest", .body = "RouteTestQuestion"},

    {"GET", "/admin/api/settings/summary", "Settings in short", .answer = "SettingsSummary",
     .params = days_params},
    {"POST", "/admin/api/settings/listener", "Where to listen after the next start",
     .answer = "SettingsSummary", .body = "ListenerInput"},
    {"POST", "/admin/api/settings/upstream-defaults", "Where what has no route goes",
     .answer = "SettingsSummary", .body = "UpstreamInput"},
    {"POST", "/admin/api/settings/compat-fixes", "Fixes for what has no route", .answer = "Fixes",
     .body = "FixesInput"},
    {"GET", "/admin/api/settings/compat-fixes", "Fixes there are, and those in force",
     .answer = "FixesState"},
    {"GET", "/admin/api/settings/values", "All settings", .answer = "[SettingValue]"},
    {"POST", "/admin/api/settings/values", "Save settings by name", .answer = "[SettingValue]",
     .body = "object"},
    {"GET", "/admin/api/settings/retention-preview", "How many requests are older",
     .answer = "RetentionPreview", .params = days_params},
    {"POST", "/admin/api/settings/trim", "Delete older requests", .answer = "Trimmed",
     .body = "TrimQuestion"},
    {"GET", "/admin/api/storage", "How large the database is", .answer = "Storage",
     .params = days_params},
    {"POST", "/admin/api/storage/vacuum", "Give free space back", .answer = "Done"},
    {"POST", "/admin/api/storage/check", "Look for damage", .answer = "FileCheck",
     .body = "CheckQuestion", .body_optional = true},
    {"POST", "/admin/api/storage/search/rebuild", "Make the full-text index anew",
     .answer = "Search"},

    {"GET", "/admin/api/pricing/prices", "Prices", .answer = "PricePage", .params = price_params},
    {"POST", "/admin/api/pricing/prices", "Add a price", .answer = "Price", .body = "PriceInput"},
    {"GET", "/admin/api/pricing/prices/{price_id}", "One price", .answer = "Price"},
    {"PUT", "/admin/api/pricing/prices/{price_id}", "Replace a price", .answer = "Price",
     .body = "PriceInput"},
    {"DELETE", "/admin/api/pricing/prices/{price_id}", "Delete a price", .answer = "Deleted"},
    {"POST", "/admin/api/pricing/prices/{price_id}/tiers", "Add a tier", .answer = "Price",
     .body = "PriceTierInput"},
    {"PUT", "/admin/api/pricing/tiers/{tier_id}", "Replace a tier", .answer = "Price",
     .body = "PriceTierInput"},
    {"DELETE", "/admin/api/pricing/tiers/{tier_id}", "Delete a tier", .answer = "Price"},
    {"GET", "/admin/api/pricing/find", "The price of a model", .answer = "PriceFound",
     .params = find_params},
    {"POST", "/admin/api/pricing/estimate", "What tokens would cost", .answer = "Estimate",
     .body = "EstimateQuestion"},
    {"POST", "/admin/api/pricing/backfill", "Price requests again", .answer = "Backfill",
     .body = "BackfillQuestion"},
    {"POST", "/admin/api/pricing/reprice-missing", "Price requests that have no cost",
     .answer = "Backfill"},
    {"POST", "/admin/api/pricing/restore-defaults", "Bring deleted prices back",
     .answer = "Restored", .body = "RestoreQuestion"},
    {"POST", "/admin/api/pricing/catalog/preview", "Prices of a router", .answer = "CatalogPreview",
     .body = "CatalogQuestion"},
    {"POST", "/admin/api/pricing/catalog/apply", "Take prices of a router",
     .answer = "CatalogApplied", .body = "CatalogSelection"},

    {"GET", "/admin/api/pricing/catalog/export", "Providers and prices as a file",
     .answer = "CatalogFile"},

    {"GET", "/api/openapi.json", "This API as OpenAPI 3.1", .answer = "object"},
    {"GET", "/admin/api/openapi.json", "The rest of it as OpenAPI 3.1", .answer = "object"},
    {0},
};

static const struct operation *find(struct str method, struct str pattern)
{
    for (const struct operation *o = operations; o->method; o++)
        if (str_eq(pattern, str_c(o->pattern)) && str_eq(method, str_c(o->method)))
            return o;
    return NULL;
}

const struct operation *operation_of(const struct call_route *route)
{
    struct str method = str_c(route->method), pattern = str_c(route->pattern);
    const struct operation *o = find(method, pattern);

    if (!o && str_starts(pattern, STR("/admin/api/")))
        o = find(method, str_from(pattern, strlen("/admin")));
    return o;
}
