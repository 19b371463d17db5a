/* A tool call that a Qwen model wrote as tagged text into its reasoning becomes a regular one.
 *
 *   IDLE   events pass
 *   HOLD   the reasoning ends with what may be the start of a marker
 *   BLOCK  inside a block
 *   STAGED the block is complete and fits; its outputs wait for the end of the turn          */
#include <inttypes.h>
#include <stdio.h>

#include "llm/fix_priv.h"

#define OPEN "<tool_call>"
#define CLOSE "</tool_call>"

enum state { IDLE, HOLD, BLOCK, STAGED };

struct qwen {
    enum state state;
    bool saw_call, rejected;
    struct fix_queue held, later;
    struct buf text;       /* of the reasoning of held */
    struct buf role;       /* of the first held delta that has one, as JSON */
    bool content;          /* a held delta has content */
    struct buf outputs[2]; /* raw events */
    struct buf function;
    size_t calls; /* staged so far */
};

static bool wanted(const struct fix_plan *plan, bool stream)
{
    return plan->tools.count > 0 && !plan->tools_off && !(stream && plan->several);
}

static void warn(struct fix_step *step, struct str why)
{
    struct buf text = {0};

    buf_put(&text, STR("Qwen tool-call rewrite rejected: "));
    buf_put(&text, why);
    fix_warn(step, buf_str(&text));
    buf_clear(&text);
}

/* Append the one call. */
static int add_call(struct buf *out, const struct fix_step *step, const char *index, size_t number,
                    const struct fix_block *block, struct err *err)
{
    char id[80];

    snprintf(id, sizeof(id), "[{%s\"id\":\"call_qwen_rewrite_%s%zu\",", index, step->run->plan->id,
             number);
    if (buf_add(out, str_c(id), err) < 0 ||
        buf_add(out, STR("\"type\":\"function\",\"function\":{\"name\":"), err) < 0 ||
        fix_quote(out, block->name, err) < 0 || buf_add(out, STR(",\"arguments\":"), err) < 0 ||
        fix_quote(out, buf_str(&block->arguments), err) < 0)
        return -1;
    return buf_add(out, STR("}}]"), err);
}

/* ---- bodies ---- */

/* Append the choice with the call in its message. */
static int promote(struct fix_step *step, struct str choice, struct str message, size_t i,
                   const struct fix_block *block, struct buf *out)
{
    struct buf content = {0}, calls = {0}, changed = {0};
    struct err err;
    int rc = -1;

    if (add_call(&calls, step, "", i, block, &err) == 0 &&
        (block->before.len > 0 ? fix_quote(&content, block->before, &err)
                               : buf_add(&content, STR("null"), &err)) == 0) {
        struct fix_patch of_message[] = {{.key = STR("content"), .text = buf_str(&content)},
                                         {.key = STR("reasoning_content"), .text = STR_NONE},
                                         {.key = STR("reasoning"), .text = STR_NONE},
                                         {.key = STR("tool_calls"), .text = buf_str(&calls)}};

        rc = fix_patch(&changed, message, of_message, 4, &err);
    }
    if (rc == 0) {
        struct fix_patch of_choice[] = {
            {.key = STR("message"), .text = buf_str(&changed)},
            {.key = STR("finish_reason"), .text = STR("\"tool_calls\"")}};

        rc = fix_patch(out, choice, of_choice, 2, &err);
    }
    buf_clear(&content);
    buf_clear(&calls);
    buf_clear(&changed);
    return rc;
}

/* 1: out has the choice with a call; 0: it stays as it is. */
static int judge(struct fix_step *step, struct str choice, struct str message, size_t i,
                 struct str text, struct buf *out)
{
    struct fix_block block;
    struct str content;
    int rc = 0;

