/* store/store.h - our tables: open, migrate, and the records of captured exchanges.
 *
 * A store belongs to one thread at a time; open one per thread. No SQL stands here or in callers:
 * it is in schema/. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/record.h"
#include "core/run.h"
#include "filter/filter.h"
#include "llm/images.h"

struct store;

enum store_mode { STORE_READ, STORE_WRITE };

/** Make an absolute or relative path of a database URL: sqlite:///relative, sqlite:////absolute,
 *  sqlite://, sqlite:///:memory:, or a plain path; a leading ~/ is the home directory. In-memory
 *  forms give a path of their own each time, which all stores of this process that open it share;
 *  the data lives as long as one of them is open. Writes an owned path to *out (free()).
 *  ERR_INVALID. */
int store_path(struct str url, char **out, struct err *err);

/** True for what store_path() makes of in-memory forms. */
bool store_path_in_memory(const char *path);

/** Bring the database at path to this program's schema: create it (and missing parent folders)
 *  when it does not exist, migrate an older one after a copy to "<path>.bak-v<N>" (unless
 *  no_backup). ERR_STORE names the path and the reason when it is a folder, no database, newer than
 *  this program, or the Python predecessor's; nothing is written then. */
int store_prepare(const char *path, bool no_backup, struct err *err);
/** What store_prepare() would say, without writing anything. A missing file is fine. */
int store_check(const char *path, struct err *err);

/** Open a prepared database; one in memory is made by its first STORE_WRITE (":memory:" is private
 *  to the store). Returns owned, store_close(). */
struct store *store_open(const char *path, enum store_mode mode, struct err *err);
void store_close(struct store *store);
/** Leave the log as it is when this store closes: another one follows at once. */
void store_keep_log(struct store *store);
/** False when the file this store has open is no longer the one at its path. */
bool store_current(const struct store *store);
/** Commits survive a power loss too (synchronous=FULL). */
int store_set_full_sync(struct store *store, bool full, struct err *err);
/** Stop a query that runs longer than ms with ERR_BUSY; 0: no limit. */
void store_set_time_limit(struct store *store, int64_t ms);
/** Any thread, while the store is open: stop the statement that runs. */
void store_interrupt(struct store *store);
/** How long a writer waits for another one before it says ERR_BUSY; 0 unless set. */
void store_set_busy_wait(struct store *store, int ms);

/** Highest stored request id, 0 when there is none. */
int store_last_id(struct store *store, int64_t *out, struct err *err);
/** Close rows that another process left pending: completed at now_us with the error
 *  "interrupted: proxy stopped before completion". *count is how many. */
int store_close_pending(struct store *store, int64_t now_us, int64_t *count, struct err *err);

/** A transaction of the writer, or for a reader one state of the database for several calls.
 * Writing calls outside of one are a transaction each. */
int store_begin(struct store *store, struct err *err);
int store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store);
/** Copy frames of the WAL back into the database, as far as readers allow. */
int store_checkpoint(struct store *store, struct err *err);

/** Insert a row, pending (completed_us UNKNOWN) or complete, with its bodies. */
int store_record_insert(struct store *store, const struct record *r, struct err *err);
/** Write the outcome of a row inserted as pending. ERR_NOT_FOUND. */
int store_record_complete(struct store *store, const struct record *r, struct err *err);

/** Store the images of a request that is stored in the same transaction. Those that its stored body
 *  holds anyway (in_body) go without their data. Repeated, the earlier ones are replaced. */
int store_images_put(struct store *store, int64_t request_id, const struct images *images,
                     bool in_body, struct err *err);
/** Load the images of a request, keeping text in arena. */
int store_images_get(struct store *store, int64_t request_id, struct arena *arena,
                     struct images *out, struct err *err);

/** Where a count of what the filter language chooses stops. */
#define STORE_WHERE_COUNT 10000

