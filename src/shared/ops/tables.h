/* ops/tables.h - the calls that need nothing but the database and the configuration. */
#ifndef OPS_TABLES_H
#define OPS_TABLES_H

#include "ops/call.h"

/** Calls with this prefix may have a price file in their body. */
#define OP_PRICE_FILES "/admin/api/pricing/catalog/"

/* The rows of each resource; each ends with a NULL method. */
extern const struct call_route op_records_routes[];
extern const struct call_route op_routes_routes[];
extern const struct call_route op_providers_routes[];
extern const struct call_route op_simulate_routes[];
extern const struct call_route op_default_routes_routes[];
extern const struct call_route op_settings_routes[];
extern const struct call_route op_prices_routes[];
extern const struct call_route op_costs_routes[];
extern const struct call_route op_catalog_routes[];
extern const struct call_route op_runs_routes[];
extern const struct call_route op_budgets_routes[];
extern const struct call_route op_storage_routes[];
extern const struct call_route op_models_routes[];
extern const struct call_route op_usage_routes[];
extern const struct call_route op_metrics_routes[];

/** What a server answers itself. */
extern const struct call_route op_health_routes[];

/** All others, for a list of tables. */
#define OPS_TABLES                                                                                 \
    op_records_routes, op_routes_routes, op_providers_routes, op_simulate_routes,                  \
        op_default_routes_routes, op_settings_routes, op_prices_routes, op_costs_routes,           \
        op_catalog_routes, op_runs_routes, op_budgets_routes, op_storage_routes, op_models_routes, \
        op_usage_routes, op_metrics_routes

/** What a method and a path mean. */
struct found {
    const struct call_route *route; /* NULL: see allow */
    bool literal;                   /* the path is known as it stands: parameters do not count */
    int64_t id;
    struct str slug, id_name, bad_id; /* bad_id.ptr: an id that is none */
    struct buf allow; /* methods of the path when the method does not fit; buf_clear() */
};

/** Look method and a percent-decoded path up in tables, the last of which is NULL. */
void tables_find(const struct call_route *const *tables, struct str method, struct str path,
                 struct found *out);
/** Append what is wrong with the id, and with query: the answer of status 422. */
void found_refuse_id(const struct found *f, struct str query, struct buf *out);

#endif
