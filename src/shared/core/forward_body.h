/* core/forward_body.h - the request body as it goes upstream: what a decision replaces in it, by
 * splicing bytes, so that everything else is forwarded as it came. */
#ifndef CORE_FORWARD_BODY_H
#define CORE_FORWARD_BODY_H

#include "base/blob.h"
#include "core/forward.h"

struct forward_body {
    struct str body; /* decoded */
    struct str content_type;
    struct str endpoint;
    struct str model; /* as requested; STR_NONE: none */
};

/** Fill out (empty, with its budget) with what is sent for in. 1: out holds it; 0: the body stays
 *  as it is, out is empty; -1 error. Linear in the body; may take long for a large one. */
int forward_body(struct blob *out, const struct forward_body *in, const struct decision *d,
                 struct err *err);

/** The pin of a router decision: base and tag of "base@tag". False when there is none. */
bool forward_pin(const struct decision *d, struct str model, struct str *base, struct str *tag);

#endif
