#include "help.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "out.h"
#include "topics.h"

#define WIDTH 80
#define NAME_WIDTH 12
#define FIELDS_SHOWN 40 /* more are listed by --json=help */

int help_unknown(const char *what, const char *word, const char *of, const char *const *names,
                 size_t n, struct err *err)
{
    struct buf near = {0};

    opts_suggest(&near, str_c(word), names, n);
    err_set(err, ERR_INVALID, "unknown %s \"%.80s\"%s%.*s", what, word, of,
            STR_ARG(buf_str(&near)));
    buf_clear(&near);
    return -1;
}

static int print(struct buf *out)
{
    int status = cli_print(buf_str(out));

    buf_clear(out);
    return status;
}

/* ---- all of the program ---- */

/* Aliases: "requests, req". */
static void put_name(struct buf *out, const struct command *command)
{
    size_t start = out->len, used;

    buf_printf(out, "  %s", command->name);
    for (const struct alias *a = command_aliases; a->name; a++)
        if (!a->verb && strcmp(a->command, command->name) == 0)
            buf_printf(out, ", %s", a->name);
    used = out->len - start;
    buf_printf(out, "%*s", used < NAME_WIDTH + 6 ? (int)(NAME_WIDTH + 6 - used) : 1, "");
}

static void list_commands(struct buf *out, const struct command *commands)
{
    const char *group = "";

    for (; commands->name; commands++) {
        const char *own = commands->group ? commands->group : "Commands";

        if (!command_listed(commands))
            continue;
        if (strcmp(own, group) != 0)
            buf_printf(out, "\n%s\n", own);
        group = own;
        put_name(out, commands);
        buf_printf(out, " %s\n", commands->help);
    }
}

static void put_program(struct buf *out, const struct command *commands)
{
    buf_put(out, STR("usage: " PROGRAM " [OPTION]... COMMAND [VERB] [OPTION | ARGUMENT]...\n"
                     "       " PROGRAM " [SERVE OPTION]...\n\n"
                     "Observe what clients and LLM APIs say to each other.\n"));
    list_commands(out, commands);
    buf_put(out, STR("\nGlobal options\n"));
    opts_help(out, global_options);
    buf_put(out, STR("\nSee \"" PROGRAM " help serve\" for the options of the proxy.\nTopics:"));
    for (const struct topic *t = help_topics; t->name; t++)
        buf_printf(out, "%s %s", t == help_topics ? "" : ",", t->name);
    buf_put(out, STR(".\n"));
}

int help_program(const struct command *commands)
{
    struct buf out = {0};

    put_program(&out, commands);
    return print(&out);
}

/* ---- one command ---- */

void help_list_verbs(struct buf *out, const struct command *command)
{
    for (const struct verb *v = command->verbs; v->name; v++) {
        char line[WIDTH];

        snprintf(line, sizeof(line), "%s %s %s", command->name, v->name, v->synopsis);
        if (strlen(line) > 32)
            snprintf(line, sizeof(line), "%s %s [options]", command->name, v->name);
        buf_printf(out, "  %-32s %s\n", line, v->help);
    }
}

static void put_command(struct buf *out, const struct command *command)
{
    buf_printf(out, "usage: %s %s VERB [OPTION | ARGUMENT]...\n\n%c%s.\n\n", PROGRAM, command->name,
               toupper((unsigned char)command->help[0]), command->help + 1);
    help_list_verbs(out, command);
    buf_printf(out, "\nSee \"%s %s VERB --help\".\n", PROGRAM, command->name);
}

int help_command(const struct command *command)
{
    struct buf out = {0};

    put_command(&out, command);
    return print(&out);
}

/* ---- one verb ---- */

/* The global options that the verb heeds. */
static void put_globals(struct buf *out, unsigned forms)
{
    struct opt heeded[64];
    size_t n = 0;

    for (const struct opt *o = global_options; o->name && n < 63; o++)
        if (!(global_option_form(o->name) & ~forms))
            heeded[n++] = *o;
    heeded[n] = (struct opt){0};
    buf_put(out, STR("\nGlobal options\n"));
    opts_help(out, heeded);
}

static void put_word(struct buf *out, size_t *at, const char *word)
{
    size_t len = strlen(word);

    if (*at + 1 + len > WIDTH) {
        buf_put(out, STR("\n"));
        *at = 0;
    }
    buf_printf(out, "%s%s", *at ? " " : "  ", word);
    *at += len + (*at ? 1 : 2);
}

