/* ops/op_runs.h - what calls and forms do to runs. Each gives the id of the run that it was;
 * UNKNOWN when no run was active. */
#ifndef OPS_OP_RUNS_H
#define OPS_OP_RUNS_H

#include "ops/call.h"

/** fields may have a budget. ERR_INVALID. */
int op_run_start(struct call *call, struct store *store, struct str name, struct str notes,
                 const cJSON *fields, int64_t *id, struct err *err);

typedef int op_run_fn(struct call *call, struct store *store, int64_t *id, struct err *err);
op_run_fn op_run_end_active, op_run_pause_active;
/** The run that the call names. */
op_run_fn op_run_resume;

#endif
