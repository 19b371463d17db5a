/* core/price_import_priv.h - what the readers of price files share. */
#ifndef CORE_PRICE_IMPORT_PRIV_H
#define CORE_PRICE_IMPORT_PRIV_H

#include "core/price_import.h"
#include "json/json_scan.h"

#define IMPORT_TIERS_MAX 32

struct price_importer {
    struct sync_rows *rows;
    const struct sync_options *o;
    const struct price_book *book;
    struct str today;
    uint32_t *seen; /* a hash table of row numbers + 1 */
    bool full;      /* as many rows as the options want */
    struct err *err;
};

/** Rates as a document has them. */
struct price_import_rates {
    struct rates rates;
    bool bad; /* one was no price */
};

void price_import_skip(struct price_importer *im, enum sync_skip why);
/** The text of a JSON string, trimmed, in the arena of the rows; STR_NONE when it is another value,
 *  blank, longer than most, or has control characters. */
struct str price_import_text(struct price_importer *im, struct str value, size_t most);
/** The same for the raw key of a member. */
struct str price_import_key(struct price_importer *im, struct str raw, size_t most);
/** Take a rate, a number or a string; null and "" are none. */
void price_import_rate(struct price_import_rates *r, enum price_rate rate, struct str value,
                       bool per_token);
/** Whether the options ask for this provider. */
bool price_import_wants(const struct price_importer *im, struct str slug);
/** Whether rows of this provider can be stored: it exists, or the options say to create it. */
bool price_import_has_provider(struct price_importer *im, const struct provider *p);
/** Whether one of the texts has what the options search. */
bool price_import_matches(const struct price_importer *im, const struct str *texts, size_t count);
/** A row to be filled. NULL: none is needed (it is counted) or im->err is filled. */
struct sync_row *price_import_start(struct price_importer *im, struct str slug, struct str model,
                                    enum sync_depth depth);
/** Keep the row that was started last. */
void price_import_keep(struct price_importer *im);
/** Turn ascending thresholds and the rates above each into tiers of p, below them the rates of p.
 *  step: 1 when an input of exactly a threshold is not above it, else 0. */
bool price_import_tiers(struct price_importer *im, struct price *p, const int64_t *above,
                        const struct rates *rates, size_t count, int64_t step);
/** Append "key=value" to notes, separated by "; ". */
void price_import_note(struct buf *notes, const char *key, struct str value);
/** Append name to the list "ignored=a,b", which comes last. */
void price_import_ignored(struct buf *ignored, struct str name);
/** Labels for tiers: "<=200K", "32K-128K", ">200K". */
void price_import_labels(struct price_importer *im, struct price *p);
/** 1 when the date (YYYY-MM-DD) is on or before today. */
bool price_import_is_past(const struct price_importer *im, struct str date);

int price_import_litellm(struct price_importer *im, struct str document);
int price_import_models_dev(struct price_importer *im, struct str document);
int price_import_catalog(struct price_importer *im, struct str document);

#endif
