/* Arguments of tool calls that are not quite JSON are repaired. In a stream the events are held
 * from the first piece of arguments to the end of the turn: no client can use them before. */
#include <stdlib.h>

#include "base/utf8.h"
#include "llm/fix_priv.h"
#include "json/json_number.h"

#define CALLS_MAX 128
#define NAME_MAX_BYTES ((size_t)1024)
#define ACTION "repaired_tool_arguments"

struct call {
    int64_t index;
    struct buf name, text;
    struct buf fixed; /* JSON string of the repaired arguments; empty: they stay */
    bool written;
};
struct arguments {
    struct fix_queue held;
    struct call *calls;
    size_t count, bytes;
    bool off; /* too much came */
};

static bool wanted(const struct fix_plan *plan, bool stream)
{
    return !(stream && plan->several);
}

static void warn(struct fix_step *step, struct str name)
{
    struct buf text = {0};

    buf_printf(&text, "Tool-call arguments not repaired: '%.*s' has no valid JSON.",
               STR_ARG(utf8_cut(name, 200)));
    fix_warn(step, buf_str(&text));
    buf_clear(&text);
}

/* 1: out has the repaired text as a JSON string; 0: it stays. */
static int mend(struct fix_step *step, struct str name, struct str text, bool cut_off,
                struct buf *out)
{
    struct buf repaired = {0};
    struct str value;
    struct err err;
    int rc = 0;

    if (json_scan(text, &value) != JSON_INVALID)
        return 0;
    if (!fix_repair(&repaired, text, cut_off))
        warn(step, name);
    else
        rc = fix_quote(out, buf_str(&repaired), &err) < 0 ? -1 : 1;
    if (rc > 0)
        fix_note(step, ACTION, name);
    buf_clear(&repaired);
    return rc;
}

/* What a call has: false when there are no arguments in it. */
static bool read_call(struct str call, struct str *function, struct str *arguments)
{
    return json_member(call, STR("function"), function) && json_type_of(*function) == JSON_OBJECT &&
           json_member(*function, STR("arguments"), arguments) &&
           json_type_of(*arguments) == JSON_STRING;
}

static int add_call(struct buf *out, struct str call, struct str function, struct str arguments,
                    struct err *err)
{
    struct fix_patch of_function = {.key = STR("arguments"), .text = arguments};
    struct fix_patch of_call = {.key = STR("function")};
    struct buf changed = {0};
    int rc = fix_patch(&changed, function, &of_function, 1, err);

    of_call.text = buf_str(&changed);
    if (rc == 0)
        rc = fix_patch(out, call, &of_call, 1, err);
    buf_clear(&changed);
    return rc;
}

/* Append the list of calls; rewrite appends one of them in its new form (1), or not (0). */
typedef int rewrite_fn(void *ctx, struct str call, size_t i, struct buf *out);
static int add_calls(struct buf *out, struct str calls, rewrite_fn *rewrite, void *ctx)
{
    struct json_iter it = json_iter(calls);
    struct err err;
    int any = 0, one = buf_add(out, STR("["), &err);

    for (size_t i = 0; one >= 0 && json_next(&it); i++) {
        one = i > 0 ? buf_add(out, STR(","), &err) : 0;
        if (one == 0)
            one = rewrite(ctx, it.value, i, out);
        if (one == 0)
            one = fix_compact(out, it.value, &err);
        any = any || one > 0;
    }
    if (one >= 0)
        one = buf_add(out, STR("]"), &err);
    return one < 0 ? -1 : any;
}

static bool is_cut_off(struct str finish)
{
    return json_type_of(finish) == JSON_STRING && json_string_is(finish, STR("length"));
}

/* ---- bodies ---- */

struct body {
    struct fix_step *step;
    bool cut_off;
};

static int rewrite_whole(void *ctx, struct str call, size_t i, struct buf *out)
{
    struct body *body = ctx;
    struct buf name = {0}, text = {0}, fixed = {0};
    struct str function, arguments, value;
    struct err err;
    int rc = -1;

    (void)i;
    if (!read_call(call, &function, &arguments))
        return 0;
    if (json_member(function, STR("name"), &value) && json_type_of(value) == JSON_STRING &&
        json_string(value, &name, &err) < 0)
        goto out;
    if (json_string(arguments, &text, &err) == 0)
        rc = mend(body->step, buf_str(&name), buf_str(&text), body->cut_off, &fixed);
    if (rc > 0 && add_call(out, call, function, buf_str(&fixed), &err) < 0)
        rc = -1;
out:
    buf_clear(&name);
    buf_clear(&text);
    buf_clear(&fixed);
    return rc;
}

