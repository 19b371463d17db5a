#include "command.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "config/serve_options.h"
#include "help.h"
#include "text/term.h"

const struct alias command_aliases[] = {
    {"req", "requests", NULL},           {"prices", "pricing", NULL},     {"trim", "db", "trim"},
    {"backfill", "pricing", "backfill"}, {"cost", "pricing", "estimate"}, {0},
};

/* ---- finding ---- */

static const struct alias *find_alias(const char *name)
{
    for (const struct alias *a = command_aliases; a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

const struct command *command_find(const struct command *commands, const char *name)
{
    const struct alias *alias = find_alias(name);

    for (; commands && commands->name; commands++)
        if (strcmp(commands->name, alias ? alias->command : name) == 0)
            return commands;
    return NULL;
}

const struct verb *verb_find(const struct command *command, const char *name)
{
    for (const struct verb *v = command->verbs; v && v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

bool command_has_verbs(const struct command *command)
{
    return command->verbs && command->verbs[0].name && command->verbs[0].name[0];
}

bool command_listed(const struct command *command)
{
    return strncmp(command->name, "__", 2) != 0;
}

static int unknown_command(const struct command *commands, const char *word)
{
    const char *names[64];
    struct err err;
    size_t n = 0;

    for (; commands->name && n < 64; commands++)
        if (command_listed(commands))
            names[n++] = commands->name;
    help_unknown("command", word, "", names, n, &err);
    return cli_usage("", &err);
}

int command_unknown_verb(const struct command *command, const char *word)
{
    const char *names[64];
    char of[80];
    struct err err;
    size_t n = 0;

    for (const struct verb *v = command->verbs; v->name && n < 64; v++)
        names[n++] = v->name;
    snprintf(of, sizeof(of), " of %s", command->name);
    help_unknown("verb", word, of, names, n, &err);
    return cli_usage(command->name, &err);
}

/* ---- verbs ---- */

static int print_version(struct cli *cli)
{
    const struct command *version = command_find(cli->commands, "version");

    return version ? version->verbs[0].run(cli) : cli_print(STR(PROGRAM " " LOP_VERSION "\n"));
}

static int run_verb(const struct command *commands, const struct command *command,
                    const struct verb *v, int argc, char **argv)
{
    char name[64];
    struct cli cli;
    struct err err;
    int status;

    snprintf(name, sizeof(name), "%s%s%s", command->name, v->name[0] ? " " : "", v->name);
    if (cli_parse(&cli, name, v, argc, argv, &err) < 0) {
        status = cli_usage(name, &err);
    } else {
        cli.commands = commands;
        if (opts_flag(&cli.opts, "help"))
            status = help_verb(command, v);
        else if (opts_flag(&cli.opts, "version"))
            status = print_version(&cli);
        else
            status = v->run(&cli);
    }
    cli_clear(&cli);
    return status;
}

/* "requests" alone, or with options only. */
static int run_no_verb(const struct command *commands, const struct command *command, int argc,
                       char **argv)
{
    struct buf list = {0};
    struct cli cli;
    struct err err;
    int status;

    if (cli_parse(&cli, command->name, NULL, argc - 1, argv + 1, &err) < 0) {
        status = cli_usage(command->name, &err);
    } else if (opts_flag(&cli.opts, "help")) {
        status = help_command(command);
    } else if (opts_flag(&cli.opts, "version")) {
        cli.commands = commands;
        status = print_version(&cli);
    } else {
        help_list_verbs(&list, command);
        fprintf(stderr, PROGRAM ": %s needs a verb\n%s", command->name, list.ptr ? list.ptr : "");
        buf_clear(&list);
        status = err_exit_status(ERR_INVALID);
    }
    cli_clear(&cli);
    return status;
}

static int run_verbs(const struct command *commands, const struct command *command, int argc,
                     char **argv)
{
    const struct verb *verb;
    struct err err;
    int at;

    if (!command_has_verbs(command))
        return run_verb(commands, command, command->verbs, argc - 1, argv + 1);
    at = find_word(1, argc, argv, global_options, NULL, &err);
    if (at < 0)
        return cli_usage(command->name, &err);
    if (at == argc)
        return run_no_verb(commands, command, argc, argv);
    verb = verb_find(command, argv[at]);
    if (!verb)
        return command_unknown_verb(command, argv[at]);
    /* Global options before the verb count as options of the verb. */
    memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof(*argv));
    return run_verb(commands, command, verb, argc - 2, argv + 2);
}

/* ---- commands that read their command line themselves ---- */

/* Output forms, changes, and what names a server or database. */
static bool does_something(const struct opt *global)
{
    return global_option_form(global->name) || strcmp(global->name, "url") == 0 ||
           strcmp(global->name, "database-url") == 0;
}

/* Take out the global options that mean nothing to the command and do no harm, such as --color;
 * refuse the others. Returns the new argc, or -1. */
static int drop_globals(const struct command *command, int argc, char **argv, struct err *err)
{
    int kept = 1;

    for (int i = 1; i < argc; i++) {
        const struct opt *own = find_option(command->options, argv[i]);
        const struct opt *global = own ? NULL : find_option(global_options, argv[i]);

        if (strcmp(argv[i], "--") == 0) {
            for (; i < argc; i++)
                argv[kept++] = argv[i];
        } else if (!global || (argv[i][1] != '-' && argv[i][2])) {
            argv[kept++] = argv[i];
            if (own && takes_next(own, argv[i]) && i + 1 < argc)
                argv[kept++] = argv[++i];
        } else if (does_something(global)) {
            return err_set(err, ERR_INVALID, "--%s has no meaning for %s", global->name,
                           command->name);
        } else {
            i += takes_next(global, argv[i]);
        }
    }
    argv[kept] = NULL;
    return kept;
}

static bool given(int argc, char **argv, const char *name, char letter)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], name) == 0 ||
            (argv[i][0] == '-' && argv[i][1] == letter && argv[i][2] == '\0'))
            return true;
    return false;
}

