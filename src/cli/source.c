#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "row.h"
#include "json/json_scan.h"

#define STATUS_PATH "/api/status"
#define PROBE_MS 300
#define INSTANCE_MAX 65536
#define ANSWER_MAX ((size_t)1 << 30)
#define STATUS_MAX ((size_t)1 << 20)

const char *const body_side_names[3] = {"request", "response", "upstream"};

static const char *env(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* ---- the instance file ---- */

/* A lock cannot go stale: it ends with its process. Asking for it takes nothing. */
static bool is_locked(int fd)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

    return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static char *read_url(int fd)
{
    char text[4096];
    ssize_t n = pread(fd, text, sizeof(text), 0);
    struct buf url = {0};
    struct str json, value;
    struct err err;

    if (n > 0 && json_scan((struct str){text, (size_t)n}, &json) == JSON_OBJECT &&
        json_member(json, STR("url"), &value) && json_type_of(value) == JSON_STRING &&
        json_string(value, &url, &err) == 0 && url.len > 0)
        return buf_take(&url);
    buf_clear(&url);
    return NULL;
}

bool source_instance(const char *database, char **url)
{
    struct buf path = {0};
    bool locked = false;
    int fd;

    *url = NULL;
    buf_printf(&path, "%s.serve", database);
    fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        locked = is_locked(fd);
        if (locked)
            *url = read_url(fd);
        close(fd);
    }
    buf_clear(&path);
    return locked;
}

/* ---- servers ---- */

/* True when a server of ours answers GET /api/status; *what becomes the text of this member, owned,
 * or NULL. */
static bool probe(struct api_client *c, int64_t timeout_ms, const char *member, char **what)
{
    struct api_answer answer = {0};
    struct row row = {0};
    struct buf text = {0};
    struct str json, value;
    struct err err;
    bool ours = false;

    *what = NULL;
    if (api_client_get(c, STATUS_PATH, timeout_ms, STATUS_MAX, &answer, &err) == 0 &&
        json_scan(buf_str(&answer.body), &json) == JSON_OBJECT && row_read(&row, json)) {
        ours = row_get(&row, "name", &value) && json_string_is(value, STR(PROGRAM));
        if (ours && row_text(&row, member, &text))
            *what = buf_take(&text);
    }
    buf_clear(&text);
    row_clear(&row);
    api_answer_clear(&answer);
    return ours;
}

static bool try_server(struct source *s, const char *url, int64_t timeout_ms, char **database)
{
    struct err err;

    s->client = api_client_open(str_c(url), &err);
    if (s->client && probe(s->client, timeout_ms, "server.database", database))
        return true;
    api_client_close(s->client);
    s->client = NULL;
    return false;
}

