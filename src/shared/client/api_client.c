#include "api_client.h"

#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "json/json_scan.h"

#define ERROR_BODY_MAX (64u << 10)
#define EVENT_MAX (16u << 20)
#define STALL_S 60L
#define EVENTS_STALL_S 45L /* the server pings every 15 s */

struct api_client {
    char *url;
    CURL *easy; /* of plain calls; keeps its connection */
};

void api_answer_clear(struct api_answer *a)
{
    buf_clear(&a->body);
    *a = (struct api_answer){0};
}

/* ---- errors ---- */

static enum err_code code_of(const struct api_answer *a)
{
    if (str_ends(str_c(a->error_code), STR("_exists")))
        return ERR_CONFLICT;
    switch (a->status) {
    case 400:
    case 413:
    case 422:
        return ERR_INVALID;
    case 401:
    case 403:
        return ERR_DENIED;
    case 404:
        return ERR_NOT_FOUND;
    case 409:
        return ERR_CONFLICT;
    case 503:
        return ERR_BUSY;
    default:
        return a->status >= 500 ? ERR_STORE : ERR_FAILED;
    }
}

/* The texts of a list of issues: "per_page: must be at most 200; page: ..." */
static void add_issues(struct buf *out, struct str issues)
{
    struct json_iter it = json_iter(issues);
    struct err ignored;

    while (out->len < ERROR_BODY_MAX && json_next(&it)) {
        struct str loc, msg, part = STR_NONE;

        if (!json_member(it.value, STR("msg"), &msg))
            continue;
        if (json_member(it.value, STR("loc"), &loc))
            for (struct json_iter parts = json_iter(loc); json_next(&parts);)
                part = parts.value;
        if (out->len > 0)
            buf_add(out, STR("; "), &ignored);
        if (json_type_of(part) == JSON_STRING && json_string(part, out, &ignored) == 0)
            buf_add(out, STR(": "), &ignored);
        json_string(msg, out, &ignored);
    }
}

int api_answer_error(const struct api_answer *a, const char *what, struct err *err)
{
    struct str value, detail = STR_NONE;
    struct buf text = {.limit = 2 * ERROR_BODY_MAX};
    struct err ignored;

    if (json_scan(buf_str(&a->body), &value) == JSON_OBJECT &&
        json_member(value, STR("detail"), &detail)) {
        if (json_type_of(detail) == JSON_STRING)
            json_string(detail, &text, &ignored);
        else if (json_type_of(detail) == JSON_ARRAY)
            add_issues(&text, detail);
    }
    if (text.len > 0)
        err_set(err, code_of(a), "%s: %.*s", what, STR_ARG(buf_str(&text)));
    else
        err_set(err, code_of(a), "%s: the server answered %d", what, a->status);
    buf_clear(&text);
    return -1;
}

static int transfer_error(const struct api_client *c, CURLcode code, const char *why,
                          struct err *err)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(err, ERR_TIMEOUT, "%s does not answer: %s", c->url, why);
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return err_set(err, ERR_UNREACHABLE, "no server answers at %s: %s", c->url, why);
    case CURLE_OUT_OF_MEMORY:
        return err_set(err, ERR_NO_MEMORY, "no memory for the answer of %s", c->url);
    default:
        return err_set(err, ERR_UNREACHABLE, "%s stopped answering: %s", c->url, why);
    }
}

/* ---- one transfer ---- */

struct call {
    CURL *easy;
    struct api_answer *answer;
    api_bytes_fn *bytes; /* takes bodies of 2xx answers; else they are kept in the answer */
    void *ctx;
    struct err *err;
    bool failed; /* err is filled by a callback */
};

static int status_of(CURL *easy)
{
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static size_t on_body(char *ptr, size_t one, size_t len, void *arg)
{
    struct call *call = arg;
    struct str bytes = {ptr, len};
    int status = status_of(call->easy), rc;

    (void)one;
    if (call->bytes && status >= 200 && status < 300)
        rc = call->bytes(call->ctx, bytes, call->err);
    else
        rc = buf_add(&call->answer->body, bytes, call->err);
    if (rc < 0)
        call->failed = true;
    return rc < 0 ? CURL_WRITEFUNC_ERROR : len;
}

static void keep_header(char *out, size_t size, struct str line, struct str name)
{
    if (str_istarts(line, name))
        snprintf(out, size, "%.*s", STR_ARG(str_trim(str_from(line, name.len))));
}

static size_t on_header(char *ptr, size_t one, size_t len, void *arg)
{
    struct call *call = arg;
    struct str line = {ptr, len};
    struct api_answer *a = call->answer;

    (void)one;
    keep_header(a->content_type, sizeof(a->content_type), line, STR("content-type:"));
    keep_header(a->error_code, sizeof(a->error_code), line, STR("x-llm-observe-error:"));
    if (str_istarts(line, STR("x-llm-observe-truncated:")))
        a->truncated = str_chr(line, '1') >= 0 || str_ifind(line, STR("true")) >= 0;
    return len;
}

static void set_up(struct call *call, const char *url)
{
    CURL *easy = call->easy;

    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "llm-observe-proxy/" LOP_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)API_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
}