static int take_choice(struct fix_step *step, struct str choice, size_t i, struct buf *out)
{
    struct body body = {.step = step};
    struct buf list = {0}, changed = {0};
    struct str message, calls, finish;
    struct err err;
    int rc;

    (void)i;
    if (!json_member(choice, STR("message"), &message) || json_type_of(message) != JSON_OBJECT ||
        !json_member(message, STR("tool_calls"), &calls) || json_type_of(calls) != JSON_ARRAY)
        return 0;
    body.cut_off = json_member(choice, STR("finish_reason"), &finish) && is_cut_off(finish);
    rc = add_calls(&list, calls, rewrite_whole, &body);
    if (rc > 0) {
        struct fix_patch of_message = {.key = STR("tool_calls"), .text = buf_str(&list)};
        struct fix_patch of_choice = {.key = STR("message")};

        rc = fix_patch(&changed, message, &of_message, 1, &err) < 0 ? -1 : 1;
        of_choice.text = buf_str(&changed);
        if (rc > 0 && fix_patch(out, choice, &of_choice, 1, &err) < 0)
            rc = -1;
    }
    buf_clear(&list);
    buf_clear(&changed);
    return rc;
}

static int plain(struct fix_step *step, struct str body, struct buf *out)
{
    return fix_choices(step, body, take_choice, out);
}

/* ---- streams ---- */

static void forget(struct arguments *a)
{
    fix_queue_clear(&a->held);
    for (size_t i = 0; i < a->count; i++) {
        buf_clear(&a->calls[i].name);
        buf_clear(&a->calls[i].text);
        buf_clear(&a->calls[i].fixed);
    }
    free(a->calls);
    a->calls = NULL;
    a->count = a->bytes = 0;
}

static void release(struct fix_step *step)
{
    struct arguments *a = step->state;

    fix_emit_all(step, &a->held);
    forget(a);
}

static void give_up(struct fix_step *step)
{
    struct arguments *a = step->state;

    if (a->held.bytes.len > 0)
        fix_warn(step, STR("Tool-call arguments not repaired: they exceed the buffer limit."));
    a->off = true;
    release(step);
}

/* NULL without memory or when there are too many. */
static struct call *call_of(struct arguments *a, struct str call, size_t i)
{
    struct str value;
    int64_t index = json_member(call, STR("index"), &value) ? json_count(value) : UNKNOWN;

    if (index == UNKNOWN)
        index = (int64_t)i;
    for (size_t k = 0; k < a->count; k++)
        if (a->calls[k].index == index)
            return &a->calls[k];
    if (!a->calls)
        a->calls = calloc(CALLS_MAX, sizeof(*a->calls));
    if (!a->calls || a->count == CALLS_MAX)
        return NULL;
    a->calls[a->count].index = index;
    return &a->calls[a->count++];
}

static int append(struct buf *out, struct str object, struct str key)
{
    struct str value;
    struct err err;

    if (!json_member(object, key, &value) || json_type_of(value) != JSON_STRING)
        return 0;
    return json_string(value, out, &err);
}

static int collect(void *ctx, struct str call, size_t i)
{
    struct arguments *a = ctx;
    struct str function;
    struct call *c;

    if (!json_member(call, STR("function"), &function) || json_type_of(function) != JSON_OBJECT)
        return 0;
    c = call_of(a, call, i);
    if (!c || (c->name.len == 0 && append(&c->name, function, STR("name")) < 0))
        return -1;
    buf_cut(&c->name, NAME_MAX_BYTES);
    a->bytes -= c->text.len;
    if (append(&c->text, function, STR("arguments")) < 0)
        return -1;
    a->bytes += c->text.len;
    return 0;
}

/* The calls of the first choice; STR_NONE: it has none. */
static struct str calls_of(const struct fix_event *e)
{
    return json_type_of(e->tool_calls) == JSON_ARRAY ? e->tool_calls : STR_NONE;
}

