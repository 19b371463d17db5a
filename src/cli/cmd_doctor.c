/* "doctor": what may be wrong, and what to do about it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "config/config.h"
#include "config/serve_options.h"
#include "doctor_priv.h"
#include "text/term.h"
#include "version.h"
#include "json/json.h"

#define CHECK_WIDTH 14

static const char *const verdicts[] = {"ok", "warn", "FAIL"};

#define TEXT(id, title, max)                                                                       \
    {                                                                                              \
        id, title, 4, max, false, true, 0, KIND_TEXT, id, NULL, NULL                               \
    }

static const struct column columns[] = {
    TEXT("status", "STATUS", 6),
    TEXT("check", "CHECK", CHECK_WIDTH),
    TEXT("message", "MESSAGE", 400),
    TEXT("hint", "HINT", 400),
    {0},
};

static const char *const fields[] = {"check", "status", "message", "hint", NULL};

static const char *columns_for(size_t width)
{
    (void)width;
    return "status,check,message";
}

static const struct out_spec checks = {
    .columns = columns,
    .columns_for = columns_for,
    .machine = "status,check,message,hint",
    .fields = fields,
};

/* ---- results ---- */

/* A line, and below it what to do. Text of servers is in both. */
static void put_text(struct doctor *d, struct buf *out, enum verdict verdict, const char *check,
                     const char *message, const char *hint)
{
    static const enum role roles[] = {ROLE_LIVE, ROLE_WARN, ROLE_ERROR};
    struct err ignored;

    buf_printf(out, "%s%-5s%s %-*s ", out_role_start(&d->out, roles[verdict]), verdicts[verdict],
               out_role_end(&d->out, roles[verdict]), CHECK_WIDTH, check);
    term_clean(out, str_c(message), d->out.flags, &ignored);
    buf_put(out, STR("\n"));
    if (!hint)
        return;
    buf_printf(out, "%*s", CHECK_WIDTH + 7, "");
    term_clean(out, str_c(hint), d->out.flags, &ignored);
    buf_put(out, STR("\n"));
}

static void put_json(struct buf *out, enum verdict verdict, const char *check, const char *message,
                     const char *hint)
{
    buf_printf(out, "{\"check\":\"%s\",\"status\":\"%s\",\"message\":", check, verdicts[verdict]);
    json_quote(out, str_c(message));
    buf_put(out, STR(",\"hint\":"));
    if (hint)
        json_quote(out, str_c(hint));
    else
        buf_put(out, STR("null"));
    buf_put(out, STR("}"));
}

void doctor_say(struct doctor *d, enum verdict verdict, const char *check, const char *hint,
                const char *fmt, ...)
{
    char message[1024];
    struct buf out = {0};
    va_list args;
    int rc;

    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    d->failed = d->failed || verdict == VERDICT_FAIL;
    if (d->stopped)
        return;
    if (d->out.form == OUT_TABLE) {
        put_text(d, &out, verdict, check, message, hint);
        rc = out_text(&d->out, buf_str(&out), &d->err);
        fflush(stdout);
    } else {
        put_json(&out, verdict, check, message, hint);
        rc = out_row(&d->out, buf_str(&out), &d->err);
    }
    d->stopped = rc < 0;
    buf_clear(&out);
}

int doctor_ask(struct doctor *d, const char *path, const char *query)
{
    struct str value;

    if (source_get(&d->source, "doctor", path, query, &d->text, &value, &d->err) < 0)
        return -1;
    return row_read(&d->row, value) ? 0 : err_set(&d->err, ERR_FAILED, "%s: no object", path);
}

const char *doctor_text(struct doctor *d, const char *path, char *out, size_t size)
{
    struct buf text = {0};

    row_text(&d->row, path, &text);
    snprintf(out, size, "%.*s", STR_ARG(str_cut(buf_str(&text), size - 1)));
    buf_clear(&text);
    return out;
}

/* ---- what needs no server ---- */

static void check_program(struct doctor *d)
{
    struct buf json = {0}, list = {0};
    struct row row = {0}, libraries = {0};
    struct str value;

    version_put_json(&json);
    if (row_read(&row, buf_str(&json)) && row_get(&row, "libraries", &value) &&
        row_read(&libraries, value))
        for (size_t i = 0; i < libraries.count; i++) {
            struct buf version = {0};

            if (value_text(libraries.members[i].value, &version))
                buf_printf(&list, "%s%.*s %s", list.len ? ", " : "",
                           STR_ARG(libraries.members[i].key), version.ptr);
            buf_clear(&version);
        }
    doctor_say(d, VERDICT_OK, "program", NULL, PROGRAM " " LOP_VERSION " with %s", list.ptr);
    row_clear(&row);
    row_clear(&libraries);
    buf_clear(&json);
    buf_clear(&list);
}

