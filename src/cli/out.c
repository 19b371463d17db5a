#include "out.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "out_table.h"
#include "text/term.h"

#define DEFAULT_WIDTH 80
#define MAX_WIDTH 4096
#define PAGE_MAX (1u << 20) /* more than this goes to the pager before all of it is there */

/* A variable that is set and not empty, else NULL. */
static const char *env(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static bool env_width(const char *name, size_t *width)
{
    int64_t n;

    if (!str_int64(str_c(env(name)), &n) || n < 1 || n > MAX_WIDTH)
        return false;
    *width = (size_t)n;
    return true;
}

bool out_is_terminal(size_t *width)
{
    struct winsize size;

    *width = DEFAULT_WIDTH;
    if (env_width("LLM_OBSERVE_FORCE_TTY", width))
        return true;
    if (!isatty(STDOUT_FILENO))
        return false;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        *width = size.ws_col;
    else
        env_width("COLUMNS", width);
    return true;
}

/* ---- colour ---- */

static int wants_color(const struct cli *cli, bool *color, struct err *err)
{
    const char *when = opts_text(&cli->opts, "color"), *term = env("TERM");
    const char *force = env("CLICOLOR_FORCE"), *cli_color = env("CLICOLOR");

    if (when && strcmp(when, "auto") != 0) {
        *color = strcmp(when, "always") == 0;
        if (!*color && strcmp(when, "never") != 0)
            return err_set(err, ERR_INVALID, "--color: \"%.40s\" is none of auto, always, never",
                           when);
        return 0;
    }
    *color = false;
    if (env("NO_COLOR") || env("LLM_OBSERVE_FORCE_TTY"))
        return 0;
    if (force && strcmp(force, "0") != 0)
        *color = true;
    else if (cli_color && strcmp(cli_color, "0") == 0)
        *color = false;
    else
        *color = term && strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
    return 0;
}

bool out_wants_color(const struct cli *cli)
{
    struct err ignored;
    bool color;

    return wants_color(cli, &color, &ignored) == 0 && color;
}

const char *out_role_start(const struct out *o, enum role role)
{
    static const char *const starts[] = {
        [ROLE_NONE] = "",         [ROLE_LIVE] = "\x1b[36m",    [ROLE_STREAM] = "\x1b[32m",
        [ROLE_WARN] = "\x1b[33m", [ROLE_ERROR] = "\x1b[1;31m", [ROLE_ODD] = "\x1b[35m",
        [ROLE_DIM] = "\x1b[2m",
    };

    return o->color ? starts[role] : "";
}

const char *out_role_end(const struct out *o, enum role role)
{
    return o->color && role != ROLE_NONE ? "\x1b[0m" : "";
}

/* ---- writing ---- */

static int write_error(struct err *err)
{
    if (errno == EPIPE)
        cli_die_of_pipe();
    return err_set(err, ERR_FAILED, "cannot write to standard output: %s", strerror(errno));
}

static int write_direct(struct str text, struct err *err)
{
    if (fwrite(text.ptr, 1, text.len, stdout) != text.len)
        return write_error(err);
    return 0;
}

static int pager_quit(struct err *err)
{
    err->code = ERR_NONE;
    err->msg[0] = '\0';
    return -1;
}

static void pager_child(const char *command, int fd)
{
    dup2(fd, STDIN_FILENO);
    close(fd);
    signal(SIGPIPE, SIG_DFL);
    if (!getenv("LESS"))
        setenv("LESS", "FRX", 1);
    if (!getenv("LV"))
        setenv("LV", "-c", 1);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* False when no process could be made; then the text is printed directly. */
static bool pager_start(struct out *o)
{
    int fds[2];

    fflush(NULL);
    if (pipe(fds) < 0)
        return false;
    o->pager_pid = fork();
    if (o->pager_pid < 0) {
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    if (o->pager_pid == 0) {
        close(fds[1]);
        pager_child(o->pager, fds[0]);
    }
    close(fds[0]);
    o->pager_fd = fds[1];
    signal(SIGINT, SIG_IGN); /* Ctrl-C is the pager's as long as it has the terminal */
    return true;
}

static bool pager_write(struct out *o, struct str text)
{
    while (text.len > 0) {
        ssize_t n = write(o->pager_fd, text.ptr, text.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text = str_from(text, (size_t)n);
    }
    return true;
}

/* The exit status of the pager, or -1. */
static int pager_wait(struct out *o)
{
    int status = 0;

    close(o->pager_fd);
    o->pager_fd = -1;
    while (waitpid((pid_t)o->pager_pid, &status, 0) < 0 && errno == EINTR)
        ;
    o->pager_pid = 0;
    signal(SIGINT, SIG_DFL);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void pager_forget(struct out *o)
{
    free(o->pager);
    o->pager = NULL;
}

int out_text(struct out *o, struct str text, struct err *err)
{
    struct str page;
    bool started;

    if (!o->pager)
        return write_direct(text, err);
    if (o->pager_pid > 0)
        return pager_write(o, text) ? 0 : pager_quit(err);
    if (buf_add(&o->page, text, err) < 0)
        return -1;
    if (o->page.len < PAGE_MAX)
        return 0;
    page = buf_str(&o->page);
    started = pager_start(o);
    if (!started)
        pager_forget(o);
    if (started ? !pager_write(o, page) : write_direct(page, err) < 0)
        return started ? pager_quit(err) : -1;
    buf_clear(&o->page);
    return 0;
}

/* Hand a page to the pager at once; print it when that one cannot start. */
static int show_page(struct out *o, struct err *err)
{
    struct str page = buf_str(&o->page);
    int status = 127;

    if (o->pager_pid == 0 && page.len == 0)
        return 0;
    if (o->pager_pid == 0 && pager_start(o))
        pager_write(o, page);
    if (o->pager_pid > 0)
        status = pager_wait(o);
    if (page.len > 0 && (status == 126 || status == 127))
        return write_direct(page, err);
    return 0;
}

/* ---- forms ---- */

static int choose_form(struct out *o, const struct cli *cli, const char **list, struct err *err)
{
    static const struct {
        const char *option;
        enum out_form form;
    } forms[] = {{"json", OUT_JSON}, {"jsonl", OUT_JSONL}, {"csv", OUT_CSV}};
    const char *chosen = NULL;

    o->form = o->terminal ? OUT_TABLE : OUT_TSV;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const struct opt_given *g = opts_find(&cli->opts, forms[i].option);

        if (!g->given)
            continue;
        if (chosen)
            return err_set(err, ERR_INVALID, "--%s and --%s exclude each other", chosen,
                           forms[i].option);
        chosen = forms[i].option;
        o->form = forms[i].form;
        *list = g->value;
    }
    return 0;
}

static int take_fields(struct out *o, const char *list, struct err *err)
{
    struct str rest = str_c(list), name;

    while (str_split(&rest, ',', &name)) {
        if (!out_field_known(o->spec, name)) {
            o->unknown_field = true;
            return out_unknown(o->spec, "field", name, err);
        }
        o->fields = xrealloc(o->fields, o->field_count + 1, sizeof(*o->fields));
        o->fields[o->field_count++] = str_dup(name);
    }
    return 0;
}

static int list_names(const struct out *o, bool columns, struct err *err)
{
    struct buf out = {0};
    int rc;

    for (const struct column *c = columns ? o->spec->columns : NULL; c && c->id; c++)
        buf_printf(&out, "%-16s %s\n", c->id, c->title);
    if (columns)
        buf_put(&out, STR("or any field that --json=help lists\n"));
    else
        out_list_fields(o->spec, &out, "\n");
    rc = write_direct(buf_str(&out), err);
    if (rc == 0 && fflush(stdout) != 0)
        rc = write_error(err);
    buf_clear(&out);
    return rc < 0 ? -1 : 1;
}

static void choose_pager(struct out *o, const struct cli *cli)
{
    const char *command = getenv("LLM_OBSERVE_PAGER");

    if (!o->spec->pager || o->form != OUT_TABLE || !isatty(STDOUT_FILENO) ||
        env("LLM_OBSERVE_FORCE_TTY") || opts_flag(&cli->opts, "no-pager"))
        return;
    if (!command)
        command = getenv("PAGER");
    if (!command)
        command = "less";
    if (*command && strcmp(command, "cat") != 0)
        o->pager = xstrdup(command);
}

static int choose_rows(struct out *o, const struct cli *cli, const char *fields, struct err *err)
{
    const char *columns = opts_text(&cli->opts, "columns");
    bool table = o->form == OUT_TABLE;

    if (o->form == OUT_JSON || o->form == OUT_JSONL || !o->spec->columns)
        return fields ? take_fields(o, fields, err) : 0;
    o->header = (table || o->form == OUT_CSV || opts_flag(&cli->opts, "header")) &&
                !opts_flag(&cli->opts, "no-header");
    return out_choose(o, fields ? fields : columns,
                      table ? o->spec->columns_for(o->width) : o->spec->machine, err);
}

int out_open(struct out *o, const struct cli *cli, const struct out_spec *spec, struct err *err)
{
    const char *time = opts_text(&cli->opts, "time"), *fields = NULL;
    const char *columns = opts_text(&cli->opts, "columns");

    *o = (struct out){.spec = spec, .pager_fd = -1};
    o->ctx.now_us = clock_wall_us();
    o->terminal = out_is_terminal(&o->width);
    o->wide = opts_flag(&cli->opts, "wide");
    o->quiet = cli->quiet;
    if (wants_color(cli, &o->color, err) < 0 || choose_form(o, cli, &fields, err) < 0)
        return -1;
    if (time && !format_time_form(str_c(time), &o->ctx.time))
        return err_set(err, ERR_INVALID,
                       "--time: \"%.40s\" is none of auto, relative, local, utc, iso", time);
    if (fields && strcmp(fields, "help") == 0)
        return list_names(o, false, err);
    if (columns && strcmp(columns, "help") == 0)
        return list_names(o, true, err);
    if (o->form == OUT_TABLE && !term_is_utf8())
        o->flags |= TERM_ASCII;
    choose_pager(o, cli);
    return choose_rows(o, cli, fields, err);
}

int out_csv(struct out *o, const char *columns, struct err *err)
{
    o->form = OUT_CSV;
    o->header = true;
    return out_choose(o, columns, NULL, err);
}

static void print_names(struct str names)
{
    size_t used = 0;
    struct str name;

    fputs("Known names:", stderr);
    while (str_split(&names, ' ', &name)) {
        if (used == 0 || used + 1 + name.len > DEFAULT_WIDTH) {
            fputs("\n ", stderr);
            used = 1;
        }
        fprintf(stderr, " %.*s", STR_ARG(name));
        used += 1 + name.len;
    }
    fputs("\n", stderr);
}

int out_usage(const struct out *o, const struct cli *cli, const struct err *err)
{
    struct buf names = {0};
    int rc = cli_usage(cli->name, err);

    if (o->unknown_field) {
        for (const struct column *c = o->spec->columns; c && c->id; c++)
            buf_printf(&names, "%s ", c->id);
        out_list_fields(o->spec, &names, " ");
        print_names(str_trim(buf_str(&names)));
    }
    buf_clear(&names);
    return rc;
}

/* ---- JSON ---- */

/* {"id":1,"tokens.output":402}; names of fields need no escapes. */
static int put_fields(struct out *o, struct buf *out, int indent, struct err *err)
{
    for (size_t i = 0; i < o->field_count; i++) {
        struct str value;
        bool found = row_get(&o->row, o->fields[i], &value);

        if (buf_add(out, i > 0 ? STR(",\"") : STR("{\""), err) < 0 ||
            buf_add(out, str_c(o->fields[i]), err) < 0 || buf_add(out, STR("\":"), err) < 0 ||
            json_respace(out, found ? value : STR("null"), indent, err) < 0)
            return -1;
    }
    return buf_add(out, STR("}"), err);
}

/* The text of one object: all of it or the fields. */
static int put_object(struct out *o, struct buf *out, struct str json, int indent, struct err *err)
{
    struct buf flat = {0};
    int rc;

    if (o->field_count == 0)
        return json_respace(out, json, indent, err);
    row_read(&o->row, json);
    rc = put_fields(o, &flat, -1, err);
    if (rc == 0)
        rc = json_respace(out, buf_str(&flat), indent, err);
    buf_clear(&flat);
    return rc;
}

int out_object(struct out *o, struct str json, struct err *err)
{
    struct buf text = {0};
    int rc = put_object(o, &text, json, o->form == OUT_JSON && o->terminal ? 0 : -1, err);

    if (rc == 0)
        rc = buf_add(&text, STR("\n"), err);
    if (rc == 0)
        rc = out_text(o, buf_str(&text), err);
    buf_clear(&text);
    return rc;
}

static int array_item(struct out *o, struct str json, struct err *err)
{
    struct buf text = {0};
    int rc = buf_add(&text, o->rows > 0 ? STR(",") : STR("["), err);

    if (rc == 0 && o->terminal)
        rc = buf_add(&text, STR("\n  "), err);
    if (rc == 0)
        rc = put_object(o, &text, json, o->terminal ? 1 : -1, err);
    if (rc == 0)
        rc = out_text(o, buf_str(&text), err);
    buf_clear(&text);
    return rc;
}

/* ---- rows ---- */

int out_row(struct out *o, struct str json, struct err *err)
{
    int rc = 0;

    switch (o->form) {
    case OUT_TABLE:
        row_read(&o->row, json);
        rc = out_table_row(o, &o->row, err);
        break;
    case OUT_TSV:
    case OUT_CSV:
        if (o->rows == 0 && o->header)
            rc = out_values_header(o, err);
        row_read(&o->row, json);
        if (rc == 0)
            rc = out_values(o, &o->row, err);
        break;
    case OUT_JSON:
        rc = array_item(o, json, err);
        break;
    case OUT_JSONL:
        rc = out_object(o, json, err);
        break;
    }
    o->rows++;
    return rc;
}

int out_flush(struct out *o, struct err *err)
{
    if (o->form == OUT_TABLE && out_table_flush(o, err) < 0)
        return -1;
    if (fflush(stdout) != 0)
        return write_error(err);
    return 0;
}

static int end_list(struct out *o, struct err *err)
{
    switch (o->form) {
    case OUT_JSON:
        if (o->rows == 0)
            return out_text(o, STR("[]\n"), err);
        return out_text(o, o->terminal ? STR("\n]\n") : STR("]\n"), err);
    case OUT_TABLE:
        if (o->rows == 0 && !o->quiet && o->spec->nothing)
            fprintf(stderr, "%s\n", o->spec->nothing);
        return out_table_flush(o, err);
    case OUT_CSV:
    case OUT_TSV:
        return o->rows == 0 && o->header ? out_values_header(o, err) : 0;
    case OUT_JSONL:
        break;
    }
    return 0;
}

int out_end(struct out *o, struct err *err)
{
    if (o->spec->columns && end_list(o, err) < 0)
        return -1;
    if (o->pager && show_page(o, err) < 0)
        return -1;
    if (fflush(stdout) != 0)
        return write_error(err);
    return 0;
}

void out_close(struct out *o)
{
    if (o->pager_pid > 0)
        pager_wait(o);
    out_table_clear(o);
    for (size_t i = 0; i < o->field_count; i++)
        free(o->fields[i]);
    free(o->fields);
    row_clear(&o->row);
    buf_clear(&o->text);
    buf_clear(&o->clean);
    buf_clear(&o->page);
    free(o->pager);
    *o = (struct out){.pager_fd = -1};
}
