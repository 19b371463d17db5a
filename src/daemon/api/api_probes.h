/* daemon/api/api_probes.h - what the calls that ask upstreams share. */
#ifndef API_API_PROBES_H
#define API_API_PROBES_H

#include "core/catalog.h"
#include "daemon/jobs/probe.h"

/** Give p the headers of a decision for endpoint, its key included; kept in arena. */
int api_probe_headers(struct probe *p, struct arena *arena, struct decision *d, struct str endpoint,
                      struct err *err);

#endif