/* "http://localhost:8080" unless the variables say otherwise. */
static void default_address(char *out, size_t size)
{
    const char *host = env("LLM_OBSERVE_INCOMING_HOST"), *port = env("LLM_OBSERVE_INCOMING_PORT");
    int64_t number;

    if (!host || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        host = "localhost";
    if (!str_int64(str_trim(str_c(port)), &number) || number < 1 || number > 65535)
        number = 8080;
    snprintf(out, size, strchr(host, ':') && host[0] != '[' ? "http://[%s]:%d" : "http://%s:%d",
             host, (int)number);
}

/* ---- files ---- */

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

static int open_file(struct source *s, const char *path, struct err *err)
{
    if (!is_file(path))
        return err_set(err, ERR_UNREACHABLE, "there is no database %s", path);
    s->ops = ops_open(path, err);
    if (!s->ops)
        return -1;
    s->store = ops_store(s->ops);
    s->path = str_dup(str_c(path));
    return 0;
}

/* A server has the file but does not answer: what it does next is not known. */
static int open_beside(struct source *s, const char *path, const char *url, struct err *err)
{
    struct buf why = {0};
    int rc;

    cli_note(s->cli, "note: the server at %s does not answer, reading %s",
             url ? url : "an unknown address", path);
    rc = open_file(s, path, err);
    buf_printf(&why,
               "the server at %s does not answer; to change its database all the same, name it: "
               "--database-url %s",
               url ? url : "an unknown address", path);
    if (rc == 0)
        ops_refuse_changes(s->ops, why.ptr);
    buf_clear(&why);
    return rc;
}

static int open_named_file(struct source *s, const char *url, struct err *err)
{
    char *path = NULL;
    int rc = store_path(str_c(url), &path, err);

    if (rc == 0 && store_path_in_memory(path))
        rc = err_set(err, ERR_INVALID, "--database-url: a database in memory cannot be read");
    if (rc == 0)
        rc = open_file(s, path, err);
    free(path);
    return rc;
}

/* ---- the choice ---- */

static void note_other_database(const struct cli *cli, const char *address, const char *theirs,
                                const char *ours)
{
    char a[4096], b[4096];

    if (!theirs || !is_file(ours) || !realpath(ours, a))
        return;
    if (!realpath(theirs, b))
        snprintf(b, sizeof(b), "%s", theirs);
    if (strcmp(a, b) != 0)
        cli_note(cli, "note: asking %s, which serves %s; %s is another database", address, theirs,
                 ours);
}

/* The database that neither option nor URL names. */
static int open_default(struct source *s, const char *path, struct err *err)
{
    char address[300], *url = NULL, *database = NULL;
    bool memory = store_path_in_memory(path);
    int rc;

    if (!memory && source_instance(path, &url)) {
        if (url && try_server(s, url, API_CONNECT_MS, &database)) {
            rc = 0;
            goto out;
        }
        rc = open_beside(s, path, url, err);
        goto out;
    }
    default_address(address, sizeof(address));
    if (try_server(s, address, PROBE_MS, &database)) {
        note_other_database(s->cli, address, database, path);
        rc = 0;
        goto out;
    }
    if (!memory && is_file(path)) {
        rc = open_file(s, path, err);
        goto out;
    }
    snprintf(s->hint, sizeof(s->hint),
             "  no server answers at %s\n  there is no %s\n"
             "Start one with \"%s serve\", or name one with --url or --database-url.",
             address, path, PROGRAM);
    rc = err_set(err, ERR_UNREACHABLE, "no server and no database");
out:
    free(url);
    free(database);
    return rc;
}

static int choose(struct source *s, struct err *err)
{
    const struct opts *opts = &s->cli->opts;
    const char *url = opts_text(opts, "url"), *file = opts_text(opts, "database-url");
    const char *database = env("LLM_OBSERVE_DATABASE_URL");
    char *path = NULL;
    int rc;

    if (!url && !file)
        url = env("LLM_OBSERVE_URL");
    if (url) {
        s->client = api_client_open(str_c(url), err);
        return s->client ? 0 : -1;
    }
    if (file)
        return open_named_file(s, file, err);
    rc = store_path(str_c(database ? database : SOURCE_DEFAULT_DATABASE), &path, err);
    if (rc == 0)
        rc = open_default(s, path, err);
    free(path);
    return rc;
}

int source_open(struct source *s, const struct cli *cli, struct err *err)
{
    *s = (struct source){.cli = cli};
    if (choose(s, err) < 0)
        return -1;
    if (cli->verbose)
        cli_note(cli, "%s %s", s->client ? "server" : "file", source_name(s));
    return 0;
}

/* Put the new one in the place of the old one. */
static void turn_to(struct source *s, struct source *fresh)
{
    fresh->cli = s->cli;
    source_close(s);
    *s = *fresh; /* moved */
}

int source_to_file(struct source *s, const char *path, struct err *err)
{
    struct source fresh = {.cli = s->cli};

    if (open_file(&fresh, path, err) < 0) {
        source_close(&fresh);
        return -1;
    }
    turn_to(s, &fresh);
    return 0;
}

bool source_to_server(struct source *s, const char *url)
{
    struct source fresh = {.cli = s->cli};
    char *database = NULL;
    bool answers = try_server(&fresh, url, API_CONNECT_MS, &database);

    free(database);
    if (answers)
        turn_to(s, &fresh);
    return answers;
}

void source_close(struct source *s)
{
    api_client_close(s->client);
    ops_close(s->ops);
    free(s->path);
    *s = (struct source){0};
}

const char *source_name(const struct source *s)
{
    return s->client ? api_client_url(s->client) : s->path;
}

int source_fail(const struct source *s, const struct err *err)
{
    struct cli loud = {0};
    int rc = cli_fail(err);

    if (s->hint[0])
        cli_note(&loud, "%s", s->hint);
    return rc;
}

/* ---- calls ---- */

static void tell_call(const struct source *s, const char *method, const char *target,
                      const struct api_answer *a)
{
    if (s->cli->verbose)
        cli_note(s->cli, "%s %s%s %d %" PRId64 "ms", method, api_client_url(s->client), target,
                 a->status, a->took_ms);
}

static int ask_server(struct source *s, const char *method, const char *path, const char *query,
                      struct str json, int64_t timeout_ms, struct api_answer *answer,
                      struct err *err)
{
    struct buf target = {0};
    int rc;

    buf_printf(&target, "%s%s%s", path, query[0] ? "?" : "", query);
    rc = api_client_send(s->client, method, target.ptr, json, timeout_ms, ANSWER_MAX, answer, err);
    tell_call(s, method, target.ptr, answer);
    buf_clear(&target);
    return rc;
}

static int ask_file(struct source *s, const char *method, const char *path, const char *query,
                    struct str json, struct api_answer *answer, struct err *err)
{
    struct ops_call call = {
        .what = s->cli->name,
        .method = method,
        .path = str_c(path),
        .query = str_c(query),
        .json = json,
        .progress = s->progress,
        .ctx = s->progress_ctx,
    };
    struct ops_answer got;

    if (ops_answer(s->ops, &call, &got, err) < 0)
        return -1;
    answer->status = got.status;
    answer->body = got.body;
    return 0;
}

static int not_there(const struct source *s, const char *path, struct err *err)
{
    char *version = NULL;

    if (s->client)
        probe(s->client, API_CONNECT_MS, "server.version", &version);
    if (version)
        err_set(err, ERR_NOT_FOUND, "the server at %s is version %s and has no %s", source_name(s),
                version, path);
    else
        err_set(err, ERR_NOT_FOUND, "the server at %s has no %s", source_name(s), path);
    free(version);
    return -1;
}

/* The body of a good answer, moved to out; *value is the JSON in it. */
static int take_answer(const struct source *s, const char *what, const char *method,
                       const char *path, struct api_answer *answer, struct buf *out,
                       struct str *value, struct err *err)
{
    enum json_type type = JSON_INVALID;
    struct str detail;

    *value = STR_NONE;
    if (answer->status == 404 && json_scan(buf_str(&answer->body), &detail) == JSON_OBJECT &&
        json_member(detail, STR("detail"), &detail) && json_string_is(detail, STR("Not Found")))
        return not_there(s, path, err);
    if (answer->status >= 300 || answer->status < 200)
        return api_answer_error(answer, what, err);
    if (answer->body.len > 0)
        type = json_scan(buf_str(&answer->body), value);
    if (type != JSON_OBJECT && type != JSON_ARRAY &&
        (answer->body.len > 0 || strcmp(method, "DELETE") != 0))
        return err_set(err, ERR_FAILED, "%s: the answer of %s is no JSON object or list", what,
                       source_name(s));
    buf_clear(out);
    *out = answer->body;
    answer->body = (struct buf){0};
    return 0;
}

int source_send(struct source *s, const char *what, const char *method, const char *path,
                const char *query, struct str json, int64_t timeout_ms, struct buf *out,
                struct str *value, struct err *err)
{
    struct api_answer answer = {0};
    int rc;

    out->len = 0;
    if (s->client)
        rc = ask_server(s, method, path, query, json, timeout_ms ? timeout_ms : API_ANSWER_MS,
                        &answer, err);
    else
        rc = ask_file(s, method, path, query, json, &answer, err);
    if (rc == 0)
        rc = take_answer(s, what, method, path, &answer, out, value, err);
    api_answer_clear(&answer);
    return rc;
}

int source_get(struct source *s, const char *what, const char *path, const char *query,
               struct buf *out, struct str *value, struct err *err)
{
    if (source_send(s, what, "GET", path, query, STR_NONE, 0, out, value, err) < 0)
        return -1;
    if (json_type_of(*value) != JSON_OBJECT)
        return err_set(err, ERR_FAILED, "%s: the answer of %s is no JSON object", what,
                       source_name(s));
    return 0;
}

static int not_kept(int64_t id, enum body_side side, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "request %" PRId64 " has no stored %s%s", id,
                   body_side_names[side], side == BODY_UPSTREAM ? " response" : " body");
}

