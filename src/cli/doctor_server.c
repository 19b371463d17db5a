/* The checks of the server and of the database behind it. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "doctor_priv.h"
#include "text/format.h"
#include "json/json_scan.h"

#define CLOCK_WARN_MS 2000
#define DISK_WARN ((int64_t)1 << 30)
#define DISK_FAIL ((int64_t)100 << 20)
#define WAL_WARN ((int64_t)256 << 20)
#define CHECK_MS 60000

static void check_queue(struct doctor *d)
{
    int64_t depth = row_int(&d->row, "store.queue_depth");
    int64_t limit = row_int(&d->row, "store.queue_limit");
    int64_t lost = row_int(&d->row, "store.lost_events");
    int64_t shed = row_int(&d->row, "store.shed_bodies");
    char last[256];

    doctor_text(d, "store.last_error", last, sizeof(last));
    if (last[0])
        doctor_say(d, VERDICT_FAIL, "queue", "look at the disk and at the log of the server",
                   "the database could not be written: %s", last);
    else if (lost > 0 || shed > 0)
        doctor_say(d, VERDICT_WARN, "queue", "the disk is slower than the traffic",
                   "%" PRId64 " captures and %" PRId64 " bodies were given up since the start",
                   lost > 0 ? lost : 0, shed > 0 ? shed : 0);
    else if (depth != ROW_UNKNOWN && limit > 0 && depth > limit / 2)
        doctor_say(d, VERDICT_WARN, "queue", "the disk is slower than the traffic",
                   "%" PRId64 " of %" PRId64 " captures wait for the database", depth, limit);
    else
        doctor_say(d, VERDICT_OK, "queue", NULL, "nothing lost, %" PRId64 " captures wait",
                   depth == ROW_UNKNOWN ? 0 : depth);
}

static void check_clock(struct doctor *d)
{
    int64_t asked = clock_wall_us(), now, off;
    char text[FORMAT_SIZE];

    if (doctor_ask(d, "/api/live", "parts=totals") < 0)
        return;
    now = row_time(&d->row, "now");
    if (now == ROW_UNKNOWN)
        return;
    off = (now - (asked + clock_wall_us()) / 2) / 1000;
    format_duration(text, off < 0 ? -off : off);
    if (off > CLOCK_WARN_MS || off < -CLOCK_WARN_MS)
        doctor_say(d, VERDICT_WARN, "clock", "ages and --since are off by that; set the clocks",
                   "the server's clock is %s %s", text, off < 0 ? "behind" : "ahead");
    else
        doctor_say(d, VERDICT_OK, "clock", NULL, "the server's clock is the same");
}

static bool is_everywhere(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 || strcmp(host, "[::]") == 0;
}

static void check_address(struct doctor *d)
{
    char host[256], url[320];

    if (doctor_ask(d, "/admin/api/settings/summary", "") < 0)
        return;
    doctor_text(d, "listener.bound.host", host, sizeof(host));
    doctor_text(d, "listener.bound.url", url, sizeof(url));
    if (is_everywhere(host))
        doctor_say(d, VERDICT_WARN, "address", "anyone who reaches it may read what was captured",
                   "listens on all addresses of this machine, %s", url);
    else
        doctor_say(d, VERDICT_OK, "address", NULL, "listens on %s only", host);
}

static void check_version(struct doctor *d)
{
    char version[64];

    doctor_text(d, "server.version", version, sizeof(version));
    if (strcmp(version, LOP_VERSION) != 0)
        doctor_say(d, VERDICT_WARN, "server", "restart it with this program, or use that one",
                   "%s, version %s, is not of this version", source_name(&d->source), version);
    else
        doctor_say(d, VERDICT_OK, "server", NULL, "%s, version %s", source_name(&d->source),
                   version);
}

/* A file is looked at: because none has it, because its server is silent, or because it was named.
 */
