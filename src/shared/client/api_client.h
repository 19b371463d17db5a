/* client/api_client.h - a blocking HTTP client for a running daemon.
 *
 * It talks to the server it was pointed at and to nothing else: no proxy of the environment, no
 * redirects, no other scheme than http and https. One thread at a time; a callback of a stream may
 * make other calls on the same client.
 *
 * What an answer holds is text from outside: it goes to a terminal through term_clean() only. */
#ifndef CLIENT_API_CLIENT_H
#define CLIENT_API_CLIENT_H

#include "base/buf.h"

struct api_client;

#define API_CONNECT_MS 2000
#define API_ANSWER_MS 10000

struct api_answer {
    int status;      /* 0 when nothing was answered */
    struct buf body; /* owned; api_answer_clear() */
    char content_type[128];
    char error_code[64]; /* x-llm-observe-error */
    bool truncated;      /* x-llm-observe-truncated: the stored body is a part */
    int64_t took_ms;
};
void api_answer_clear(struct api_answer *a);
/** Fill err with what a status of 400 and above means: the code that makes the exit status, and the
 *  "detail" of the body (or the status) behind what. Returns -1. */
int api_answer_error(const struct api_answer *a, const char *what, struct err *err);

/** url is "http://host:port", with or without a path in front of the API. Returns owned,
 *  api_client_close(). ERR_INVALID when it is no such URL. */
struct api_client *api_client_open(struct str url, struct err *err);
void api_client_close(struct api_client *c);
/** The URL without a slash at its end; borrowed. */
const char *api_client_url(const struct api_client *c);

/** GET target ("/api/status?x=1"); out is empty before and cleared by the caller, also after an
 *  error. Any status is success. ERR_UNREACHABLE, ERR_TIMEOUT (nothing complete within timeout_ms),
 *  ERR_TOO_LARGE (body above limit). */
int api_client_get(struct api_client *c, const char *target, int64_t timeout_ms, size_t limit,
                   struct api_answer *out, struct err *err);

/** The same with any method and a JSON body; json.ptr NULL: none. */
int api_client_send(struct api_client *c, const char *method, const char *target, struct str json,
                    int64_t timeout_ms, size_t limit, struct api_answer *out, struct err *err);

typedef int api_bytes_fn(void *ctx, struct str bytes, struct err *err);
/** The same, but a body that came with a 2xx status goes to bytes as it arrives. There is no limit
 *  of time as long as bytes come once a minute. When bytes returns -1 the call fails with it. */
int api_client_download(struct api_client *c, const char *target, api_bytes_fn *bytes, void *ctx,
                        struct api_answer *out, struct err *err);

/** One server-sent event; all borrowed for the call. */
struct api_event {
    struct str id, event, data;
};
/** Returns 0 to go on, 1 to end the stream, -1 with *err filled to fail. */
typedef int api_event_fn(void *ctx, const struct api_event *event, struct err *err);
/** Read the events of target until fn ends it (0), or the stream is lost: ERR_UNREACHABLE when the
 *  server is gone, closed the stream, or is silent for 45 s; else the error of its answer. last_id
 *  is sent as Last-Event-ID unless it is empty. */
int api_client_events(struct api_client *c, const char *target, struct str last_id,
                      api_event_fn *fn, void *ctx, struct err *err);

#endif
