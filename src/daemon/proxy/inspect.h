/* daemon/proxy/inspect.h - what the proxy must know of a request body before it is forwarded. */
#ifndef PROXY_INSPECT_H
#define PROXY_INSPECT_H

#include "daemon/record/capture.h"

struct inspect_input {
    struct str body; /* as received */
    struct str content_type, content_encoding, accept;
    size_t decoded_limit;
};

/** Fill in model, part list and the flags for streams, tools and images of c->record, and
 * c->request when the body has to be decoded to be read (c->request is empty then, and stays empty
 * when it cannot be decoded). Any thread, one at a time; may take long for a large body. */
void inspect_request(struct capture *c, const struct inspect_input *in);
/** True when it may take more than a moment: run it off the loop. */
bool inspect_is_slow(const struct inspect_input *in);

#endif
