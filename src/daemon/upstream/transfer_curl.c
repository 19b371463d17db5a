/* The engine for https:// and for upstreams behind a proxy: libcurl, which may speak HTTP/2. Heads
 * are checked by response_head.c like those of the other engine, and content codings are left to
 * transfer.c. */
#include <stdlib.h>
#include <sys/socket.h>

#include "daemon/upstream/curl_loop.h"
#include "daemon/upstream/response_head.h"
#include "daemon/upstream/transfer_priv.h"

#define NO_TIMEOUT 0x7fffffffL
#define KEPT_IDLE_S 60L
#define NAMES_KEPT_S 30L
#define READ_SIZE (64L * 1024)

struct curl_state {
    struct curl_job job;
    struct transfer *t;
    struct curl_slist *fields, **fields_end; /* nodes in the transfer's arena */
    struct response_head head;
    bool head_done;
    bool counted;    /* this read from the socket, among the reads of the body */
    bool link_local; /* an address was refused */
    curl_off_t uploaded;
    int64_t body_bytes;
    char error[CURL_ERROR_SIZE];
};

static struct curl_loop *loop_of(const struct transfer *t)
{
    return t->upstreams->curl;
}

/* Give everything of libcurl back. */
static void let_go(struct curl_state *s)
{
    curl_loop_recycle(loop_of(s->t), s->job.easy);
    s->job.easy = NULL;
}

static void on_gone(struct curl_job *job)
{
    struct curl_state *s = LIST_ENTRY(job, struct curl_state, job);

    let_go(s);
    transfer_released(s->t);
}

static void stop(struct transfer *t)
{
    struct curl_state *s = t->state;

    if (s->job.easy)
        curl_loop_remove(loop_of(t), &s->job);
    else
        transfer_released(t); /* it has ended by itself */
}

static void release(struct transfer *t)
{
    struct curl_state *s = t->state;

    response_head_clear(&s->head);
}

static void resume(struct transfer *t)
{
    struct curl_state *s = t->state;

    curl_loop_resume(loop_of(t), &s->job);
}

/* More time as long as the request body still moves. */
static bool expired(struct transfer *t)
{
    struct curl_state *s = t->state;
    curl_off_t uploaded = 0;

    curl_easy_getinfo(s->job.easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    if (t->phase != PHASE_FIRST_BYTE || uploaded <= s->uploaded)
        return false;
    s->uploaded = uploaded;
    transfer_phase(t, PHASE_FIRST_BYTE);
    return true;
}

static enum transfer_error error_of(const struct curl_state *s, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_PROXY:
        return s->link_local ? TRANSFER_REFUSED : TRANSFER_CONNECT_FAILED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_USE_SSL_FAILED:
        return TRANSFER_TLS_FAILED;
    case CURLE_OPERATION_TIMEDOUT:
        return TRANSFER_CONNECT_TIMEOUT; /* the only timeout that is left to libcurl */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP2:
    case CURLE_BAD_CONTENT_ENCODING:
        return TRANSFER_BAD_RESPONSE;
    case CURLE_URL_MALFORMAT:
        return TRANSFER_REFUSED;
    default:
        return s->t->phase == PHASE_CONNECT ? TRANSFER_CONNECT_FAILED : TRANSFER_CONNECTION_LOST;
    }
}

/* libcurl's own words, unless they may hold the user info of a proxy's URL. */
static const char *error_text(const struct curl_state *s, CURLcode code)
{
    if (s->link_local && error_of(s, code) == TRANSFER_REFUSED)
        return "link-local addresses are not allowed";
    return s->error[0] && !strchr(s->error, '@') ? s->error : curl_easy_strerror(code);
}

/* The whole answer is here. An upstream that answers early and takes no more of the request makes
 * libcurl fail all the same. */
static bool is_complete(const struct curl_state *s)
{
    return s->head_done &&
           (transfer_has_no_body(s->t, s->head.status) || s->body_bytes == s->head.content_length);
}

