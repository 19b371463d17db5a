/* "db backup": a copy of the database while it is used. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db_priv.h"
#include "ops/disk.h"
#include "progress.h"
#include "store/store_check.h"
#include "text/format.h"
#include "json/json.h"

const char db_backup_more[] =
    "Copies the database as it is now to FILE, which must not be there, and looks for\n"
    "damage in the copy. A server may go on using the database meanwhile.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy db backup monday.sqlite3\n"
    "\n"
    "Exit status: 5 no such database, 6 the copy is damaged, 7 FILE is there already.\n";

static const char *const fields[] = {"database", "file", "bytes", NULL};
const struct out_spec db_backup_object = {.fields = fields};

/* The unfinished copy, for the signal handler. */
static char unfinished[4096];

static void on_signal(int number)
{
    unlink(unfinished);
    signal(number, SIG_DFL);
    raise(number);
}

static void remove_on_signals(void)
{
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGHUP, on_signal);
}

static int name_unfinished(const char *to, struct err *err)
{
    if ((size_t)snprintf(unfinished, sizeof(unfinished), "%s.tmp", to) >= sizeof(unfinished))
        return err_set(err, ERR_INVALID, "the name of FILE is too long");
    if (access(to, F_OK) == 0)
        return err_set(err, ERR_CONFLICT, "%s is there already; name another file", to);
    unlink(unfinished); /* of a copy that was killed */
    return 0;
}

static void on_pages(void *ctx, int64_t done, int64_t total)
{
    progress_tell(ctx, done, total);
}

static int copy(struct cli *cli, const char *from, const char *to, struct err *err)
{
    struct progress progress;
    struct store *store;
    int rc;

    if (access(from, F_OK) != 0)
        return err_set(err, ERR_UNREACHABLE, "there is no database %s", from);
    if (name_unfinished(to, err) < 0)
        return -1;
    store = store_open(from, STORE_READ, err);
    if (!store)
        return -1;
    remove_on_signals();
    progress_start(&progress, cli, "backup");
    rc = store_backup(store, unfinished, on_pages, &progress, err);
    progress_end(&progress);
    store_close(store);
    if (rc == 0 && link(unfinished, to) < 0)
        rc = err_set(err, errno == EEXIST ? ERR_CONFLICT : ERR_FAILED, "cannot write %s: %s", to,
                     strerror(errno));
    unlink(unfinished);
    return rc;
}

static int tell(struct cli *cli, const char *from, const char *to)
{
    char size[FORMAT_SIZE];
    struct buf json = {0};
    int64_t bytes = disk_file_size(to, "");
    int status;

    buf_put(&json, STR("{\"database\":"));
    json_quote(&json, str_c(from));
    buf_put(&json, STR(",\"file\":"));
    json_quote(&json, str_c(to));
    buf_printf(&json, ",\"bytes\":%lld}", (long long)bytes);
    status = db_print(cli, buf_str(&json), STR(""));
    if (status == 0)
        cli_note(cli, "copied %s to %s, %s", from, to, format_bytes_long(size, bytes));
    buf_clear(&json);
    return status;
}

int db_copy(struct cli *cli)
{
    char *from = NULL;
    struct err err;
    int status;

    if (db_path(cli, &from, &err) < 0)
        return cli_usage(cli->name, &err);
    if (copy(cli, from, cli->opts.args[0], &err) < 0)
        status = cli_fail(&err);
    else
        status = tell(cli, from, cli->opts.args[0]);
    free(from);
    return status;
}
