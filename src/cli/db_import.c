#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db_priv.h"
#include "progress.h"
#include "store/instance.h"
#include "store/store_import.h"
#include "text/term.h"
#include "json/json.h"

#define BUSY_WAIT_MS 5000

const struct opt db_import_options[] = {
    {"count-tokens", 0, OPT_FLAG, NULL, "also count tokens of answers that recorded none"},
    LIST_END,
};

const char db_import_more[] =
    "Takes over requests with bodies and images, runs, providers, routes, prices and\n"
    "settings of a database of the Python llm-observe-proxy 0.6 or earlier. FILE is\n"
    "only read. The database named by --database-url is made when it is missing; no\n"
    "server may be using it. What is there already stays as it is, so that an import\n"
    "can be repeated, and one that was interrupted goes on where it stopped.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy db import old.sqlite3 --dry-run\n"
    "  llm-observe-proxy db import old.sqlite3 --database-url sqlite:///new.sqlite3\n"
    "\n"
    "Exit status: 5 no such file, 6 FILE is no such database or cannot be read,\n"
    "7 a server uses the database, 8 some rows were left out.\n";

struct import {
    struct cli *cli;
    const char *from;
    char *path; /* of our database */
    int lock;
    bool unclean; /* the last server did not stop in order: its file says so to the next one */
    struct store *store;
    struct import_options options;
    struct import_report report;
    struct progress progress;
};

/* ---- opening ---- */

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int lock(struct import *im, struct err *err)
{
    if (instance_lock(im->path, &im->lock, &im->unclean, err) == 0)
        return 0;
    if (err->code == ERR_CONFLICT)
        err_set(err, ERR_CONFLICT,
                "a server uses the database %s\n  stop it, or import into another one with "
                "--database-url",
                im->path);
    return -1;
}

/* A dry run reads what is there, or looks at nothing at all in memory. */
static int open_dry(struct import *im, struct err *err)
{
    bool there = exists(im->path);

    if (store_check(im->path, err) < 0 || (there && lock(im, err) < 0))
        return -1;
    im->store = store_open(there ? im->path : ":memory:", STORE_WRITE, err);
    return im->store ? 0 : -1;
}

static int open_target(struct import *im, struct err *err)
{
    bool there = exists(im->path);

    if ((there && lock(im, err) < 0) || store_prepare(im->path, false, err) < 0 ||
        (!there && lock(im, err) < 0))
        return -1;
    im->store = store_open(im->path, STORE_WRITE, err);
    return im->store ? 0 : -1;
}

static int open_all(struct import *im, struct err *err)
{
    if (same_file(im->from, im->path))
        return err_set(err, ERR_INVALID,
                       "%s is the database to import into\n  name a new one with --database-url",
                       im->from);
    if (store_import_check(im->from, err) < 0)
        return -1;
    if ((im->options.dry_run ? open_dry(im, err) : open_target(im, err)) < 0)
        return -1;
    store_set_busy_wait(im->store, BUSY_WAIT_MS);
    return 0;
}

static void close_all(struct import *im)
{
    store_close(im->store);
    if (im->unclean && im->lock >= 0)
        close(im->lock);
    else if (im->lock >= 0)
        instance_release(im->path, im->lock);
    free(im->path);
}

/* ---- the report ---- */

static void put_reasons(cJSON *o, const char *key, const struct import_reason *list, size_t count,
                        int64_t known)
{
    cJSON *array = cJSON_AddArrayToObject(o, key), *one;

    if (known > 0) {
        cJSON_AddItemToArray(array, one = cJSON_CreateObject());
        json_put_text(one, "reason", "is there already");
        json_put_int(one, "count", known);
        json_put_null(one, "first");
    }
    for (size_t i = 0; i < count; i++) {
        cJSON_AddItemToArray(array, one = cJSON_CreateObject());
        json_put_text(one, "reason", list[i].text);
        json_put_int(one, "count", list[i].count);
        json_put_int(one, "first", list[i].first);
    }
}

static void put_columns(cJSON *o, const char *names)
{
    cJSON *array = cJSON_AddArrayToObject(o, "unknown_columns");
    struct str list = str_c(names), one;

    while (list.len > 0 && str_split(&list, ' ', &one))
        json_add_str(array, one);
}

