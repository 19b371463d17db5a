/* core/sync.h - prices out of the model lists that routers publish, and the rows that these and
 * other price files (core/price_import.h) become. Pure: documents in, rows out. */
#ifndef CORE_SYNC_H
#define CORE_SYNC_H

#include <cjson/cJSON.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "core/price.h"
#include "core/provider.h"

#define SYNC_HUGGINGFACE_URL "https://router.huggingface.co/v1/models"
#define SYNC_OPENROUTER_URL "https://openrouter.ai/api/v1/models"

struct sync_options {
    struct str source; /* huggingface-router, openrouter, or a format of core/price_import.h */
    struct str search; /* part of a model's names, without case; "" all */
    int64_t limit;     /* models, after the search; imports: 0 is all */
    bool base_rows, provider_rows;
    /* of imports */
    const struct str *providers; /* only these; none: all */
    size_t provider_count;
    bool create_providers, include_deprecated;
};

/** Why entries of a price file are left out. */
#define SYNC_SKIPS(X)                                                                              \
    X(UNKNOWN_PROVIDER, unknown_provider)                                                          \
    X(UNSUPPORTED_MODE, unsupported_mode)                                                          \
    X(NO_TOKEN_PRICE, no_token_price)                                                              \
    X(BAD_PRICE, bad_price)                                                                        \
    X(DEPRECATED, deprecated)                                                                      \
    X(DUPLICATE, duplicate)

enum sync_skip {
#define X(constant, name) SKIP_##constant,
    SYNC_SKIPS(X)
#undef X
        SKIP_COUNT
};

enum sync_status { SYNC_NEW, SYNC_UPDATE, SYNC_UNCHANGED };

/** How much a source knows of a price. */
enum sync_depth {
    SYNC_RATES, /* no tiers, variants, one-hour and reasoning rates: the stored ones stay */
    SYNC_FACTS, /* what it does not tell stays, and aliases are added to the stored ones */
    SYNC_WHOLE, /* all of it: the stored price becomes this one */
};

/** One price as a router or a price file has it today. */
struct sync_row {
    struct price price; /* id: of the stored one, 0 when it is new */
    enum sync_depth depth;
    struct str key; /* provider_slug:model */
    bool base;      /* of the model; else of one of its endpoints */
    struct str external_provider;
    int supports_tools; /* 1, 0, or -1: not known */
    enum sync_status status;
    bool edited; /* a person changed the stored price */
    bool chosen; /* to be applied */
};

/** {0} is empty; texts are in the arena. */
struct sync_rows {
    struct arena arena;
    struct sync_row *rows;
    size_t count, cap;
    int64_t skipped[SKIP_COUNT]; /* entries of an import */
    struct provider *providers;  /* that rows need and that do not exist yet */
    size_t provider_count;
};

/** The models of a list document that the options select, as borrowed items. Returns how many, at
 *  most most. */
size_t sync_models(const cJSON *list, const struct sync_options *o, const cJSON **out, size_t most);
/** Where OpenRouter tells the endpoints of a model; in arena. */
struct str sync_endpoints_url(const cJSON *model, struct arena *arena);

/** Add the rows of one model. today: YYYY-MM-DD, borrowed until the rows go. ERR_NO_MEMORY. */
int sync_add_huggingface(struct sync_rows *rows, const struct sync_options *o, const cJSON *model,
                         struct str today, struct err *err);
/** endpoints: the document at endpoints_url, or NULL: only the base row is made. */
int sync_add_openrouter(struct sync_rows *rows, const struct sync_options *o, const cJSON *model,
                        const cJSON *endpoints, struct str endpoints_url, struct str today,
                        struct err *err);
/** A new row for model of a provider, counted once the caller does so. Texts are copied; today is
 *  borrowed. NULL: ERR_NO_MEMORY. */
struct sync_row *sync_start(struct sync_rows *rows, struct str provider_slug, struct str model,
                            struct str today, struct err *err);
/** Compare the rows with what is stored. */
void sync_compare(struct sync_rows *rows, const struct price_book *book);
/** The price to store for a row: what its source knows, and what the stored one has besides. Lists
 *  are borrowed from row and book, or in arena. */
struct price sync_price(const struct sync_row *row, const struct price_book *book,
                        struct arena *arena);
/** Mark the rows with these keys as chosen. Writes the keys that no row has to the front of keys.
 *  Returns how many these are. */
size_t sync_choose(struct sync_rows *rows, struct str *keys, size_t count);
void sync_clear(struct sync_rows *rows);

/** A preview that may be applied later as it was shown: immutable and counted. */
#define SYNC_PREVIEW_US (INT64_C(600) * 1000000)
#define SYNC_PREVIEWS 8
struct sync_preview {
    _Atomic int refs;
    char id[24];
    int64_t made_us;             /* monotonic */
    struct sync_options options; /* texts in rows.arena */
    struct sync_rows rows;
};
/** Accepts NULL. */
void sync_preview_unref(struct sync_preview *p);

#endif