static void check_beside(struct doctor *d)
{
    const char *path = source_name(&d->source);
    char *url = NULL;

    if (!source_instance(path, &url))
        doctor_say(d, VERDICT_WARN, "server", "start one with \"" PROGRAM " serve\"",
                   "none runs; looking at %s", path);
    else if (opts_text(&d->cli->opts, "database-url"))
        doctor_say(d, VERDICT_OK, "server", NULL, "one runs at %s; looking at %s as told",
                   url ? url : "an unknown address", path);
    else
        doctor_say(d, VERDICT_FAIL, "server", "look at its log, or start it again",
                   "the one at %s does not answer; looking at %s", url ? url : "an unknown address",
                   path);
    free(url);
}

void doctor_server(struct doctor *d)
{
    bool named = opts_text(&d->cli->opts, "url") || opts_text(&d->cli->opts, "database-url");

    if (source_open(&d->source, d->cli, &d->err) < 0) {
        bool missing = d->err.code == ERR_UNREACHABLE && !named;

        doctor_say(d, missing ? VERDICT_WARN : VERDICT_FAIL, missing ? "server" : "database",
                   missing ? "start one with \"" PROGRAM " serve\"" : NULL, "%s", d->err.msg);
        return;
    }
    if (!d->source.client) {
        d->asks = true;
        check_beside(d);
        return;
    }
    if (doctor_ask(d, "/api/status", "") < 0) {
        doctor_say(d, VERDICT_FAIL, "server", "is it running, and is this its address?", "%s",
                   d->err.msg);
        return;
    }
    d->asks = true;
    check_version(d);
    check_queue(d);
    check_clock(d);
    check_address(d);
}

/* ---- the database ---- */

static void check_damage(struct doctor *d)
{
    struct str value;
    char found[512];

    if (source_send(&d->source, "doctor", "POST", "/admin/api/storage/check", "", STR("{}"),
                    CHECK_MS, &d->text, &value, &d->err) < 0 ||
        !row_read(&d->row, value)) {
        doctor_say(d, VERDICT_WARN, "integrity", NULL, "could not be checked: %s", d->err.msg);
        return;
    }
    doctor_text(d, "found", found, sizeof(found));
    if (row_true(&d->row, "ok"))
        doctor_say(d, VERDICT_OK, "integrity", NULL, "SQLite finds no damage");
    else
        doctor_say(d, VERDICT_FAIL, "integrity", "keep a copy of the file before anything else",
                   "the file is damaged: %s", found);
}

static void check_space(struct doctor *d)
{
    int64_t room = row_int(&d->row, "disk_free_bytes"), wal = row_int(&d->row, "wal_bytes");
    char text[FORMAT_SIZE];

    if (room == ROW_UNKNOWN)
        doctor_say(d, VERDICT_WARN, "disk", NULL, "free space is not known");
    else if (room < DISK_WARN)
        doctor_say(d, room < DISK_FAIL ? VERDICT_FAIL : VERDICT_WARN, "disk",
                   "make room, or delete old requests", "%s free", format_bytes_long(text, room));
    else
        doctor_say(d, VERDICT_OK, "disk", NULL, "%s free", format_bytes_long(text, room));
    if (wal != ROW_UNKNOWN && wal > WAL_WARN)
        doctor_say(d, VERDICT_WARN, "wal",
                   "a program that reads the database for long keeps it from shrinking",
                   "the write-ahead log has %s", format_bytes_long(text, wal));
    else
        doctor_say(d, VERDICT_OK, "wal", NULL, "the write-ahead log has %s",
                   format_bytes_long(text, wal == ROW_UNKNOWN ? 0 : wal));
}

void doctor_database(struct doctor *d)
{
    char path[512], size[FORMAT_SIZE];
    int64_t bytes;

    if (doctor_ask(d, "/admin/api/storage", "") < 0) {
        doctor_say(d, VERDICT_FAIL, "database", NULL, "%s", d->err.msg);
        return;
    }
    bytes = row_int(&d->row, "db_bytes");
    doctor_say(d, VERDICT_OK, "database", NULL,
               "%s, %" PRId64 " requests, %s, schema version %" PRId64,
               doctor_text(d, "database", path, sizeof(path)), row_int(&d->row, "rows"),
               format_bytes_long(size, bytes == ROW_UNKNOWN ? 0 : bytes),
               row_int(&d->row, "schema_version"));
    check_space(d);
    check_damage(d);
}
