#include "watch.h"

#include "llm/usage.h"
#include "utf8.h"
#include "json/json_scan.h"

#define KEEP_BYTES ((size_t)1024 * 1024) /* of an event: the last one may hold a whole answer */
#define LOOK_BYTES ((size_t)64 * 1024)   /* and of that is looked at here */
#define HEAD_BYTES ((size_t)256 * 1024)
#define ERROR_BYTES ((size_t)16 * 1024)

/* ---- one event ---------------------------------------------------------------------------- */

/* The members of an event that matter here; STR_NONE when absent. */
struct event {
    struct str type, choices, delta, error, response, block, message;
    bool reports; /* it may report usage */
};

/* Members are told apart by length and first byte before they are compared: most are none of
 * these, and this runs for every event. */
static struct str *slot_of(struct event *e, struct str key)
{
    switch (key.len) {
    case 4:
        return str_eq(key, STR("type")) ? &e->type : NULL;
    case 5:
        if (key.ptr[0] == 'd')
            return str_eq(key, STR("delta")) ? &e->delta : NULL;
        return str_eq(key, STR("error")) ? &e->error : NULL;
    case 7:
        if (key.ptr[0] == 'm')
            return str_eq(key, STR("message")) ? &e->message : NULL;
        return str_eq(key, STR("choices")) ? &e->choices : NULL;
    case 8:
        return str_eq(key, STR("response")) ? &e->response : NULL;
    case 13:
        return str_eq(key, STR("content_block")) ? &e->block : NULL;
    default:
        return NULL;
    }
}

/* A member that reports usage, in one of its many shapes. */
static bool is_report(struct str key, struct str value)
{
    static const struct str objects[] = {STR("usage"), STR("timings"), STR("x_groq"),
                                         STR("meta_info"), STR("usageMetadata")};

    switch (json_type_of(value)) {
    case JSON_NUMBER:
        return str_ends(key, STR("_tokens")) || str_ends(key, STR("_count")) ||
               str_ends(key, STR("_n"));
    case JSON_OBJECT:
        for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++)
            if (str_eq(key, objects[i]))
                return true;
        break;
    case JSON_ARRAY:
    case JSON_STRING:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
    case JSON_INVALID:
        break;
    }
    return false;
}

static struct event read_event(struct str value)
{
    struct event e = {.type = STR_NONE};
    struct json_iter it = json_iter(value);

    while (it.object && json_next_lax(&it)) {
        struct str *slot = slot_of(&e, it.key);

        if (slot)
            *slot = it.value;
        else
            e.reports = e.reports || is_report(it.key, it.value);
    }
    return e;
}

/* A text, list or object that is not empty. */
static bool is_filled(struct str value)
{
    struct json_iter it;

    switch (json_type_of(value)) {
    case JSON_STRING:
        return json_string_filled(value);
    case JSON_OBJECT:
    case JSON_ARRAY:
        it = json_iter(value);
        return json_next_lax(&it);
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
    case JSON_INVALID:
        break;
    }
    return false;
}

static bool is_output_member(struct str key)
{
    switch (key.len) {
    case 5:
        return str_eq(key, STR("audio"));
    case 7:
        return str_eq(key, STR("content")) || str_eq(key, STR("refusal"));
    case 9:
        return str_eq(key, STR("reasoning"));
    case 10:
        return str_eq(key, STR("tool_calls"));
    case 13:
        return str_eq(key, STR("function_call"));
    case 17:
        return str_eq(key, STR("reasoning_content"));
    default:
        return false;
    }
}

/* What one walk over the choices of a chat or completions chunk shows. */
struct choices {
    bool output;
    bool calls;               /* the start of a call */
    bool reports;             /* usage inside a choice */
    struct str finish_reason; /* of the first choice; a string, or STR_NONE */
};

/* Calls come in many parts; the first one has the name. */
static bool starts_call(struct str key, struct str value)
{
    return (str_eq(key, STR("tool_calls")) || str_eq(key, STR("function_call"))) &&
           str_find(value, STR("\"name\"")) >= 0;
}

static void read_delta(struct choices *c, struct str delta)
{
    struct json_iter it = json_iter(delta);

    while (it.object && json_next_lax(&it)) {
        if (!is_output_member(it.key) || !is_filled(it.value))
            continue;
        c->output = true;
        c->calls = c->calls || starts_call(it.key, it.value);
    }
}

static void read_choice(struct choices *c, struct str choice, bool first)
{
    struct json_iter it = json_iter(choice);

    while (it.object && json_next_lax(&it)) {
        if (str_eq(it.key, STR("delta")))
            read_delta(c, it.value);
        else if (str_eq(it.key, STR("text")))
            c->output = c->output || json_string_filled(it.value);
        else if (first && str_eq(it.key, STR("finish_reason")) &&
                 json_type_of(it.value) == JSON_STRING)
            c->finish_reason = it.value;
        else if (str_eq(it.key, STR("usage")))
            c->reports = json_type_of(it.value) == JSON_OBJECT;
    }
}

