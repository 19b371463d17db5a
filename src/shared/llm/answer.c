#include "answer.h"

#include "llm/keys.h"
#include "llm/signals.h"
#include "llm/sse.h"
#include "utf8.h"
#include "json/json_number.h"

/* Larger events are not read. */
#define EVENT_BYTES ((size_t)16 << 20)
#define NAME_BYTES 1024
/* Calls are told apart by two numbers; larger ones are not counted. */
#define MAX_CHOICES 128
#define MAX_CALLS 128
#define FUNCTION_CALL (MAX_CALLS - 1) /* the call of a choice that has no number */

/* One answer being read, value by value: its one JSON text, or its events. */
struct reader {
    struct answer *answer;
    struct arena *arena;
    const struct json_index *json; /* the value at hand: that of memory */
    struct json_index memory;
    bool is_event;
    bool found;    /* a value was read */
    int64_t items; /* calls that have no numbers */
    uint64_t calls[MAX_CHOICES][MAX_CALLS / 64];
};

/* ---- names -------------------------------------------------------------------------------- */

/* Take the text of a string node that is not empty. */
static void take_text(struct reader *r, size_t node, struct str *to)
{
    struct str value = node ? json_index_value(r->json, node) : STR_NONE;
    struct buf text = {0};
    struct err err;

    if (!json_string_filled(value) || (to->ptr && json_string_is(value, *to)))
        return;
    if (json_string(str_cut(value, NAME_BYTES * 6), &text, &err) == 0 && text.len > 0)
        *to = arena_dup(r->arena, utf8_cut(buf_str(&text), NAME_BYTES));
    buf_clear(&text);
}

static void take_first(struct reader *r, size_t node, struct str *to)
{
    if (!to->ptr)
        take_text(r, node, to);
}

static void take_count(struct reader *r, size_t node, int64_t *to)
{
    int64_t count = node ? json_count(json_index_value(r->json, node)) : UNKNOWN;

    if (count != UNKNOWN)
        *to = count;
}

/* ---- tool calls --------------------------------------------------------------------------- */

static void note_call(struct reader *r, size_t choice, size_t call)
{
    if (choice < MAX_CHOICES && call < FUNCTION_CALL)
        r->calls[choice][call / 64] |= UINT64_C(1) << (call % 64);
}

static size_t number_or(struct reader *r, size_t node, size_t otherwise)
{
    int64_t count = node ? json_count(json_index_value(r->json, node)) : UNKNOWN;

    return count == UNKNOWN ? otherwise : (size_t)count;
}

/* node is a message or a delta: the calls of a delta have numbers. */
static void read_calls(struct reader *r, size_t node, size_t choice, bool numbered)
{
    const struct json_index *json = r->json;
    struct members m, call;
    size_t list, position = 0;

    members_read(json, node, &m);
    if (member_object(json, &m, KEY_function_call) && choice < MAX_CHOICES)
        r->calls[choice][FUNCTION_CALL / 64] |= UINT64_C(1) << (FUNCTION_CALL % 64);
    list = member_array(json, &m, KEY_tool_calls);
    if (!list)
        return;
    for (size_t i = list + 1; i < json->nodes[list].next; i = json->nodes[i].next) {
        if (numbered) {
            members_read(json, i, &call);
            note_call(r, choice, number_or(r, call.at[KEY_index], position));
        } else {
            note_call(r, choice, position);
        }
        position++;
    }
}

static void read_choices(struct reader *r, size_t list)
{
    const struct json_index *json = r->json;
    size_t position = 0;

    for (size_t i = list + 1; i < json->nodes[list].next; i = json->nodes[i].next) {
        struct members m;
        size_t choice;

        members_read(json, i, &m);
        choice = number_or(r, m.at[KEY_index], position);
        if (position++ == 0)
            take_text(r, m.at[KEY_finish_reason], &r->answer->finish_reason);
        if (member_object(json, &m, KEY_delta))
            read_calls(r, m.at[KEY_delta], choice, true);
        if (member_object(json, &m, KEY_message))
            read_calls(r, m.at[KEY_message], choice, false);
    }
}

static bool is_tool_block(struct str type)
{
    return json_string_is(type, STR("tool_use")) || json_string_is(type, STR("server_tool_use"));
}

static bool is_call(struct str type)
{
    return is_tool_block(type) || signals_is_call_item(type);
}

/* A block or an item, or the blocks of a list. */
static void count_item(struct reader *r, size_t node)
{
    struct members m;

    members_read(r->json, node, &m);
    r->items += is_call(member_value(r->json, &m, KEY_type));
}