    switch (fix_block(text, &step->run->plan->tools, false, &block)) {
    case FIX_REJECTED:
        warn(step, buf_str(&block.why));
        break;
    case FIX_MATCHED:
        if (json_member(message, STR("content"), &content) && fix_has_content(content)) {
            warn(step, STR("assistant content appeared alongside tagged block."));
            break;
        }
        rc = promote(step, choice, message, i, &block, out) < 0 ? -1 : 1;
        if (rc > 0)
            fix_note(step, "promoted_qwen_tagged_tool_call", block.name);
        break;
    case FIX_FAILED:
        rc = -1;
        break;
    case FIX_NONE:
    case FIX_PENDING:
        break;
    }
    fix_block_clear(&block);
    return rc;
}

static int take_choice(struct fix_step *step, struct str choice, size_t i, struct buf *out)
{
    struct str message, calls, reasoning;
    struct buf text = {0};
    struct err err;
    int rc = -1;

    if (!json_member(choice, STR("message"), &message) || json_type_of(message) != JSON_OBJECT ||
        (json_member(message, STR("tool_calls"), &calls) && fix_truthy(calls)))
        return 0;
    reasoning = fix_reasoning(message);
    if (!reasoning.ptr)
        return 0;
    if (json_string(reasoning, &text, &err) == 0)
        rc = judge(step, choice, message, i, buf_str(&text), out);
    buf_clear(&text);
    return rc;
}

static int plain(struct fix_step *step, struct str body, struct buf *out)
{
    return fix_choices(step, body, take_choice, out);
}

/* ---- streams ---- */

static void forget(struct qwen *q)
{
    fix_queue_clear(&q->held);
    fix_queue_clear(&q->later);
    buf_clear(&q->text);
    buf_clear(&q->role);
    buf_clear(&q->outputs[0]);
    buf_clear(&q->outputs[1]);
    buf_clear(&q->function);
    q->content = false;
    q->state = IDLE;
}

static void release(struct fix_step *step)
{
    struct qwen *q = step->state;

    fix_emit_all(step, &q->held);
    fix_emit_all(step, &q->later);
    forget(q);
}

static void reject(struct fix_step *step, struct str why)
{
    struct qwen *q = step->state;

    warn(step, why);
    q->rejected = true;
    release(step);
}

static void fail(struct fix_step *step)
{
    step->run->failed = true;
}

static bool hold(struct qwen *q, const struct fix_event *e)
{
    struct str value;
    struct err err;

    if (json_member(e->delta, STR("role"), &value) && json_type_of(value) == JSON_STRING &&
        q->role.len == 0 && buf_add(&q->role, value, &err) < 0)
        return false;
    if (fix_has_content(e->content))
        q->content = true;
    return fix_queue_add(&q->held, e->raw) == 0;
}

/* Append {[role,]<member>}. */
static int add_delta(struct buf *out, struct str role, struct str name, struct str value,
                     struct err *err)
{
    if (buf_add(out, STR("{"), err) < 0)
        return -1;
    if (role.len > 0 && (buf_add(out, STR("\"role\":"), err) < 0 || buf_add(out, role, err) < 0 ||
                         buf_add(out, STR(","), err) < 0))
        return -1;
    if (fix_quote(out, name, err) < 0 || buf_add(out, STR(":"), err) < 0 ||
        buf_add(out, value, err) < 0)
        return -1;
    return buf_add(out, STR("}"), err);
}

/* The outputs, of the event that completed the block. */
static int make_outputs(struct fix_step *step, const struct fix_event *e,
                        const struct fix_block *block)
{
    struct qwen *q = step->state;
    struct buf value = {0}, delta = {0};
    struct str role = buf_str(&q->role);
    struct err err;
    int rc = 0;

    if (block->before.len > 0) {
        rc = fix_quote(&value, block->before, &err) < 0 ||
                     add_delta(&delta, role, STR("content"), buf_str(&value), &err) < 0
                 ? -1
                 : fix_event_write(&q->outputs[0], e, buf_str(&delta), STR("null"), &err);
        role = STR("");
        buf_cut(&value, 0);
        buf_cut(&delta, 0);
    }
    if (rc == 0 && (add_call(&value, step, "\"index\":0,", q->calls++, block, &err) < 0 ||
                    add_delta(&delta, role, STR("tool_calls"), buf_str(&value), &err) < 0 ||
                    fix_event_write(&q->outputs[1], e, buf_str(&delta), STR("null"), &err) < 0 ||
                    buf_add(&q->function, block->name, &err) < 0))
        rc = -1;
    buf_clear(&value);
    buf_clear(&delta);
    return rc;
}

