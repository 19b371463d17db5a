/* cli/pricing_priv.h - what the verbs of "pricing" share. */
#ifndef CLI_PRICING_PRIV_H
#define CLI_PRICING_PRIV_H

#include "task.h"

#define PRICING "/admin/api/pricing"
#define PRICES PRICING "/prices"

extern const struct out_spec price_rows, sync_rows;
/** One answer, for --json. */
extern const struct out_spec price_one, price_found, sync_one, backfill_one, estimate_one;

extern const struct opt price_set_options[], price_sync_options[], price_estimate_options[];
extern const char price_set_more[], price_rm_more[], price_sync_more[], price_estimate_more[];
int pricing_set(struct cli *cli);
int pricing_rm(struct cli *cli);
int pricing_sync(struct cli *cli);
int pricing_estimate(struct cli *cli);

#endif
