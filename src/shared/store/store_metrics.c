#include "store/store_metrics.h"

#include "store/store_priv.h"

static int64_t number(struct db_rows *rows, int column)
{
    return db_is_null(rows, column) ? UNKNOWN : db_int(rows, column);
}

static void read_row(struct db_rows *rows, struct metrics_row *row)
{
    *row = (struct metrics_row){
        .created_us = db_int(rows, 0),
        .failed = db_int(rows, 1) != 0,
        .duration_ms = number(rows, 2),
        .ttft_ms = number(rows, 3),
        .input_tokens = number(rows, 4),
        .cached_input_tokens = number(rows, 5),
        .output_tokens = number(rows, 6),
        .cost_pusd = number(rows, 7),
        .model = db_bytes(rows, 8),
        .provider = db_bytes(rows, 9),
        .route = db_bytes(rows, 10),
    };
}

int store_metrics(struct store *store, int64_t run, int64_t since_us, int64_t until_us,
                  int64_t limit, store_metrics_fn *each, void *ctx, struct err *err)
{
    const struct db_value args[] = {DB_INT(since_us), DB_INT(until_us - 1), DB_INT(limit),
                                    DB_INT(run)};
    struct db_rows *rows = run == UNKNOWN ? db_query(store->db, SQL_METRICS_ALL, args, 3, err)
                                          : db_query(store->db, SQL_METRICS_RUN, args, 4, err);
    int got = rows ? 1 : -1;

    while (got == 1 && (got = db_next(rows, err)) == 1) {
        struct metrics_row row;

        read_row(rows, &row);
        each(ctx, &row);
    }
    db_done(rows);
    return got;
}

int store_metrics_range(struct store *store, int64_t run, int64_t *first_us, int64_t *last_us,
                        struct err *err)
{
    struct db_rows *rows = db_query(store->db, SQL_METRICS_RUN_RANGE, DB_ARGS(DB_INT(run)), err);
    int got = rows ? db_next(rows, err) : -1;

    if (got == 1) {
        *first_us = number(rows, 0);
        *last_us = number(rows, 1);
    }
    db_done(rows);
    return got == 1 ? 0 : -1;
}
