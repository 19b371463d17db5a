/* daemon/upstream/curl_loop.h - libcurl's multi interface on a uv loop; the sole user of
 * curl_multi_*(). Loop thread only.
 *
 * An easy handle is never added, removed or resumed inside a callback of libcurl: what is asked
 * for there happens when libcurl has returned. */
#ifndef UPSTREAM_CURL_LOOP_H
#define UPSTREAM_CURL_LOOP_H

#include <curl/curl.h>
#include <uv.h>

#include "base/err.h"
#include "base/list.h"

struct curl_loop;

/** Embedded in who transfers. */
struct curl_job {
    CURL *easy;       /* from curl_loop_easy() */
    struct list node; /* marked for something */
    struct list touched;
    struct list present; /* in the multi handle */
    bool in_multi, removed;
    bool paused; /* set by who returns CURL_WRITEFUNC_PAUSE, until curl_loop_resume() */
    /** Once, never inside a callback of libcurl: it has ended by itself. */
    void (*ended)(struct curl_job *job, CURLcode result);
    /** The answer to curl_loop_remove(), at once or when libcurl has returned. */
    void (*gone)(struct curl_job *job);
    /** Bytes were delivered (curl_loop_touch()) and libcurl has returned, but it goes on. */
    void (*settled)(struct curl_job *job);
};

/** Returns owned, curl_loop_close(). */
struct curl_loop *curl_loop_open(uv_loop_t *loop, struct err *err);
/** closed() comes on a later turn. No job may be left. */
void curl_loop_close(struct curl_loop *l, void (*closed)(void *ctx), void *ctx);

/** A clean easy handle, give back with curl_loop_recycle(). NULL: no memory. */
CURL *curl_loop_easy(struct curl_loop *l);
void curl_loop_recycle(struct curl_loop *l, CURL *easy);

/** Start; ended() comes later, also when it cannot start. */
void curl_loop_add(struct curl_loop *l, struct curl_job *job);
/** The upstream hears of it soon: by the end of the connection or of the HTTP/2 stream. */
void curl_loop_remove(struct curl_loop *l, struct curl_job *job);
/** Only outside of libcurl's callbacks, which run inside this call. */
void curl_loop_resume(struct curl_loop *l, struct curl_job *job);
/** Inside a callback of libcurl. */
void curl_loop_touch(struct curl_loop *l, struct curl_job *job);

#endif
