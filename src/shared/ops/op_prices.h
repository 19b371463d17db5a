/* ops/op_prices.h - what the calls about prices share. */
#ifndef OPS_OP_PRICES_H
#define OPS_OP_PRICES_H

#include <cjson/cJSON.h>

#include "core/price.h"
#include "ops/call.h"

/** The prices as store has them; NULL: the call is answered. Returns owned. */
struct price_book *op_book(struct call *call, struct store *store);

/** A price as fields change it: old, or (NULL) the one of the same provider and model, or a new one
 *  (id 0). Texts are borrowed from book and fields, or in arena. ERR_INVALID, ERR_CONFLICT. */
int op_price_edit(const struct price_book *book, const cJSON *fields, struct arena *arena,
                  const struct price *old, struct price *out, struct err *err);
/** A tier of p as fields change *t. ERR_INVALID. */
int op_tier_edit(const struct price *p, const cJSON *fields, struct arena *arena,
                 struct price_tier *t, struct err *err);

#endif