static int perform(const struct api_client *c, struct call *call, struct err *err)
{
    char why[CURL_ERROR_SIZE] = "";
    int64_t started_us = clock_now_us();
    CURLcode code;

    curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, why);
    code = curl_easy_perform(call->easy);
    curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, NULL);
    call->answer->took_ms = (clock_now_us() - started_us) / 1000;
    call->answer->status = status_of(call->easy);
    if (call->failed)
        return -1;
    if (code != CURLE_OK)
        return transfer_error(c, code, why[0] ? why : curl_easy_strerror(code), err);
    return 0;
}

static char *join(const struct api_client *c, const char *target)
{
    struct buf url = {0};

    buf_printf(&url, "%s%s", c->url, target);
    return buf_take(&url);
}

int api_client_send(struct api_client *c, const char *method, const char *target, struct str json,
                    int64_t timeout_ms, size_t limit, struct api_answer *out, struct err *err)
{
    struct call call = {.easy = c->easy, .answer = out, .err = err};
    struct curl_slist *headers = NULL;
    char *url = join(c, target);
    int rc;

    out->body.limit = limit;
    set_up(&call, url);
    curl_easy_setopt(call.easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    if (timeout_ms < API_CONNECT_MS)
        curl_easy_setopt(call.easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    if (json.ptr) {
        headers = curl_slist_append(NULL, "Content-Type: application/json");
        curl_easy_setopt(call.easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(call.easy, CURLOPT_POSTFIELDS, json.ptr);
        curl_easy_setopt(call.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)json.len);
    }
    curl_easy_setopt(call.easy, CURLOPT_CUSTOMREQUEST, method);
    rc = perform(c, &call, err);
    curl_slist_free_all(headers);
    free(url);
    return rc;
}

int api_client_get(struct api_client *c, const char *target, int64_t timeout_ms, size_t limit,
                   struct api_answer *out, struct err *err)
{
    return api_client_send(c, "GET", target, STR_NONE, timeout_ms, limit, out, err);
}

int api_client_download(struct api_client *c, const char *target, api_bytes_fn *bytes, void *ctx,
                        struct api_answer *out, struct err *err)
{
    struct call call = {.easy = c->easy, .answer = out, .bytes = bytes, .ctx = ctx, .err = err};
    char *url = join(c, target);
    int rc;

    out->body.limit = ERROR_BODY_MAX;
    set_up(&call, url);
    curl_easy_setopt(call.easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(call.easy, CURLOPT_LOW_SPEED_TIME, STALL_S);
    rc = perform(c, &call, err);
    free(url);
    return rc;
}

/* ---- server-sent events ---- */

struct events {
    struct buf line, data;
    char id[64], event[64];
    bool last_was_cr, has_data;
    bool ended; /* fn wants no more */
    api_event_fn *fn;
    void *ctx;
};

static int dispatch(struct events *e, struct err *err)
{
    struct api_event event = {str_c(e->id), str_c(e->event), buf_str(&e->data)};
    int rc = e->has_data ? e->fn(e->ctx, &event, err) : 0;

    e->data.len = 0;
    e->has_data = false;
    e->event[0] = '\0';
    e->ended = rc > 0;
    return rc == 0 ? 0 : -1;
}

static int take_line(struct events *e, struct err *err)
{
    struct str value = buf_str(&e->line), name;

    e->line.len = 0; /* value stays readable until the next byte is added */
    if (value.len == 0)
        return dispatch(e, err);
    if (value.ptr[0] == ':')
        return 0;
    if (!str_split(&value, ':', &name))
        return 0;
    if (value.len > 0 && value.ptr[0] == ' ')
        value = str_from(value, 1);
    if (str_eq(name, STR("id"))) {
        snprintf(e->id, sizeof(e->id), "%.*s", STR_ARG(value));
    } else if (str_eq(name, STR("event"))) {
        snprintf(e->event, sizeof(e->event), "%.*s", STR_ARG(value));
    } else if (str_eq(name, STR("data"))) {
        if (e->has_data && buf_add(&e->data, STR("\n"), err) < 0)
            return -1;
        e->has_data = true;
        return buf_add(&e->data, value, err);
    }
    return 0;
}

/* Lines end at LF, CR LF or CR. */
static int on_event_bytes(void *ctx, struct str bytes, struct err *err)
{
    struct events *e = ctx;

    while (bytes.len > 0) {
        size_t n = 0;
        bool skip = e->last_was_cr && bytes.ptr[0] == '\n';

        e->last_was_cr = false;
        if (skip) {
            bytes = str_from(bytes, 1);
            continue;
        }
        while (n < bytes.len && bytes.ptr[n] != '\n' && bytes.ptr[n] != '\r')
            n++;
        if (buf_add(&e->line, str_cut(bytes, n), err) < 0)
            return -1;
        if (n == bytes.len)
            break;
        e->last_was_cr = bytes.ptr[n] == '\r';
        if (take_line(e, err) < 0)
            return -1;
        bytes = str_from(bytes, n + 1);
    }
    return 0;
}

int api_client_events(struct api_client *c, const char *target, struct str last_id,
                      api_event_fn *fn, void *ctx, struct err *err)
{
    struct events e = {
        .fn = fn, .ctx = ctx, .line = {.limit = EVENT_MAX}, .data = {.limit = EVENT_MAX}};
    struct api_answer answer = {.body = {.limit = ERROR_BODY_MAX}};
    struct call call = {.answer = &answer, .bytes = on_event_bytes, .ctx = &e, .err = err};
    struct curl_slist *headers = NULL;
    char *url = join(c, target), header[96];
    int rc = -1;

    call.easy = curl_easy_init();
    if (!call.easy) {
        err_set(err, ERR_NO_MEMORY, "no memory for a connection");
        goto out;
    }
    set_up(&call, url);
    curl_easy_setopt(call.easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(call.easy, CURLOPT_LOW_SPEED_TIME, EVENTS_STALL_S);
    headers = curl_slist_append(NULL, "Accept: text/event-stream");
    if (last_id.len > 0 && last_id.len < 64) {
        snprintf(header, sizeof(header), "Last-Event-ID: %.*s", STR_ARG(last_id));
        headers = curl_slist_append(headers, header);
    }
    curl_easy_setopt(call.easy, CURLOPT_HTTPHEADER, headers);
    rc = perform(c, &call, err);
    if (e.ended)
        rc = 0;
    else if (rc == 0 && answer.status >= 400)
        rc = api_answer_error(&answer, "events", err);
    else if (rc == 0)
        rc = err_set(err, ERR_UNREACHABLE, "%s closed the stream of events", c->url);
out:
    curl_slist_free_all(headers);
    curl_easy_cleanup(call.easy);
    api_answer_clear(&answer);
    buf_clear(&e.line);
    buf_clear(&e.data);
    free(url);
    return rc;
}

/* ---- the client ---- */

static bool url_ok(struct str url)
{
    if (!str_istarts(url, STR("http://")) && !str_istarts(url, STR("https://")))
        return false;
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= 0x20 || url.ptr[i] == 0x7F || url.ptr[i] == '?' ||
            url.ptr[i] == '#')
            return false;
    return url.len > strlen("http://");
}

struct api_client *api_client_open(struct str url, struct err *err)
{
    struct api_client *c;

    while (url.len > 0 && url.ptr[url.len - 1] == '/')
        url.len--;
    if (!url_ok(url)) {
        err_set(err, ERR_INVALID, "\"%.*s\" is no http:// or https:// URL of a server",
                STR_ARG(str_cut(url, 200)));
        return NULL;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    c = xcalloc(1, sizeof(*c));
    c->url = str_dup(url);
    c->easy = curl_easy_init();
    if (!c->url || !c->easy) {
        err_set(err, ERR_NO_MEMORY, "no memory for a connection");
        api_client_close(c);
        return NULL;
    }
    return c;
}

void api_client_close(struct api_client *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->easy);
    free(c->url);
    free(c);
}

const char *api_client_url(const struct api_client *c)
{
    return c->url;
}
