#include "daemon/demo.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/mock/mock.h"

#define PAUSE_MS 2000 /* between requests, once the first ones are sent */
#define CALL_MS 30000
#define CALLS 16

struct demo {
    struct mock *mock;
    pthread_t mock_thread, traffic_thread;
    bool mock_runs, traffic_runs;
    char *url;    /* of the proxy, without a slash at its end */
    char *folder; /* of the temporary database, or NULL */
    CURLM *multi;
    CURL *calls[CALLS]; /* under way; NULL: free */
    struct curl_slist *fields[CALLS];
    _Atomic bool stopping;
};

/* ---- what is sent ---- */

#define PIXEL                                                                                      \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+"                                \
    "M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
#define BASH                                                                                       \
    "\"name\":\"bash\",\"description\":\"Run a command\",\"parameters\":{\"type\":\"object\","     \
    "\"properties\":{\"command\":{\"type\":\"string\"}},\"required\":[\"command\"]}"

#define RULES                                                                                      \
    "You are a coding agent in a repository of a small proxy. Work step by step. Read a file "     \
    "before you change it, keep changes small, and run the tests after each of them. Never touch " \
    "generated files. When a test fails, find out why before you try again, and say in one line "  \
    "what you are going to do. Answer in plain text, without headings, and stop as soon as the "   \
    "task is done. Ask only when the task cannot be understood; guess the rest and say so. "
#define LONG_RULES RULES RULES RULES RULES

static const struct sample {
    const char *path, *options, *body;
} samples[] = {
    {"/v1/chat/completions", "tokens=40,tps=60",
     "{\"model\":\"gpt-5.4-mini\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
     "{\"role\":\"user\",\"content\":\"What does a proxy do?\"}]}"},
    {"/v1/messages", "reasoning=20,tokens=90,tps=58,ttft=900ms,cached=90",
     "{\"model\":\"claude-sonnet-4-6\",\"max_tokens\":1024,\"stream\":true,\"system\":\"" LONG_RULES
     "\",\"messages\":[{\"role\":\"user\",\"content\":\"Fix the flaky retry test.\"}]}"},
    {"/v1/chat/completions", "tokens=280,tps=140,ttft=180ms,cached=60",
     "{\"model\":\"qwen3-coder-30b\",\"stream\":true,"
     "\"stream_options\":{\"include_usage\":true},\"messages\":[{\"role\":\"system\",\"content\":"
     "\"" RULES "\"},{\"role\":\"user\",\"content\":\"Explain streams, token by token.\"}]}"},
    {"/v1/chat/completions", "tool=bash,ttft=300ms",
     "{\"model\":\"gpt-5.4-mini\",\"messages\":[{\"role\":\"user\",\"content\":"
     "\"Which files are here?\"}],\"tools\":[{\"type\":\"function\",\"function\":{" BASH "}}]}"},
    {"/v1/chat/completions", "status=429,retry-after=2",
     "{\"model\":\"glm-4.7\",\"messages\":[{\"role\":\"user\",\"content\":\"One more, "
     "please.\"}]}"},
    {"/v1/responses", "tokens=160,tps=66,ttft=400ms,reasoning=40,cached=80",
     "{\"model\":\"gpt-5.4-mini\",\"stream\":true,\"instructions\":\"" LONG_RULES
     "\",\"input\":\"What is new in this answer?\"}"},
    {"/v1/chat/completions", "tokens=25,tps=60",
     "{\"model\":\"gpt-5.4-mini\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
     "\"text\",\"text\":\"What is on this picture?\"},{\"type\":\"image_url\",\"image_url\":{"
     "\"url\":\"data:image/png;base64," PIXEL "\"}}]}]}"},
    {"/v1/embeddings", "ttft=30ms",
     "{\"model\":\"bge-m3\",\"input\":[\"first text\",\"second text\"],\"dimensions\":16}"},
    {"/v1/chat/completions", "tokens=60,tps=12,ttft=1800ms",
     "{\"model\":\"glm-4.7\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
     "\"messages\":[{\"role\":\"user\",\"content\":\"Take your time.\"}]}"},
};
#define SAMPLES (sizeof(samples) / sizeof(*samples))

/* Models that the price list knows; the others are local ones without a price. */
#define ROUTE(model, provider)                                                                     \
    "{\"model\":\"" model "\",\"provider_slug\":\"" provider                                       \
    "\",\"auth_style\":\"none\",\"upstream_url\":\"%s\"}"
