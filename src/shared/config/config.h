/* config/config.h - what the program runs with, and where each value came from: flags over saved
 * settings over environment over defaults. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/log.h"
#include "base/opt.h"
#include "config/models_file.h"
#include "core/catalog.h"
#include "store/store.h"

#define SETTINGS(X) /* name, default, least, most, help */                                         \
    X(max_request_body_bytes, 268435456, 1024, INT64_MAX, "largest request body")                  \
    X(client_header_timeout_ms, 15000, 0, 86400000, "time for a complete request header")          \
    X(client_body_idle_timeout_ms, 60000, 0, 86400000, "silence inside a request body")            \
    X(client_idle_timeout_ms, 75000, 0, 86400000, "idle time between requests")                    \
    X(client_send_timeout_ms, 300000, 0, 86400000, "client that accepts no byte of an answer")     \
    X(upstream_connect_timeout_ms, 10000, 0, 86400000, "resolve, connect and TLS")                 \
    X(upstream_first_byte_timeout_ms, 600000, 0, 86400000, "request sent to response head")        \
    X(upstream_idle_timeout_ms, 300000, 0, 86400000, "silence inside a response body")             \
    X(shutdown_grace_ms, 10000, 0, 86400000, "time for running requests at shutdown")              \
    X(capture_max_request_bytes, 16777216, 0, 1073741824, "stored part of a request body")         \
    X(capture_max_response_bytes, 33554432, 0, 1073741824, "stored part of a response body")       \
    X(inspect_max_json_bytes, 67108864, 0, 1073741824, "largest answer that is read for usage")    \
    X(queue_limit, 16384, 16, 1048576, "capture operations that may wait for the database")        \
    X(queue_limit_bytes, 268435456, 1048576, INT64_MAX, "bodies that may wait for the database")   \
    X(store_secrets, 0, 0, 1, "store credentials in headers unmasked")                             \
    X(default_routes, 1, 0, 1, "make routes for known models at the first start")                  \
    X(search_index, 1, 0, 1, "keep a full-text index of requests and answers")                     \
    X(allow_cancel, 1, 0, 1, "requests in flight may be cancelled by the API")

struct settings {
#define X(name, value, least, most, help) int64_t name;
    SETTINGS(X)
#undef X
};

/** A value and where it came from: "flag", "saved", "environment" or "default". */
struct config {
    char *database_path; /* owned, as all texts here but those said to be borrowed */
    char *database_url;
    char *host;
    bool expose_all;
    int port;
    char *upstream_url;       /* of flag, variable or default */
    char *saved_upstream_url; /* NULL: none, or a flag is stronger */
    const char *host_source, *port_source, *upstream_source, *database_source;
    char *upstream_ca_file; /* NULL: SSL_CERT_FILE, or the system's */
    bool allow_link_local, full_sync, no_backup, check, print_config, demo, quiet;
    bool backfill_cached_costs;
    unsigned workers;
    enum log_level log_level;
    bool log_json;
    struct models models;
    char *models_path; /* NULL: none */
    const char *models_source;
    char **allowed_hosts, **allowed_origins;
    size_t allowed_host_count, allowed_origin_count;
    struct settings settings;
    const char *setting_sources[sizeof(struct settings) / sizeof(int64_t)];
};

/** Flags and environment, for everything that needs no database. ERR_INVALID names the flag or the
 *  variable. Release with config_clear(), also after an error. */
int config_load(struct config *c, const struct opts *opts, struct err *err);
/** Put saved settings in where no flag was given. */
int config_apply_saved(struct config *c, struct store *store, struct err *err);
/** The global upstream at the start; the catalog knows the one in force. */
const char *config_upstream_url(const struct config *c);
/** What every catalog starts from; borrowed from c. */
struct startup config_startup(const struct config *c);
/** Append the JSON array of keys, values and sources. */
void config_json(const struct config *c, struct buf *out);
void config_clear(struct config *c);

#endif
