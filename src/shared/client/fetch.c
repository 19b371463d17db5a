#include "client/fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#define WAIT_MS 1000

struct transfer {
    CURL *easy;
    struct fetch *fetch;
    char *url;
    bool too_large;
    char why[CURL_ERROR_SIZE];
};

static size_t on_body(char *ptr, size_t one, size_t len, void *arg)
{
    struct transfer *t = arg;
    struct err err;

    (void)one; /* always 1 */
    if (buf_add(&t->fetch->body, (struct str){ptr, len}, &err) == 0)
        return len;
    t->too_large = true;
    return 0;
}

static struct curl_slist *make_headers(const struct secret *key)
{
    struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
    struct buf line = {0};

    if (!key || key->len == 0)
        return list;
    buf_put(&line, STR("Authorization: Bearer "));
    buf_put(&line, secret_expose(key));
    list = curl_slist_append(list, line.ptr);
    explicit_bzero(line.ptr, line.len);
    buf_clear(&line);
    return list;
}

static void wipe_headers(struct curl_slist *list)
{
    for (struct curl_slist *one = list; one; one = one->next)
        explicit_bzero(one->data, strlen(one->data));
    curl_slist_free_all(list);
}

static void set_up(struct transfer *t, const struct fetch_options *o, struct curl_slist *headers)
{
    curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
    curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "llm-observe-proxy/" LOP_VERSION);
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)o->timeout_ms);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->why);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    if (o->ca_file)
        curl_easy_setopt(t->easy, CURLOPT_CAINFO, o->ca_file);
}

/* False: fetch->error says why. */
static bool start(struct transfer *t, CURLM *multi, struct fetch *fetch,
                  const struct fetch_options *o, struct curl_slist *headers)
{
    *t = (struct transfer){.easy = curl_easy_init(), .fetch = fetch, .url = str_dup(fetch->url)};
    fetch->body.limit = o->limit;
    if (t->easy) {
        set_up(t, o, headers);
        if (curl_multi_add_handle(multi, t->easy) == CURLM_OK)
            return true;
        curl_easy_cleanup(t->easy);
    }
    free(t->url);
    *t = (struct transfer){0};
    snprintf(fetch->error, sizeof(fetch->error), "no memory for the request");
    return false;
}

static void finish(struct transfer *t, CURLM *multi, CURLcode code)
{
    struct fetch *f = t->fetch;
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    f->status = (int)status;
    if (t->too_large)
        snprintf(f->error, sizeof(f->error), "the answer is too large");
    else if (code != CURLE_OK)
        snprintf(f->error, sizeof(f->error), "%.180s",
                 t->why[0] ? t->why : curl_easy_strerror(code));
    else if (status < 200 || status > 299)
        snprintf(f->error, sizeof(f->error), "HTTP %ld", status);
    curl_multi_remove_handle(multi, t->easy);
    curl_easy_cleanup(t->easy);
    free(t->url);
    *t = (struct transfer){0};
}

static size_t reap(CURLM *multi)
{
    size_t done = 0;
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(multi, &left))) {
        char *private = NULL;
        CURLcode code = msg->data.result;

        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
        finish((struct transfer *)(void *)private, multi, code);
        done++;
    }
    return done;
}

void fetch_all(struct fetch *list, size_t count, const struct fetch_options *o)
{
    struct transfer slots[FETCH_PARALLEL] = {{0}};
    struct curl_slist *headers = make_headers(o->key);
    CURLM *multi = curl_multi_init();
    size_t next = 0, busy = 0;
    int running;

    while (multi && (next < count || busy > 0)) {
        for (size_t i = 0; i < FETCH_PARALLEL && next < count; i++) {
            if (!slots[i].easy)
                busy += start(&slots[i], multi, &list[next++], o, headers);
        }
        curl_multi_perform(multi, &running);
        busy -= reap(multi);
        if (busy > 0)
            curl_multi_poll(multi, NULL, 0, running > 0 ? WAIT_MS : 0, NULL);
    }
    for (; !multi && next < count; next++)
        snprintf(list[next].error, sizeof(list[next].error), "no memory for the request");
    curl_multi_cleanup(multi);
    wipe_headers(headers);
}