static void count_items(struct reader *r, size_t list)
{
    for (size_t i = list + 1; list && i < r->json->nodes[list].next; i = r->json->nodes[i].next)
        count_item(r, i);
}

static int64_t count_calls(const struct reader *r)
{
    int64_t count = r->items;

    for (size_t i = 0; i < MAX_CHOICES; i++)
        for (size_t k = 0; k < MAX_CALLS / 64; k++)
            count += __builtin_popcountll(r->calls[i][k]);
    return count;
}

/* ---- a body or an event ------------------------------------------------------------------- */

/* What stands on the value itself, its "response" or its "message". */
static void read_names(struct reader *r, const struct members *m)
{
    take_first(r, m->at[KEY_model], &r->answer->model);
    take_first(r, m->at[KEY_id], &r->answer->id);
    take_text(r, m->at[KEY_service_tier], &r->answer->service_tier);
}

/* An amount in US dollars. */
static void take_cost(struct reader *r, size_t node, int64_t *out)
{
    int64_t cost = node ? json_scaled(json_index_value(r->json, node), 12) : UNKNOWN;

    if (cost != UNKNOWN)
        *out = cost;
}

static void read_usage_extras(struct reader *r, size_t node)
{
    const struct json_index *json = r->json;
    struct members m, inner;

    members_read(json, node, &m);
    take_cost(r, m.at[KEY_cost], &r->answer->reported_cost_pusd);
    if (member_object(json, &m, KEY_cost_details)) {
        members_read(json, m.at[KEY_cost_details], &inner);
        take_cost(r, inner.at[KEY_upstream_inference_cost], &r->answer->upstream_cost_pusd);
    }
    take_text(r, m.at[KEY_service_tier], &r->answer->service_tier);
    if (member_object(json, &m, KEY_cache_creation)) {
        members_read(json, m.at[KEY_cache_creation], &inner);
        take_count(r, inner.at[KEY_ephemeral_5m_input_tokens], &r->answer->cache_write_5m_tokens);
        take_count(r, inner.at[KEY_ephemeral_1h_input_tokens], &r->answer->cache_write_1h_tokens);
    }
    if (member_object(json, &m, KEY_server_tool_use)) {
        members_read(json, m.at[KEY_server_tool_use], &inner);
        take_count(r, inner.at[KEY_web_search_requests], &r->answer->web_search_requests);
    }
}

/* "incomplete" says less than the reason for it. */
static void read_incomplete(struct reader *r, const struct members *response)
{
    struct members details;

    r->answer->finish_reason = STR("incomplete");
    if (!member_object(r->json, response, KEY_incomplete_details))
        return;
    members_read(r->json, response->at[KEY_incomplete_details], &details);
    take_text(r, details.at[KEY_reason], &r->answer->finish_reason);
}

/* A stored response of the Responses API. */
static void read_response(struct reader *r, const struct members *m)
{
    static const struct str ends[] = {STR("completed"), STR("failed"), STR("cancelled")};
    struct str status = member_value(r->json, m, KEY_status);

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (json_string_is(status, ends[i]))
            r->answer->finish_reason = ends[i];
    if (json_string_is(status, STR("incomplete")))
        read_incomplete(r, m);
}

static void read_body(struct reader *r, const struct members *m)
{
    size_t output = member_array(r->json, m, KEY_output);

    if (output || json_string_is(member_value(r->json, m, KEY_object), STR("response")))
        read_response(r, m);
    take_text(r, m->at[KEY_stop_reason], &r->answer->finish_reason);
    count_items(r, output);
    count_items(r, member_array(r->json, m, KEY_content));
}

static void read_typed_event(struct reader *r, const struct members *m,
                             const struct members *response)
{
    struct str type = member_value(r->json, m, KEY_type);
    struct members delta;

    if (json_type_of(type) != JSON_STRING)
        return;
    if (json_string_is(type, STR("message_delta")) && member_object(r->json, m, KEY_delta)) {
        members_read(r->json, m->at[KEY_delta], &delta);
        take_text(r, delta.at[KEY_stop_reason], &r->answer->finish_reason);
    } else if (json_string_is(type, STR("content_block_start")) &&
               member_object(r->json, m, KEY_content_block)) {
        count_item(r, m->at[KEY_content_block]);
    } else if (json_string_is(type, STR("response.output_item.done")) &&
               member_object(r->json, m, KEY_item)) {
        count_item(r, m->at[KEY_item]);
    } else if (json_string_is(type, STR("response.completed"))) {
        r->answer->finish_reason = STR("completed");
    } else if (json_string_is(type, STR("response.failed"))) {
        r->answer->finish_reason = STR("failed");
    } else if (json_string_is(type, STR("response.cancelled"))) {
        r->answer->finish_reason = STR("cancelled");
    } else if (json_string_is(type, STR("response.incomplete"))) {
        read_incomplete(r, response);
    }
}

