#include "daemon/otel/otel_post.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/xalloc.h"

#define ANSWER_MAX ((size_t)65536)
#define GZIP_WINDOW (15 + 16) /* of zlib: the largest, with a gzip header */

struct otel_post {
    const struct otlp_target *target;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    struct buf packed;
    char why[CURL_ERROR_SIZE];
};

static size_t on_body(char *ptr, size_t one, size_t len, void *arg)
{
    struct otel_answer *answer = arg;
    struct err err;

    (void)one; /* always 1 */
    answer->body.limit = ANSWER_MAX;
    buf_add(&answer->body, (struct str){ptr, len}, &err); /* what is too much is not needed */
    return len;
}

/* ---- set up ---- */

static int add_header(struct otel_post *p, const char *line)
{
    struct curl_slist *list = curl_slist_append(p->headers, line);

    if (!list)
        return -1;
    p->headers = list;
    return 0;
}

static int make_headers(struct otel_post *p)
{
    const struct otlp_target *t = p->target;

    if (add_header(p, "Content-Type: application/json") < 0 || add_header(p, "Expect:") < 0 ||
        (t->gzip && add_header(p, "Content-Encoding: gzip") < 0))
        return -1;
    for (size_t i = 0; i < t->header_count; i++)
        if (add_header(p, t->headers[i]) < 0)
            return -1;
    return 0;
}

static void set_up(struct otel_post *p)
{
    const struct otlp_target *t = p->target;

    curl_easy_setopt(p->easy, CURLOPT_URL, t->url);
    curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(p->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(p->easy, CURLOPT_USERAGENT, "llm-observe-proxy/" LOP_VERSION);
    curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms);
    curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
    curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->why);
    curl_easy_setopt(p->easy, CURLOPT_POST, 1L);
    if (t->ca_file)
        curl_easy_setopt(p->easy, CURLOPT_CAINFO, t->ca_file);
    if (t->certificate)
        curl_easy_setopt(p->easy, CURLOPT_SSLCERT, t->certificate);
    if (t->key)
        curl_easy_setopt(p->easy, CURLOPT_SSLKEY, t->key);
}

struct otel_post *otel_post_new(const struct otlp_target *target)
{
    struct otel_post *p = xcalloc(1, sizeof(*p));

    p->target = target;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        p->multi = curl_multi_init();
        p->easy = curl_easy_init();
    }
    if (p->multi && p->easy && make_headers(p) == 0) {
        set_up(p);
        return p;
    }
    otel_post_free(p);
    return NULL;
}

static void wipe_headers(struct curl_slist *list)
{
    for (struct curl_slist *one = list; one; one = one->next)
        explicit_bzero(one->data, strlen(one->data));
    curl_slist_free_all(list);
}

void otel_post_free(struct otel_post *p)
{
    if (!p)
        return;
    curl_easy_cleanup(p->easy);
    curl_multi_cleanup(p->multi);
    wipe_headers(p->headers);
    buf_clear(&p->packed);
    free(p);
}

void otel_post_wake(struct otel_post *p)
{
    curl_multi_wakeup(p->multi);
}

/* ---- one request ---- */

/* False without memory. */
static bool pack(struct otel_post *p, struct str json)
{
    z_stream z = {0};
    struct err err;
    int rc;

    p->packed.len = 0;
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return false;
    if (buf_reserve(&p->packed, deflateBound(&z, json.len), &err) < 0) {
        deflateEnd(&z);
        return false;
    }
    z.next_in = (Bytef *)(uintptr_t)json.ptr;
    z.avail_in = (uInt)json.len;
    z.next_out = (Bytef *)p->packed.ptr;
    z.avail_out = (uInt)p->packed.cap;
    rc = deflate(&z, Z_FINISH);
    p->packed.len = z.total_out;
    deflateEnd(&z);
    return rc == Z_STREAM_END;
}

static bool is_late(const _Atomic int64_t *until_us)
{
    int64_t until = atomic_load(until_us);

    return until && clock_now_us() >= until;
}

/* How long to sleep: the end may come at any time, but then somebody wakes us. */
static int nap_ms(const _Atomic int64_t *until_us)
{
    int64_t until = atomic_load(until_us), left = until ? (until - clock_now_us()) / 1000 : 1000;

    return left < 1 ? 1 : left > 1000 ? 1000 : (int)left;
}

/* CURLE_ABORTED_BY_CALLBACK: it was given up. */
static CURLcode perform(struct otel_post *p, const _Atomic int64_t *until_us)
{
    int running = 1, left;
    CURLMsg *msg;

    while (!is_late(until_us)) {
        if (curl_multi_perform(p->multi, &running) != CURLM_OK)
            return CURLE_OUT_OF_MEMORY;
        while ((msg = curl_multi_info_read(p->multi, &left)))
            if (msg->msg == CURLMSG_DONE)
                return msg->data.result;
        curl_multi_poll(p->multi, NULL, 0, nap_ms(until_us), NULL);
    }
    return CURLE_ABORTED_BY_CALLBACK;
}

static void read_answer(struct otel_post *p, CURLcode code, struct otel_answer *out)
{
    curl_off_t seconds = 0;
    long status = 0;

    if (code != CURLE_OK) {
        out->retry = code != CURLE_ABORTED_BY_CALLBACK && code != CURLE_OUT_OF_MEMORY;
        snprintf(out->error, sizeof(out->error), "%.180s",
                 code == CURLE_ABORTED_BY_CALLBACK ? "no answer before the end"
                 : p->why[0]                       ? p->why
                                                   : curl_easy_strerror(code));
        return;
    }
    curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(p->easy, CURLINFO_RETRY_AFTER, &seconds);
    out->status = (int)status;
    out->retry = status == 429 || (status >= 502 && status <= 504);
    out->retry_after_ms = out->retry && seconds > 0 ? (int64_t)seconds * 1000 : 0;
    if (status < 200 || status > 299)
        snprintf(out->error, sizeof(out->error), "HTTP %ld", status);
}

void otel_post_send(struct otel_post *p, struct str json, const _Atomic int64_t *until_us,
                    struct otel_answer *out)
{
    struct str body = json;

    *out = (struct otel_answer){0};
    if (p->target->gzip) {
        if (!pack(p, json)) {
            snprintf(out->error, sizeof(out->error), "no memory to compress");
            return;
        }
        body = buf_str(&p->packed);
    }
    p->why[0] = '\0';
    curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS, body.ptr);
    curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, out);
    if (curl_multi_add_handle(p->multi, p->easy) != CURLM_OK) {
        snprintf(out->error, sizeof(out->error), "no memory for the request");
        return;
    }
    read_answer(p, perform(p, until_us), out);
    curl_multi_remove_handle(p->multi, p->easy);
}