static struct choices read_choices(struct str value)
{
    struct choices c = {.output = false};
    struct json_iter it = json_iter(value);

    for (bool first = true; !it.object && json_next_lax(&it); first = false)
        read_choice(&c, it.value, first);
    return c;
}

static struct str lax_member(struct str value, struct str key)
{
    struct json_iter it = json_iter(value);
    struct str found = STR_NONE;

    while (it.object && json_next_lax(&it))
        if (str_eq(it.key, key))
            found = it.value;
    return found;
}

/* The text of a type without quotes; types have no escapes. */
static struct str type_name(struct str type)
{
    if (json_type_of(type) != JSON_STRING || type.len < 2 || type.ptr[type.len - 1] != '"')
        return STR("");
    return (struct str){type.ptr + 1, type.len - 2};
}

static bool typed_has_output(const struct event *e, struct str type)
{
    if (str_starts(type, STR("response.")))
        return str_ends(type, STR(".delta")) && is_filled(e->delta);
    if (str_eq(type, STR("content_block_delta")))
        return json_string_filled(lax_member(e->delta, STR("text"))) ||
               json_string_filled(lax_member(e->delta, STR("thinking"))) ||
               json_string_filled(lax_member(e->delta, STR("partial_json")));
    if (str_eq(type, STR("content_block_start"))) {
        struct str block = type_name(lax_member(e->block, STR("type")));

        return str_eq(block, STR("tool_use")) || str_eq(block, STR("server_tool_use"));
    }
    return false;
}

bool watch_is_content(struct str event)
{
    struct event e = read_event(event);

    return read_choices(e.choices).output || typed_has_output(&e, type_name(e.type));
}

static bool is_end(struct str type)
{
    return str_eq(type, STR("message_stop")) || str_eq(type, STR("response.completed")) ||
           str_eq(type, STR("response.incomplete")) || str_eq(type, STR("response.failed"));
}

static bool has_error(const struct event *e, struct str type)
{
    if (json_type_of(e->error) == JSON_OBJECT || json_string_filled(e->error) ||
        str_eq(type, STR("error")))
        return true;
    return str_eq(type, STR("response.failed")) &&
           json_type_of(lax_member(e->response, STR("error"))) == JSON_OBJECT;
}

/* ---- what is kept ------------------------------------------------------------------------- */

static void set_finish(struct watch *w, struct str reason)
{
    reason = utf8_cut(reason, sizeof(w->finish_reason) - 1);
    memcpy(w->finish_reason, reason.ptr, reason.len);
    w->finish_reason[reason.len] = '\0';
}

static void set_finish_string(struct watch *w, struct str value)
{
    struct buf text = {.limit = 4096};
    struct err err;

    if (json_type_of(value) != JSON_STRING)
        return;
    if (json_string(value, &text, &err) == 0 && text.len > 0)
        set_finish(w, buf_str(&text));
    buf_clear(&text);
}

static void read_finish(struct watch *w, const struct event *e, struct str type)
{
    struct str details;

    if (str_eq(type, STR("message_delta"))) {
        set_finish_string(w, lax_member(e->delta, STR("stop_reason")));
    } else if (str_eq(type, STR("response.completed")) || str_eq(type, STR("response.failed")) ||
               str_eq(type, STR("response.cancelled"))) {
        set_finish(w, str_from(type, 9));
    } else if (str_eq(type, STR("response.incomplete"))) {
        details = lax_member(e->response, STR("incomplete_details"));
        set_finish(w, STR("incomplete"));
        set_finish_string(w, lax_member(details, STR("reason")));
    }
}

/* Two buckets an octave: 0, 1, 2, 3, 4-5, 6-7, 8-11, 12-15, ... */
static unsigned bucket_of(int64_t us)
{
    uint64_t value = us < 0 ? 0 : (uint64_t)us;
    unsigned high, bucket;

    if (value < 2)
        return (unsigned)value;
    high = 63 - (unsigned)__builtin_clzll(value);
    bucket = 2 * high + (unsigned)(value >> (high - 1) & 1);
    return bucket < WATCH_GAP_BUCKETS ? bucket : WATCH_GAP_BUCKETS - 1;
}

static int64_t bucket_start(unsigned bucket)
{
    if (bucket < 2)
        return bucket;
    return (int64_t)(2 + (bucket & 1)) << (bucket / 2 - 1);
}

static void count_content(struct watch *w)
{
    if (w->content_count++ == 0) {
        w->first_content_us = w->now_us;
    } else {
        int64_t gap = w->now_us - w->last_content_us;

        w->gap_sum_us += gap;
        w->recent_gaps[w->gap_count++ % WATCH_RECENT_GAPS] =
            gap < UINT32_MAX ? (uint32_t)gap : UINT32_MAX;
        if (gap > w->gap_max_us)
            w->gap_max_us = gap;
        w->gaps[bucket_of(gap)]++;
    }
    w->last_content_us = w->now_us;
}