static void put_columns(struct buf *out, const struct out_spec *spec)
{
    size_t at = 0;

    buf_put(out, STR("\nColumns\n"));
    for (const struct column *c = spec->columns; c->id; c++)
        put_word(out, &at, c->id);
    buf_put(out, STR("\n"));
}

static void put_fields(struct buf *out, const struct out_spec *spec)
{
    size_t n = 0, at = 0;

    while (spec->fields[n])
        n++;
    if (n > FIELDS_SHOWN || spec->record) {
        buf_put(out, STR("\nJSON fields: see --json=help.\n"));
        return;
    }
    buf_put(out, STR("\nJSON fields\n"));
    for (size_t i = 0; i < n; i++)
        put_word(out, &at, spec->fields[i]);
    buf_put(out, STR("\n"));
}

static void put_verb(struct buf *out, const struct command *command, const struct verb *v)
{
    buf_printf(out, "usage: %s %s%s%s%s%s\n\n%c%s.\n", PROGRAM, command->name,
               v->name[0] ? " " : "", v->name, v->synopsis[0] ? " " : "", v->synopsis,
               toupper((unsigned char)v->help[0]), v->help + 1);
    if (v->options && v->options->name) {
        buf_put(out, STR("\nOptions\n"));
        opts_help(out, v->options);
    }
    put_globals(out, v->forms);
    if (v->out && v->out->columns)
        put_columns(out, v->out);
    if (v->out && v->out->fields)
        put_fields(out, v->out);
    if (v->more)
        buf_printf(out, "\n%s", v->more);
}

int help_verb(const struct command *command, const struct verb *v)
{
    struct buf out = {0};

    put_verb(&out, command, v);
    return print(&out);
}

/* ---- the command ---- */

static int unknown_topic(const struct cli *cli, const char *word)
{
    const char *names[96];
    struct err err;
    size_t n = 0;

    for (const struct command *c = cli->commands; c->name && n < 64; c++)
        if (command_listed(c))
            names[n++] = c->name;
    for (const struct topic *t = help_topics; t->name && n < 96; t++)
        names[n++] = t->name;
    help_unknown("topic", word, "", names, n, &err);
    return cli_usage("", &err);
}

/* Commands that read their command line themselves print their own help. */
static int ask_command(const struct command *command, const char *name)
{
    char *words[] = {xstrdup(name), xstrdup("--help"), NULL};
    int status = command->run(2, words);

    free(words[0]);
    free(words[1]);
    return status;
}

/* What "req list" or "trim" means: the verb, or NULL for all of the command. */
static const char *verb_meant(const struct cli *cli)
{
    if (cli->opts.arg_count > 1)
        return cli->opts.args[1];
    for (const struct alias *a = command_aliases; a->name; a++)
        if (strcmp(a->name, cli->opts.args[0]) == 0)
            return a->verb;
    return NULL;
}

/* Through the pager, on a terminal. */
static int page(const struct cli *cli, struct buf *text)
{
    static const struct out_spec spec = {.pager = true};
    struct out out;
    struct err err;
    int status = 0;

    if (out_open(&out, cli, &spec, &err) < 0 || out_text(&out, buf_str(text), &err) < 0 ||
        out_end(&out, &err) < 0)
        status = cli_fail(&err);
    out_close(&out);
    buf_clear(text);
    return status;
}

static int help(struct cli *cli)
{
    const char *word = cli->opts.arg_count > 0 ? cli->opts.args[0] : NULL;
    const struct topic *topic = word ? topic_find(word) : NULL;
    const struct command *command = word ? command_find(cli->commands, word) : NULL;
    const char *name = word ? verb_meant(cli) : NULL;
    const struct verb *verb = NULL;
    struct buf text = {0};

    if (word && topic && !name) {
        topic_text(topic, cli->commands, &text);
        return page(cli, &text);
    }
    if (word && !command)
        return unknown_topic(cli, word);
    if (command && command->run)
        return ask_command(command, word);
    if (command && (name || !command_has_verbs(command))) {
        verb = name ? verb_find(command, name) : command->verbs;
        if (!verb)
            return command_unknown_verb(command, name);
    }
    if (verb)
        put_verb(&text, command, verb);
    else if (command)
        put_command(&text, command);
    else
        put_program(&text, cli->commands);
    return page(cli, &text);
}

const struct verb help_verbs[] = {
    {"", "[COMMAND|TOPIC] [VERB]", "explain a command, a verb or a topic", NULL, 0, NULL, help},
    {0},
};