static void put_json(struct buf *out, const struct import *im)
{
    cJSON *o = cJSON_CreateObject(), *tables = cJSON_AddArrayToObject(o, "tables");

    for (int i = 0; i < IMPORT_TABLES; i++) {
        const struct import_table *t = &im->report.tables[i];
        cJSON *one = cJSON_CreateObject();

        json_put_text(one, "name", t->name);
        json_put_bool(one, "missing", t->missing);
        json_put_int(one, "read", t->read);
        json_put_int(one, "written", t->written);
        json_put_int(one, "skipped", t->known + t->skipped);
        put_reasons(one, "reasons", t->reasons, t->reason_count, t->known);
        put_reasons(one, "notes", t->notes, t->note_count, 0);
        put_columns(one, t->unknown_columns);
        cJSON_AddItemToArray(tables, one);
    }
    json_put_bool(o, "dry_run", im->options.dry_run);
    json_print(out, o);
    cJSON_Delete(o);
}

static void put_lines(struct buf *out, const struct import_reason *list, size_t count,
                      const char *what)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "  %lld %s: %s (first: row %lld)\n", (long long)list[i].count, what,
                   list[i].text, (long long)list[i].first);
}

static void put_table(struct buf *out, const struct import_table *t)
{
    if (t->missing) {
        buf_printf(out, "%-18s is not there\n", t->name);
        return;
    }
    buf_printf(out, "%-18s %9lld read %9lld written %9lld there already %6lld skipped\n", t->name,
               (long long)t->read, (long long)t->written, (long long)t->known,
               (long long)t->skipped);
    put_lines(out, t->reasons, t->reason_count, "skipped");
    put_lines(out, t->notes, t->note_count, "changed");
    if (t->unknown_columns[0])
        buf_printf(out, "  columns not known, left out: %s\n", t->unknown_columns);
}

/* Reasons may quote what the old database holds. */
static void put_text(struct buf *out, const struct import *im)
{
    unsigned flags = TERM_MULTILINE | (term_is_utf8() ? 0 : (unsigned)TERM_ASCII);
    struct buf text = {0};
    struct err ignored;

    for (int i = 0; i < IMPORT_TABLES; i++)
        put_table(&text, &im->report.tables[i]);
    term_clean(out, buf_str(&text), flags, &ignored);
    buf_clear(&text);
}

static int64_t skipped(const struct import *im)
{
    int64_t n = 0;

    for (int i = 0; i < IMPORT_TABLES; i++)
        n += im->report.tables[i].skipped;
    return n;
}

static int64_t written(const struct import *im, const char *table)
{
    for (int i = 0; i < IMPORT_TABLES; i++)
        if (im->report.tables[i].name && strcmp(im->report.tables[i].name, table) == 0)
            return im->report.tables[i].written;
    return 0;
}

static int print_report(struct import *im)
{
    struct buf json = {0}, text = {0};
    char requests[GROUPED_SIZE], runs[GROUPED_SIZE], rest[GROUPED_SIZE];
    int64_t left_out = skipped(im);
    int status;

    put_json(&json, im);
    put_text(&text, im);
    status = db_print(im->cli, buf_str(&json), buf_str(&text));
    buf_clear(&json);
    buf_clear(&text);
    if (status != 0)
        return status;
    cli_note(im->cli, "%s %s requests and %s runs into %s%s%s",
             im->options.dry_run ? "would import" : "imported",
             grouped(written(im, "request_records"), requests),
             grouped(written(im, "task_runs"), runs), im->path, left_out ? "; rows left out: " : "",
             left_out ? grouped(left_out, rest) : "");
    return left_out ? err_exit_status(ERR_PARTIAL) : 0;
}

/* ---- the verb ---- */

static void on_progress(void *ctx, int64_t done, int64_t total)
{
    progress_tell(ctx, done, total);
}

static int import(struct import *im, struct err *err)
{
    int rc;

    im->options.progress = on_progress;
    im->options.ctx = &im->progress;
    progress_start(&im->progress, im->cli, "import");
    rc = store_import(im->store, im->from, &im->options, &im->report, err);
    progress_end(&im->progress);
    if (rc < 0 && !im->options.dry_run && written(im, "request_records") > 0)
        cli_note(im->cli, "what was imported until then stays; run it again to go on");
    return rc;
}

int db_import(struct cli *cli)
{
    static struct import im;
    struct err err;
    int status;

    im = (struct import){.cli = cli, .lock = -1};
    im.options.dry_run = opts_flag(&cli->opts, "dry-run");
    im.options.count_tokens = opts_flag(&cli->opts, "count-tokens");
    im.from = cli->opts.args[0];
    if (db_path(cli, &im.path, &err) < 0)
        return cli_usage(cli->name, &err);
    if (open_all(&im, &err) < 0 || import(&im, &err) < 0)
        status = cli_fail(&err);
    else
        status = print_report(&im);
    close_all(&im);
    return status;
}
