#include "command.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cli.h"
#include "config/serve_options.h"
#include "text/term.h"

static const struct {
    const char *alias, *name;
} aliases[] = {{"req", "requests"}};

static const struct {
    const char *name, *text;
} topics[] = {
    {"formats", "On a terminal lists are tables; in a pipe they are tab-separated raw values\n"
                "without a header. --json prints the API's objects, --jsonl one a line, --csv by\n"
                "RFC 4180. --json=a,b.c takes these members only; --json=help lists them. Numbers\n"
                "keep all their digits.\n"
                "\n"
                "Durations are 184ms 1.21s 2m41s 3h12m 3d04h, counts 1.23k 4.61M, sizes 38.1K\n"
                "(1024), money $0.0278; ~ is an estimate, - is unknown. Times are typed as\n"
                "2031-04-05T06:07, 14:02, today, yesterday, or 15m (so long ago).\n"},
    {"environment",
     "LLM_OBSERVE_URL             ask this server, as --url\n"
     "LLM_OBSERVE_DATABASE_URL    the database when no option names one\n"
     "LLM_OBSERVE_INCOMING_HOST   with LLM_OBSERVE_INCOMING_PORT where serve listens,\n"
     "                            and the default address to ask\n"
     "LLM_OBSERVE_PAGER, PAGER    pager; empty or cat is none\n"
     "NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM   colour\n"
     "COLUMNS                     width when the terminal does not tell\n"
     "LLM_OBSERVE_FORCE_TTY       format stdout as for a terminal of this many cells\n"
     "LC_ALL, LC_CTYPE, LANG, TZ  character set, time zone\n"},
    {"exit-codes", "0    done; an empty list is done too\n"
                   "1    it ran and failed\n"
                   "2    unknown option or command, bad value, refused without --yes\n"
                   "3    not found\n"
                   "4    denied by the server\n"
                   "5    no server and no database, or it stopped answering\n"
                   "6    the database cannot be opened, is damaged, full or of another version\n"
                   "7    already exists, or in use\n"
                   "8    partial: some of it worked, or the stored body is cut\n"
                   "75   database locked or server overloaded: try again\n"},
    {"files", "./llm_observe_proxy.sqlite3         the database when nothing names another\n"
              "./llm_observe_proxy.sqlite3.serve   beside it, locked while a server runs\n"},
};
#define TOPICS (sizeof(topics) / sizeof(topics[0]))

static const struct command *find_command(const struct command *commands, const char *name)
{
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (strcmp(aliases[i].alias, name) == 0)
            name = aliases[i].name;
    for (; commands->name; commands++)
        if (strcmp(commands->name, name) == 0)
            return commands;
    return NULL;
}

static int unknown(const struct command *commands, const char *what, const char *word, bool topic)
{
    const char *names[64];
    struct buf near = {0};
    struct err err;
    size_t n = 0;

    for (; commands->name && n < 32; commands++)
        names[n++] = commands->name;
    names[n++] = "help";
    for (size_t i = 0; topic && i < TOPICS; i++)
        names[n++] = topics[i].name;
    opts_suggest(&near, str_c(word), names, n);
    err_set(&err, ERR_INVALID, "unknown %s \"%.80s\"%.*s", what, word, STR_ARG(buf_str(&near)));
    buf_clear(&near);
    return cli_usage("", &err);
}

/* ---- help ---- */

static int print_general_help(const struct command *commands)
{
    struct buf out = {0};
    int status;

    buf_put(&out, STR("usage: " PROGRAM " [OPTION]... COMMAND [VERB] [OPTION | ARGUMENT]...\n"
                      "       " PROGRAM " [SERVE OPTION]...\n\n"
                      "Observe what clients and LLM APIs say to each other.\n\nCommands\n"));
    for (; commands->name; commands++) {
        char name[64];

        snprintf(name, sizeof(name), "%s %s", commands->name, commands->synopsis);
        buf_printf(&out, "  %-30s %s\n", name, commands->help);
    }
    buf_printf(&out, "  %-30s %s\n", "help [COMMAND [VERB] | TOPIC]", "explain");
    buf_put(&out, STR("\nGlobal options\n"));
    opts_help(&out, global_options);
    buf_put(&out, STR("\nSee \"" PROGRAM " help serve\" for the options of the proxy.\nTopics:"));
    for (size_t i = 0; i < TOPICS; i++)
        buf_printf(&out, "%s %s", i ? "," : "", topics[i].name);
    buf_put(&out, STR(".\n"));
    status = cli_print(buf_str(&out));
    buf_clear(&out);
    return status;
}

