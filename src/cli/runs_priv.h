/* cli/runs_priv.h - what the verbs of "runs" share. */
#ifndef CLI_RUNS_PRIV_H
#define CLI_RUNS_PRIV_H

#include "page.h"
#include "requests_priv.h"
#include "run_name.h"

extern const struct column run_columns[];
extern const char run_columns_machine[];
const char *run_columns_for(size_t width);
/* For --json=FIELDS: items of the list, {"run"}, statistics, comparisons. */
extern const char *const run_fields[], *const run_answer_fields[], *const run_stats_fields[],
                                                                       *const what_if_fields[];

extern const struct opt runs_start_options[], runs_exec_options[], runs_export_options[],
    runs_what_if_options[];
extern const struct out_spec one_run, run_object, what_if_object;
extern const char runs_exec_more[], runs_export_more[], runs_what_if_more[];

int runs_start(struct cli *cli);
int runs_pause(struct cli *cli);
int runs_resume(struct cli *cli);
int runs_end(struct cli *cli);
int runs_show(struct cli *cli);
int runs_what_if(struct cli *cli);
int runs_export(struct cli *cli);
int runs_exec(struct cli *cli);

/** One call about a run: the answer's text is in text, run reads its member "run" (empty when that
 *  is null). */
struct run_answer {
    struct buf text;
    struct str value;
    struct row run;
};
void run_answer_clear(struct run_answer *a);
/** POST /api/runs/start. notes NULL: none. */
int run_start(struct source *source, const char *name, const char *notes, struct run_answer *a,
              struct err *err);
/** POST /api/runs/pause. */
int run_pause(struct source *source, struct run_answer *a, struct err *err);
/** POST /api/runs/{id}/{verb}. */
int run_change(struct source *source, int64_t id, const char *verb, struct run_answer *a,
               struct err *err);
/** GET /api/runs/{id}/stats. */
int run_stats(struct source *source, int64_t id, int64_t timeout_ms, struct run_answer *a,
              struct err *err);
/** Append 'run 12 "bench"', cleaned, or 'run 12' when the name is not known. */
void run_put_name(struct buf *out, int64_t id, struct str name);
/** The same from a run of an answer. */
void run_put_row(struct buf *out, const struct row *run);
/** Append '214 requests, $1.84' from an answer of statistics. */
void run_put_sums(struct buf *out, const struct row *answer);
/** Print the bill of an answer of statistics on stderr: how is "ended", end what follows the time
 *  (", command exited 0"). */
void run_bill(const struct cli *cli, const struct run_answer *stats, const char *how,
              const char *end);

/** The run that the only argument names; without one the active run, else the last one. */
int run_name_or_last(struct job *job, struct run_name *run);
/** Start a run by the options --notes, --no-replace and --dry-run, and say so on stderr. */
int run_begin(struct cli *cli, struct source *source, const char *name, struct run_answer *a,
              struct err *err);

#endif
