#include "core/price_import.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/money.h"
#include "core/price_import_priv.h"
#include "core/price_json.h"

#define ROWS_MAX 20000
#define SLOTS 65536 /* a power of two above 2 * ROWS_MAX */
#define PROVIDERS_MAX 1000
#define IGNORED_MAX 600

static const struct {
    const char *name, *url;
    int (*read)(struct price_importer *im, struct str document);
} formats[] = {
    {"catalog", NULL, price_import_catalog},
    {"litellm", IMPORT_LITELLM_URL, price_import_litellm},
    {"models.dev", IMPORT_MODELS_DEV_URL, price_import_models_dev},
};
#define FORMATS (sizeof(formats) / sizeof(*formats))

static size_t find_format(struct str source)
{
    size_t i = 0;

    while (i < FORMATS && !str_eq(source, str_c(formats[i].name)))
        i++;
    return i;
}

bool price_import_format_ok(struct str source)
{
    return find_format(source) < FORMATS;
}

struct str price_import_url(struct str source)
{
    size_t i = find_format(source);

    return i < FORMATS ? str_c(formats[i].url) : STR_NONE;
}

/* ---- values ---- */

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7F)
            return true;
    return false;
}

struct str price_import_text(struct price_importer *im, struct str value, size_t most)
{
    struct buf text = {0};
    struct str out = STR_NONE, trimmed;
    struct err ignored;

    /* An escaped character takes up to six bytes. */
    if (json_type_of(value) != JSON_STRING || value.len > 6 * most + 2)
        return STR_NONE;
    if (json_string(value, &text, &ignored) == 0) {
        trimmed = str_trim(buf_str(&text));
        if (trimmed.len > 0 && trimmed.len <= most && !has_control(trimmed))
            out = arena_dup(&im->rows->arena, trimmed);
    }
    buf_clear(&text);
    return out;
}

struct str price_import_key(struct price_importer *im, struct str raw, size_t most)
{
    return price_import_text(im, (struct str){raw.ptr - 1, raw.len + 2},
                             most); /* with its quotes */
}

void price_import_rate(struct price_import_rates *r, enum price_rate rate, struct str value,
                       bool per_token)
{
    struct str text = value;
    int64_t out = UNKNOWN;

    if (json_type_of(value) == JSON_NULL)
        return;
    if (json_type_of(value) == JSON_STRING)
        text = (struct str){value.ptr + 1, value.len - 2}; /* a number has no escapes */
    else if (json_type_of(value) != JSON_NUMBER)
        text = STR("x");
    if (str_trim(text).len == 0)
        return;
    if (per_token ? money_rate_of_token(text, &out) : money_rate(text, &out))
        r->rates.of[rate] = out;
    else
        r->bad = true;
}

bool price_import_is_past(const struct price_importer *im, struct str date)
{
    return date.len == 10 && im->today.len == 10 && memcmp(date.ptr, im->today.ptr, 10) <= 0;
}

/* ---- what the options select ---- */

void price_import_skip(struct price_importer *im, enum sync_skip why)
{
    im->rows->skipped[why]++;
}

bool price_import_wants(const struct price_importer *im, struct str slug)
{
    for (size_t i = 0; i < im->o->provider_count; i++)
        if (str_eq(im->o->providers[i], slug))
            return true;
    return im->o->provider_count == 0;
}

bool price_import_matches(const struct price_importer *im, const struct str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (texts[i].ptr && str_ifind(texts[i], im->o->search) >= 0)
            return true;
    return im->o->search.len == 0;
}

bool price_import_has_provider(struct price_importer *im, const struct provider *p)
{
    struct sync_rows *rows = im->rows;

    if (price_book_provider(im->book, p->slug))
        return true;
    if (!im->o->create_providers || !provider_slug_ok(p->slug))
        return false;
    for (size_t i = 0; i < rows->provider_count; i++)
        if (str_eq(rows->providers[i].slug, p->slug))
            return true;
    if (rows->provider_count == PROVIDERS_MAX)
        return false;
    if (!rows->providers)
        rows->providers = arena_alloc(&rows->arena, PROVIDERS_MAX * sizeof(*rows->providers));
    if (!rows->providers)
        return false;
    rows->providers[rows->provider_count++] = *p;
    return true;
}

/* ---- rows ---- */

/* False when there is a row of that key already; the table is as large as it ever gets. */
static bool remember(struct price_importer *im, struct str key)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    size_t at;

    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.ptr[i]) * UINT64_C(1099511628211);
    for (at = (hash ^ hash >> 32) % SLOTS; im->seen[at]; at = (at + 1) % SLOTS)
        if (str_eq(im->rows->rows[im->seen[at] - 1].key, key))
            return false;
    im->seen[at] = (uint32_t)im->rows->count + 1;
    return true;
}