/* "help requests list" is "requests list --help". */
static int run_help(const struct command *commands, int argc, char **argv)
{
    const struct command *command;
    char *words[4] = {NULL}, help[] = "--help", *verb;

    if (argc < 2 || argv[1][0] == '-')
        return print_general_help(commands);
    for (size_t i = 0; i < TOPICS; i++)
        if (strcmp(topics[i].name, argv[1]) == 0)
            return cli_print(str_c(topics[i].text));
    command = find_command(commands, argv[1]);
    if (!command)
        return unknown(commands, "topic", argv[1], true);
    verb = argc > 2 && argv[2][0] != '-' ? argv[2] : NULL;
    words[0] = argv[1];
    words[1] = verb ? verb : help;
    words[2] = verb ? help : NULL;
    return command->run(verb ? 3 : 2, words);
}

/* ---- dispatch ---- */

/* The first option before the command that belongs to serve alone, or NULL. */
static const struct opt *serve_option(int end, char **argv)
{
    for (int i = 1; i < end; i++) {
        const struct opt *opt = find_option(serve_options, argv[i]);

        if (opt && !find_option(global_options, argv[i]))
            return opt;
        if (!opt)
            opt = find_option(global_options, argv[i]);
        if (opt && opt->kind != OPT_FLAG && opt->kind != OPT_OPTIONAL && !strchr(argv[i], '='))
            i++;
    }
    return NULL;
}

static bool given(int argc, char **argv, const char *name, char letter)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], name) == 0 ||
            (argv[i][0] == '-' && argv[i][1] == letter && argv[i][2] == '\0'))
            return true;
    return false;
}

/* Run the command at argv[at] with the global options that stand before it. */
static int run_at(const struct command *commands, int argc, char **argv, int at)
{
    const struct command *command = find_command(commands, argv[at]);
    bool help = strcmp(argv[at], "help") == 0;
    const struct opt *opt = serve_option(at, argv);
    char **words;
    struct err err;
    int status;

    if (!command && !help)
        return unknown(commands, "command", argv[at], false);
    if (opt && (help || strcmp(command->name, "serve") != 0)) {
        err_set(&err, ERR_INVALID, "--%s belongs to serve, not to %s", opt->name,
                help ? "help" : command->name);
        return cli_usage(help ? "" : command->name, &err);
    }
    words = xcalloc((size_t)argc + 1, sizeof(*words));
    words[0] = argv[at];
    memcpy(words + 1, help ? argv + at + 1 : argv + 1,
           (size_t)(help ? argc - at - 1 : at - 1) * sizeof(*words));
    if (!help)
        memcpy(words + at, argv + at + 1, (size_t)(argc - at - 1) * sizeof(*words));
    status = help ? run_help(commands, argc - at, words) : command->run(argc - 1, words);
    free(words);
    return status;
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
    const struct command *serve = find_command(commands, "serve");
    const struct command *version = find_command(commands, "version");
    struct err err;
    int at;

    keep_standard_streams();
    term_start();
    signal(SIGPIPE, SIG_IGN);
    at = find_word(1, argc, argv, global_options, serve_options, &err);
    if (at < 0)
        return cli_usage("", &err);
    if (at < argc)
        return run_at(commands, argc, argv, at);
    if (given(argc, argv, "--help", 'h'))
        return print_general_help(commands);
    if (version && given(argc, argv, "--version", 'V'))
        return version->run(argc, argv);
    if (serve)
        return serve->run(argc, argv);
    return print_general_help(commands);
}
