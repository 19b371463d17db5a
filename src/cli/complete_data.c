/* Values that a server or a file knows: names of runs, models, routes. */
#include "base/query.h"
#include "complete.h"
#include "row.h"
#include "source.h"
#include "json/json_scan.h"

/* Where the values of a kind are. */
struct data_kind {
    const char *kind, *path, *query;
    const char *list;    /* the member with the array; NULL: the answer is it */
    const char *value;   /* in an element; NULL: the element */
    const char *about;   /* in an element, or NULL */
    const char *command; /* only for this one; NULL: for all */
};

static const struct data_kind kinds[] = {
    {"RUN", "/api/runs", "", "items", "name", "status"},
    {"RUN", "/api/runs", "", "items", "id", "name"},
    {"MODEL", "/api/requests", "per_page=1", "models", NULL, NULL},
    {"ROUTE", "/admin/api/routes", "per_page=100", "items", "incoming_model", "upstream_url"},
    {"PROVIDER", "/admin/api/providers", "per_page=100", "items", "slug", "name"},
    {"SLUG", "/admin/api/providers", "per_page=100", "items", "slug", "name"},
    {"ID", "/api/requests", "per_page=50&facets=0", "items", "id", "model"},
    {"KEY", "/admin/api/settings/values", "", NULL, "key", "help", .command = "config"},
    {"PRICE", "/admin/api/pricing/prices", "per_page=100", "items", "key", "display_name"},
    {"FIX", "/admin/api/settings/compat-fixes", "", "available", "id", "label"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* The words that stand for one of a kind. */
static const struct {
    const char *kind, *word, *about;
} words[] = {
    {"RUN", "active", "the run that is active"},
    {"RUN", "paused", "the newest paused run"},
    {"RUN", "last", "the newest run"},
    {"ID", "last", "the newest request"},
    {"ID", "last-error", "the newest that failed"},
};

static void add_element(struct completion *c, const struct data_kind *k, struct str element)
{
    struct buf value = {0}, about = {0};
    struct row row = {0};
    bool found;

    if (!k->value) {
        found = value_text(element, &value);
    } else {
        found = row_read(&row, element) && row_text(&row, k->value, &value);
        if (found && k->about)
            row_text(&row, k->about, &about);
    }
    if (found)
        complete_add(c, buf_str(&value), buf_str(&about));
    row_clear(&row);
    buf_clear(&value);
    buf_clear(&about);
}

static void add_list(struct completion *c, const struct data_kind *k, struct source *source)
{
    struct buf text = {0};
    struct str answer, list;
    struct err ignored;

    if (source_send(source, k->kind, "GET", k->path, k->query, STR_NONE, 0, &text, &answer,
                    &ignored) == 0) {
        list = answer;
        if ((!k->list || json_member(answer, str_c(k->list), &list)) &&
            json_type_of(list) == JSON_ARRAY) {
            struct json_iter it = json_iter(list);

            while (c->count < COMPLETE_MAX && json_next(&it))
                add_element(c, k, it.value);
        }
    }
    buf_clear(&text);
}

/* The models that have a price of the provider. */
static void add_prices(struct completion *c, struct source *source)
{
    struct buf query = {0};
    struct data_kind prices = {"MODEL",       "/admin/api/pricing/prices", NULL, "items", "model",
                               "display_name"};

    buf_put(&query, STR("per_page=100&provider="));
    query_encode(&query, str_c(c->provider));
    prices.query = query.ptr;
    add_list(c, &prices, source);
    buf_clear(&query);
}

static bool is_meant(const struct data_kind *k, const char *kind, const struct completion *c)
{
    return strcmp(k->kind, kind) == 0 && (!k->command || strcmp(k->command, c->command) == 0);
}

static void ask(struct completion *c, const char *kind, struct source *source)
{
    if (c->provider && strcmp(kind, "MODEL") == 0) {
        add_prices(c, source);
        return;
    }
    for (size_t i = 0; i < KINDS; i++)
        if (is_meant(&kinds[i], kind, c))
            add_list(c, &kinds[i], source);
}

static bool is_known(const char *kind, const struct completion *c)
{
    for (size_t i = 0; i < KINDS; i++)
        if (is_meant(&kinds[i], kind, c))
            return true;
    return false;
}

bool complete_data(struct completion *c, const char *kind, const char *url, const char *database)
{
    struct source source = {0};
    struct buf option = {0};
    struct cli cli;
    struct err ignored;
    char *argv[1];

    if (!is_known(kind, c))
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].kind, kind) == 0)
            complete_add(c, str_c(words[i].word), str_c(words[i].about));
    if (url || database)
        buf_printf(&option, "--%s=%s", url ? "url" : "database-url", url ? url : database);
    argv[0] = option.ptr;
    if (cli_parse(&cli, "__complete", NULL, option.ptr ? 1 : 0, argv, &ignored) == 0) {
        cli.quiet = true;
        if (source_open(&source, &cli, &ignored) == 0)
            ask(c, kind, &source);
    }
    source_close(&source);
    cli_clear(&cli);
    buf_clear(&option);
    return true;
}
