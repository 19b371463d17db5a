/* tests/unit/capture_helpers.h - captures to hand to the writer, and waiting for what it does. */
#ifndef CAPTURE_HELPERS_H
#define CAPTURE_HELPERS_H

#include <time.h>

#include "daemon/record/queue.h"
#include "store_helpers.h"

static struct blob_budget budget = {.limit = (size_t)1 << 30, .each = (size_t)1 << 30};

static inline void give(struct blob *blob, size_t size)
{
    char bytes[4096];
    struct err err;

    memset(bytes, 'b', sizeof(bytes));
    while (size > 0) {
        size_t part = size < sizeof(bytes) ? size : sizeof(bytes);

        OK(blob_add(blob, (struct str){bytes, part}, &err));
        size -= part;
    }
}

/* As the exchange has it when the request has arrived. */
static inline struct capture *arrived(int64_t id, size_t request_bytes)
{
    struct capture *c = capture_new(&budget);
    struct record *r = &c->record;

    r->id = id;
    r->created_us = INT64_C(1900000000000000) + id;
    r->method = arena_dup(&c->arena, STR("POST"));
    r->endpoint = arena_dup(&c->arena, STR("/v1/chat/completions"));
    r->model = arena_printf(&c->arena, "model-%d", (int)(id % 3));
    r->request_headers_json = arena_dup(&c->arena, STR("{}"));
    r->request_bytes = (int64_t)request_bytes;
    give(&c->request, request_bytes);
    return c;
}

static inline void complete(struct capture *c, size_t response_bytes)
{
    struct record *r = &c->record;

    r->completed_us = r->created_us + 1000;
    r->duration_ms = 1;
    r->response_status = 200;
    r->response_content_type = arena_dup(&c->arena, STR("application/json"));
    r->response_bytes = (int64_t)response_bytes;
    give(&c->response, response_bytes);
}

static inline void nap(void)
{
    struct timespec t = {.tv_nsec = 2000000};

    nanosleep(&t, NULL);
}

/* Wait for a condition, for at most 20 seconds. */
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        int64_t until_start = clock_now_us();                                                      \
        while (!(condition)) {                                                                     \
            if (clock_now_us() - until_start > 20000000)                                           \
                fail_msg("waited in vain for %s", #condition);                                     \
            nap();                                                                                 \
        }                                                                                          \
    } while (0)

#endif
