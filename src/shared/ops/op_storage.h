/* ops/op_storage.h - deleting old requests, for calls and forms. */
#ifndef OPS_OP_STORAGE_H
#define OPS_OP_STORAGE_H

#include "ops/call.h"

/** Delete a batch of what is older than so many days; call->progress counts, call->again tells that
 *  there may be more. ERR_INVALID. */
int op_trim_some(struct call *call, struct store *store, int64_t days, bool confirmed,
                 struct err *err);

#endif
