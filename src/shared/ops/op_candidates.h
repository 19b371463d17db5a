/* ops/op_candidates.h - why a model goes where it goes. */
#ifndef OPS_OP_CANDIDATES_H
#define OPS_OP_CANDIDATES_H

#include <cjson/cJSON.h>

#include "core/catalog.h"

/** The routes that fit model, in the order in which they are considered, each with what became of
 *  it. matched: one of them is taken. Returns owned. */
cJSON *op_candidates(const struct catalog *c, struct str model, bool matched);

#endif
