/* cli/cli.h - what every command has: global options, messages, verbs.
 *
 * Results go to stdout and nothing else does (out.h); what is here writes to stderr, but for help.
 * Every text passes term_clean() on its way. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/err.h"
#include "base/opt.h"

#define PROGRAM "llm-observe-proxy"
#define LIST_END                                                                                   \
    {                                                                                              \
        0                                                                                          \
    }

extern const struct opt global_options[];

struct cli;
struct command;
struct out_spec;

/** Which output forms a verb can honour. */
enum {
    FORM_JSON = 1,
    FORM_ROWS = 2,    /* --jsonl, --csv, --columns, --header, --no-header, --wide */
    FORM_CHANGES = 4, /* --dry-run */
};

/** One verb of a command; a list ends with a NULL name. */
struct verb {
    const char *name;     /* "": all of the command */
    const char *synopsis; /* "ID [options]", see synopsis.h */
    const char *help;     /* one line */
    const struct opt *options;
    unsigned forms;
    const char *more; /* explanation, examples, exit codes for --help */
    /** Returns the exit status. */
    int (*run)(struct cli *cli);
    /* What follows may be left out. */
    const struct out_spec *out; /* its columns and JSON fields */
    bool command_follows;       /* options end at the first argument */
};

/** One run of a command or verb: its parsed options. */
struct cli {
    const char *name; /* "requests list" */
    const struct command *commands;
    struct opts opts;
    struct opt *table; /* own options, then the global ones */
    bool quiet, verbose;
};

/** Parse argv[0..argc) by the options of the verb (NULL: none) and the global ones. Refuses output
 *  forms that the verb does not have, and arguments that it does not take. Release with
 * cli_clear(), also after an error. */
int cli_parse(struct cli *cli, const char *name, const struct verb *verb, int argc, char **argv,
              struct err *err);
void cli_clear(struct cli *cli);

/** Print "llm-observe-proxy: MESSAGE" and return the exit status of the error. ERR_NONE (a pager
 *  was quit) prints nothing. */
int cli_fail(const struct err *err);
/** The same for a mistake on the command line, with a line that tells where help is. */
int cli_usage(const char *name, const struct err *err);
/** Print a line on stderr, unless --quiet. */
void cli_note(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Print help or another text of ours on stdout; the exit status. */
int cli_print(struct str text);
/** Ask "Delete 17 requests? [y/N] " on the terminal; question is that without the end, refused what
 *  is refused without --yes ("delete 17 requests"). 0: yes (or --yes). -1: ERR_FAILED when the
 *  answer was no, ERR_INVALID when nobody can be asked. */
int cli_confirm(const struct cli *cli, const char *question, const char *refused, struct err *err);
/** Die as a program dies that writes to a pipe nobody reads. Does not return. */
void cli_die_of_pipe(void) __attribute__((noreturn));

/** The index of the first word of argv[start..argc) that is neither an option of a or b (b may be
 *  NULL) nor its value; argc when there is none or "--" comes first. ERR_INVALID (-1): an unknown
 *  option stands before it. */
int find_word(int start, int argc, char **argv, const struct opt *a, const struct opt *b,
              struct err *err);
/** True when the word after this one is the option's value. */
bool takes_next(const struct opt *opt, const char *word);
/** What a verb must be able to do for this global option, as FORM_...; 0: nothing. */
unsigned global_option_form(const char *name);
/** The option of table that the word names ("--port", "--port=1", "-q"), or NULL. */
const struct opt *find_option(const struct opt *table, const char *word);

/** Whole number of an option within [min, max]; *out stays when it was not given. */
int cli_int(const struct cli *cli, const char *option, int64_t min, int64_t max, int64_t *out,
            struct err *err);

#endif
