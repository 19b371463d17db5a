/* "db trim" and "db vacuum": less of the past, and the disk back. */
#include <inttypes.h>
#include <stdio.h>

#include "db_priv.h"
#include "progress.h"
#include "task.h"

const struct opt db_trim_options[] = {
    {"days", 0, OPT_TEXT, "N", "delete requests older than N days"},
    {"vacuum", 0, OPT_FLAG, NULL, "then give the disk back"},
    LIST_END,
};

const char db_trim_more[] =
    "Needs --days. Bodies and images go with the requests; runs stay, and what was\n"
    "spent. Without --vacuum the file keeps its size and fills again.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy db trim --days 30 --dry-run\n"
    "  llm-observe-proxy db trim --days 90 --vacuum --yes\n";

const char db_vacuum_more[] =
    "Needs as many bytes of free disk as the database has. A running server does it\n"
    "itself; meanwhile requests are forwarded, and captured afterwards.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy db vacuum\n"
    "\n"
    "Exit status: 6 the disk is too full.\n";

static const char *const trim_fields[] = {"deleted", NULL}, *const vacuum_fields[] = {"ok", NULL};
const struct out_spec db_trim_object = {.fields = trim_fields};
const struct out_spec db_vacuum_object = {.fields = vacuum_fields};

/* ---- sizes ---- */

struct sizes {
    int64_t file, room;
};

static int read_sizes(struct task *t, struct sizes *s)
{
    struct row row = {0};
    struct str answer;

    if (task_get(t, "storage", STORAGE, "", &answer) < 0)
        return -1;
    if (row_read(&row, answer)) {
        s->file = row_int(&row, "db_bytes");
        s->room = row_int(&row, "disk_free_bytes");
    }
    row_clear(&row);
    return 0;
}

static int check_room(struct task *t, const struct sizes *s)
{
    char need[FORMAT_SIZE], room[FORMAT_SIZE];

    if (s->file == ROW_UNKNOWN || s->room == ROW_UNKNOWN || s->file <= s->room)
        return 0;
    return err_set(
        &t->err, ERR_FULL, "%s needs %s of free disk, as much as the database takes; there are %s",
        t->cli->name, format_bytes_long(need, s->file), format_bytes_long(room, s->room));
}

/* ", freed 1.1 GiB" or "". */
static void freed(struct task *t, const struct sizes *before, char *out, size_t size)
{
    char text[FORMAT_SIZE];
    struct sizes after = {0};
    int64_t bytes;

    out[0] = '\0';
    if (read_sizes(t, &after) < 0 || before->file == ROW_UNKNOWN || after.file == ROW_UNKNOWN)
        return;
    bytes = before->file - after.file;
    if (bytes >= 0)
        snprintf(out, size, "freed %s", format_bytes_long(text, bytes));
}

/* ---- trim ---- */

struct trimmer {
    struct progress progress;
    int64_t total;
};

static void on_rows(void *ctx, int64_t rows)
{
    struct trimmer *t = ctx;

    progress_tell(&t->progress, rows, t->total);
}

static int count_old(struct task *t, int64_t days, int64_t *rows)
{
    struct row row = {0};
    struct str answer;
    char query[40];
    int rc;

    snprintf(query, sizeof(query), "days=%" PRId64, days);
    rc = task_get(t, "requests", "/admin/api/settings/retention-preview", query, &answer);
    if (rc == 0 && row_read(&row, answer))
        *rows = row_int(&row, "rows");
    row_clear(&row);
    return rc;
}

static int confirm(struct task *t, int64_t days, int64_t rows)
{
    char n[COUNTED_SIZE], age[COUNTED_SIZE], question[200], refused[200];

    counted(rows, "request", n);
    counted(days, "day", age);
    snprintf(question, sizeof(question), "Delete %s older than %s?", n, age);
    snprintf(refused, sizeof(refused), "delete %s older than %s", n, age);
    return cli_confirm(t->cli, question, refused, &t->err);
}

static int send(struct task *t, int64_t days, int64_t rows, bool vacuum)
{
    struct trimmer trimmer = {.total = rows};
    struct sizes before = {0};
    struct row row = {0};
    struct str answer;
    struct buf json = {0};
    char body[96], n[COUNTED_SIZE], space[80] = "";
    int rc = vacuum ? read_sizes(t, &before) : 0;

    snprintf(body, sizeof(body), "{\"days\":%" PRId64 ",\"confirm\":true,\"vacuum\":%s}", days,
             vacuum ? "true" : "false");
    progress_start(&trimmer.progress, t->cli, "trim");
    t->source.progress = on_rows;
    t->source.progress_ctx = &trimmer;
    if (rc == 0)
        rc = task_ask(t, "requests", "POST", "/admin/api/settings/trim", str_c(body), JOB_MS,
                      &answer);
    progress_end(&trimmer.progress);
    t->source.progress = NULL;
    if (rc == 0 && row_read(&row, answer)) {
        int64_t deleted = row_int(&row, "deleted");

        buf_put(&json, answer);
        if (vacuum)
            freed(t, &before, space, sizeof(space));
        cli_note(t->cli, "deleted %s%s%s", counted(deleted, "request", n), space[0] ? ", " : "",
                 space);
        rc = task_print(t, buf_str(&json), NULL);
    }
    row_clear(&row);
    buf_clear(&json);
    return rc;
}

static int trim(struct task *t, int64_t days)
{
    const struct opts *o = &t->cli->opts;
    char n[COUNTED_SIZE];
    int64_t rows = 0;

    if (count_old(t, days, &rows) < 0)
        return -1;
    if (opts_flag(o, "dry-run")) {
        cli_note(t->cli, "would delete %s", counted(rows, "request", n));
        return task_print(t, STR("{\"deleted\":0}"), NULL);
    }
    if (rows == 0 && !opts_flag(o, "vacuum")) {
        cli_note(t->cli, "no request is older than %s", counted(days, "day", n));
        return task_print(t, STR("{\"deleted\":0}"), NULL);
    }
    if (rows > 0 && confirm(t, days, rows) < 0)
        return -1;
    return send(t, days, rows, opts_flag(o, "vacuum"));
}

int db_trim(struct cli *cli)
{
    int64_t days = 0;
    struct task t;
    struct err err;
    int rc = 0;

    if (!opts_text(&cli->opts, "days"))
        rc = err_set(&err, ERR_INVALID, "%s needs --days N", cli->name);
    if (rc == 0)
        rc = cli_int(cli, "days", 1, 3650, &days, &err);
    if (rc < 0)
        return cli_usage(cli->name, &err);
    rc = -1;
    if (task_start(&t, cli, &db_trim_object))
        rc = trim(&t, days);
    return task_end(&t, rc);
}

/* ---- vacuum ---- */

static int vacuum(struct task *t)
{
    struct sizes before = {0};
    struct buf json = {0};
    struct str answer;
    char space[80];
    int rc = read_sizes(t, &before);

    if (rc == 0)
        rc = check_room(t, &before);
    if (rc == 0)
        rc = task_ask(t, "storage", "POST", STORAGE "/vacuum", STR_NONE, JOB_MS, &answer);
    if (rc == 0) {
        buf_put(&json, answer);
        freed(t, &before, space, sizeof(space));
        cli_note(t->cli, "%s", space[0] ? space : "done");
        rc = task_print(t, buf_str(&json), NULL);
    }
    buf_clear(&json);
    return rc;
}

int db_vacuum(struct cli *cli)
{
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, &db_vacuum_object))
        rc = vacuum(&t);
    return task_end(&t, rc);
}