static const char routes[] = "[" ROUTE("gpt-5.4-mini", "openai") "," ROUTE(
    "claude-sonnet-4-6", "anthropic") "," ROUTE("glm-4.7", "zai") "]";

/* ---- traffic: one thread, all transfers in one multi handle ---- */

static size_t drop(char *bytes, size_t one, size_t len, void *ctx)
{
    (void)bytes;
    (void)ctx;
    return one * len;
}

static struct curl_slist *new_fields(const struct sample *sample)
{
    char options[200];
    struct curl_slist *fields = curl_slist_append(NULL, "Content-Type: application/json");

    snprintf(options, sizeof(options), "x-mock-options: %s", sample->options);
    fields = curl_slist_append(fields, "X-LLM-Observe-Run: demo");
    return curl_slist_append(fields, options);
}

static CURL *new_call(struct demo *d, const struct sample *sample, struct curl_slist *fields)
{
    CURL *easy = curl_easy_init();
    char url[400];

    if (!easy)
        return NULL;
    snprintf(url, sizeof(url), "%s%s", d->url, sample->path);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "llm-observe-proxy-demo");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, sample->body);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)CALL_MS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    if (curl_multi_add_handle(d->multi, easy) == CURLM_OK)
        return easy;
    curl_easy_cleanup(easy);
    return NULL;
}

/* When the proxy is so slow that all places are taken, the sample is left out. */
static void send_sample(struct demo *d, const struct sample *sample)
{
    for (size_t i = 0; i < CALLS; i++) {
        if (d->calls[i])
            continue;
        d->fields[i] = new_fields(sample);
        d->calls[i] = new_call(d, sample, d->fields[i]);
        if (!d->calls[i])
            curl_slist_free_all(d->fields[i]);
        return;
    }
}

static void end_call(struct demo *d, CURL *easy)
{
    curl_multi_remove_handle(d->multi, easy);
    curl_easy_cleanup(easy);
    for (size_t i = 0; i < CALLS; i++) {
        if (d->calls[i] != easy)
            continue;
        d->calls[i] = NULL;
        curl_slist_free_all(d->fields[i]);
    }
}

static void end_finished(struct demo *d)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(d->multi, &left))) {
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        if (result != CURLE_OK)
            log_debug("a request of the demo failed: %s", curl_easy_strerror(result));
        end_call(d, easy);
    }
}

/* In a database of its own the demo has a run that is active, so that there is one to look at. */
static void start_run(struct demo *d)
{
    struct curl_slist *fields = curl_slist_append(NULL, "Content-Type: application/json");
    CURL *easy = curl_easy_init();
    char url[400];

    snprintf(url, sizeof(url), "%s/api/runs/start", d->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "{\"name\":\"demo\"}");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)CALL_MS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    if (easy && curl_easy_perform(easy) != CURLE_OK)
        log_debug("the demo cannot start its run");
    curl_easy_cleanup(easy);
    curl_slist_free_all(fields);
}

static void *traffic_main(void *arg)
{
    struct demo *d = arg;
    size_t next = 0;
    int64_t due_us = clock_now_us();
    int running;

    if (d->folder)
        start_run(d);
    while (!atomic_load(&d->stopping)) {
        int64_t now_us = clock_now_us();

        if (now_us >= due_us) {
            send_sample(d, &samples[next % SAMPLES]);
            next++;
            due_us = next < SAMPLES ? now_us : now_us + PAUSE_MS * 1000;
        }
        curl_multi_perform(d->multi, &running);
        end_finished(d);
        curl_multi_poll(d->multi, NULL, 0, (int)((due_us - now_us) / 1000), NULL);
    }
    for (size_t i = 0; i < CALLS; i++) /* the proxy sees clients that leave */
        if (d->calls[i])
            end_call(d, d->calls[i]);
    return NULL;
}

/* ---- threads ---- */

