/* store/store_priv.h - what the files of the store share. */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include <sys/stat.h>

#include "base/buf.h"
#include "db/db.h"
#include "store/store.h"
#include "store/store_budgets.h"

#define STORE_APPLICATION_ID 0x6c6f7031 /* "lop1", also in 0001_init.sql */

/** Look at a file without SQLite: 1 there is a database to open, 0 there is none yet, -1 it cannot
 *  be one. */
int store_look_at_file(const char *path, struct err *err);

/* How a body is kept; numbers are stored. */
enum body_encoding { BODY_RAW = 0, BODY_ZSTD = 1 };

/** Packs and unpacks bodies; contexts and buffers are used again and again. */
struct packer {
    void *compress, *decompress; /* ZSTD_CCtx, ZSTD_DCtx; made on first use */
    struct {
        char *ptr;
        size_t cap;
    } scratch[3]; /* a row has three bodies */
};

void packer_clear(struct packer *p);
/** The form in which body is stored, borrowed from body or from scratch number slot until that
 *  slot is used again. Without memory a body is stored as it is. */
struct str packer_pack(struct packer *p, unsigned slot, struct str body,
                       enum body_encoding *encoding);
/** Release scratch buffers that one large body made large. */
void packer_trim(struct packer *p);
/** Unpack a whole body of length bytes into arena. ERR_CORRUPT, ERR_NO_MEMORY. */
int packer_unpack(struct packer *p, struct str stored, enum body_encoding encoding, size_t length,
                  struct arena *arena, struct str *out, struct err *err);

/** Unpack the start of a body that comes in pieces. more() appends the next stored bytes to what
 *  it was given: it fills *piece, which is empty at the end. Writes at most size bytes to out. */
typedef int packer_more_fn(void *ctx, struct str *piece, struct err *err);
int packer_unpack_start(struct packer *p, enum body_encoding encoding, packer_more_fn *more,
                        void *ctx, char *out, size_t size, size_t *got, struct err *err);

/* What a transaction changes in facets and counters, added up until it commits. */
enum counter {
    COUNTER_TOTAL,
    COUNTER_STREAMS,
    COUNTER_IMAGES,
    COUNTER_TOOLS,
    COUNTER_ERRORS,
    COUNTER_SLOW,
    COUNTER_LARGE,
    COUNTER_COUNT
};
/* Facets that only the store uses follow those of store.h. Those of one run have its id as value
 * and what is counted as label. */
enum {
    FACET_STATUS = FACET_PROVIDER + 1,
    FACET_RUN,
    FACET_RUN_MODEL,
    FACET_RUN_ENDPOINT,
    FACET_RUN_STATUS,
    FACET_KINDS
};

struct facet_delta {
    struct str value, label; /* in deltas.arena; value.ptr NULL: free slot */
    unsigned kind;
    uint32_t hash;
    int64_t count;
};
struct deltas {
    int64_t counters[COUNTER_COUNT];
    struct facet_delta *slots; /* hash table, cap a power of two */
    size_t cap, used;
    struct arena arena;
};

/** Values longer than this are no facets: they cost too much to list. */
#define FACET_MAX_BYTES 1024

int deltas_facet(struct deltas *d, unsigned kind, struct str value, struct str label, int64_t count,
                 struct err *err);
int deltas_facet_int(struct deltas *d, unsigned kind, int64_t value, int64_t count,
                     struct err *err);
/** Write them into the database and forget them. */
int deltas_flush(struct deltas *d, struct db *db, struct err *err);
void deltas_forget(struct deltas *d);
void deltas_clear(struct deltas *d);

/* What a transaction changes in the sums of runs. */
struct run_delta {
    int64_t run_id;
    struct run_sums sums; /* those of RUN_COUNTED, and the last end that came */
    int64_t gone_us;      /* the last end that was taken out */
};
struct run_deltas {
    struct run_delta *items;
    size_t count, cap;
};

/** Count a row in the sums of its run, or take it out with sign -1. */
void run_deltas_count(struct run_deltas *d, const struct record *r, int sign);
int run_deltas_flush(struct run_deltas *d, struct db *db, struct err *err);
void run_deltas_forget(struct run_deltas *d);
void run_deltas_clear(struct run_deltas *d);

