#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
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
    {"color", 0, OPT_TEXT, "WHEN", "auto, always or never"},
    {"time", 0, OPT_TEXT, "FORM", "auto, relative, local, utc or iso"},
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

static int refuse_forms(const struct cli *cli, unsigned forms, struct err *err)
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
        if (!(forms & needs[i].form) && opts_flag(&cli->opts, needs[i].option))
            return err_set(err, ERR_INVALID, "--%s has no meaning for %s", needs[i].option,
                           cli->name);
    return 0;
}

int cli_parse(struct cli *cli, const char *name, const struct opt *options, unsigned forms,
              int argc, char **argv, struct err *err)
{
    *cli = (struct cli){.name = name, .table = join(options, global_options)};
    if (opts_parse(&cli->opts, cli->table, argc, argv, err) < 0)
        return -1;
    cli->quiet = opts_flag(&cli->opts, "quiet");
    cli->verbose = opts_flag(&cli->opts, "verbose");
    if (opts_flag(&cli->opts, "help"))
        return 0;
    return refuse_forms(cli, forms, err);
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

static bool takes_next(const struct opt *opt, const char *word)
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

/* ---- verbs ---- */

static void list_verbs(struct buf *out, const char *command, const struct verb *verbs)
{
    for (; verbs->name; verbs++) {
        char line[80];

        snprintf(line, sizeof(line), "%s %s %s", command, verbs->name, verbs->synopsis);
        buf_printf(out, "  %-32s %s\n", line, verbs->help);
    }
}

static void verb_help(struct buf *out, const char *command, const struct verb *v)
{
    buf_printf(out, "usage: %s %s %s %s\n\n%c%s.\n", PROGRAM, command, v->name, v->synopsis,
               toupper((unsigned char)v->help[0]), v->help + 1);
    if (v->options && v->options->name) {
        buf_put(out, STR("\nOptions\n"));
        opts_help(out, v->options);
    }
    buf_put(out, STR("\nGlobal options\n"));
    opts_help(out, global_options);
    if (v->more)
        buf_printf(out, "\n%s", v->more);
}

static int command_help(const char *command, const char *purpose, const struct verb *verbs)
{
    struct buf out = {0};
    int rc;

    buf_printf(&out, "usage: %s %s VERB [OPTION | ARGUMENT]...\n\n%s.\n\n", PROGRAM, command,
               purpose);
    list_verbs(&out, command, verbs);
    buf_printf(&out, "\nSee \"%s %s VERB --help\".\n", PROGRAM, command);
    rc = cli_print(buf_str(&out));
    buf_clear(&out);
    return rc;
}

static int unknown_verb(const char *command, const char *word, const struct verb *verbs)
{
    const char *names[32];
    struct buf near = {0};
    struct err err;
    size_t n = 0;

    while (verbs[n].name && n < 32) {
        names[n] = verbs[n].name;
        n++;
    }
    opts_suggest(&near, str_c(word), names, n);
    err_set(&err, ERR_INVALID, "unknown verb \"%.80s\" of %s%.*s", word, command,
            STR_ARG(buf_str(&near)));
    buf_clear(&near);
    return cli_usage(command, &err);
}

static int print_version(void)
{
    return cli_print(STR(PROGRAM " " LOP_VERSION "\n"));
}

static int run_verb(const char *command, const struct verb *v, int argc, char **argv)
{
    char name[64];
    struct cli cli;
    struct err err;
    struct buf help = {0};
    int rc;

    snprintf(name, sizeof(name), "%s %s", command, v->name);
    if (cli_parse(&cli, name, v->options, v->forms, argc, argv, &err) < 0) {
        rc = cli_usage(name, &err);
    } else if (opts_flag(&cli.opts, "help")) {
        verb_help(&help, command, v);
        rc = cli_print(buf_str(&help));
        buf_clear(&help);
    } else if (opts_flag(&cli.opts, "version")) {
        rc = print_version();
    } else {
        rc = v->run(&cli);
    }
    cli_clear(&cli);
    return rc;
}

int verbs_run(const char *command, const char *purpose, const struct verb *verbs, int argc,
              char **argv)
{
    struct err err;
    struct buf list = {0};
    int at, rc;

    at = find_word(1, argc, argv, global_options, NULL, &err);
    if (at < 0)
        return cli_usage(command, &err);
    if (at == argc) {
        struct cli cli;

        rc = cli_parse(&cli, command, NULL, ~0u, argc - 1, argv + 1, &err);
        if (rc < 0) {
            rc = cli_usage(command, &err);
        } else if (opts_flag(&cli.opts, "help")) {
            rc = command_help(command, purpose, verbs);
        } else if (opts_flag(&cli.opts, "version")) {
            rc = print_version();
        } else {
            list_verbs(&list, command, verbs);
            fprintf(stderr, PROGRAM ": %s needs a verb\n%s", command, list.ptr ? list.ptr : "");
            buf_clear(&list);
            rc = 2;
        }
        cli_clear(&cli);
        return rc;
    }
    for (const struct verb *v = verbs; v->name; v++)
        if (strcmp(v->name, argv[at]) == 0) {
            /* Global options before the verb count as options of the verb. */
            memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof(*argv));
            return run_verb(command, v, argc - 2, argv + 2);
        }
    return unknown_verb(command, argv[at], verbs);
}
