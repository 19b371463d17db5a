/* The one list of fields: parsing, help, completion and the man page follow it. */
#include "filter/filter_tree.h"

#define FIELD(name, alias, values, type, help, ...)                                                \
    {                                                                                              \
        {name, alias, values, false, help}, type,                                                  \
            sizeof((enum filter_column[]){__VA_ARGS__}) / sizeof(enum filter_column),              \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define LIVE_FIELD(name, type, help, column)                                                       \
    {                                                                                              \
        {name, NULL, "text", true, help}, type, 1,                                                 \
        {                                                                                          \
            column                                                                                 \
        }                                                                                          \
    }
#define FLAG(name, help)                                                                           \
    {                                                                                              \
        name, NULL, "", false, help                                                                \
    }
#define LIVE_FLAG(name, help)                                                                      \
    {                                                                                              \
        name, NULL, "", true, help                                                                 \
    }

const struct filter_field filter_fields[] = {
    FIELD("id", NULL, "number", FILTER_NUMBER, "request id", FILTER_COL_ID),
    FIELD("model", NULL, "text", FILTER_TEXT, "model that the client named", FILTER_COL_MODEL),
    FIELD("upstream_model", "sent", "text", FILTER_TEXT, "model that was sent upstream",
          FILTER_COL_SENT_MODEL),
    FIELD("provider", NULL, "text", FILTER_TEXT, "provider, slug or name", FILTER_COL_PROVIDER_SLUG,
          FILTER_COL_PROVIDER_NAME),
    FIELD("route", NULL, "text", FILTER_TEXT, "route that matched", FILTER_COL_ROUTE),
    FIELD("endpoint", NULL, "text", FILTER_PART, "path, a part of it", FILTER_COL_ENDPOINT),
    FIELD("method", NULL, "text", FILTER_TEXT, "HTTP method", FILTER_COL_METHOD),
    FIELD("finish", NULL, "text", FILTER_TEXT, "finish reason", FILTER_COL_FINISH),
    FIELD("run", NULL, "run", FILTER_RUN, "run, id or name, or active", FILTER_COL_RUN_ID,
          FILTER_COL_RUN_NAME),
    FIELD("status", "st", "status", FILTER_STATUS, "HTTP status, or a class such as 4xx",
          FILTER_COL_STATUS),
    FIELD("outcome", NULL, "outcome", FILTER_ENUM, "how it ended", FILTER_COL_OUTCOME),
    FIELD("duration", "dur", "duration", FILTER_DURATION, "whole time", FILTER_COL_DURATION),
    FIELD("ttft", NULL, "duration", FILTER_DURATION, "time to the first token", FILTER_COL_TTFT),
    FIELD("gap", NULL, "duration", FILTER_DURATION, "gap between pieces, 95th percentile",
          FILTER_COL_GAP),
    FIELD("maxgap", NULL, "duration", FILTER_DURATION, "longest gap between pieces",
          FILTER_COL_MAXGAP),
    FIELD("input", NULL, "count", FILTER_COUNT, "input tokens", FILTER_COL_INPUT),
    FIELD("cached", NULL, "count", FILTER_COUNT, "input tokens from a cache", FILTER_COL_CACHED),
    FIELD("output", "out", "count", FILTER_COUNT, "output tokens", FILTER_COL_OUTPUT),
    FIELD("reasoning", NULL, "count", FILTER_COUNT, "reasoning tokens", FILTER_COL_REASONING),
    FIELD("total", "tokens", "count", FILTER_COUNT, "tokens in all", FILTER_COL_TOTAL),
    FIELD("tps", NULL, "rate", FILTER_RATE, "output tokens a second, after the first",
          FILTER_COL_TPS),
    FIELD("cost", NULL, "money", FILTER_MONEY, "cost in US dollars", FILTER_COL_COST),
    FIELD("tools", NULL, "number", FILTER_NUMBER, "number of tool calls", FILTER_COL_TOOLS),
    FIELD("bytes", NULL, "bytes", FILTER_BYTES, "size of the answer", FILTER_COL_BYTES),
    FIELD("req_bytes", NULL, "bytes", FILTER_BYTES, "size of the request", FILTER_COL_REQ_BYTES),
    FIELD("error", NULL, "text", FILTER_PART, "error text, a part of it", FILTER_COL_ERROR,
          FILTER_COL_UPSTREAM_ERROR),
    FIELD("created", NULL, "time", FILTER_TIME, "when it arrived", FILTER_COL_CREATED),
    FIELD("ended", NULL, "time", FILTER_TIME, "when it was complete", FILTER_COL_ENDED),
    FIELD("since", NULL, "time", FILTER_SINCE, "arrived at or after", FILTER_COL_CREATED),
    FIELD("until", NULL, "time", FILTER_UNTIL, "arrived before", FILTER_COL_CREATED),
    {{"is", NULL, "flag", false, "of this sort"}, FILTER_FLAG, 0, {0}},
    LIVE_FIELD("summary", FILTER_PART, "summary, a part of it", FILTER_COL_SUMMARY),
    LIVE_FIELD("client", FILTER_TEXT, "address of the client", FILTER_COL_CLIENT),
    LIVE_FIELD("state", FILTER_TEXT, "what it is doing", FILTER_COL_STATE),
    {{0}, 0, 0, {0}},
};

/* In the order of enum filter_flag. */
const struct filter_name filter_flag_names[] = {
    FLAG("stream", "streamed"),
    FLAG("tool", "with tool calls"),
    FLAG("image", "with images"),
    FLAG("error", "failed"),
    FLAG("slow", "took 10 s or longer"),
    FLAG("large", "10 000 tokens or more"),
    FLAG("pending", "not complete"),
    FLAG("rewritten", "a fix changed the answer"),
    FLAG("warned", "a fix failed"),
    FLAG("priced", "with a cost"),
    FLAG("unpriced", "complete, without a cost"),
    LIVE_FLAG("waiting", "sent, no content yet"),
    LIVE_FLAG("streaming", "content arrives"),
    LIVE_FLAG("stalled", "silent for too long"),
    {0},
};

const struct filter_name filter_outcome_names[] = {
    FLAG("ok", "answered"),
    FLAG("rewritten", "answered, changed by a fix"),
    FLAG("upstream_error", "an error inside the answer"),
    FLAG("http_error", "status 400 or above"),
    FLAG("failed", "no answer from upstream"),
    FLAG("cut", "the answer broke off"),
    FLAG("timeout", "upstream was silent for too long"),
    FLAG("client_gone", "the client went away"),
    FLAG("cancelled", "cancelled by the operator"),
    {0},
};

const enum filter_column filter_word_columns[] = {
    FILTER_COL_MODEL,         FILTER_COL_SENT_MODEL, FILTER_COL_PROVIDER_SLUG,
    FILTER_COL_PROVIDER_NAME, FILTER_COL_ROUTE,      FILTER_COL_RUN_NAME,
    FILTER_COL_ENDPOINT,      FILTER_COL_ERROR,      FILTER_COL_UPSTREAM_ERROR,
};
const size_t filter_word_column_count = sizeof(filter_word_columns) / sizeof(*filter_word_columns);

const struct filter_name *filter_field_name(size_t at)
{
    return at < sizeof(filter_fields) / sizeof(*filter_fields) - 1 ? &filter_fields[at].n : NULL;
}
