/* core/price_import.h - prices out of files that others publish: LiteLLM's
 * model_prices_and_context_window, models.dev's api.json, and the catalogue of this program. Pure:
 * a document in, rows out.
 *
 * Documents are read where they lie, entry by entry: no tree of the whole is made. */
#ifndef CORE_PRICE_IMPORT_H
#define CORE_PRICE_IMPORT_H

#include "core/sync.h"

#define IMPORT_DOCUMENT_MAX ((size_t)16 << 20)
#define IMPORT_LITELLM_URL                                                                         \
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
#define IMPORT_MODELS_DEV_URL "https://models.dev/api.json"

/** Whether source is "catalog", "litellm" or "models.dev". */
bool price_import_format_ok(struct str source);
/** Where the document of a format is published; STR_NONE for the catalogue. */
struct str price_import_url(struct str source);
/** Add the rows of a document in the format o->source. book: the prices and providers there are;
 *  today: YYYY-MM-DD, borrowed until the rows go. ERR_INVALID: no such document, too many rows;
 *  ERR_TOO_LARGE, ERR_NO_MEMORY. */
int price_import_rows(struct sync_rows *rows, const struct sync_options *o,
                      const struct price_book *book, struct str document, struct str today,
                      struct err *err);

#endif