static void on_ended(struct curl_job *job, CURLcode result)
{
    struct curl_state *s = LIST_ENTRY(job, struct curl_state, job);
    struct transfer *t = s->t;
    enum transfer_error error = error_of(s, result);

    let_go(s);
    if (is_complete(s) || (result == CURLE_OK && s->head_done))
        transfer_complete(t);
    else if (result == CURLE_OK)
        transfer_fail(t, TRANSFER_BAD_RESPONSE, "the answer has no head");
    else
        transfer_fail(t, error, "%s", error_text(s, result));
}

static void on_settled(struct curl_job *job)
{
    struct curl_state *s = LIST_ENTRY(job, struct curl_state, job);

    s->counted = false;
    if (!s->t->stopped)
        transfer_on_pause(s->t);
}

static bool take_line(struct curl_state *s, struct str line)
{
    struct err err;
    int rc = response_head_line(&s->head, line, &err);

    if (rc < 0)
        transfer_fail(s->t, TRANSFER_BAD_RESPONSE, "%s", err.msg);
    if (rc <= 0)
        return rc == 0;
    s->head_done = true;
    curl_loop_touch(loop_of(s->t), &s->job);
    return transfer_on_head(s->t, s->head.status, &s->head.headers, s->head.content_length);
}

static size_t on_header(char *bytes, size_t one, size_t len, void *arg)
{
    struct curl_state *s = arg;

    (void)one; /* always 1 */
    if (s->t->stopped)
        return 0;
    if (s->head_done)
        return len; /* trailers are dropped */
    return take_line(s, (struct str){bytes, len}) ? len : 0;
}

static size_t on_bytes(char *bytes, size_t one, size_t len, void *arg)
{
    struct curl_state *s = arg;

    (void)one;
    if (s->t->stopped)
        return len ? 0 : 1;
    if (!s->counted)
        transfer_touch(s->t);
    s->counted = true;
    curl_loop_touch(loop_of(s->t), &s->job);
    switch (transfer_on_bytes(s->t, (struct str){bytes, len})) {
    case TOOK_ALL:
        s->body_bytes += (int64_t)len;
        return len;
    case TOOK_NOTHING:
        s->job.paused = true;
        return CURL_WRITEFUNC_PAUSE;
    case TOOK_STOPPED:
        break;
    }
    return len ? 0 : 1;
}

/* The connection is there and the request is about to be sent. */
static int on_connected(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    struct curl_state *s = arg;
    long fresh = 0;

    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    if (s->t->stopped)
        return CURL_PREREQFUNC_ABORT;
    curl_easy_getinfo(s->job.easy, CURLINFO_NUM_CONNECTS, &fresh);
    if (fresh == 0)
        s->t->connected_us = s->t->started_us;
    transfer_phase(s->t, PHASE_FIRST_BYTE);
    return CURL_PREREQFUNC_OK;
}

