/* cli/routes_priv.h - what the verbs of "routes" share. */
#ifndef CLI_ROUTES_PRIV_H
#define CLI_ROUTES_PRIV_H

#include "task.h"

#define ROUTES "/admin/api/routes"

extern const struct out_spec route_rows, route_usage_rows, recent_rows, seed_rows;
/** One of them, for --json. */
extern const struct out_spec route_one, simulation_one, seed_one, test_one;

/** Read the route that text names, an id or an incoming model; of several with that model it must
 *  be one that is stored. Its row is borrowed from *json (owned, buf_clear()); entry is the place
 *  of a startup route in its file, 0 for a stored one. ERR_NOT_FOUND, ERR_INVALID. */
int route_find(struct task *t, const char *text, struct buf *json, struct row *row, int64_t *entry);

extern const struct opt route_add_options[], route_set_options[], route_resolve_options[],
    route_seed_options[], route_test_options[];
extern const char route_add_more[], route_set_more[], route_rm_more[], route_resolve_more[],
    route_seed_more[], route_test_more[];
int routes_add(struct cli *cli);
int routes_set(struct cli *cli);
int routes_rm(struct cli *cli);
int routes_resolve(struct cli *cli);
int routes_seed(struct cli *cli);
int routes_test(struct cli *cli);

#endif
