/* core/catalog.h - what routing decides by: an immutable, counted copy of the configuration that a
 * request holds on to. A change makes a new catalog; requests under way keep theirs. */
#ifndef CORE_CATALOG_H
#define CORE_CATALOG_H

#include "core/forward.h"

struct catalog {
    _Atomic int refs;
    char *base_url; /* the global upstream, owned */
};

/** Returns owned, one reference. Copies base_url. */
struct catalog *catalog_new(struct str base_url);
struct catalog *catalog_ref(struct catalog *c);
/** Accepts NULL. */
void catalog_unref(struct catalog *c);
/** Where a request for model goes. The texts of *out are borrowed from c. */
void catalog_decide(const struct catalog *c, struct str model, struct decision *out);

#endif