/* The usage of the value itself, its "response" or its "message". */
static void read_part(struct reader *r, const struct members *m)
{
    size_t usage = member_object(r->json, m, KEY_usage);

    read_names(r, m);
    if (usage)
        read_usage_extras(r, usage);
}

static void read_object(struct reader *r)
{
    struct members m, response = {.at = {0}}, message;

    members_read(r->json, 0, &m);
    read_part(r, &m);
    if (member_object(r->json, &m, KEY_response)) {
        members_read(r->json, m.at[KEY_response], &response);
        read_part(r, &response);
    }
    if (member_object(r->json, &m, KEY_message)) {
        members_read(r->json, m.at[KEY_message], &message);
        read_part(r, &message);
        read_calls(r, m.at[KEY_message], 0, false);
    }
    if (member_array(r->json, &m, KEY_choices))
        read_choices(r, m.at[KEY_choices]);
    if (r->is_event)
        read_typed_event(r, &m, &response);
    else
        read_body(r, &m);
}

/* False when text is not JSON. */
static bool read_value(struct reader *r, struct str text)
{
    struct json_index *json = &r->memory;
    struct usage usage;
    struct err err;

    if (json_index_again(json, text, &err) < 0)
        return false;
    llm_keys_note(json);
    r->json = json;
    usage = usage_find(json);
    usage_merge(&r->answer->usage, &usage);
    r->answer->has_tools = r->answer->has_tools || signals_tools(json);
    if (json_node_is(json, 0, '{'))
        read_object(r);
    r->found = true;
    return true;
}

/* ---- the forms of an answer --------------------------------------------------------------- */

static void on_event(void *ctx, struct str data, bool cut)
{
    struct reader *r = ctx;
    struct buf text = {0};
    struct err err;

    if (cut || read_value(r, data) || utf8_valid(data))
        return;
    if (utf8_repair(&text, data, &err) == 0) /* as it is read while it passes */
        read_value(r, buf_str(&text));
    buf_clear(&text);
}

static bool read_events(struct reader *r, struct str body)
{
    struct sse sse;

    r->is_event = true;
    sse_init(&sse, EVENT_BYTES, on_event, r);
    sse_feed(&sse, body);
    sse_finish(&sse);
    sse_clear(&sse);
    return r->found;
}

static bool read_whole(struct reader *r, struct str body)
{
    r->is_event = false;
    return read_value(r, body);
}

static bool read_lines(struct reader *r, struct str body)
{
    struct str line;

    r->is_event = true;
    while (str_split(&body, '\n', &line)) {
        line = str_trim(line);
        if (line.len > 0 && line.ptr[0] == '{')
            read_value(r, line);
    }
    return r->found;
}

void answer_read(struct str body, bool is_sse, struct arena *arena, struct answer *out)
{
    struct reader r = {.answer = out, .arena = arena};

    *out = (struct answer){
        .usage = USAGE_UNKNOWN,
        .cache_write_5m_tokens = UNKNOWN,
        .cache_write_1h_tokens = UNKNOWN,
        .web_search_requests = UNKNOWN,
        .reported_cost_pusd = UNKNOWN,
        .upstream_cost_pusd = UNKNOWN,
        .tool_call_count = UNKNOWN,
    };
    if (is_sse ? read_events(&r, body) || read_whole(&r, body) || read_lines(&r, body)
               : read_whole(&r, body) || read_events(&r, body) || read_lines(&r, body))
        out->tool_call_count = count_calls(&r);
    json_index_clear(&r.memory);
}

struct str answer_asked_tier(struct str request_body, struct arena *arena)
{
    struct str value, tier, out = STR_NONE;
    struct buf text = {0};
    struct err err;

    if (str_find(request_body, STR("\"service_tier\"")) < 0 ||
        json_scan(request_body, &value) != JSON_OBJECT ||
        !json_member(value, STR("service_tier"), &tier) || !json_string_filled(tier))
        return STR_NONE;
    if (json_string(str_cut(tier, NAME_BYTES), &text, &err) == 0)
        out = arena_dup(arena, buf_str(&text));
    buf_clear(&text);
    return out;
}
