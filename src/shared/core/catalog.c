#include "core/catalog.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct catalog *catalog_new(struct str base_url)
{
    struct catalog *c = xcalloc(1, sizeof(*c));

    atomic_init(&c->refs, 1);
    c->base_url = str_dup(base_url);
    return c;
}

struct catalog *catalog_ref(struct catalog *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void catalog_unref(struct catalog *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    free(c->base_url);
    free(c);
}

void catalog_decide(const struct catalog *c, struct str model, struct decision *out)
{
    (void)model; /* every model goes to the global upstream */
    *out = (struct decision){
        .base_url = str_c(c->base_url),
        .route_decision = "passthrough",
        .route_source = "none",
    };
}