/* The environment, as serve would read it. */
static void check_configuration(struct doctor *d)
{
    struct config config;
    struct opts opts;
    struct err err;

    if (opts_parse(&opts, serve_options, 0, NULL, &err) < 0 ||
        config_load(&config, &opts, &err) < 0)
        doctor_say(d, VERDICT_FAIL, "configuration", "unset or correct the variable", "%s",
                   err.msg);
    else
        doctor_say(d, VERDICT_OK, "configuration", NULL, "the environment is fine%s%s",
                   config.models_path ? ", models file " : "",
                   config.models_path ? config.models_path : "");
    config_clear(&config);
    opts_clear(&opts);
}

/* True when the first word of a command is a program that can be run. */
static bool is_runnable(const char *command)
{
    struct str word, rest = str_c(command), dir, dirs = str_c(getenv("PATH"));
    bool found = false;

    str_split(&rest, ' ', &word);
    if (str_chr(word, '/') >= 0)
        dirs = STR("");
    while (!found && str_split(&dirs, ':', &dir)) {
        struct buf path = {0};

        buf_printf(&path, "%.*s%s%.*s", STR_ARG(dir), dir.len ? "/" : "", STR_ARG(word));
        found = access(path.ptr, X_OK) == 0;
        buf_clear(&path);
    }
    return found;
}

static const char *choose_pager(void)
{
    const char *pager = getenv("LLM_OBSERVE_PAGER");

    if (!pager)
        pager = getenv("PAGER");
    return pager ? pager : "less";
}

static void check_terminal(struct doctor *d)
{
    const char *term = getenv("TERM"), *pager = choose_pager();
    bool none = !*pager || strcmp(pager, "cat") == 0;
    size_t width;

    if (!term_is_utf8())
        doctor_say(d, VERDICT_WARN, "terminal", "set LC_ALL or LANG, for example to C.UTF-8",
                   "the character set is not UTF-8: other characters are shown as ?");
    else if (!out_is_terminal(&width))
        doctor_say(d, VERDICT_OK, "terminal", NULL, "UTF-8; standard output is no terminal");
    else
        doctor_say(d, VERDICT_OK, "terminal", NULL, "UTF-8, %zu cells wide, TERM is %s, %s", width,
                   term && *term ? term : "not set", d->out.color ? "colours" : "no colours");
    if (!none && !is_runnable(pager))
        doctor_say(d, VERDICT_WARN, "pager", "install it, or set PAGER to another one or to cat",
                   "%.200s is not there", pager);
    else
        doctor_say(d, VERDICT_OK, "pager", NULL, "%.200s", none ? "none" : pager);
}

/* ---- the command ---- */

static void check_all(struct doctor *d)
{
    const char *model = opts_text(&d->cli->opts, "stream");

    check_program(d);
    check_configuration(d);
    doctor_server(d);
    if (d->asks) {
        doctor_database(d);
        doctor_upstream(d);
        doctor_models(d);
        doctor_routes(d);
    }
    check_terminal(d);
    if (model)
        doctor_stream(d, model);
}

static int doctor(struct cli *cli)
{
    struct doctor d = {.cli = cli};
    int rc = out_open(&d.out, cli, &checks, &d.err), status = 0;

    if (rc < 0) {
        status = out_usage(&d.out, cli, &d.err);
    } else if (rc == 0) {
        check_all(&d);
        if (d.stopped || out_end(&d.out, &d.err) < 0)
            status = cli_fail(&d.err);
        else
            status = d.failed ? err_exit_status(ERR_FAILED) : 0;
    }
    source_close(&d.source);
    row_clear(&d.row);
    buf_clear(&d.text);
    out_close(&d.out);
    return status;
}

static const struct opt doctor_options[] = {
    {"stream", 0, OPT_TEXT, "MODEL", "also send one streaming request; it may cost money"},
    LIST_END,
};

static const char doctor_more[] =
    "Each check is ok, warn or FAIL, with what to do. Nothing is changed; a question\n"
    "for its models is sent to the upstream.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy doctor\n"
    "  llm-observe-proxy doctor --json=check,status,message\n"
    "  llm-observe-proxy doctor --stream gpt-5.5 --yes\n"
    "\n"
    "Exit status: 1 when a check says FAIL.\n";

const struct verb doctor_verbs[] = {
    {"", "[options]", "look for what may be wrong, and say what to do", doctor_options,
     FORM_JSON | FORM_ROWS, doctor_more, doctor, .out = &checks},
    {0},
};