/* The budgets that settings hold; runs have theirs in their rows. */
struct budget_rule {
    struct str slug; /* of a provider */
    struct budget budget;
};
struct budget_rules {
    bool read;
    int64_t generation; /* what they were read at */
    struct budget_rule day, month;
    struct budget_rule *providers;
    size_t count, cap;
    bool any_run; /* has a budget */
    struct budget_settings settings;
    struct arena arena; /* of all texts */
};
int budget_rules_read(struct budget_rules *rules, struct store *store, struct err *err);
void budget_rules_clear(struct budget_rules *rules);
/** run_budget_columns and alert_columns of a row; texts are borrowed from rows. */
void budget_read_columns(struct db_rows *rows, int column, struct budget *out);
void budget_read_alert(struct db_rows *rows, struct budget_alert *out);
/** A limit as it is stored: none is NULL. */
static inline struct db_value store_limit(int64_t limit)
{
    return limit > 0 ? DB_INT(limit) : DB_NULL;
}

/* What a transaction adds to what was spent, and what comes of it. */
struct spending_delta {
    enum budget_scope scope;
    struct str key; /* in the arena */
    struct budget_spent spent;
};
struct spending {
    struct spending_delta *deltas;
    size_t count, cap;
    struct arena arena;
    struct budget_rules rules; /* as of the last flush */
    struct budget_alert *alerts;
    size_t alert_count, committed_alerts, alert_cap;
    struct arena alert_arena;
};

/** Count what a row says it came to, or take it out with sign -1. Trimmed rows stay counted. */
int spending_count(struct spending *s, const struct record *r, int sign, struct err *err);
int spending_add(struct spending *s, enum budget_scope scope, struct str key,
                 const struct budget_spent *spent, struct err *err);
/** Write the sums and raise alerts, in the transaction at hand. */
int spending_flush(struct store *store, struct err *err);
/** The transaction is over. */
void spending_end(struct spending *s, bool committed);
void spending_clear(struct spending *s);

/** Rows of a block at most; see store_blocks.h. */
#define BLOCK_ROWS 4096
/** The newest rows, which are in none yet. */
#define BLOCK_REST 512
/** As many rows a list rather walks over than to look at blocks. */
#define WALK_MAX 512

struct store {
    struct db *db;
    char *path;
    dev_t device; /* of the file that was opened */
    ino_t inode;
    bool in_transaction;
    struct packer packer;
    struct deltas deltas;
    struct run_deltas run_deltas;
    struct spending spending;
    struct buf preview;
    int64_t block_rows, block_rest, walk_max; /* the constants above; tests have smaller ones */
};

/** How many rows have this value of a facet; UNKNOWN when the facets cannot say. */
int store_facet_count(struct store *store, unsigned kind, struct str value, int64_t *out,
                      struct err *err);

/** Count a row in facets and counters, or take it out with count -1. */
int store_count_row(struct deltas *d, const struct record *r, int64_t count, struct err *err);

/** Take the words of a request out of the index, before it is deleted. */
int store_search_forget(struct store *store, int64_t id, struct err *err);
/** What counts and sums see of a row, by counted_columns; texts are borrowed from rows. */
void store_read_counted(struct db_rows *rows, struct record *out);
/** Read the columns of one row; texts are borrowed from rows. Returns the number of columns. */
int store_read_row(struct db_rows *rows, struct record *out);

/** Migrate the file at path to version count by these scripts; the tests have their own. */
int store_migrate(const char *path, const char *const *migrations, int count, bool no_backup,
                  struct err *err);

/** ERR_STORE: who wrote a database of a newer version than known. Returns -1. */
int store_refuse_newer(struct db *db, int version, int known, struct err *err);

/** Open an own transaction for a call that was made outside of one. */
int store_begin_own(struct store *store, bool *own, struct err *err);
/** Commit or undo it; returns rc or -1. */
int store_end_own(struct store *store, bool own, int rc, struct err *err);

/** Room for one more item in an array of arena; NULL without memory. */
void *store_grow(struct arena *arena, void *items, size_t count, size_t *cap, size_t size);
/** Run a statement that gives a text and two numbers for what came since a time. */
int store_usage(struct store *store, enum sql_id sql, int64_t since_us,
                void (*each)(void *ctx, struct str name, int64_t requests, int64_t number),
                void *ctx, struct err *err);

static inline struct db_value store_int(int64_t value)
{
    return value == UNKNOWN ? DB_NULL : DB_INT(value);
}

#endif
