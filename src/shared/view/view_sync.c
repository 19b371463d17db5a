#include "view/view_sync.h"

#include "core/money.h"
#include "view/display.h"
#include "view/view_price.h"
#include "view/view_priv.h"
#include "json/json.h"

static const enum price_rate shown[] = {RATE_INPUT, RATE_CACHED_INPUT, RATE_OUTPUT};
static const char *const status_text[] = {
    [SYNC_NEW] = "new",
    [SYNC_UPDATE] = "update",
    [SYNC_UNCHANGED] = "unchanged",
};

static void put_display(cJSON *o, const struct sync_row *row)
{
    cJSON *display = cJSON_AddObjectToObject(o, "display");

    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
        view_put_rate_display(display, rate_key[shown[i]], row->price.rates.of[shown[i]]);
    view_put_compact(display, "context_length", row->price.context_length);
    json_put_text(display, "supports_tools",
                  row->supports_tools < 0 ? "-"
                  : row->supports_tools   ? "Yes"
                                          : "No");
}

static void put_price(cJSON *o, const struct price *p)
{
    cJSON *aliases;

    json_put_str(o, "source", p->provider_slug);
    json_put_str(o, "provider_slug", p->provider_slug);
    json_put_str(o, "model", p->model);
    json_put_str(o, "display_name", p->display_name);
    aliases = cJSON_AddArrayToObject(o, "aliases");
    for (size_t i = 0; i < p->alias_count; i++)
        json_add_str(aliases, p->aliases[i]);
    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
        char text[MONEY_SIZE];
        int64_t rate = p->rates.of[shown[i]];

        json_put_text(o, rate_key[shown[i]], rate == UNKNOWN ? NULL : money_rate_print(rate, text));
    }
    json_put_str(o, "source_url", p->source_url);
    json_put_str(o, "checked_at", p->checked_at);
    json_put_str(o, "notes", p->notes);
}

static cJSON *item(const struct sync_row *row)
{
    cJSON *o = cJSON_CreateObject();

    json_put_str(o, "key", row->key);
    put_price(o, &row->price);
    json_put_text(o, "row_kind", row->base ? "base" : "provider");
    json_put_str(o, "external_provider", row->external_provider);
    json_put_int(o, "context_length", row->price.context_length);
    if (row->supports_tools < 0)
        json_put_null(o, "supports_tools");
    else
        json_put_bool(o, "supports_tools", row->supports_tools);
    json_put_text(o, "status", status_text[row->status]);
    json_put_bool(o, "selected", row->status != SYNC_UNCHANGED && !row->edited);
    json_put_bool(o, "edited", row->edited);
    put_display(o, row);
    return o;
}

cJSON *view_sync(const struct sync_options *o, const struct sync_rows *rows)
{
    int64_t counts[3] = {0};
    cJSON *out = cJSON_CreateObject(), *items, *sums;

    json_put_str(out, "source", o->source);
    json_put_str(out, "search", o->search);
    json_put_int(out, "limit", o->limit);
    json_put_bool(out, "include_base_rows", o->base_rows);
    json_put_bool(out, "include_provider_rows", o->provider_rows);
    items = cJSON_AddArrayToObject(out, "items");
    for (size_t i = 0; i < rows->count; i++) {
        cJSON_AddItemToArray(items, item(&rows->rows[i]));
        counts[rows->rows[i].status]++;
    }
    json_put_int(out, "total", (int64_t)rows->count);
    sums = cJSON_AddObjectToObject(out, "counts");
    for (size_t i = 0; i < 3; i++)
        json_put_int(sums, status_text[i], counts[i]);
    return out;
}
