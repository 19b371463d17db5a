/* daemon/web/assets.h - files that the build put into the binary, compressed, and how they are
 * served: with an ETag that a browser asks by, compressed where the client takes that. */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include "daemon/api/api.h"

struct asset {
    const char *name, *type, *etag; /* etag with its quotes */
    const unsigned char *gz;
    size_t gz_length, length; /* bytes compressed, bytes as they are */
};

/** The folders; each ends with a NULL name. */
extern const struct asset assets_docs[];

/** The file of that name; NULL when there is none. */
const struct asset *asset_find(const struct asset *folder, struct str name);
/** Fill the answer with a file, 304 when the client has it, 404 for NULL. Scripts, styles and calls
 *  of a page may go to this server only. */
void asset_answer(struct call *call, const struct asset *asset);

extern const struct call_route web_docs_routes[];

#endif