/* Signals are for the threads of serve. */
static bool start_thread(pthread_t *id, void *(*run)(void *arg), void *arg)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(id, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

static void *mock_main(void *arg)
{
    mock_run(arg);
    return NULL;
}

static int start_mock(struct demo *d, struct err *err)
{
    static const char *const models[] = {"gpt-5.4-mini", "claude-sonnet-4-6", "glm-4.7",
                                         "qwen3-coder-30b", "bge-m3"};
    struct mock_config config = {
        .host = "127.0.0.1",
        .models = models,
        .model_count = sizeof(models) / sizeof(*models),
        .options = mock_options_default(),
        .text = STR_NONE,
    };

    d->mock = mock_open(&config, err);
    if (!d->mock)
        return err_wrap(err, "--demo");
    d->mock_runs = start_thread(&d->mock_thread, mock_main, d->mock);
    return d->mock_runs ? 0 : err_set(err, ERR_FAILED, "--demo: cannot start a thread");
}

/* ---- the configuration of serve ---- */

static void set_text(char **text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void set_text(char **text, const char *fmt, ...)
{
    char made[4096];
    va_list args;

    va_start(args, fmt);
    vsnprintf(made, sizeof(made), fmt, args);
    va_end(args);
    free(*text);
    *text = xstrdup(made);
}

static int use_temporary_database(struct demo *d, struct config *c, struct err *err)
{
    const char *tmp = getenv("TMPDIR");

    set_text(&d->folder, "%s/llm-observe-proxy-demo.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(d->folder)) {
        err_set(err, ERR_STORE, "--demo: cannot create %s: %s", d->folder, strerror(errno));
        free(d->folder);
        d->folder = NULL;
        return -1;
    }
    set_text(&c->database_path, "%s/demo.sqlite3", d->folder);
    set_text(&c->database_url, "sqlite:///%s", c->database_path);
    c->database_source = "flag";
    return 0;
}

/* Nobody's own routes are taken into a demo. */
static int use_routes(struct config *c, struct err *err)
{
    struct buf text = {0};
    int rc;

    buf_printf(&text, routes, c->upstream_url, c->upstream_url, c->upstream_url);
    models_clear(&c->models);
    rc = models_parse(&c->models, buf_str(&text), "--demo", err);
    buf_clear(&text);
    return rc;
}

struct demo *demo_new(struct config *c, bool database_named, struct err *err)
{
    struct demo *d = xcalloc(1, sizeof(*d));

    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (start_mock(d, err) < 0 || (!database_named && use_temporary_database(d, c, err) < 0)) {
        demo_free(d);
        return NULL;
    }
    set_text(&c->upstream_url, "http://127.0.0.1:%d/v1", mock_port(d->mock));
    c->upstream_source = "flag";
    if (use_routes(c, err) < 0) {
        demo_free(d);
        return NULL;
    }
    return d;
}

/* Where every address is listened on, the loopback one is as good as any. */
static void set_url(struct demo *d, const char *url)
{
    static const char any[] = "http://0.0.0.0:";

    if (strncmp(url, any, sizeof(any) - 1) == 0)
        set_text(&d->url, "http://127.0.0.1:%s", url + sizeof(any) - 1);
    else
        set_text(&d->url, "%s", url);
}

void demo_start(struct demo *demo, const char *url)
{
    set_url(demo, url);
    demo->multi = curl_multi_init();
    if (demo->multi)
        demo->traffic_runs = start_thread(&demo->traffic_thread, traffic_main, demo);
    if (!demo->traffic_runs)
        log_warning("the demo cannot send requests: no thread");
}

void demo_stop(struct demo *demo)
{
    if (!demo)
        return;
    atomic_store(&demo->stopping, true);
    if (demo->traffic_runs) {
        curl_multi_wakeup(demo->multi);
        pthread_join(demo->traffic_thread, NULL);
        demo->traffic_runs = false;
    }
    if (demo->mock_runs) {
        mock_stop(demo->mock);
        pthread_join(demo->mock_thread, NULL);
        demo->mock_runs = false;
    }
}

static void remove_database(const char *folder)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".serve"};
    char path[4200];

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        snprintf(path, sizeof(path), "%s/demo.sqlite3%s", folder, ends[i]);
        unlink(path);
    }
    if (rmdir(folder) < 0)
        log_warning("cannot remove %s: %s", folder, strerror(errno));
}

void demo_free(struct demo *demo)
{
    if (!demo)
        return;
    demo_stop(demo);
    mock_close(demo->mock);
    curl_multi_cleanup(demo->multi);
    if (demo->folder)
        remove_database(demo->folder);
    free(demo->folder);
    free(demo->url);
    free(demo);
}
