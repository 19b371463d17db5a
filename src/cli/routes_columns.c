/* The columns and fields of routes, of models used lately and of routes that prices give. */
#include "routes_priv.h"

#define MODEL                                                                                      \
    {                                                                                              \
        .id = "model", .title = "MODEL", .min = 12, .max = 48, .flex = true, .kind = KIND_TEXT,    \
        .path = "incoming_model"                                                                   \
    }
#define URL                                                                                        \
    {                                                                                              \
        .id = "url", .title = "UPSTREAM", .min = 16, .max = 48, .flex = true, .drop = 4,           \
        .kind = KIND_UPSTREAM, .path = "upstream_url"                                              \
    }
#define UPSTREAM_MODEL                                                                             \
    {                                                                                              \
        .id = "upstream_model", .title = "SENT AS", .min = 12, .max = 40, .flex = true, .drop = 7, \
        .kind = KIND_TEXT, .path = "upstream_model"                                                \
    }
#define PROVIDER                                                                                   \
    {                                                                                              \
        .id = "provider", .title = "PROVIDER", .min = 8, .max = 20, .drop = 5, .kind = KIND_TEXT,  \
        .path = "provider_slug"                                                                    \
    }
#define KEY                                                                                        \
    {                                                                                              \
        .id = "key", .title = "KEY", .min = 3, .max = 32, .drop = 6, .kind = KIND_KEY,             \
        .path = "api_key_env"                                                                      \
    }

static const struct column route_columns[] = {
    {.id = "id", .title = "ID", .min = 4, .max = 20, .right = true, .kind = KIND_INT, .path = "id"},
    MODEL,
    {.id = "match",
     .title = "MATCH",
     .min = 6,
     .max = 6,
     .drop = 9,
     .kind = KIND_TEXT,
     .path = "match_type"},
    URL,
    UPSTREAM_MODEL,
    PROVIDER,
    KEY,
    {.id = "priority",
     .title = "PRIO",
     .min = 4,
     .max = 4,
     .right = true,
     .drop = 8,
     .kind = KIND_INT,
     .path = "priority"},
    {.id = "status",
     .title = "STATUS",
     .min = 6,
     .max = 8,
     .drop = 2,
     .kind = KIND_TEXT,
     .path = "status"},
    {.id = "source",
     .title = "SOURCE",
     .min = 6,
     .max = 7,
     .drop = 3,
     .kind = KIND_TEXT,
     .path = "source"},
    {.id = "requests",
     .title = "TODAY",
     .min = 5,
     .max = 8,
     .right = true,
     .drop = 1,
     .kind = KIND_COUNT,
     .path = "requests_today"},
    {.id = "last",
     .title = "LAST",
     .min = 5,
     .max = 27,
     .drop = 1,
     .kind = KIND_TIME,
     .path = "last_matched_at"},
    LIST_END,
};

#define ROUTE_FIELDS                                                                               \
    "id", "incoming_model", "match_type", "upstream_url", "upstream_model", "upstreams",           \
        "strategy", "retry_on", "max_attempts", "cooldown_ms", "fail_threshold",                   \
        "max_retry_wait_ms", "provider_slug", "provider_name", "api_key_env", "api_key_state",     \
        "auth_style", "compatibility_fixes", "override_fallback", "priority", "active", "status",  \
        "managed_by", "managed", "source", "file", "created_at", "updated_at"

static const char *const route_fields[] = {ROUTE_FIELDS, NULL};
static const char *const usage_fields[] = {ROUTE_FIELDS, "requests_today", "last_matched_at", NULL};

#define ROUTE_COLUMNS "id,model,match,url,upstream_model,provider,key,priority,status,source"
#define ROUTE_MACHINE                                                                              \
    "id,incoming_model,match_type,upstream_url,upstream_model,provider_slug,api_key_env,"          \
    "api_key_state,priority,status,source"

static const char *route_columns_for(size_t width)
{
    (void)width;
    return ROUTE_COLUMNS;
}

static const char *usage_columns_for(size_t width)
{
    (void)width;
    return ROUTE_COLUMNS ",requests,last";
}

