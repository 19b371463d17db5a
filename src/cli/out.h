/* cli/out.h - results on stdout: a table for a terminal, TSV for a pipe, JSON, JSON lines or CSV.
 *
 * Rows come as JSON text (row.h), whatever their source, and numbers pass through digit by digit.
 * Text of rows reaches stdout cleaned (tables, TSV, CSV) or as JSON whose strings hold nothing that
 * a terminal obeys. Calls return -1 with *err filled when stdout cannot be written; err->code is
 * ERR_NONE when a pager was quit, which is no failure. A reader that went away ends the process. */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "cli.h"
#include "columns.h"

enum out_form { OUT_TABLE, OUT_TSV, OUT_JSON, OUT_JSONL, OUT_CSV };

/** What a verb has to show. */
struct out_spec {
    const struct column *columns;             /* NULL: the verb shows one thing */
    const char *(*columns_for)(size_t width); /* default columns of a table */
    const char *machine;                      /* default columns of TSV and CSV */
    const char *const *fields;                /* for --json=FIELDS */
    const char *record;                       /* "record": request_fields are members of it too */
    const char *nothing;                      /* "no requests match" */
    bool pager;
};

struct out_column {
    struct column column; /* a copy; for a plain field made up */
    char *name;           /* owned */
    size_t natural, width;
    bool dropped;
};

struct out_line;
struct out {
    const struct out_spec *spec;
    enum out_form form;
    bool terminal; /* stdout is formatted as for a terminal */
    bool color, header, wide, quiet;
    size_t width;
    unsigned flags; /* of term_clean() */
    struct column_context ctx;
    bool unknown_field; /* out_open() failed for a name: out_usage() lists the known ones */
    /* private */
    struct out_column *columns;
    size_t column_count;
    bool columns_given;
    char **fields;
    size_t field_count;
    struct out_line *lines; /* rows that wait for the layout */
    size_t line_count, rows;
    bool laid_out;
    struct buf text, clean, page;
    char *pager; /* owned command line; NULL: none */
    int pager_fd;
    long pager_pid;
    struct row row;
};

/** Decide form, columns and width. 0; 1 when --json=help or --columns=help was answered; -1.
 *  Release with out_close() in any case. */
int out_open(struct out *o, const struct cli *cli, const struct out_spec *spec, struct err *err);
/** From now on rows are CSV with these columns and a header line, whatever the options say. */
int out_csv(struct out *o, const char *columns, struct err *err);
/** One row of a list, a validated JSON object. */
int out_row(struct out *o, struct str json, struct err *err);
/** Print what waits for the layout, so that later rows appear at once. */
int out_flush(struct out *o, struct err *err);
/** One object in the JSON forms: all of it or the FIELDS. */
int out_object(struct out *o, struct str json, struct err *err);
/** Text that is clean already. */
int out_text(struct out *o, struct str text, struct err *err);
/** End the list, hand over to the pager, and check that all was written. */
int out_end(struct out *o, struct err *err);
void out_close(struct out *o);
/** cli_usage(), and the known names when out_open() failed for an unknown one. */
int out_usage(const struct out *o, const struct cli *cli, const struct err *err);

/** True when the output goes to a terminal, or LLM_OBSERVE_FORCE_TTY says so; *width its cells. */
bool out_is_terminal(size_t *width);
/** True when --color and the environment want colour on this terminal. */
bool out_wants_color(const struct cli *cli);
/** The escape sequences around text of a role; empty without colour. */
const char *out_role_start(const struct out *o, enum role role);
const char *out_role_end(const struct out *o, enum role role);

#endif
