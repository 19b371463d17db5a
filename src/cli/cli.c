#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "synopsis.h"
#include "text/term.h"

const struct opt global_options[] = {
    {"url", 0, OPT_TEXT, "URL", "ask this server and nothing else"},
    {"database-url", 0, OPT_TEXT, "URL", "use this database, ask no server"},
    {"json", 0, OPT_OPTIONAL, "FIELDS", "JSON; --json=help lists the fields"},
    {"jsonl", 0, OPT_OPTIONAL, "FIELDS", "one JSON object per line, as rows come"},
    {"csv", 0, OPT_OPTIONAL, "FIELDS", "comma-separated values with a header line"},
    {"columns", 0, OPT_TEXT, "LIST", "which columns; +x adds, -x removes, help lists"},
    {"header", 0, OPT_FLAG, NULL, "always print a header line"},
    {"no-header", 0, OPT_FLAG, NULL, "never print a header line"},
    {"wide", 0, OPT_FLAG, NULL, "do not cut cells or drop columns"},
    {"color", 0, OPT_TEXT, "WHEN", "auto, always or never", .fallback = "auto",
     .values = "auto|always|never"},
    {"time", 0, OPT_TEXT, "FORM", "auto, relative, local, utc or iso", .fallback = "auto",
     .values = "auto|relative|local|utc|iso"},
    {"no-pager", 0, OPT_FLAG, NULL, "never start a pager"},
    {"quiet", 'q', OPT_FLAG, NULL, "only errors on stderr"},
    {"verbose", 'v', OPT_FLAG, NULL, "say which server or file is used, and each call"},
    {"yes", 'y', OPT_FLAG, NULL, "answer every confirmation with yes"},
    {"dry-run", 0, OPT_FLAG, NULL, "say what would change, change nothing"},
    {"help", 'h', OPT_FLAG, NULL, "print help and exit"},
    {"version", 'V', OPT_FLAG, NULL, "print the version and exit"},
    LIST_END,
};

/* ---- messages ---- */

static void say(const char *prefix, struct str text)
{
    unsigned flags = TERM_MULTILINE | (term_is_utf8() ? 0 : (unsigned)TERM_ASCII);
    struct buf clean = {0};
    struct err ignored;

    if (term_clean(&clean, text, flags, &ignored) == 0)
        fprintf(stderr, "%s%s\n", prefix, clean.ptr ? clean.ptr : "");
    buf_clear(&clean);
}

static void ask(const char *question)
{
    unsigned flags = term_is_utf8() ? 0 : (unsigned)TERM_ASCII;
    struct buf clean = {0};
    struct err ignored;

    if (term_clean(&clean, str_c(question), flags, &ignored) == 0)
        fprintf(stderr, "%s [y/N] ", clean.ptr ? clean.ptr : "");
    fflush(stderr);
    buf_clear(&clean);
}

int cli_fail(const struct err *err)
{
    if (err->code == ERR_NONE)
        return 0;
    say(PROGRAM ": ", str_c(err->msg));
    return err_exit_status(err->code);
}

int cli_usage(const char *name, const struct err *err)
{
    cli_fail(err);
    if (err->code == ERR_INVALID)
        fprintf(stderr, "Try \"%s%s%s --help\".\n", PROGRAM, name[0] ? " " : "", name);
    return err_exit_status(err->code);
}

void cli_note(const struct cli *cli, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    if (cli->quiet)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    say("", str_c(text));
}

int cli_confirm(const struct cli *cli, const char *question, const char *refused, struct err *err)
{
    char line[16] = "";
    bool whole;

    if (opts_flag(&cli->opts, "yes"))
        return 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return err_set(err, ERR_INVALID, "refusing to %s without --yes", refused);
    ask(question);
    if (!fgets(line, sizeof(line), stdin))
        fputc('\n', stderr);
    whole = line[0] == '\0' || strchr(line, '\n');
    for (int c = 0; !whole && c != EOF && c != '\n';)
        c = getchar();
    if ((line[0] == 'y' || line[0] == 'Y') &&
        (line[1] == '\n' || str_eq(str_trim(str_c(line)), STR("yes"))))
        return 0;
    return err_set(err, ERR_FAILED, "nothing was changed");
}

void cli_die_of_pipe(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
    _exit(128 + SIGPIPE);
}

int cli_print(struct str text)
{
    if (fwrite(text.ptr, 1, text.len, stdout) == text.len && fflush(stdout) == 0)
        return 0;
    if (errno == EPIPE)
        cli_die_of_pipe();
    fprintf(stderr, PROGRAM ": cannot write to standard output: %s\n", strerror(errno));
    return 1;
}

/* ---- options ---- */

static size_t count_options(const struct opt *table)
{
    size_t n = 0;

    while (table && table[n].name)
        n++;
    return n;
}

static struct opt *join(const struct opt *a, const struct opt *b)
{
    size_t na = count_options(a), nb = count_options(b);
    struct opt *both = xcalloc(na + nb + 1, sizeof(*both));

    if (na)
        memcpy(both, a, na * sizeof(*both));
    memcpy(both + na, b, nb * sizeof(*both));
    return both;
}