const struct out_spec route_rows = {
    .columns = route_columns,
    .columns_for = route_columns_for,
    .machine = ROUTE_MACHINE,
    .fields = route_fields,
    .nothing = "no routes match",
    .pager = true,
};
const struct out_spec route_usage_rows = {
    .columns = route_columns,
    .columns_for = usage_columns_for,
    .machine = ROUTE_MACHINE ",requests_today,last_matched_at",
    .fields = usage_fields,
    .nothing = "no routes match",
    .pager = true,
};
const struct out_spec route_one = {.fields = route_fields};

/* ---- models used lately ---- */

static const struct column recent_columns[] = {
    {.id = "model",
     .title = "MODEL",
     .min = 12,
     .max = 48,
     .flex = true,
     .kind = KIND_TEXT,
     .path = "model"},
    {.id = "requests",
     .title = "REQUESTS",
     .min = 8,
     .max = 8,
     .right = true,
     .drop = 3,
     .kind = KIND_COUNT,
     .path = "requests"},
    {.id = "last",
     .title = "LAST",
     .min = 5,
     .max = 27,
     .drop = 4,
     .kind = KIND_TIME,
     .path = "last_used_at"},
    {.id = "status",
     .title = "STATUS",
     .min = 8,
     .max = 15,
     .drop = 1,
     .kind = KIND_TEXT,
     .path = "status"},
    {.id = "route",
     .title = "ROUTE",
     .min = 8,
     .max = 32,
     .drop = 2,
     .kind = KIND_TEXT,
     .path = "matched_route"},
    URL,
    UPSTREAM_MODEL,
    PROVIDER,
    {.id = "key",
     .title = "KEY",
     .min = 7,
     .max = 14,
     .drop = 6,
     .kind = KIND_TEXT,
     .path = "api_key_state"},
    LIST_END,
};

static const char *recent_columns_for(size_t width)
{
    (void)width;
    return "model,requests,last,status,route,url,upstream_model,provider,key";
}

static const char *const recent_fields[] = {
    "model",
    "requests",
    "last_used_at",
    "status",
    "matched_route",
    "match_type",
    "upstream_url",
    "upstream_model",
    "provider_slug",
    "provider_name",
    "api_key_state",
    "compatibility_fixes",
    NULL,
};

const struct out_spec recent_rows = {
    .columns = recent_columns,
    .columns_for = recent_columns_for,
    .machine = "model,requests,last_used_at,status,matched_route,match_type,upstream_url,"
               "upstream_model,provider_slug,api_key_state",
    .fields = recent_fields,
    .nothing = "no model was asked for",
    .pager = true,
};

/* ---- routes that prices give ---- */

static const struct column seed_columns[] = {
    {.id = "status", .title = "STATUS", .min = 6, .max = 26, .kind = KIND_TEXT, .path = "status"},
    MODEL,
    URL,
    UPSTREAM_MODEL,
    PROVIDER,
    KEY,
    LIST_END,
};

static const char *seed_columns_for(size_t width)
{
    (void)width;
    return "status,model,url,upstream_model,provider,key";
}

static const char *const seed_item_fields[] = {
    "incoming_model", "match_type",  "upstream_url", "upstream_model",
    "provider_slug",  "api_key_env", "priority",     "source_model",
    "source_alias",   "status",      NULL,
};

const struct out_spec seed_rows = {
    .columns = seed_columns,
    .columns_for = seed_columns_for,
    .machine = "status,incoming_model,upstream_url,upstream_model,provider_slug,api_key_env",
    .fields = seed_item_fields,
};

/* ---- single answers ---- */

static const char *const seed_fields[] = {
    "mode",         "managed_by", "total_candidates",
    "inserted",     "updated",    "skipped_existing",
    "skipped_user", "truncated",  "items",
    "stale",        "pruned",     NULL,
};
const struct out_spec seed_one = {.fields = seed_fields};

static const char *const simulation_fields[] = {
    "status",
    "matched_route",
    "match_type",
    "upstream_url",
    "upstream_model",
    "provider_slug",
    "provider_name",
    "api_key_state",
    "compatibility_fixes",
    "upstreams",
    "sample_request",
    "sample_request.curl",
    "sample_request.python",
    "sample_request.upstream_preview",
    NULL,
};
const struct out_spec simulation_one = {.fields = simulation_fields};

static const char *const test_fields[] = {
    "kind",        "url",          "ok",   "duration_ms", "model_route", "upstream_model",
    "status_code", "content_type", "body", "error",       NULL,
};
const struct out_spec test_one = {.fields = test_fields};