static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct curl_state *s = arg;

    (void)purpose;
    if (!s->t->upstreams->limits.allow_link_local && address_is_link_local(&address->addr)) {
        s->link_local = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Append one line to the request's fields. */
static int add_line(struct curl_state *s, struct str line, struct err *err)
{
    struct curl_slist *node = arena_alloc(&s->t->arena, sizeof(*node));

    if (!node || !line.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory for a request header");
    node->data = (char *)(uintptr_t)line.ptr; /* libcurl only reads it */
    node->next = NULL;
    *s->fields_end = node;
    s->fields_end = &node->next;
    return 0;
}

/* "Name;" is how libcurl wants to be told of an empty value. */
static int add_field(struct curl_state *s, struct str name, struct str value, struct err *err)
{
    char *text = arena_alloc(&s->t->arena, name.len + value.len + 3), *at = text;

    if (!text)
        return err_set(err, ERR_NO_MEMORY, "no memory for a request header");
    memcpy(at, name.ptr, name.len);
    at += name.len;
    *at++ = value.len ? ':' : ';';
    if (value.len) {
        *at++ = ' ';
        memcpy(at, value.ptr, value.len);
        at += value.len;
    }
    *at = '\0';
    return add_line(s, (struct str){text, (size_t)(at - text)}, err);
}

/* A line "Name:" keeps libcurl from adding a field of its own. */
static int add_fields(struct curl_state *s, struct err *err)
{
    static const struct {
        struct str name, none;
    } own[] = {{{"Accept", 6}, {"Accept:", 7}},
               {{"Content-Type", 12}, {"Content-Type:", 13}},
               {{"User-Agent", 10}, {"User-Agent:", 11}}};
    const struct headers *headers = s->t->request.headers;

    for (size_t i = 0; i < headers->count; i++)
        if (transfer_field_passes(headers->items[i].name) &&
            add_field(s, headers->items[i].name, headers->items[i].value, err) < 0)
            return -1;
    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
        if (!headers_get(headers, own[i].name).ptr && add_line(s, own[i].none, err) < 0)
            return -1;
    if (add_line(s, STR("Expect:"), err) < 0)
        return -1;
    return add_field(s, STR("Accept-Encoding"), transfer_accept_encoding(s->t), err);
}

static void set_method(struct curl_state *s, const char *method)
{
    const struct transfer_request *r = &s->t->request;
    CURL *easy = s->job.easy;

    if (str_eq(r->method, STR("HEAD"))) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (r->has_body) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body.len ? r->body.ptr : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
    }
    if (!str_eq(r->method, r->has_body ? STR("POST") : STR("GET")))
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_callbacks(struct curl_state *s)
{
    CURL *easy = s->job.easy;

    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, s);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, s);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, s);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, s->error);
}

/* libcurl parses a bundle once for all connections, but only while no folder of certificates is
 * set: reading the system's bundle takes long enough to be felt by everybody else on this loop. */
static void set_trust(CURL *easy, const char *ca_file)
{
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);

    if (ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
        curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, ca_file);
    }
    if (ca_file || (version->age >= CURLVERSION_SEVENTH && version->cainfo))
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

static void set_options(struct curl_state *s)
{
    const struct upstream_limits *limits = &s->t->upstreams->limits;
    int64_t connect = limits->connect_timeout_ms;
    CURL *easy = s->job.easy;

    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, s->fields);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, READ_SIZE);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, KEPT_IDLE_S);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, NAMES_KEPT_S);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     connect > 0 && connect < NO_TIMEOUT ? (long)connect : NO_TIMEOUT);
    set_trust(easy, limits->ca_file);
}

static int set_up(struct curl_state *s, struct err *err)
{
    struct arena *arena = &s->t->arena;
    struct str url = arena_dup(arena, s->t->request.url);
    struct str method = arena_dup(arena, s->t->request.method);

    if (!url.ptr || !method.ptr || add_fields(s, err) < 0)
        return err_set(err, ERR_NO_MEMORY, "no memory for a request");
    s->job.easy = curl_loop_easy(loop_of(s->t));
    if (!s->job.easy)
        return err_set(err, ERR_NO_MEMORY, "no memory for a request");
    set_callbacks(s);
    set_options(s);
    set_method(s, method.ptr);
    if (curl_easy_setopt(s->job.easy, CURLOPT_URL, url.ptr) != CURLE_OK) {
        let_go(s);
        return err_set(err, ERR_NO_MEMORY, "no memory for a request");
    }
    return 0;
}

static int start(struct transfer *t, struct err *err)
{
    struct upstreams *u = t->upstreams;
    struct curl_state *s = arena_alloc(&t->arena, sizeof(*s));

    if (!s)
        return err_set(err, ERR_NO_MEMORY, "no memory for a transfer");
    if (!u->curl)
        u->curl = curl_loop_open(u->loop, err);
    if (!u->curl)
        return -1;
    *s = (struct curl_state){.t = t, .job = {.ended = on_ended, .gone = on_gone}};
    s->job.settled = on_settled;
    s->fields_end = &s->fields;
    t->state = s;
    t->phase = PHASE_CONNECT; /* libcurl's timeout */
    if (set_up(s, err) < 0)
        return -1;
    curl_loop_add(u->curl, &s->job);
    return 0;
}

const struct transfer_engine transfer_engine_curl = {"curl", start, stop, resume, expired, release};
