/* cli/out_table.h - which columns a table has, how wide they are, and its lines. */
#ifndef CLI_OUT_TABLE_H
#define CLI_OUT_TABLE_H

#include "out.h"

/** Rows beyond this many do not take part in finding the widths. */
#define OUT_MEASURED 1000

/** Take the columns of a comma-separated list; "+x" and "-x" change defaults. */
int out_choose(struct out *o, const char *list, const char *defaults, struct err *err);
/** Print or keep one row. */
int out_table_row(struct out *o, const struct row *row, struct err *err);
/** Find the widths and print the header and the rows kept so far. */
int out_table_flush(struct out *o, struct err *err);
/** One row of raw values, separated by TAB (tsv) or as CSV. */
int out_values(struct out *o, const struct row *row, struct err *err);
int out_values_header(struct out *o, struct err *err);
void out_table_clear(struct out *o);
/** All names that --json=FIELDS knows, for messages and help; appends one a line. */
void out_list_fields(const struct out_spec *spec, struct buf *out, const char *separator);
bool out_field_known(const struct out_spec *spec, struct str name);
/** ERR_INVALID with near names. */
int out_unknown(const struct out_spec *spec, const char *what, struct str name, struct err *err);

#endif
