/* view/view_run.h - runs as JSON. */
#ifndef VIEW_VIEW_RUN_H
#define VIEW_VIEW_RUN_H

#include <cjson/cJSON.h>

#include "core/run.h"

/** The run summary. now_wall_us ends the open duration of a run that is open. Returns owned. */
cJSON *view_run_summary(const struct run *run, int64_t now_wall_us);

#endif
