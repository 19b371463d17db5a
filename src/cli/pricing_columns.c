/* The columns and fields of prices and of what a price list brings. */
#include "pricing_priv.h"

#define RATE(name, head, rank, where)                                                              \
    {                                                                                              \
        .id = name, .title = head, .min = 6, .max = 14, .right = true, .drop = rank,               \
        .kind = KIND_TEXT, .path = where                                                           \
    }

static const struct column price_columns[] = {
    {.id = "key",
     .title = "KEY",
     .min = 20,
     .max = 60,
     .flex = true,
     .kind = KIND_TEXT,
     .path = "key"},
    RATE("input", "INPUT", 0, "input_usd_per_million"),
    RATE("cached", "CACHED", 2, "cached_input_usd_per_million"),
    RATE("output", "OUTPUT", 0, "output_usd_per_million"),
    RATE("write", "WRITE", 5, "cache_write_usd_per_million"),
    RATE("write_1h", "WRITE 1H", 8, "cache_write_1h_usd_per_million"),
    RATE("reasoning", "REASON", 7, "reasoning_usd_per_million"),
    {.id = "tiers",
     .title = "TIERS",
     .min = 5,
     .max = 5,
     .right = true,
     .drop = 4,
     .kind = KIND_LENGTH,
     .path = "tiers"},
    {.id = "status",
     .title = "STATUS",
     .min = 6,
     .max = 8,
     .drop = 1,
     .kind = KIND_TEXT,
     .path = "status"},
    {.id = "checked",
     .title = "CHECKED",
     .min = 10,
     .max = 10,
     .drop = 3,
     .kind = KIND_TEXT,
     .path = "checked_at"},
    {.id = "name",
     .title = "NAME",
     .min = 8,
     .max = 32,
     .flex = true,
     .drop = 6,
     .kind = KIND_TEXT,
     .path = "display_name"},
    LIST_END,
};

#define RATES                                                                                      \
    "input_usd_per_million", "cached_input_usd_per_million", "output_usd_per_million",             \
        "cache_write_usd_per_million", "cache_write_1h_usd_per_million",                           \
        "reasoning_usd_per_million"

static const char *const price_fields[] = {
    "id",           "key",        "provider_slug", "provider_name",  "model",
    "display_name", "aliases",    RATES,           "context_length", "active",
    "status",       "source_url", "checked_at",    "release_date",   "notes",
    "seeded",       "edited",     "created_at",    "updated_at",     "tiers",
    "variants",     NULL,
};

static const char *price_columns_for(size_t width)
{
    (void)width;
    return "key,input,cached,output,write,tiers,status,checked";
}

const struct out_spec price_rows = {
    .columns = price_columns,
    .columns_for = price_columns_for,
    .machine = "key,input_usd_per_million,cached_input_usd_per_million,output_usd_per_million,"
               "cache_write_usd_per_million,tiers,status,checked_at",
    .fields = price_fields,
    .nothing = "no prices match",
    .pager = true,
};
const struct out_spec price_one = {.fields = price_fields};

static const char *const found_fields[] = {"price_match",
                                           "price",
                                           "price.id",
                                           "price.key",
                                           "price.input_usd_per_million",
                                           "price.cached_input_usd_per_million",
                                           "price.output_usd_per_million",
                                           "price.tiers",
                                           NULL};
const struct out_spec price_found = {.fields = found_fields};

/* ---- price lists ---- */

#define NEW_RATE(name, head, rank, where)                                                          \
    {                                                                                              \
        .id = name, .title = head, .min = 6, .max = 26, .right = true, .drop = rank,               \
        .kind = KIND_NEW, .path = where, .live = "stored." where                                   \
    }

static const struct column sync_columns[] = {
    {.id = "status",
     .title = "STATUS",
     .min = 6,
     .max = 9,
     .drop = 1,
     .kind = KIND_TEXT,
     .path = "status"},
    {.id = "key",
     .title = "KEY",
     .min = 20,
     .max = 60,
     .flex = true,
     .kind = KIND_TEXT,
     .path = "key"},
    NEW_RATE("input", "INPUT", 0, "input_usd_per_million"),
    NEW_RATE("cached", "CACHED", 2, "cached_input_usd_per_million"),
    NEW_RATE("output", "OUTPUT", 0, "output_usd_per_million"),
    LIST_END,
};

static const char *sync_columns_for(size_t width)
{
    (void)width;
    return "status,key,input,cached,output";
}

static const char *const sync_item_fields[] = {
    "key",
    "source",
    "provider_slug",
    "model",
    "display_name",
    "aliases",
    RATES,
    "stored",
    "stored.input_usd_per_million",
    "stored.cached_input_usd_per_million",
    "stored.output_usd_per_million",
    "source_url",
    "checked_at",
    "release_date",
    "notes",
    "active",
    "row_kind",
    "external_provider",
    "context_length",
    "supports_tools",
    "status",
    "selected",
    "edited",
    NULL,
};

const struct out_spec sync_rows = {
    .columns = sync_columns,
    .columns_for = sync_columns_for,
    .machine = "status,key,input_usd_per_million,stored.input_usd_per_million,"
               "cached_input_usd_per_million,stored.cached_input_usd_per_million,"
               "output_usd_per_million,stored.output_usd_per_million",
    .fields = sync_item_fields,
};

/* Members of previews and of what was applied. */
static const char *const sync_fields[] = {
    "source",
    "search",
    "limit",
    "items",
    "total",
    "counts",
    "counts.new",
    "counts.update",
    "counts.unchanged",
    "preview_id",
    "applied",
    "created",
    "updated",
    "unchanged",
    "created_providers",
    "repriced_missing",
    "warnings",
    "preview",
    NULL,
};
const struct out_spec sync_one = {.fields = sync_fields};

/* ---- other answers ---- */

static const char *const backfill_fields[] = {"kind", "repriced", "examined", NULL};
const struct out_spec backfill_one = {.fields = backfill_fields};

static const char *const estimate_fields[] = {
    "cost_usd",        "input_cost_usd",   "cached_input_cost_usd",
    "output_cost_usd", "pricing_snapshot", NULL,
};
const struct out_spec estimate_one = {.fields = estimate_fields};