unsigned global_option_form(const char *name)
{
    static const struct {
        const char *option;
        unsigned form;
    } needs[] = {
        {"json", FORM_JSON},    {"jsonl", FORM_ROWS},      {"csv", FORM_ROWS},
        {"columns", FORM_ROWS}, {"header", FORM_ROWS},     {"no-header", FORM_ROWS},
        {"wide", FORM_ROWS},    {"dry-run", FORM_CHANGES},
    };

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if (strcmp(needs[i].option, name) == 0)
            return needs[i].form;
    return 0;
}

static int refuse_forms(const struct cli *cli, unsigned forms, struct err *err)
{
    for (const struct opt *o = global_options; o->name; o++)
        if ((global_option_form(o->name) & ~forms) && opts_flag(&cli->opts, o->name))
            return err_set(err, ERR_INVALID, "--%s has no meaning for %s", o->name, cli->name);
    return 0;
}

static int check_choices(const struct cli *cli, struct err *err)
{
    for (size_t i = 0; cli->table[i].name; i++) {
        const struct opt *o = &cli->table[i];
        const struct opt_given *given = &cli->opts.given[i];
        const char *choices = o->values ? o->values : o->value;
        char what[64];

        snprintf(what, sizeof(what), "--%s: ", o->name);
        if (o->kind == OPT_TEXT && given->given && choices &&
            choice_check(what, str_c(choices), given->value, err) < 0)
            return -1;
    }
    return 0;
}

/* --json=help and its kin need no arguments. */
static bool asks_for_names(const struct opts *opts)
{
    static const char *const names[] = {"json", "jsonl", "csv", "columns"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = opts_text(opts, names[i]);

        if (value && strcmp(value, "help") == 0)
            return true;
    }
    return false;
}

int cli_parse(struct cli *cli, const char *name, const struct verb *verb, int argc, char **argv,
              struct err *err)
{
    bool leading = verb && verb->command_follows;

    *cli = (struct cli){.name = name, .table = join(verb ? verb->options : NULL, global_options)};
    if ((leading ? opts_parse_leading : opts_parse)(&cli->opts, cli->table, argc, argv, err) < 0)
        return -1;
    cli->quiet = opts_flag(&cli->opts, "quiet");
    cli->verbose = opts_flag(&cli->opts, "verbose");
    if (opts_flag(&cli->opts, "help") || !verb)
        return 0;
    if (refuse_forms(cli, verb->forms, err) < 0 || check_choices(cli, err) < 0)
        return -1;
    if (opts_flag(&cli->opts, "version") || asks_for_names(&cli->opts))
        return 0;
    return synopsis_check(verb->synopsis, &cli->opts, err);
}

void cli_clear(struct cli *cli)
{
    opts_clear(&cli->opts);
    free(cli->table);
    *cli = (struct cli){0};
}

int cli_int(const struct cli *cli, const char *option, int64_t min, int64_t max, int64_t *out,
            struct err *err)
{
    const char *text = opts_text(&cli->opts, option);
    int64_t n;

    if (!text)
        return 0;
    if (!str_int64(str_c(text), &n))
        return err_set(err, ERR_INVALID, "--%s: \"%.80s\" is no whole number", option, text);
    if (n < min || n > max)
        return err_set(err, ERR_INVALID, "--%s: %" PRId64 " is not within %" PRId64 " and %" PRId64,
                       option, n, min, max);
    *out = n;
    return 0;
}

const struct opt *find_option(const struct opt *table, const char *word)
{
    struct str name;
    ptrdiff_t eq;

    if (!table || word[0] != '-' || !word[1])
        return NULL;
    name = str_c(word + 2);
    eq = str_chr(name, '=');
    if (eq >= 0)
        name = str_cut(name, (size_t)eq);
    for (; table->name; table++)
        if (word[1] == '-' ? str_eq(str_c(table->name), name) : table->short_name == word[1])
            return table;
    return NULL;
}

bool takes_next(const struct opt *opt, const char *word)
{
    if (opt->kind != OPT_TEXT && opt->kind != OPT_LIST)
        return false;
    return word[1] == '-' ? !strchr(word, '=') : !word[2];
}

static int unknown_option(const char *word, const struct opt *a, const struct opt *b,
                          struct err *err)
{
    struct opt *both = join(b, a);
    char *copy = xstrdup(word), *argv[] = {copy};
    struct opts parsed;

    if (opts_parse(&parsed, both, 1, argv, err) == 0)
        err_set(err, ERR_INVALID, "unknown option \"%.80s\"", word);
    opts_clear(&parsed);
    free(copy);
    free(both);
    return -1;
}

int find_word(int start, int argc, char **argv, const struct opt *a, const struct opt *b,
              struct err *err)
{
    for (int i = start; i < argc; i++) {
        const char *word = argv[i];
        const struct opt *opt;

        if (strcmp(word, "--") == 0)
            return argc;
        if (word[0] != '-' || !word[1])
            return i;
        opt = find_option(a, word);
        if (!opt)
            opt = find_option(b, word);
        if (!opt)
            return unknown_option(word, a, b, err);
        i += takes_next(opt, word);
    }
    return argc;
}