/** Every filter is off in {0}, so that callers set what they need. */
struct record_filter {
    struct str endpoint;               /* part of it, without ASCII case */
    struct str model, provider, route; /* equal; provider: billing slug or name */
    bool has_status, has_run;
    int64_t status, run;
    bool stream, image, tool, error, slow, large;
    int64_t after_id, before_id; /* 0: none; newer than, older than */
    int64_t since_us, until_us;  /* 0: none; created at or after, before */
    const struct filter *where;  /* NULL: none; the language of filter/filter.h */
    int64_t where_count;         /* with where a count stops here; 0: at STORE_WHERE_COUNT */
    struct str words;            /* an expression of search_query(); matches above SEARCH_HITS_MAX,
                                  * which are the oldest, are left out */
};

/** The schema version of databases that this program writes. */
int store_schema_version(void);

typedef int store_record_fn(void *ctx, const struct record *r, struct err *err);
/** Call each for the rows that match, newest first (or oldest first), offset rows left out, at
 *  most limit (0: all). Bodies are absent, but response_body holds at most preview_bytes of its
 *  start (0: none) and response_bytes tells its full size. Stops when each returns -1. */
int store_record_list(struct store *store, const struct record_filter *filter, bool oldest_first,
                      int64_t offset, int64_t limit, size_t preview_bytes, store_record_fn *each,
                      void *ctx, struct err *err);
int store_record_count(struct store *store, const struct record_filter *filter, int64_t *out,
                       struct err *err);
/** Sum up some rows that have come to rest, so that lists and counts need not walk over them; for
 *  the writer, when there is time. *more: call again. */
int store_blocks_build(struct store *store, int64_t now_us, bool *more, struct err *err);
/** Delete requests created before before_us, oldest first, with all that belongs to them: at most
 * max rows, and none any more after max_us. *deleted is how many. One transaction. */
int store_trim(struct store *store, int64_t before_us, int64_t max, int64_t max_us,
               int64_t *deleted, struct err *err);
/** Delete one request with all that belongs to it. ERR_NOT_FOUND; ERR_CONFLICT while it runs. */
int store_record_delete(struct store *store, int64_t id, struct err *err);
/** How many requests were created before before_us. */
int store_count_before(struct store *store, int64_t before_us, int64_t *out, struct err *err);
/** What the database holds. */
struct store_storage {
    int64_t rows, runs, images;
    int64_t oldest_us, newest_us; /* UNKNOWN without requests */
    int64_t free_bytes;           /* inside the file */
    int64_t schema_version;
};
int store_storage(struct store *store, struct store_storage *out, struct err *err);
/** Give free pages back to the file system; outside of a transaction. May take long, and needs as
 *  much free disk as the database has bytes. */
int store_vacuum(struct store *store, struct err *err);

/** Load one row with its bodies into *out, keeping text in arena. ERR_NOT_FOUND. */
int store_record_get(struct store *store, int64_t id, struct arena *arena, struct record *out,
                     struct err *err);

/** Store the attempts of a request that is stored in the same transaction; its row gets the
 * upstream of r. */
int store_attempts_put(struct store *store, const struct record *r, const struct attempt *list,
                       size_t count, struct err *err);
/** Its attempts in order, as an array in arena. */
int store_attempts_get(struct store *store, int64_t id, struct arena *arena, struct attempt **out,
                       size_t *count, struct err *err);

/** Distinct values that lists offer, ascending, from maintained counters. */
enum store_facet { FACET_MODEL, FACET_ENDPOINT, FACET_ROUTE, FACET_PROVIDER };
/** label is the provider's name for FACET_PROVIDER, else equal to value. */
typedef void store_facet_fn(void *ctx, struct str value, struct str label, int64_t count);
int store_facets(struct store *store, enum store_facet facet, store_facet_fn *each, void *ctx,
                 struct err *err);
/** Models of captured requests that start with prefix (without ASCII case), the latest use first.
 */
typedef void store_model_fn(void *ctx, struct str model, int64_t requests, int64_t last_us);
int store_recent_models(struct store *store, struct str prefix, int64_t limit, store_model_fn *each,
                        void *ctx, struct err *err);
/** Models of requests since a time, with how many of those there are, the latest use first. */
int store_models_since(struct store *store, int64_t since_us, int64_t limit, store_model_fn *each,
                       void *ctx, struct err *err);
