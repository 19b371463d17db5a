/* daemon/api/api_etag.h - answers that a page asks for again and again. */
#ifndef API_API_ETAG_H
#define API_API_ETAG_H

#include "ops/call.h"

/** Reader thread: give a good JSON answer under /admin/api an ETag made of its bytes, and leave its
 *  body out (304) when the client has it. One that has an ETag keeps it. */
void etag_answer(struct call *call);

#endif