static int file_body(struct source *s, int64_t id, enum body_side side, api_bytes_fn *bytes,
                     void *ctx, bool *truncated, struct err *err)
{
    struct arena arena = {0};
    struct record r;
    struct str body = STR_NONE;
    int rc = store_record_get(s->store, id, &arena, &r, err);

    if (rc < 0)
        goto out;
    switch (side) {
    case BODY_REQUEST:
        body = r.request_body;
        *truncated = r.request_body_truncated;
        break;
    case BODY_RESPONSE:
        body = r.response_body;
        *truncated = r.response_body_truncated;
        break;
    case BODY_UPSTREAM:
        body = r.upstream_response_body;
        *truncated = r.response_body_truncated;
        break;
    }
    if (!body.ptr)
        rc = not_kept(id, side, err);
    else if (body.len > 0)
        rc = bytes(ctx, body, err);
out:
    arena_clear(&arena);
    return rc;
}

static int server_body(struct source *s, int64_t id, enum body_side side, api_bytes_fn *bytes,
                       void *ctx, bool *truncated, struct err *err)
{
    struct api_answer answer = {0};
    char target[128], what[64];
    int rc;

    snprintf(target, sizeof(target), "/admin/api/requests/%" PRId64 "/body?side=%s", id,
             body_side_names[side]);
    snprintf(what, sizeof(what), "request %" PRId64, id);
    rc = api_client_download(s->client, target, bytes, ctx, &answer, err);
    tell_call(s, "GET", target, &answer);
    *truncated = answer.truncated;
    if (rc == 0 && answer.status == 404)
        rc = not_kept(id, side, err);
    else if (rc == 0 && (answer.status < 200 || answer.status >= 300))
        rc = api_answer_error(&answer, what, err);
    api_answer_clear(&answer);
    return rc;
}

int source_body(struct source *s, int64_t id, enum body_side side, api_bytes_fn *bytes, void *ctx,
                bool *truncated, struct err *err)
{
    *truncated = false;
    return s->client ? server_body(s, id, side, bytes, ctx, truncated, err)
                     : file_body(s, id, side, bytes, ctx, truncated, err);
}
