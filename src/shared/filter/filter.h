/* filter/filter.h - the filter language: what people type to choose requests.
 *
 * filter_parse() makes a tree of a text. The same tree is asked of rows in memory
 * (filter_matches()) and turned into SQL by the store, with equal results; filter_tree.h shows it
 * to the latter. A tree is never changed, so threads may share it. A comparison with an unknown
 * value is false, its negation true. */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include "base/buf.h"

#define FILTER_BYTES_MAX 4096
#define FILTER_TERMS_MAX 64
#define FILTER_DEPTH_MAX 16

/** Rows in flight have states that stored ones do not. */
enum filter_scope { FILTER_STORED, FILTER_LIVE };

/** What is wrong with a text, and where: in code points from 0. */
struct filter_error {
    char msg[320];
    size_t position, length;
};

/** Append two lines for a terminal: the text (a long one cut around the fault), and carets under
 * what is wrong. flags: TERM_ASCII of text/term.h or 0. */
void filter_error_show(struct buf *out, struct str text, const struct filter_error *error,
                       unsigned flags);

struct filter;

/** Returns owned, filter_free(); NULL with *error filled. Relative times count from now_us. An
 *  empty text matches everything. */
struct filter *filter_parse(struct str text, enum filter_scope scope, int64_t now_us,
                            struct filter_error *error);
void filter_free(struct filter *filter);
/** True for an empty text. */
bool filter_is_empty(const struct filter *filter);
/** True when it asks for the active run, whose id filter_matches() then needs. */
bool filter_wants_run(const struct filter *filter);

/** The values of a row. The order of columns is nobody's business. */
#define FILTER_COLUMNS(X) /* name, kind, where JSON rows have it, where while it runs */           \
    X(ID, INT, "id", NULL)                                                                         \
    X(CREATED, TIME, "created_at", NULL)                                                           \
    X(ENDED, TIME, "completed_at", NULL)                                                           \
    X(METHOD, TEXT, "method", NULL)                                                                \
    X(ENDPOINT, TEXT, "endpoint", NULL)                                                            \
    X(MODEL, TEXT, "model", NULL)                                                                  \
    X(SENT_MODEL, TEXT, "upstream_model", NULL)                                                    \
    X(ROUTE, TEXT, "model_route", NULL)                                                            \
    X(PROVIDER_SLUG, TEXT, "provider_slug", NULL)                                                  \
    X(PROVIDER_NAME, TEXT, "provider_name", NULL)                                                  \
    X(RUN_ID, INT, "task_run.id", NULL)                                                            \
    X(RUN_NAME, TEXT, "task_run.name", NULL)                                                       \
    X(STATUS, INT, "status", NULL)                                                                 \
    X(OUTCOME, TEXT, "outcome", NULL)                                                              \
    X(FINISH, TEXT, "finish_reason", NULL)                                                         \
    X(DURATION, INT, "duration_ms", "elapsed_ms")                                                  \
    X(TTFT, INT, "ttft_ms", NULL)                                                                  \
    X(GAP, INT, "chunk_gap_p95_ms", "gap_ms")                                                      \
    X(MAXGAP, INT, "chunk_gap_max_ms", NULL)                                                       \
    X(INPUT, INT, "tokens.input", NULL)                                                            \
    X(CACHED, INT, "tokens.cached_input", NULL)                                                    \
    X(OUTPUT, INT, "tokens.output", NULL)                                                          \
    X(REASONING, INT, "reasoning_tokens", NULL)                                                    \
    X(TOTAL, INT, "tokens.total", NULL)                                                            \
    X(TPS, RATE, "generation_tps", "current_tps")                                                  \
    X(COST, MONEY, "cost_usd", NULL)                                                               \
    X(TOOLS, INT, "tool_call_count", NULL)                                                         \
    X(BYTES, INT, "response_bytes", NULL)                                                          \
    X(REQ_BYTES, INT, "request_bytes", NULL)                                                       \
    X(ERROR, TEXT, "error", NULL)                                                                  \
    X(UPSTREAM_ERROR, TEXT, "upstream_error_message", NULL)                                        \
    X(SUMMARY, TEXT, "semantic_summary", NULL)                                                     \
    X(CLIENT, TEXT, "client", NULL)                                                                \
    X(STATE, TEXT, "state", NULL)                                                                  \
    X(IS_STREAM, FLAG, "is_stream", NULL)                                                          \
    X(IS_TOOL, FLAG, "has_tool_calls", NULL)                                                       \
    X(IS_IMAGE, FLAG, "has_images", NULL)                                                          \
    X(IS_LARGE, FLAG, "signals.large", NULL)                                                       \
    X(IS_REWRITTEN, FLAG, "response_was_rewritten", NULL)                                          \
    X(COMPATIBILITY, TEXT, "compatibility_label", NULL)

enum filter_column {
#define X(name, kind, path, live) FILTER_COL_##name,
    FILTER_COLUMNS(X)
#undef X
        FILTER_COL_COUNT
};

/** A row behind two questions; false: unknown. */
struct filter_row {
    const void *row;
    /** INT as it is, TIME in microseconds, RATE in hundredths, MONEY in pico-dollars, FLAG 0 or 1.
     */
    bool (*number)(const void *row, enum filter_column column, int64_t *out);
    /** Borrowed from the row, or from scratch (emptied before). */
    bool (*text)(const void *row, enum filter_column column, struct buf *scratch, struct str *out);
};

/** active_run: the id of the active run, or UNKNOWN. */
bool filter_matches(const struct filter *filter, const struct filter_row *row, int64_t active_run);

/** A JSON object as a row: an item of GET /api/requests, or a live row. Members are ranges of its
 *  text, which is borrowed. */
struct filter_json {
    struct str values[FILTER_COL_COUNT], live[FILTER_COL_COUNT];
};
/** json is a validated JSON value; what is missing in it, or is no object, is unknown. */
void filter_json_read(struct filter_json *row, struct str json);
/** Borrows row. */
struct filter_row filter_json_row(const struct filter_json *row);
/** Both, and the question. */
bool filter_matches_json(const struct filter *filter, struct str json, int64_t active_run);

/** The fields that there are, for help and completion; both lists end with a NULL name. */
struct filter_name {
    const char *name, *alias; /* alias may be NULL */
    const char *values;       /* what one is, in a word: "duration" */
    bool live_only;
    const char *help;
};
extern const struct filter_name filter_flag_names[];    /* behind "is:" */
extern const struct filter_name filter_outcome_names[]; /* behind "outcome:" */
/** The field at index at, from 0; NULL behind the last one. */
const struct filter_name *filter_field_name(size_t at);

#endif
