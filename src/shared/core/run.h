/* core/run.h - a named span of traffic. */
#ifndef CORE_RUN_H
#define CORE_RUN_H

#include "core/record.h"

/** Text is borrowed from the arena of whoever loaded the run. */
struct run {
    int64_t id;
    struct str name, notes; /* notes: STR_NONE when there are none */
    int64_t started_us;
    int64_t ended_us;      /* UNKNOWN while open */
    int64_t paused_us;     /* UNKNOWN unless paused */
    int64_t request_count; /* UNKNOWN: not counted */
};

#endif
