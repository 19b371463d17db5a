/* daemon/proxy/refused.h - the row of a message whose head was refused before it became a request.
 */
#ifndef PROXY_REFUSED_H
#define PROXY_REFUSED_H

#include "daemon/worker.h"

/** Record it; method and target are what head_guess() said. */
void refused_record(struct worker *w, struct conn *conn, struct str method, struct str target,
                    const struct refusal *refusal);

#endif
