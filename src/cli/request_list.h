/* cli/request_list.h - the list options of the verbs of "requests", and the rows they choose. */
#ifndef CLI_REQUEST_LIST_H
#define CLI_REQUEST_LIST_H

#include "columns.h"
#include "source.h"
#include "where.h"

#define LIST_SCAN_ALL INT64_MAX

/** The options themselves, for the tables of the verbs. */
#define LIST_OPTIONS {"run", 0, OPT_TEXT, "RUN", "of this run", .values = "RUN"}, RUN_LIST_OPTIONS
/** Those that choose among the requests of a run. */
#define RUN_LIST_OPTIONS                                                                           \
    WHERE_OPTION, {"model", 0, OPT_TEXT, "MODEL", "with this model, as the client named it"},      \
        {"provider",          0, OPT_TEXT, "NAME", "billed to this provider, slug or name",        \
         .values = "PROVIDER"},                                                                    \
        {"route", 0, OPT_TEXT, "PATTERN", "matched by this route", .values = "ROUTE"},             \
        {"status", 0, OPT_TEXT, "CODE", "answered with this HTTP status"},                         \
        {"endpoint", 0, OPT_TEXT, "TEXT", "whose path contains this"},                             \
        {"stream", 0, OPT_FLAG, NULL, "streamed"}, {"image", 0, OPT_FLAG, NULL, "with images"},    \
        {"tool", 0, OPT_FLAG, NULL, "with tool calls"}, {"error", 0, OPT_FLAG, NULL, "failed"},    \
        {"slow", 0, OPT_FLAG, NULL, "that took 10 s or more"},                                     \
        {"large", 0, OPT_FLAG, NULL, "with 10 000 tokens or more"},                                \
        {"since", 0, OPT_TEXT, "TIME", "arrived at or after TIME"},                                \
        {"until", 0, OPT_TEXT, "TIME", "arrived before TIME"},                                     \
        {"before", 0, OPT_TEXT, "ID", "older than request ID"},                                    \
    {                                                                                              \
        "after", 0, OPT_TEXT, "ID", "newer than request ID"                                        \
    }

struct request_list {
    struct buf query; /* the filters as the API's parameters */
    const struct cli *cli;
    int64_t run;                /* its id; 0: none is wanted */
    int64_t before, after;      /* ids; 0: none */
    int64_t since_us, until_us; /* 0: none */
};

/** Read the list options. ERR_INVALID. Release with request_list_clear(), also after an error. */
int request_list_read(struct request_list *list, const struct cli *cli, struct err *err);
void request_list_clear(struct request_list *list);
/** Choose the requests of one run only. */
void request_list_of_run(struct request_list *list, int64_t run);
/** Find out which run --run means, before the first request is asked for. ERR_NOT_FOUND. */
int request_list_open(struct request_list *list, struct source *source, struct err *err);

/** json is borrowed; row reads it. 0 to go on, 1 to stop, -1 with *err filled. */
typedef int request_row_fn(void *ctx, struct str json, const struct row *row, struct err *err);
/** Call each for the rows that match, newest first, each id once; asks for expected rows at first
 *  (LIST_SCAN_ALL: many), then for more. */
int request_list_each(const struct request_list *list, struct source *source, int64_t expected,
                      request_row_fn *each, void *ctx, struct err *err);
/** The same, oldest first, in the form of lines of an export, with bodies or without. */
int request_list_export(const struct request_list *list, struct source *source, bool bodies,
                        request_row_fn *each, void *ctx, struct err *err);
/** True when a row that came another way matches. */
bool request_list_match(const struct request_list *list, const struct row *row);

/** ERR_INVALID unless text is a request id, "last" or "last-error". */
int request_id_check(const char *text, struct err *err);
/** The id that the text means. ERR_INVALID, ERR_NOT_FOUND. */
int request_id_read(struct source *source, const char *text, int64_t *id, struct err *err);

#endif
