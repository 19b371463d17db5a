#include "client/webhook.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"

#define LOOK_MS 100 /* how soon a stop is noticed */

struct post {
    char *url, *json;
};

struct webhook {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct post queue[WEBHOOK_QUEUE]; /* a ring */
    size_t first, count;
    bool started; /* the posting thread alone */
    _Atomic bool stopping;
    pthread_t thread;
};

int webhook_check(struct str url, struct err *err)
{
    char *text = str_dup(url), *scheme = NULL, *host = NULL;
    CURLU *parts = curl_url();
    bool ok = text && parts && url.len <= WEBHOOK_URL_MAX && strlen(text) == url.len &&
              curl_url_set(parts, CURLUPART_URL, text, 0) == CURLUE_OK &&
              curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
              curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && host[0];

    ok = ok && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
    free(text);
    return ok ? 0
              : err_set(err, ERR_INVALID,
                        "The webhook needs an absolute http or https URL of at most %d bytes.",
                        WEBHOOK_URL_MAX);
}

/* ---- one try ---- */

static size_t ignore(char *ptr, size_t one, size_t len, void *arg)
{
    (void)ptr;
    (void)one;
    (void)arg;
    return len;
}

static void set_up(CURL *easy, const struct post *p, struct curl_slist *headers, char *why)
{
    curl_easy_setopt(easy, CURLOPT_URL, p->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "llm-observe-proxy/" LOP_VERSION);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)WEBHOOK_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, p->json);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why);
}

/* Until it is over, or the program stops. */
static void perform(const struct webhook *w, CURLM *multi, CURL *easy, const char *why)
{
    int running = 1, left;
    long status = 0;
    CURLMsg *msg;

    while (running && !atomic_load(&w->stopping)) {
        curl_multi_perform(multi, &running);
        if (running)
            curl_multi_poll(multi, NULL, 0, LOOK_MS, NULL);
    }
    msg = curl_multi_info_read(multi, &left);
    if (!msg)
        return;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (msg->data.result != CURLE_OK)
        log_warning("cannot post to the webhook: %s",
                    why[0] ? why : curl_easy_strerror(msg->data.result));
    else if (status < 200 || status > 299)
        log_warning("the webhook refused an alert status=%ld", status);
}

static void post(const struct webhook *w, const struct post *p)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURLM *multi = curl_multi_init();
    CURL *easy = curl_easy_init();
    char why[CURL_ERROR_SIZE] = "";

    if (headers && multi && easy) {
        set_up(easy, p, headers, why);
        if (curl_multi_add_handle(multi, easy) == CURLM_OK) {
            perform(w, multi, easy, why);
            curl_multi_remove_handle(multi, easy);
        }
    }
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
}

/* ---- the thread ---- */

static bool take(struct webhook *w, struct post *out)
{
    bool got;

    pthread_mutex_lock(&w->lock);
    while (w->count == 0 && !atomic_load(&w->stopping))
        pthread_cond_wait(&w->work, &w->lock);
    got = !atomic_load(&w->stopping);
    if (got) {
        *out = w->queue[w->first];
        w->first = (w->first + 1) % WEBHOOK_QUEUE;
        w->count--;
    }
    pthread_mutex_unlock(&w->lock);
    return got;
}

static void forget(struct post *p)
{
    free(p->url);
    free(p->json);
}

static void *webhook_main(void *arg)
{
    struct webhook *w = arg;
    struct post p;

    while (take(w, &p)) {
        post(w, &p);
        forget(&p);
    }
    return NULL;
}

struct webhook *webhook_new(void)
{
    struct webhook *w = xcalloc(1, sizeof(*w));

    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    return w;
}

void webhook_post(struct webhook *w, struct str url, struct str json)
{
    bool full;

    if (!w->started) {
        int rc = pthread_create(&w->thread, NULL, webhook_main, w);

        if (rc != 0) {
            log_warning("cannot post to the webhook: %s", strerror(rc));
            return;
        }
        w->started = true;
    }
    pthread_mutex_lock(&w->lock);
    full = w->count == WEBHOOK_QUEUE;
    if (!full) {
        w->queue[(w->first + w->count) % WEBHOOK_QUEUE] =
            (struct post){str_dup(url), str_dup(json)};
        w->count++;
        pthread_cond_signal(&w->work);
    }
    pthread_mutex_unlock(&w->lock);
    if (full)
        log_warning("the webhook is too slow: an alert was not posted");
}

void webhook_stop(struct webhook *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->stopping, true);
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    if (w->started)
        pthread_join(w->thread, NULL);
    for (size_t i = 0; i < w->count; i++)
        forget(&w->queue[(w->first + i) % WEBHOOK_QUEUE]);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
