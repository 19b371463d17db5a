/* cli/providers_columns.h - the columns and fields of providers and of their checks. */
#ifndef CLI_PROVIDERS_COLUMNS_H
#define CLI_PROVIDERS_COLUMNS_H

#include "out.h"

extern const struct out_spec provider_rows, provider_usage_rows, check_rows;
/** One of them, for --json. */
extern const struct out_spec provider_one;

#endif
