#include "topics.h"

#include <stdio.h>

#include "where.h"

const struct exit_code help_exit_codes[] = {
    {0, "ok", "done; an empty list is done too"},
    {1, "failed", "it ran and failed, or a check said no"},
    {2, "usage", "unknown option or command, bad value, refused without --yes"},
    {3, "not found", "no such request, run, route, provider, price or setting"},
    {4, "denied", "denied by the server"},
    {5, "unreachable", "no server and no database, or it stopped answering"},
    {6, "store", "the database cannot be opened, is damaged, full or of another version"},
    {7, "conflict", "already exists, or in use"},
    {8, "partial", "some of it worked, or the stored body is cut"},
    {75, "busy", "database locked or server overloaded: try again"},
    {0},
};

const struct variable help_variables[] = {
    {"LLM_OBSERVE_URL", "ask this server, as --url", "Commands"},
    {"LLM_OBSERVE_DATABASE_URL", "the database when no option names one", "Commands"},
    {"LLM_OBSERVE_INCOMING_HOST", "where serve listens, and commands ask", "Commands"},
    {"LLM_OBSERVE_INCOMING_PORT", "its port", "Commands"},
    {"LLM_OBSERVE_PAGER", "pager; empty or cat is none", "Commands"},
    {"PAGER", "pager when the one above is not set", "Commands"},
    {"LESS", "options of less; FRX when not set", "Commands"},
    {"LV", "options of lv; -c when not set", "Commands"},
    {"NO_COLOR", "not empty: no colour", "Commands"},
    {"CLICOLOR", "0: no colour", "Commands"},
    {"CLICOLOR_FORCE", "not 0: colour in pipes too", "Commands"},
    {"TERM", "kind of terminal; dumb: no colour", "Commands"},
    {"COLUMNS", "width when the terminal does not tell", "Commands"},
    {"LLM_OBSERVE_FORCE_TTY", "format for a terminal of so many cells", "Commands"},
    {"LC_ALL", "character set, before LC_CTYPE and LANG", "Commands"},
    {"LC_CTYPE", "character set", "Commands"},
    {"LANG", "character set when nothing else tells", "Commands"},
    {"TZ", "time zone", "Commands"},
    {"LLM_OBSERVE_RUN_ID", "the run, set by runs exec for its command", "Commands"},
    {"LLM_OBSERVE_RUN_NAME", "its name", "Commands"},
    {"LLM_OBSERVE_CATALOG_URL", "a mirror of the price lists", "Commands"},
    {"LLM_OBSERVE_EXPOSE_ALL_IPS", "as --expose-all-ips", "serve"},
    {"LLM_OBSERVE_UPSTREAM_URL", "as --upstream-url", "serve"},
    {"LLM_OBSERVE_MODELS_FILE", "as --models-file", "serve"},
    {"LLM_OBSERVE_MODELS_JSON", "the text of a models file", "serve"},
    {"LLM_OBSERVE_DEFAULT_FIXES_JSON", "fixes of routes that name none", "serve"},
    {"LLM_OBSERVE_ALLOWED_HOSTS", "as --allowed-host, with commas", "serve"},
    {"LLM_OBSERVE_ALLOWED_ORIGINS", "as --allowed-origin, with commas", "serve"},
    {"LLM_OBSERVE_LOG_LEVEL", "as --log-level", "serve"},
    {"SSL_CERT_FILE", "as --upstream-ca-file", "serve"},
    {"OTEL_...", "telemetry, see docs/telemetry.md", "serve"},
    {0},
};

const struct topic help_topics[] = {
    {"filter", "choose requests: --where", NULL},
    {"formats", "tables, TSV, JSON, CSV; numbers and times",
     "On a terminal lists are tables; in a pipe they are tab-separated raw values\n"
     "without a header. --json prints the API's objects, --jsonl one a line, --csv by\n"
     "RFC 4180. --json=a,b.c takes these members only; --json=help lists them. Numbers\n"
     "keep all their digits.\n"
     "\n"
     "Durations are 184ms 1.21s 2m41s 3h12m 3d04h, counts 1.23k 4.61M, sizes 38.1K\n"
     "(1024), money $0.0278; ~ is an estimate, - is unknown. Times are typed as\n"
     "2031-04-05T06:07, 14:02, today, yesterday, or 15m (so long ago).\n"},
    {"environment", "variables that are read", NULL},
    {"exit-codes", "what the exit status means", NULL},
    {"keys", "keys of top", NULL},
    {"files", "what is stored where",
     "./llm_observe_proxy.sqlite3         the database when nothing names another\n"
     "./llm_observe_proxy.sqlite3.serve   beside it, locked while a server runs\n"},
    {0},
};

const struct topic *topic_find(const char *name)
{
    for (const struct topic *t = help_topics; t->name; t++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

static void put_variables(struct buf *out)
{
    const char *group = "";

    for (const struct variable *v = help_variables; v->name; v++) {
        if (strcmp(v->group, group) != 0)
            buf_printf(out, "%s%s\n", *group ? "\n" : "", v->group);
        group = v->group;
        buf_printf(out, "  %-31s %s\n", v->name, v->help);
    }
}

static void put_exit_codes(struct buf *out)
{
    for (const struct exit_code *e = help_exit_codes; e->name; e++)
        buf_printf(out, "%-4d %s\n", e->code, e->help);
}

static void put_keys(const struct command *commands, struct buf *out)
{
    for (const struct command *c = commands; c->name; c++)
        for (const struct key_help *k = c->keys; k && k->keys; k++)
            buf_printf(out, "  %-16s %s\n", k->keys, k->help);
    if (out->len == 0)
        buf_put(out, STR("No command has keys.\n"));
}

void topic_text(const struct topic *topic, const struct command *commands, struct buf *out)
{
    if (topic->text)
        buf_put(out, str_c(topic->text));
    else if (strcmp(topic->name, "filter") == 0)
        where_help(out);
    else if (strcmp(topic->name, "environment") == 0)
        put_variables(out);
    else if (strcmp(topic->name, "exit-codes") == 0)
        put_exit_codes(out);
    else
        put_keys(commands, out);
}