struct sync_row *price_import_start(struct price_importer *im, struct str slug, struct str model,
                                    enum sync_depth depth)
{
    struct sync_row *row;

    if (im->rows->count == ROWS_MAX) {
        err_set(im->err, ERR_INVALID, "The document has more than %d prices.", ROWS_MAX);
        return NULL;
    }
    row = sync_start(im->rows, slug, model, im->today, im->err);
    if (!row)
        return NULL;
    row->depth = depth;
    row->base = true;
    if (remember(im, row->key))
        return row;
    price_import_skip(im, SKIP_DUPLICATE);
    return NULL;
}

void price_import_keep(struct price_importer *im)
{
    im->rows->count++;
    im->full = im->o->limit > 0 && (int64_t)im->rows->count >= im->o->limit;
}

/* ---- tiers ---- */

bool price_import_tiers(struct price_importer *im, struct price *p, const int64_t *above,
                        const struct rates *rates, size_t count, int64_t step)
{
    struct price_tier *tiers = arena_alloc(&im->rows->arena, (count + 1) * sizeof(*tiers));

    if (!tiers)
        return err_set(im->err, ERR_NO_MEMORY, "no memory for tiers") == 0;
    for (size_t i = 0; i <= count; i++)
        tiers[i] = (struct price_tier){
            .min = i == 0 ? 0 : above[i - 1] + step,
            .max = i == count ? UNKNOWN : above[i] + step,
            .rates = i == 0 ? p->rates : rates[i - 1],
        };
    p->tiers = tiers;
    p->tier_count = count + 1;
    price_import_labels(im, p);
    return true;
}

/* "200K", "1M", "1500" for a bound that is one above it, or not. */
static struct str size_text(struct price_importer *im, int64_t bound)
{
    int64_t n = bound % 1000 == 1 ? bound - 1 : bound;

    if (n >= 1000000 && n % 1000000 == 0)
        return arena_printf(&im->rows->arena, "%" PRId64 "M", n / 1000000);
    if (n >= 1000 && n % 1000 == 0)
        return arena_printf(&im->rows->arena, "%" PRId64 "K", n / 1000);
    return arena_printf(&im->rows->arena, "%" PRId64, n);
}

void price_import_labels(struct price_importer *im, struct price *p)
{
    struct arena *a = &im->rows->arena;

    for (size_t i = 0; i < p->tier_count; i++) {
        struct price_tier *t = &p->tiers[i];
        struct str min = size_text(im, t->min), max = STR_NONE;

        if (t->max != UNKNOWN)
            max = size_text(im, t->max);
        if (t->max == UNKNOWN)
            t->label = t->min % 1000 == 1 ? arena_printf(a, ">%.*s", STR_ARG(min))
                                          : arena_printf(a, ">=%.*s", STR_ARG(min));
        else if (t->min == 0)
            t->label = t->max % 1000 == 1 ? arena_printf(a, "<=%.*s", STR_ARG(max))
                                          : arena_printf(a, "<%.*s", STR_ARG(max));
        else
            t->label = arena_printf(a, "%.*s-%.*s", STR_ARG(min), STR_ARG(max));
    }
}

/* ---- notes ---- */

void price_import_note(struct buf *notes, const char *key, struct str value)
{
    if (value.ptr)
        buf_printf(notes, "%s%s=%.*s", notes->len ? "; " : "", key, STR_ARG(value));
}

void price_import_ignored(struct buf *ignored, struct str name)
{
    if (ignored->len + name.len < IGNORED_MAX)
        buf_printf(ignored, "%s%.*s", ignored->len ? "," : "", STR_ARG(name));
}

/* ---- documents ---- */

int price_import_rows(struct sync_rows *rows, const struct sync_options *o,
                      const struct price_book *book, struct str document, struct str today,
                      struct err *err)
{
    struct price_importer im = {.rows = rows, .o = o, .book = book, .today = today, .err = err};
    size_t format = find_format(o->source);
    struct str value;
    int rc;

    if (format == FORMATS)
        return err_set(err, ERR_INVALID, "The format must be catalog, litellm or models.dev.");
    if (document.len > IMPORT_DOCUMENT_MAX)
        return err_set(err, ERR_TOO_LARGE, "The document is larger than %zu MiB.",
                       IMPORT_DOCUMENT_MAX >> 20);
    if (json_scan(document, &value) == JSON_INVALID)
        return err_set(err, ERR_INVALID, "The document is not JSON, or is nested too deeply.");
    if (json_type_of(value) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "The document is no JSON object.");
    im.seen = calloc(SLOTS, sizeof(*im.seen));
    if (!im.seen)
        return err_set(err, ERR_NO_MEMORY, "no memory for the rows of a catalogue");
    err->code = ERR_NONE;
    rc = formats[format].read(&im, value);
    free(im.seen);
    return rc;
}