/* e ends the turn; own: it is the event that completed the block. */
static void accept(struct fix_step *step, const struct fix_event *e, bool own)
{
    struct qwen *q = step->state;
    bool stop = json_string_is(e->finish, STR("stop"));
    struct buf last = {0};
    struct err err;

    for (size_t i = 0; i < 2; i++)
        if (q->outputs[i].len > 0)
            fix_emit(step, buf_str(&q->outputs[i]));
    fix_emit_all(step, &q->later);
    if (!own && !stop)
        fix_pass(step, e);
    else if (fix_event_write(&last, e, STR("{}"), stop ? STR("\"tool_calls\"") : STR_NONE, &err) <
             0)
        fail(step);
    else
        fix_emit(step, buf_str(&last));
    fix_note(step, "promoted_qwen_tagged_tool_call", buf_str(&q->function));
    step->run->rewritten = true;
    buf_clear(&last);
    forget(q);
}

/* The block may be complete: e is the last of held. */
static void evaluate(struct fix_step *step, const struct fix_event *e)
{
    struct qwen *q = step->state;
    struct fix_block block;

    switch (fix_block(buf_str(&q->text), &step->run->plan->tools, true, &block)) {
    case FIX_REJECTED:
        reject(step, buf_str(&block.why));
        break;
    case FIX_MATCHED:
        if (q->content) {
            reject(step, STR("assistant content appeared alongside tagged block."));
        } else if (make_outputs(step, e, &block) < 0) {
            fail(step);
        } else {
            q->state = STAGED;
            if (e->finish.ptr)
                accept(step, e, true);
        }
        break;
    case FIX_FAILED:
        fail(step);
        break;
    case FIX_NONE:
    case FIX_PENDING:
        break;
    }
    fix_block_clear(&block);
}

static void in_block(struct fix_step *step, const struct fix_event *e, bool closed)
{
    struct qwen *q = step->state;

    if (closed)
        evaluate(step, e);
    if (q->state != BLOCK)
        return;
    if (e->finish.ptr)
        reject(step, STR("incomplete tagged tool-call block."));
    else if (q->text.len > FIX_TEXT_MAX || q->held.bytes.len > FIX_HELD_MAX)
        reject(step, STR("candidate block exceeds buffer limit."));
}

/* How many bytes at the end of text may be the start of a marker. */
static size_t marker_start(struct str text)
{
    for (size_t len = sizeof(OPEN) - 2; len > 0; len--)
        if (str_ends(text, str_cut(STR(OPEN), len)))
            return len;
    return 0;
}

static bool contains(const struct buf *text, size_t from, struct str needle)
{
    size_t back = from < needle.len ? from : needle.len - 1;

    return str_find(str_from(buf_str(text), from - back), needle) >= 0;
}