struct store_counters {
    int64_t total, streams, images, tools, errors, slow, large;
};
/** Whole-table counters, from maintained counters. */
int store_counters(struct store *store, struct store_counters *out, struct err *err);

/** Load a run (not its request_count), keeping text in arena. ERR_NOT_FOUND. */
int store_run_get(struct store *store, int64_t id, struct arena *arena, struct run *out,
                  struct err *err);
/** The run that is neither ended nor paused and was started last. ERR_NOT_FOUND. */
int store_run_active(struct store *store, struct arena *arena, struct run *out, struct err *err);
/** Call each for all runs, newest start first; texts are borrowed for the call. */
typedef void store_run_fn(void *ctx, const struct run *run);
int store_runs(struct store *store, store_run_fn *each, void *ctx, struct err *err);
/** The same for the newest runs that have not ended. */
int store_runs_open(struct store *store, int64_t limit, store_run_fn *each, void *ctx,
                    struct err *err);
/** How many requests belong to a run. */
int store_run_count(struct store *store, int64_t id, int64_t *out, struct err *err);
/** A run with its request_count, and the sums over its requests. ERR_NOT_FOUND. */
int store_run_sums(struct store *store, int64_t id, struct arena *arena, struct run *out,
                   struct run_sums *sums, struct err *err);
/** The same for the newest runs. */
typedef void store_run_sums_fn(void *ctx, const struct run *run, const struct run_sums *sums);
int store_run_list(struct store *store, int64_t limit, store_run_sums_fn *each, void *ctx,
                   struct err *err);
/** How many requests of a run have each value, most first; an empty label is an unknown value. */
enum store_run_group { RUN_MODELS, RUN_ENDPOINTS, RUN_STATUSES };
typedef void store_run_group_fn(void *ctx, struct str label, int64_t count);
int store_run_groups(struct store *store, int64_t id, enum store_run_group group,
                     store_run_group_fn *each, void *ctx, struct err *err);
/** Percentiles over the count requests of a run that have a value (of the sums: ttfts, durations).
 */
enum store_run_times { RUN_TTFT, RUN_DURATION };
int store_run_percentiles(struct store *store, int64_t id, enum store_run_times times,
                          int64_t count, struct run_percentiles *out, struct err *err);

/* What happens to runs; each call is one transaction. */

/** Highest run id, 0 when there is none. */
int store_run_last_id(struct store *store, int64_t *out, struct err *err);
/** Insert a run (id, name, notes, started_us, paused_us, budget) that leaves others alone. */
int store_run_insert(struct store *store, const struct run *run, struct err *err);
/** Change its name, notes and budget. ERR_NOT_FOUND. */
int store_run_update(struct store *store, const struct run *run, struct err *err);
/** Insert a run as the active one; runs that are active end at its start. */
int store_run_start(struct store *store, const struct run *run, struct err *err);
/** Pause or end the active run; *id is UNKNOWN when there is none. */
int store_run_pause_active(struct store *store, int64_t now_us, int64_t *id, struct err *err);
int store_run_end_active(struct store *store, int64_t now_us, int64_t *id, struct err *err);
/** Make a run the active one; another active run is paused. ERR_NOT_FOUND, ERR_INVALID (ended). */
int store_run_resume(struct store *store, int64_t id, int64_t now_us, struct err *err);
/** End a run, active or paused. ERR_NOT_FOUND, ERR_INVALID (ended). */
int store_run_end(struct store *store, int64_t id, int64_t now_us, struct err *err);

/** A saved setting. Writes owned text to *out (free()), NULL when it is not saved. */
int store_setting_get(struct store *store, struct str key, char **out, struct err *err);
/** Save a setting; STR_NONE removes it. */
int store_setting_put(struct store *store, struct str key, struct str value, struct err *err);

/** Grows with every change of settings, routes, providers and prices, by any process. */
int store_generation(struct store *store, int64_t *out, struct err *err);
/** Look through the whole file for damage; may take long. *ok tells; what was found is appended to
 *  found. */
int store_quick_check(struct store *store, bool *ok, struct buf *found, struct err *err);
/** Changes when another connection committed (PRAGMA data_version). */
int store_data_version(struct store *store, int64_t *out, struct err *err);

#endif
