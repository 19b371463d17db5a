/* "db stats", "db check" and "db path": how the database is. */
#include <inttypes.h>
#include <stdio.h>

#include "db_priv.h"
#include "progress.h"
#include "task.h"
#include "text/term.h"

/* ---- stats ---- */

const struct opt db_stats_options[] = {
    {"days", 0, OPT_TEXT, "N", "count requests older than N days", .fallback = "30"},
    LIST_END,
};

const char db_stats_more[] =
    "Sizes are those of the files; what bodies take is not known without reading all.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy db stats\n"
    "  llm-observe-proxy db stats --days 90 --json=rows,rows_older_than_retention\n";

static const char *const stats_fields[] = {
    "database",
    "schema_version",
    "rows",
    "runs",
    "images",
    "oldest_at",
    "newest_at",
    "db_bytes",
    "wal_bytes",
    "free_bytes",
    "body_bytes",
    "stored_body_bytes",
    "disk_free_bytes",
    "retention_days",
    "rows_older_than_retention",
    NULL,
};
const struct out_spec db_stats_object = {.fields = stats_fields};

static void put_bytes(const struct task *t, struct buf *out, const char *label,
                      const struct row *row, const char *path)
{
    char text[FORMAT_SIZE];
    int64_t bytes = row_int(row, path);

    if (bytes != ROW_UNKNOWN)
        line_add(t, out, label, str_c(format_bytes_long(text, bytes)));
}

static void put_count(const struct task *t, struct buf *out, const char *label,
                      const struct row *row, const char *path)
{
    char text[GROUPED_SIZE];
    int64_t n = row_int(row, path);

    if (n != ROW_UNKNOWN)
        line_add(t, out, label, str_c(grouped(n, text)));
}

static void put_stats(const struct task *t, struct buf *out, const struct row *row)
{
    char old[COUNTED_SIZE], age[COUNTED_SIZE], text[200];

    line_member(t, out, "database", row, "database");
    line_member(t, out, "schema", row, "schema_version");
    put_count(t, out, "requests", row, "rows");
    put_count(t, out, "runs", row, "runs");
    put_count(t, out, "images", row, "images");
    line_member(t, out, "oldest", row, "oldest_at");
    line_member(t, out, "newest", row, "newest_at");
    put_bytes(t, out, "file", row, "db_bytes");
    put_bytes(t, out, "log", row, "wal_bytes");
    put_bytes(t, out, "unused", row, "free_bytes");
    put_bytes(t, out, "disk free", row, "disk_free_bytes");
    snprintf(text, sizeof(text), "%s older than %s",
             counted(row_int(row, "rows_older_than_retention"), "request", old),
             counted(row_int(row, "retention_days"), "day", age));
    line_add(t, out, "old", str_c(text));
}

static int stats(struct task *t, int64_t days)
{
    struct row row = {0};
    struct buf text = {0};
    struct str answer;
    char query[40];
    int rc;

    snprintf(query, sizeof(query), "days=%" PRId64, days);
    rc = task_get(t, "storage", STORAGE, query, &answer);
    if (rc == 0 && row_read(&row, answer)) {
        put_stats(t, &text, &row);
        rc = task_print(t, answer, &text);
    }
    row_clear(&row);
    buf_clear(&text);
    return rc;
}

int db_stats(struct cli *cli)
{
    int64_t days = 30;
    struct task t;
    struct err err;
    int rc = -1;

    if (cli_int(cli, "days", 1, 3650, &days, &err) < 0)
        return cli_usage(cli->name, &err);
    if (task_start(&t, cli, &db_stats_object))
        rc = stats(&t, days);
    return task_end(&t, rc);
}

/* ---- check ---- */

const struct opt db_check_options[] = {
    {"quick", 0, OPT_FLAG, NULL, "look for damage only"},
    LIST_END,
};

const char db_check_more[] =
    "Looks for damage of the file, for rows that belong to others that are gone, for\n"
    "counters that are wrong, and for pending requests of a server that died. What is\n"
    "found goes to stdout, a line each. A server gives each look a minute.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy db check --quick\n"
    "\n"
    "Exit status: 1 something was found.\n";

static const char *const check_fields[] = {"ok", "found", NULL};
const struct out_spec db_check_object = {.fields = check_fields};

static int check(struct task *t)
{
    bool quick = opts_flag(&t->cli->opts, "quick"), ok;
    struct row row = {0};
    struct buf found = {0}, text = {0};
    struct str answer;
    int rc = task_ask(t, "storage", "POST", STORAGE "/check",
                      quick ? STR("{\"quick\":true}") : STR("{\"quick\":false}"), JOB_MS, &answer);

    if (rc == 0 && row_read(&row, answer)) {
        ok = row_true(&row, "ok");
        if (row_text(&row, "found", &found))
            rc = term_clean(&text, buf_str(&found), t->out.flags | TERM_MULTILINE, &t->err);
        if (text.len > 0)
            buf_put(&text, STR("\n"));
        if (rc == 0)
            rc = task_print(t, answer, &text);
        if (rc == 0 && ok)
            cli_note(t->cli, "nothing is wrong with the database");
        if (rc == 0)
            rc = ok ? 0 : 1;
    }
    row_clear(&row);
    buf_clear(&found);
    buf_clear(&text);
    return rc;
}

int db_check(struct cli *cli)
{
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, &db_check_object))
        rc = check(&t);
    return task_end(&t, rc);
}

/* ---- path ---- */

const char db_path_more[] =
    "The database that other commands would read now: the server's, when one answers.\n"
    "\n"
    "Example\n"
    "  sqlite3 -readonly \"$(llm-observe-proxy db path)\" 'SELECT * FROM request_log'\n";

static int path(struct task *t)
{
    struct row row = {0};
    struct buf text = {0};
    struct str answer;
    int rc = task_get(t, "storage", STORAGE, "", &answer);

    if (rc == 0 && row_read(&row, answer)) {
        struct buf name = {0};

        row_text(&row, "database", &name);
        rc = term_clean(&text, buf_str(&name), t->out.flags, &t->err);
        buf_put(&text, STR("\n"));
        buf_clear(&name);
        if (rc == 0)
            rc = task_print(t, answer, &text);
    }
    row_clear(&row);
    buf_clear(&text);
    return rc;
}

int db_where(struct cli *cli)
{
    struct task t;
    int rc = -1;

    if (task_start(&t, cli, &db_stats_object))
        rc = path(&t);
    return task_end(&t, rc);
}