static void take_reasoning(struct fix_step *step, const struct fix_event *e)
{
    struct qwen *q = step->state;
    size_t before = q->text.len, start;
    struct err err;

    if (json_string(e->reasoning, &q->text, &err) < 0) {
        fail(step);
        return;
    }
    if (q->state != BLOCK && contains(&q->text, before, STR(OPEN))) {
        q->state = BLOCK;
        before = 0; /* the end of a block may stand before its start */
    }
    if (q->state == BLOCK) {
        if (!hold(q, e))
            fail(step);
        else
            in_block(step, e, contains(&q->text, before, STR(CLOSE)));
        return;
    }
    start = marker_start(buf_str(&q->text));
    if (start == 0 || e->finish.ptr || q->held.bytes.len > FIX_HELD_MAX) {
        release(step);
        fix_pass(step, e);
        return;
    }
    if (q->text.len - before >= start) { /* what was held before has nothing to do with it */
        struct buf own = {0};

        if (buf_add(&own, str_from(buf_str(&q->text), before), &err) < 0)
            fail(step);
        release(step);
        q->text = own;
    }
    q->state = HOLD;
    if (!hold(q, e))
        fail(step);
}

static void append_later(struct fix_step *step, const struct fix_event *e)
{
    struct qwen *q = step->state;

    if (fix_queue_add(&q->later, e->raw) < 0)
        fail(step);
    else if (q->held.bytes.len + q->later.bytes.len > FIX_HELD_MAX)
        reject(step, STR("candidate block exceeds buffer limit."));
}

static void reject_with(struct fix_step *step, const struct fix_event *e, const char *why)
{
    reject(step, str_c(why));
    fix_pass(step, e);
}

static void staged(struct fix_step *step, const struct fix_event *e)
{
    if (e->class == FIX_DONE)
        reject_with(step, e, "stream ended before finish reason.");
    else if (e->class == FIX_CHUNK && e->calls)
        reject_with(step, e, "structured tool call appeared after tagged block.");
    else if (e->class == FIX_CHUNK && e->text)
        reject_with(step, e, "assistant content appeared after tagged block.");
    else if (e->class == FIX_CHUNK && e->finish.ptr)
        accept(step, e, false);
    else
        append_later(step, e);
}

/* What interrupts a block. */
static const char *interruption(const struct fix_event *e)
{
    if (e->class == FIX_BROKEN)
        return "non-JSON SSE event interrupted block.";
    if (e->class == FIX_CONTROL)
        return "usage/control event interrupted block.";
    if (e->class == FIX_DONE || e->finish.ptr)
        return "incomplete tagged tool-call block.";
    return "non-reasoning delta interrupted block.";
}

static void event(struct fix_step *step, const struct fix_event *e)
{
    struct qwen *q = step->state;
    bool chunk = e->class == FIX_CHUNK;

    if (e->class == FIX_COMMENT) {
        fix_pass(step, e);
    } else if (q->state == STAGED) {
        staged(step, e);
        q->saw_call = q->saw_call || (chunk && e->calls);
    } else if (chunk && e->calls) {
        release(step);
        fix_pass(step, e);
        q->saw_call = true;
    } else if (e->reasoning.ptr && !q->saw_call && !q->rejected) {
        take_reasoning(step, e);
    } else if (q->state == BLOCK) {
        reject_with(step, e, interruption(e));
    } else {
        release(step);
        fix_pass(step, e);
    }
}

static void large(struct fix_step *step)
{
    struct qwen *q = step->state;

    if (q->state == BLOCK || q->state == STAGED)
        reject(step, STR("candidate block exceeds buffer limit."));
    else
        release(step);
}

static void finish(struct fix_step *step, bool broken)
{
    struct qwen *q = step->state;

    if (!broken && q->state == STAGED)
        reject(step, STR("stream ended before finish reason."));
    else if (!broken && q->state == BLOCK)
        reject(step, STR("incomplete tagged tool-call block."));
    else
        release(step);
}

static bool holds(const struct fix_step *step)
{
    const struct qwen *q = step->state;

    return q->state != IDLE;
}

static void clear(struct fix_step *step)
{
    forget(step->state);
}

const struct fix_kind fix_qwen = {
    .id = FIX_QWEN,
    .wanted = wanted,
    .plain = plain,
    .event = event,
    .large = large,
    .finish = finish,
    .holds = holds,
    .clear = clear,
    .size = sizeof(struct qwen),
};
