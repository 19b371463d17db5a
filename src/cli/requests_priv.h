/* cli/requests_priv.h - what the verbs of "requests" share. */
#ifndef CLI_REQUESTS_PRIV_H
#define CLI_REQUESTS_PRIV_H

#include "out.h"
#include "request_list.h"

extern const struct opt list_options[], show_options[], tail_options[], grep_options[];
extern const struct out_spec cancel_object, request_rows, grep_rows, show_object;
extern const struct opt export_options[], run_export_options[], curl_options[], cancel_options[];
extern const char show_more[], export_more[], curl_more[], cancel_more[];

int requests_show(struct cli *cli);
int requests_tail(struct cli *cli);
int requests_grep(struct cli *cli);
int requests_export(struct cli *cli);
int requests_curl(struct cli *cli);
int requests_cancel(struct cli *cli);

/** What a verb needs, opened and closed together. */
struct job {
    struct cli *cli;
    struct out out;
    struct source source;
    struct request_list list;
    struct err err;
    int status; /* exit status once something was said */
};
/** Open output, list options and source. False when the job is over: return job_end(). */
bool job_start(struct job *job, struct cli *cli, const struct out_spec *spec);
/** End the output unless rc is -1 (then job->err is printed), close all, return the exit status. */
int job_end(struct job *job, int rc);

/** Export the requests that the options choose. first (may be NULL) is called before the first
 *  request and chooses too; it prints a line of its own unless the format is CSV. */
int export_requests(struct cli *cli, int (*first)(struct job *job, bool csv));

#endif
