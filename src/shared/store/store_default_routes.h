/* store/store_default_routes.h - generated routes: what applying them would do, and doing it. */
#ifndef STORE_STORE_DEFAULT_ROUTES_H
#define STORE_STORE_DEFAULT_ROUTES_H

#include "core/default_routes.h"
#include "store/store.h"

enum seed_mode { SEED_MISSING_ONLY, SEED_REFRESH };
enum seed_status { SEED_INSERT, SEED_UPDATE, SEED_SKIP_SEEDED, SEED_SKIP_USER, SEED_STATUS_COUNT };

struct seeding {
    enum seed_mode mode;
    struct str provider_slug; /* STR_NONE: all */
    bool apply, prune;
    /* the result; arrays in arena */
    struct candidate *candidates;
    enum seed_status *status; /* of each */
    size_t count, counts[SEED_STATUS_COUNT];
    struct str *stale; /* names of generated routes without a candidate */
    size_t stale_count, pruned;
};

/** "insert", "update_seeded_route", "skip_existing_seeded_route", "skip_user_route". */
const char *seed_status_name(enum seed_status status);
const char *seed_mode_name(enum seed_mode mode);
/** "" and missing_only, or refresh_seeded. ERR_INVALID. */
int seed_mode_parse(struct str text, enum seed_mode *out, struct err *err);

/** Fill in the result of s; with apply also write it, as one transaction, and remember when. */
int store_default_routes(struct store *store, struct seeding *s, struct arena *arena,
                         struct err *err);
/** At the first start with this database: all providers, what is missing. *made is how many. */
int store_default_routes_once(struct store *store, size_t *made, struct err *err);

#endif
