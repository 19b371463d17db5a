/* store/import_priv.h - what the files of the import share. */
#ifndef STORE_IMPORT_PRIV_H
#define STORE_IMPORT_PRIV_H

#include <cjson/cJSON.h>

#include "core/price.h"
#include "store/legacy.h"
#include "store/store_import.h"
#include "store/store_priv.h"

#define IMPORT_OFFSETS 64
/** Old ids above this are no ids. */
#define IMPORT_ID_MAX INT64_C(1000000000000000)

/* New ids are old ones plus an offset that lets them follow what is there. Each import that brings
 * something adds an offset at most; all of them are kept, in the meta table, to know rows again. */
struct import_ids {
    const char *key; /* in meta */
    int64_t offsets[IMPORT_OFFSETS];
    size_t count;
    bool chosen; /* the last offset is for new rows of this import */
};

struct import_run {
    int64_t from, to;
};

struct importer {
    struct store *store;
    struct legacy *from;
    const struct import_options *options;
    struct import_report *report;
    struct import_table *table; /* at hand */
    int64_t row;                /* at hand */
    struct arena arena;         /* of the row at hand */
    struct price_book *book;    /* our prices before */
    struct legacy_children tiers, images;
    /* of the price at hand */
    struct price *price;
    bool price_known;
    cJSON *tier_json;
    size_t tier_cap;
    /* of the request at hand */
    struct images found;
    size_t found_cap;
    enum { REQUEST_NEW, REQUEST_KNOWN, REQUEST_LEFT_OUT } request;
    struct import_ids request_ids, run_ids;
    struct import_run *runs; /* ascending by from */
    size_t run_count, run_cap;
    int64_t done, total;
    int64_t batch_rows;
    size_t batch_bytes;
};

/** Take the row at hand over; the outcome goes to import_written(), import_known() or
 *  import_skip(). -1 is the end of the import. */
typedef int import_row_fn(struct importer *im, struct legacy_row *row, struct err *err);
import_row_fn import_setting, import_provider, import_route, import_price, import_run_row,
    import_request;

void import_written(struct importer *im);
void import_known(struct importer *im);
/** Returns 0. */
int import_skip(struct importer *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Something of the row at hand was left out. */
void import_note(struct importer *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Whether err is about this row only: then it is skipped, and 0; else -1. */
int import_failed(struct importer *im, const struct err *err);

/** Work with another table for a while. Returns the one before. */
struct import_table *import_switch(struct importer *im, enum legacy_table table);
/** Load row of the table at hand and hand it on; 0, or -1. */
int import_one(struct importer *im, enum legacy_table table, int64_t row, import_row_fn *take,
               struct err *err);
/** Count what came before a parent row as orphans of the table. */
void import_orphans(struct importer *im, enum legacy_table table, int64_t count, const char *what);

int import_ids_load(struct importer *im, struct import_ids *ids, const char *key, struct err *err);
/** The new id of an old one; last is the highest that is taken. */
int import_ids_new(struct importer *im, struct import_ids *ids, int64_t old, int64_t last,
                   int64_t *out, struct err *err);
/** The id that a run has here, UNKNOWN when it did not come over. */
int64_t import_find_run(const struct importer *im, int64_t old);
/** When all runs are there: one may be active. */
int import_runs_end(struct importer *im, struct err *err);

#endif