static int rewrite_piece(void *ctx, struct str call, size_t i, struct buf *out)
{
    struct call *c = call_of(ctx, call, i);
    struct str function, arguments;
    struct err err;
    bool first;

    if (!c || c->fixed.len == 0 || !read_call(call, &function, &arguments) ||
        !json_string_filled(arguments))
        return 0;
    first = !c->written;
    c->written = true;
    return add_call(out, call, function, first ? buf_str(&c->fixed) : STR("\"\""), &err) < 0 ? -1
                                                                                             : 1;
}

static void emit_rewritten(struct fix_step *step, struct str raw)
{
    struct buf list = {0}, delta = {0}, out = {0};
    struct fix_event e;
    struct err err;
    bool ok = fix_event_read(&e, raw);
    struct str calls = ok ? calls_of(&e) : STR_NONE;
    int rc = calls.ptr ? add_calls(&list, calls, rewrite_piece, step->state) : 0;

    if (rc > 0) {
        struct fix_patch patch = {.key = STR("tool_calls"), .text = buf_str(&list)};

        if (fix_patch(&delta, e.delta, &patch, 1, &err) < 0 ||
            fix_event_write(&out, &e, buf_str(&delta), STR_NONE, &err) < 0)
            rc = -1;
    }
    if (!ok || rc < 0)
        step->run->failed = true;
    else
        fix_emit(step, rc > 0 ? buf_str(&out) : raw);
    fix_event_clear(&e);
    buf_clear(&list);
    buf_clear(&delta);
    buf_clear(&out);
}

/* The turn is over: what is held goes out, repaired where it can be. */
static void settle(struct fix_step *step, bool cut_off)
{
    struct arguments *a = step->state;
    struct str raw;
    size_t at = 0;
    int any = 0, one;

    for (size_t i = 0; a->held.bytes.len > 0 && i < a->count; i++) {
        struct call *c = &a->calls[i];

        one = mend(step, buf_str(&c->name), buf_str(&c->text), cut_off, &c->fixed);
        if (one < 0)
            step->run->failed = true;
        any = any || one > 0;
    }
    if (any) {
        step->run->rewritten = true;
        while (fix_queue_next(&a->held, &at, &raw))
            emit_rewritten(step, raw);
        forget(a);
    } else {
        release(step);
    }
}

static void take_calls(struct fix_step *step, const struct fix_event *e, struct str calls)
{
    struct arguments *a = step->state;
    struct json_iter it = json_iter(calls);
    int rc = 0;

    for (size_t i = 0; rc == 0 && json_next(&it); i++)
        rc = collect(a, it.value, i);
    if (rc < 0) {
        give_up(step);
        fix_pass(step, e);
    } else if (a->bytes == 0 && a->held.bytes.len == 0) {
        fix_pass(step, e);
    } else if (fix_queue_add(&a->held, e->raw) < 0) {
        step->run->failed = true;
    } else if (a->bytes > FIX_TEXT_MAX || a->held.bytes.len > FIX_HELD_MAX) {
        give_up(step);
    }
}

static void event(struct fix_step *step, const struct fix_event *e)
{
    struct arguments *a = step->state;
    struct str calls = a->off ? STR_NONE : calls_of(e);
    bool ends = e->class == FIX_DONE || e->finish.ptr;

    if (e->class == FIX_COMMENT) {
        fix_pass(step, e);
    } else if (calls.ptr) {
        take_calls(step, e, calls);
        if (ends)
            settle(step, is_cut_off(e->finish));
    } else if (ends) {
        settle(step, is_cut_off(e->finish));
        fix_pass(step, e);
    } else if (a->held.bytes.len == 0) {
        fix_pass(step, e);
    } else if (fix_queue_add(&a->held, e->raw) < 0) {
        step->run->failed = true;
    } else if (a->held.bytes.len > FIX_HELD_MAX) {
        give_up(step);
    }
}

static void finish(struct fix_step *step, bool broken)
{
    if (broken)
        release(step);
    else
        settle(step, true); /* who knows what was to come */
}

static bool holds(const struct fix_step *step)
{
    const struct arguments *a = step->state;

    return a->held.bytes.len > 0;
}

static void clear(struct fix_step *step)
{
    forget(step->state);
}

const struct fix_kind fix_arguments = {
    .id = FIX_ARGUMENTS,
    .wanted = wanted,
    .plain = plain,
    .event = event,
    .large = give_up,
    .finish = finish,
    .holds = holds,
    .clear = clear,
    .size = sizeof(struct arguments),
};
