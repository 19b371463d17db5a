/* client/price_source.h - where the rows of a sync or an import come from: documents that were
 * given, or that are fetched. */
#ifndef CLIENT_PRICE_SOURCE_H
#define CLIENT_PRICE_SOURCE_H

#include "client/fetch.h"
#include "core/sync.h"

#define PRICE_LIMIT_DEFAULT 25
#define PRICE_LIMIT_MAX 100 /* models of a router's list */

/** Whether source is a router or a format of core/price_import.h. */
bool price_source_ok(struct str source);
/** A limit as options may have it: within 1 and PRICE_LIMIT_MAX for routers (0 is the default),
 *  any for files (0 is all). */
int64_t price_source_limit(struct str source, int64_t limit);
/** Add the rows of o->source: out of document, or (STR_NONE) of what is at url, or (STR_NONE) of
 *  what the source publishes; only there key, which may be NULL, is sent. ERR_INVALID says what is
 *  wrong with source, URL or document. */
int price_source_rows(struct sync_rows *rows, const struct sync_options *o,
                      const struct price_book *book, struct str document, struct str url,
                      const struct secret *key, const char *ca_file, struct err *err);

#endif
