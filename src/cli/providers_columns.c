#include "providers_columns.h"

static const struct column provider_columns[] = {
    {.id = "slug", .title = "SLUG", .min = 8, .max = 24, .kind = KIND_TEXT, .path = "slug"},
    {.id = "name",
     .title = "NAME",
     .min = 10,
     .max = 32,
     .flex = true,
     .drop = 5,
     .kind = KIND_TEXT,
     .path = "name"},
    {.id = "base_url",
     .title = "URL",
     .min = 16,
     .max = 60,
     .flex = true,
     .drop = 3,
     .kind = KIND_TEXT,
     .path = "base_url"},
    {.id = "key",
     .title = "KEY",
     .min = 3,
     .max = 32,
     .drop = 6,
     .kind = KIND_KEY,
     .path = "api_key_env"},
    {.id = "status",
     .title = "STATUS",
     .min = 6,
     .max = 8,
     .drop = 1,
     .kind = KIND_TEXT,
     .path = "status"},
    {.id = "default",
     .title = "DEFAULT",
     .min = 7,
     .max = 7,
     .drop = 4,
     .kind = KIND_FLAG,
     .path = "is_default_fallback"},
    {.id = "models",
     .title = "MODELS",
     .min = 6,
     .max = 8,
     .right = true,
     .drop = 7,
     .kind = KIND_INT,
     .path = "model_count"},
    {.id = "routes",
     .title = "ROUTES",
     .min = 6,
     .max = 8,
     .right = true,
     .drop = 8,
     .kind = KIND_INT,
     .path = "route_count"},
    {.id = "requests",
     .title = "TODAY",
     .min = 5,
     .max = 8,
     .right = true,
     .drop = 2,
     .kind = KIND_COUNT,
     .path = "requests_today"},
    {.id = "cost",
     .title = "COST",
     .min = 8,
     .max = 12,
     .right = true,
     .drop = 2,
     .kind = KIND_MONEY,
     .path = "estimated_cost_usd"},
    LIST_END,
};

#define PROVIDER_FIELDS                                                                            \
    "slug", "name", "upstream_url", "base_url", "currency", "api_key_env", "api_key_state",        \
        "auth_style", "active", "status", "is_default_fallback", "capabilities",                   \
        "capabilities.text", "capabilities.vision", "capabilities.tool_calling", "model_count",    \
        "route_count", "created_at", "updated_at"
#define PROVIDER_COLUMNS "slug,name,base_url,key,status,default,models,routes"
#define PROVIDER_MACHINE                                                                           \
    "slug,name,base_url,api_key_env,api_key_state,status,is_default_fallback,model_count,"         \
    "route_count"

static const char *const provider_fields[] = {PROVIDER_FIELDS, NULL};
static const char *const usage_fields[] = {PROVIDER_FIELDS, "requests_today", "estimated_cost_usd",
                                           NULL};

static const char *provider_columns_for(size_t width)
{
    (void)width;
    return PROVIDER_COLUMNS;
}

static const char *usage_columns_for(size_t width)
{
    (void)width;
    return PROVIDER_COLUMNS ",requests,cost";
}

const struct out_spec provider_rows = {
    .columns = provider_columns,
    .columns_for = provider_columns_for,
    .machine = PROVIDER_MACHINE,
    .fields = provider_fields,
    .nothing = "no providers match",
    .pager = true,
};
const struct out_spec provider_usage_rows = {
    .columns = provider_columns,
    .columns_for = usage_columns_for,
    .machine = PROVIDER_MACHINE ",requests_today,estimated_cost_usd",
    .fields = usage_fields,
    .nothing = "no providers match",
    .pager = true,
};
const struct out_spec provider_one = {.fields = provider_fields};

/* ---- checks ---- */

static const struct column check_columns[] = {
    {.id = "slug",
     .title = "SLUG",
     .min = 16,
     .max = 24,
     .kind = KIND_TEXT,
     .path = "provider_slug"},
    {.id = "status", .title = "STATUS", .min = 7, .max = 7, .kind = KIND_TEXT, .path = "status"},
    {.id = "latency",
     .title = "LATENCY",
     .min = 7,
     .max = 8,
     .right = true,
     .drop = 2,
     .kind = KIND_DURATION,
     .path = "latency_ms"},
    {.id = "key",
     .title = "KEY",
     .min = 14,
     .max = 14,
     .drop = 3,
     .kind = KIND_TEXT,
     .path = "auth_state"},
    {.id = "message",
     .title = "MESSAGE",
     .min = 8,
     .max = 200,
     .flex = true,
     .drop = 1,
     .kind = KIND_TEXT,
     .path = "message"},
    LIST_END,
};

static const char *check_columns_for(size_t width)
{
    (void)width;
    return "slug,status,latency,key,message";
}

static const char *const check_fields[] = {
    "provider_slug", "status", "latency_ms", "auth_state", "message", "checked_at", NULL,
};

const struct out_spec check_rows = {
    .columns = check_columns,
    .columns_for = check_columns_for,
    .machine = "provider_slug,status,latency_ms,auth_state,message",
    .fields = check_fields,
    .nothing = "no provider is active",
};
