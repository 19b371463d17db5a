/* core/import_priv.h - what the readers of price files share. */
#ifndef CORE_IMPORT_PRIV_H
#define CORE_IMPORT_PRIV_H

#include "core/import.h"
#include "json/json_scan.h"

#define IMPORT_TIERS_MAX 32

struct importer {
    struct sync_rows *rows;
    const struct sync_options *o;
    const struct price_book *book;
    struct str today;
    uint32_t *seen; /* a hash table of row numbers + 1 */
    bool full;      /* as many rows as the options want */
    struct err *err;
};

/** Rates as a document has them. */
struct import_rates {
    struct rates rates;
    bool bad; /* one was no price */
};

void import_skip(struct importer *im, enum sync_skip why);
/** The text of a JSON string, trimmed, in the arena of the rows; STR_NONE when it is another value,
 *  blank, longer than most, or has control characters. */
struct str import_text(struct importer *im, struct str value, size_t most);
/** The same for the raw key of a member. */
struct str import_key(struct importer *im, struct str raw, size_t most);
/** Take a rate, a number or a string; null and "" are none. */
void import_rate(struct import_rates *r, enum price_rate rate, struct str value, bool per_token);
/** Whether the options ask for this provider. */
bool import_wants(const struct importer *im, struct str slug);
/** Whether rows of this provider can be stored: it exists, or the options say to create it. */
bool import_has_provider(struct importer *im, const struct provider *p);
/** Whether one of the texts has what the options search. */
bool import_matches(const struct importer *im, const struct str *texts, size_t count);
/** A row to be filled. NULL: none is needed (it is counted) or im->err is filled. */
struct sync_row *import_start(struct importer *im, struct str slug, struct str model,
                              enum sync_depth depth);
/** Keep the row that was started last. */
void import_keep(struct importer *im);
/** Turn ascending thresholds and the rates above each into tiers of p, below them the rates of p.
 *  step: 1 when an input of exactly a threshold is not above it, else 0. */
bool import_tiers(struct importer *im, struct price *p, const int64_t *above,
                  const struct rates *rates, size_t count, int64_t step);
/** Append "key=value" to notes, separated by "; ". */
void import_note(struct buf *notes, const char *key, struct str value);
/** Append name to the list "ignored=a,b", which comes last. */
void import_ignored(struct buf *ignored, struct str name);
/** Labels for tiers: "<=200K", "32K-128K", ">200K". */
void import_labels(struct importer *im, struct price *p);
/** 1 when the date (YYYY-MM-DD) is on or before today. */
bool import_is_past(const struct importer *im, struct str date);

int import_litellm(struct importer *im, struct str document);
int import_models_dev(struct importer *im, struct str document);
int import_catalog(struct importer *im, struct str document);

#endif
