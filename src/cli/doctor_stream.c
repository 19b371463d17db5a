/* One streaming request through the server, and what was captured of it. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/query.h"
#include "doctor_priv.h"
#include "text/format.h"
#include "json/json.h"
#include "json/json_scan.h"

#define ENDPOINT "/v1/chat/completions"
#define STREAM_MS 60000
#define ANSWER_MAX ((size_t)16 << 20)
#define CAPTURE_MS 5000
#define POLL_MS 50
#define GAP_WARN_MS 5000

static int send_request(struct doctor *d, const char *model, struct api_answer *answer)
{
    struct buf body = {0};
    int rc;

    buf_put(&body, STR("{\"model\":"));
    json_quote(&body, str_c(model));
    buf_put(&body, STR(",\"messages\":[{\"role\":\"user\",\"content\":\"Count from 1 to 20.\"}],"
                       "\"stream\":true,\"stream_options\":{\"include_usage\":true}}"));
    rc = api_client_send(d->source.client, "POST", ENDPOINT, buf_str(&body), STREAM_MS, ANSWER_MAX,
                         answer, &d->err);
    buf_clear(&body);
    return rc;
}

/* The id of the newest request of the model that ended, above after; 0: none yet. */
static int64_t find_request(struct doctor *d, const char *model, int64_t after)
{
    struct buf query = {0};
    struct row row = {0};
    struct str items;
    int64_t id = 0;

    buf_put(&query, STR("per_page=1&facets=0&endpoint=" ENDPOINT "&model="));
    query_encode(&query, str_c(model));
    if (doctor_ask(d, "/api/requests", query.ptr) == 0 && row_get(&d->row, "items", &items)) {
        struct json_iter it = json_iter(items);

        if (json_next(&it) && row_read(&row, it.value) && row_int(&row, "id") > after &&
            row_int(&row, "status") != ROW_UNKNOWN)
            id = row_int(&row, "id");
    }
    row_clear(&row);
    buf_clear(&query);
    return id;
}

static int64_t wait_for_request(struct doctor *d, const char *model, int64_t after)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000};
    int64_t end = clock_now_us() + CAPTURE_MS * 1000, id;

    while ((id = find_request(d, model, after)) == 0 && clock_now_us() < end)
        nanosleep(&pause, NULL);
    return id;
}

static const char *duration(char out[FORMAT_SIZE], int64_t ms)
{
    return ms == ROW_UNKNOWN ? "unknown" : format_duration(out, ms);
}

static void tell_pace(struct doctor *d)
{
    int64_t chunks = row_int(&d->row, "record.chunk_count");
    int64_t gap = row_int(&d->row, "record.chunk_gap_max_ms");
    int64_t ttft = row_int(&d->row, "record.ttft_ms"), all = row_int(&d->row, "record.duration_ms");
    char first[FORMAT_SIZE], longest[FORMAT_SIZE], total[FORMAT_SIZE];

    duration(first, ttft);
    duration(total, all);
    if (chunks == ROW_UNKNOWN || chunks < 2)
        doctor_say(d, VERDICT_WARN, "stream pace",
                   "something before the model holds the stream back",
                   "the answer came in one piece after %s", duration(total, all));
    else if (gap != ROW_UNKNOWN && gap > GAP_WARN_MS)
        doctor_say(d, VERDICT_WARN, "stream pace", NULL,
                   "%" PRId64 " chunks, first token after %s, longest gap %s", chunks,
                   duration(first, ttft), duration(longest, gap));
    else
        doctor_say(d, VERDICT_OK, "stream pace", NULL,
                   "%" PRId64 " chunks in %s, first token after %s, longest gap %s", chunks,
                   duration(total, all), duration(first, ttft), duration(longest, gap));
}

static void tell_rest(struct doctor *d)
{
    int64_t in = row_int(&d->row, "record.tokens.input");
    int64_t out = row_int(&d->row, "record.tokens.output");
    struct str headers;
    struct buf coding = {0};
    struct row row = {0};

    if (row_get(&d->row, "record.response_headers", &headers) && row_read(&row, headers))
        row_text(&row, "content-encoding", &coding);
    doctor_say(d, coding.len > 0 ? VERDICT_WARN : VERDICT_OK, "stream coding",
               coding.len > 0 ? "compressed streams may arrive late" : NULL, "%s",
               coding.len > 0 ? coding.ptr : "not compressed");
    if (in == ROW_UNKNOWN || out == ROW_UNKNOWN ||
        row_true(&d->row, "record.tokens.input_estimated"))
        doctor_say(d, VERDICT_WARN, "stream usage", "without usage there is no cost",
                   "the upstream did not report its tokens");
    else
        doctor_say(d, VERDICT_OK, "stream usage", NULL, "%" PRId64 " in, %" PRId64 " out", in, out);
    buf_clear(&coding);
    row_clear(&row);
}

static void judge(struct doctor *d, int64_t id)
{
    char path[64];

    snprintf(path, sizeof(path), "/api/requests/%" PRId64, id);
    if (doctor_ask(d, path, "") < 0) {
        doctor_say(d, VERDICT_FAIL, "stream", NULL, "%s", d->err.msg);
        return;
    }
    doctor_say(d, VERDICT_OK, "stream", NULL, "request %" PRId64 " was answered and captured", id);
    tell_pace(d);
    tell_rest(d);
}

void doctor_stream(struct doctor *d, const char *model)
{
    struct api_answer answer = {0};
    char question[200];
    int64_t before, id;

    if (!d->asks || !d->source.client) {
        doctor_say(d, VERDICT_FAIL, "stream", NULL, "needs a running server");
        return;
    }
    snprintf(question, sizeof(question), "Send a request to %.100s, which may cost money?", model);
    if (cli_confirm(d->cli, question, "send a request that may cost money", &d->err) < 0) {
        doctor_say(d, VERDICT_FAIL, "stream", NULL, "not sent: %s", d->err.msg);
        return;
    }
    before = find_request(d, model, 0);
    if (send_request(d, model, &answer) < 0) {
        doctor_say(d, VERDICT_FAIL, "stream", NULL, "%s", d->err.msg);
    } else if (answer.status >= 400) {
        api_answer_error(&answer, model, &d->err);
        doctor_say(d, VERDICT_FAIL, "stream", "\"" PROGRAM " requests show last-error\" tells more",
                   "answered %d: %s", answer.status, d->err.msg);
    } else {
        id = wait_for_request(d, model, before);
        if (id > 0)
            judge(d, id);
        else
            doctor_say(d, VERDICT_FAIL, "stream", "is the queue of the server full?",
                       "answered, but not captured");
    }
    api_answer_clear(&answer);
}