static int run_command(const struct command *commands, const struct command *command, int argc,
                       char **argv)
{
    const struct command *version = command_find(commands, "version");
    struct err err;

    if (!command->run)
        return run_verbs(commands, command, argc, argv);
    if (!command->options)
        return command->run(argc, argv);
    if (version && given(argc, argv, "--version", 'V'))
        return run_verb(commands, version, version->verbs, 0, NULL);
    argc = drop_globals(command, argc, argv, &err);
    return argc < 0 ? cli_usage(command->name, &err) : command->run(argc, argv);
}

/* ---- dispatch ---- */

/* The first option before the command that belongs to serve alone, or NULL. */
static const struct opt *serve_option(int end, char **argv)
{
    for (int i = 1; i < end; i++) {
        const struct opt *own = find_option(serve_options, argv[i]);
        const struct opt *opt = find_option(global_options, argv[i]);

        if (own && !opt)
            return own;
        i += opt && takes_next(opt, argv[i]);
    }
    return NULL;
}

/* Run the command at argv[at] with the global options that stand before it. */
static int run_at(const struct command *commands, int argc, char **argv, int at)
{
    const struct command *command = command_find(commands, argv[at]);
    const struct alias *alias = find_alias(argv[at]);
    const struct opt *opt = serve_option(at, argv);
    char **words, *verb;
    struct err err;
    int n = 0, status;

    if (!command)
        return unknown_command(commands, argv[at]);
    if (opt && strcmp(command->name, "serve") != 0) {
        err_set(&err, ERR_INVALID, "--%s belongs to serve, not to %s", opt->name, command->name);
        return cli_usage(command->name, &err);
    }
    verb = alias && alias->verb ? xstrdup(alias->verb) : NULL;
    words = xcalloc((size_t)argc + 2, sizeof(*words));
    words[n++] = argv[at];
    for (int i = 1; i < at; i++)
        words[n++] = argv[i];
    if (verb)
        words[n++] = verb;
    for (int i = at + 1; i < argc; i++)
        words[n++] = argv[i];
    status = run_command(commands, command, n, words);
    free(words);
    free(verb);
    return status;
}

/* No command: help, version or serve. */
static int run_default(const struct command *commands, int argc, char **argv)
{
    const struct command *serve = command_find(commands, "serve");
    const struct command *version = command_find(commands, "version");

    if (given(argc, argv, "--help", 'h') || !serve)
        return help_program(commands);
    if (version && !serve_option(argc, argv) && given(argc, argv, "--version", 'V'))
        return run_verbs(commands, version, argc, argv);
    return run_command(commands, serve, argc, argv);
}

/* A stream that was closed must not become the number of a socket or a database. What is written
 * to such a stdout fails. */
static void keep_standard_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int command_dispatch(const struct command *commands, int argc, char **argv)
{
    struct err err;
    int at;

    keep_standard_streams();
    term_start();
    signal(SIGPIPE, SIG_IGN);
    at = find_word(1, argc, argv, global_options, serve_options, &err);
    if (at < 0)
        return cli_usage("", &err);
    return at < argc ? run_at(commands, argc, argv, at) : run_default(commands, argc, argv);
}
