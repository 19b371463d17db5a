/* view/view_sync.h - rows of a sync or an import of prices as JSON, and all prices as a catalogue.
 */
#ifndef VIEW_VIEW_SYNC_H
#define VIEW_VIEW_SYNC_H

#include <cjson/cJSON.h>

#include "core/sync.h"
#include "store/store_sync.h"

/** The preview: options, items, total, counts. book: what the rows were compared with. Returns
 *  owned. */
cJSON *view_sync(const struct sync_options *o, const struct sync_rows *rows,
                 const struct price_book *book);
/** What an apply did; the rows as they are after it are the preview. Returns owned. */
cJSON *view_sync_applied(const struct sync_result *r, int64_t repriced,
                         const struct sync_options *o, const struct sync_rows *rows,
                         const struct price_book *book);
/** All providers and prices in the form of the catalogue that the program comes with: what an
 *  import of format "catalog" reads. Returns owned. */
cJSON *view_catalog_export(const struct price_book *book, const struct provider *providers,
                           size_t provider_count);

#endif