/* Line ends between the tokens of an event would end its line where it is kept. */
static void add_event(struct buf *to, struct str event)
{
    size_t start = to->len;
    struct err err;

    if (buf_reserve(to, event.len + 8, &err) < 0)
        return;
    buf_put(to, STR("data: "));
    buf_put(to, event);
    for (char *p = to->ptr + start; (p = strpbrk(p, "\r\n"));)
        *p = ' ';
    buf_put(to, STR("\n\n"));
}

/* Events that stay known when the body is not stored whole: the first ones, which name the answer,
 * those that start a call, and of those that report usage the last one. */
static void keep_event(struct watch *w, const struct event *e, const struct choices *choices,
                       struct str type, struct str event)
{
    bool item =
        str_eq(type, STR("response.output_item.done")) && str_find(event, STR("_call\"")) >= 0;
    bool block = str_eq(type, STR("content_block_start")) && typed_has_output(e, type);

    if (e->reports || choices->reports || (is_end(type) && e->response.ptr)) {
        int64_t output = usage_output_in(event);

        if (output > 0)
            w->output_tokens = output;
        buf_cut(&w->last, 0);
        add_event(&w->last, event);
    } else if ((w->event_count <= 2 || e->message.ptr || choices->calls || item || block) &&
               w->head.len + event.len <= HEAD_BYTES) {
        add_event(&w->head, event);
    }
}

/* value may be the start of an event; event is all of it, STR_NONE when that is not known. */
static void look_at(struct watch *w, struct str value, struct str event)
{
    struct event e = read_event(value);
    struct choices choices = read_choices(e.choices);
    struct str type = type_name(e.type);
    struct err err;

    if (choices.output || typed_has_output(&e, type))
        count_content(w);
    if (choices.finish_reason.ptr)
        set_finish_string(w, choices.finish_reason);
    read_finish(w, &e, type);
    w->done = w->done || is_end(type);
    if (w->error_event.len == 0 && has_error(&e, type))
        buf_add(&w->error_event, str_cut(value, ERROR_BYTES), &err);
    if (event.ptr)
        keep_event(w, &e, &choices, type, event);
}

/* Bytes that are not UTF-8 are replaced before an event is read as JSON, here as elsewhere. */
static void look_at_repaired(struct watch *w, struct str data, bool part)
{
    struct buf text = {0};
    struct str value;
    struct err err;

    if (utf8_repair(&text, data, &err) == 0) {
        if (part)
            look_at(w, buf_str(&text), STR_NONE);
        else if (json_scan(buf_str(&text), &value) != JSON_INVALID)
            look_at(w, value, value);
    }
    buf_clear(&text);
}

static void on_event(void *ctx, struct str data, bool cut)
{
    struct watch *w = ctx;
    struct str whole = cut ? STR_NONE : data, value;
    bool part = cut || data.len > LOOK_BYTES;

    w->event_count++;
    data = str_cut(data, LOOK_BYTES);
    if (!part && json_scan(data, &value) != JSON_INVALID)
        look_at(w, value, value);
    else if (part && utf8_valid_prefix(data) + 4 > data.len)
        look_at(w, data, whole);
    else if (!utf8_valid(data))
        look_at_repaired(w, data, part);
}

/* ---- the stream --------------------------------------------------------------------------- */

void watch_init(struct watch *w)
{
    *w = (struct watch){.event_count = 0};
    sse_init(&w->sse, KEEP_BYTES, on_event, w);
}

void watch_feed(struct watch *w, struct str bytes, int64_t now_us)
{
    w->now_us = now_us;
    sse_feed(&w->sse, bytes);
    w->done = w->done || w->sse.done;
}

void watch_finish(struct watch *w, int64_t now_us)
{
    w->now_us = now_us;
    sse_finish(&w->sse);
    w->done = w->done || w->sse.done;
}

void watch_clear(struct watch *w)
{
    sse_clear(&w->sse);
    buf_clear(&w->error_event);
    buf_clear(&w->head);
    buf_clear(&w->last);
}

void watch_kept(const struct watch *w, struct buf *out)
{
    struct err err;

    if (buf_add(out, buf_str(&w->head), &err) == 0)
        (void)buf_add(out, buf_str(&w->last), &err);
}

int64_t watch_gap_p95_us(const struct watch *w)
{
    int64_t rank = w->gap_count - w->gap_count / 20, before = 0;

    if (w->gap_count == 0)
        return UNKNOWN;
    for (unsigned i = 0; i < WATCH_GAP_BUCKETS; i++) {
        int64_t count = w->gaps[i], start = bucket_start(i), end = bucket_start(i + 1);

        if (before + count >= rank) {
            int64_t us = start + (end - 1 - start) * (rank - before) / count;

            return us < w->gap_max_us ? us : w->gap_max_us;
        }
        before += count;
    }
    return w->gap_max_us;
}
