/* A leading <think>...</think> in the content becomes reasoning_content.
 *
 *   START  nothing but blanks, and perhaps the start of the tag; events are held
 *   INSIDE the content goes to reasoning_content as it comes
 *   AFTER  blanks behind the closing tag go away
 *   OVER   events pass                                                         */
#include "llm/fix_priv.h"

#define OPEN STR("<think>")
#define CLOSE STR("</think>")
#define BLANK_MAX ((size_t)1024) /* held before a tag */
#define ACTION "moved_reasoning_tags"

enum state { START, INSIDE, AFTER, OVER };

struct think {
    enum state state;
    struct fix_queue held;
    struct buf text;  /* of the content of held */
    struct buf carry; /* the end of the reasoning that may be the start of the closing tag */
    struct buf model; /* the event that it came with */
    bool warned;
};

static bool wanted(const struct fix_plan *plan, bool stream)
{
    return !(stream && plan->several);
}

static struct str trim_left(struct str s)
{
    while (s.len > 0 && fix_blank(s.ptr[0]))
        s = str_from(s, 1);
    return s;
}

/* Append delta or message with what the tags say; without a content of its own, when drop says. */
static int add_changed(struct buf *out, struct str object, struct str reasoning, struct str content,
                       bool drop, struct err *err)
{
    struct buf r = {0}, c = {0};
    struct fix_patch patches[2] = {{.key = STR("content")}, {.key = STR("reasoning_content")}};
    int rc = 0;

    if (content.len > 0 || !drop) {
        rc = fix_quote(&c, content, err);
        patches[0].text = buf_str(&c);
    }
    if (rc == 0 && reasoning.len > 0) {
        rc = fix_quote(&r, reasoning, err);
        patches[1].text = buf_str(&r);
    }
    if (rc == 0)
        rc = fix_patch(out, object, patches, reasoning.len > 0 ? 2 : 1, err);
    buf_clear(&r);
    buf_clear(&c);
    return rc;
}

/* ---- bodies ---- */

static int move(struct fix_step *step, struct str choice, struct str message, struct str text,
                struct buf *out)
{
    struct buf changed = {0};
    struct fix_patch patch = {.key = STR("message")};
    struct err err;
    ptrdiff_t end;
    int rc;

    text = trim_left(text);
    if (!str_starts(text, OPEN))
        return 0;
    text = str_from(text, OPEN.len);
    end = str_find(text, CLOSE);
    if (end < 0) {
        fix_warn(step, STR("Reasoning tags not moved: the closing tag is missing."));
        return 0;
    }
    rc = add_changed(&changed, message, str_cut(text, (size_t)end),
                     trim_left(str_from(text, (size_t)end + CLOSE.len)), false, &err);
    patch.text = buf_str(&changed);
    if (rc == 0)
        rc = fix_patch(out, choice, &patch, 1, &err);
    buf_clear(&changed);
    if (rc == 0)
        fix_note(step, ACTION, STR_NONE);
    return rc < 0 ? -1 : 1;
}

static int take_choice(struct fix_step *step, struct str choice, size_t i, struct buf *out)
{
    struct str message, content, reasoning;
    struct buf text = {0};
    struct err err;
    int rc = -1;

    (void)i;
    if (!json_member(choice, STR("message"), &message) || json_type_of(message) != JSON_OBJECT ||
        !json_member(message, STR("content"), &content) || json_type_of(content) != JSON_STRING)
        return 0;
    reasoning = fix_reasoning(message);
    if (reasoning.ptr && json_string_filled(reasoning))
        return 0;
    if (json_string(content, &text, &err) == 0)
        rc = move(step, choice, message, buf_str(&text), out);
    buf_clear(&text);
    return rc;
}

static int plain(struct fix_step *step, struct str body, struct buf *out)
{
    return fix_choices(step, body, take_choice, out);
}

/* ---- streams ---- */

static void fail(struct fix_step *step)
{
    step->run->failed = true;
}

static void release(struct fix_step *step)
{
    struct think *t = step->state;

    fix_emit_all(step, &t->held);
    fix_queue_clear(&t->held);
    buf_clear(&t->text);
}

static void emit_changed(struct fix_step *step, const struct fix_event *e, struct str reasoning,
                         struct str content)
{
    struct buf delta = {0}, out = {0};
    struct err err;

    if (add_changed(&delta, e->delta, reasoning, content, true, &err) < 0 ||
        fix_event_write(&out, e, buf_str(&delta), STR_NONE, &err) < 0)
        fail(step);
    else
        fix_emit(step, buf_str(&out));
    buf_clear(&delta);
    buf_clear(&out);
}

static void emit_model(struct fix_step *step)
{
    struct think *t = step->state;
    struct fix_event e;
    struct buf delta = {0}, out = {0};
    struct err err;

    if (t->carry.len == 0)
        return;
    if (!fix_event_read(&e, buf_str(&t->model)) ||
        add_changed(&delta, STR("{}"), buf_str(&t->carry), STR(""), true, &err) < 0 ||
        fix_event_write(&out, &e, buf_str(&delta), STR("null"), &err) < 0)
        fail(step);
    else
        fix_emit(step, buf_str(&out));
    fix_event_clear(&e);
    buf_clear(&delta);
    buf_clear(&out);
    buf_clear(&t->carry);
}

static void warn_unclosed(struct fix_step *step)
{
    struct think *t = step->state;

    if (!t->warned)
        fix_warn(step, STR("Reasoning tags: the answer ended before the closing tag."));
    t->warned = true;
}

static void after(struct fix_step *step, const struct fix_event *e, struct str reasoning,
                  struct str text)
{
    struct think *t = step->state;

    t->state = AFTER;
    text = trim_left(text);
    if (text.len > 0)
        t->state = OVER;
    emit_changed(step, e, reasoning, text);
}

static size_t tag_start(struct str text)
{
    for (size_t len = CLOSE.len - 1; len > 0; len--)
        if (str_ends(text, str_cut(CLOSE, len)))
            return len;
    return 0;
}

/* text belongs to carry from now on, as far as it may be the start of the tag. */
static void inside(struct fix_step *step, const struct fix_event *e, struct str text)
{
    struct think *t = step->state;
    struct buf all = t->carry;
    ptrdiff_t end;
    struct err err;

    t->carry = (struct buf){0};
    if (buf_add(&all, text, &err) < 0)
        fail(step);
    text = buf_str(&all);
    end = str_find(text, CLOSE);
    if (end >= 0) {
        after(step, e, str_cut(text, (size_t)end), str_from(text, (size_t)end + CLOSE.len));
    } else {
        bool last = e->finish.ptr || e->calls || step->run->ending;
        size_t keep = last ? 0 : tag_start(text);

        buf_cut(&t->model, 0);
        if (keep > 0 && (buf_add(&t->carry, str_from(text, text.len - keep), &err) < 0 ||
                         buf_add(&t->model, e->raw, &err) < 0))
            fail(step);
        emit_changed(step, e, str_cut(text, text.len - keep), STR(""));
    }
    buf_clear(&all);
}

/* The held events had blanks and the start of the tag. */
static void open_tag(struct fix_step *step, const struct fix_event *e, struct str text)
{
    struct think *t = step->state;
    struct fix_event held;
    struct str raw;
    size_t at = 0;

    t->state = INSIDE;
    step->run->rewritten = true;
    fix_note(step, ACTION, STR_NONE);
    while (fix_queue_next(&t->held, &at, &raw)) {
        if (fix_event_read(&held, raw) && held.delta.ptr)
            emit_changed(step, &held, STR(""), STR(""));
        fix_event_clear(&held);
    }
    fix_queue_clear(&t->held);
    inside(step, e, str_from(text, OPEN.len));
}

static void pass(struct fix_step *step, const struct fix_event *e, bool over)
{
    struct think *t = step->state;

    if (over)
        t->state = OVER;
    release(step);
    fix_pass(step, e);
}

static void take_start(struct fix_step *step, const struct fix_event *e, struct str content)
{
    struct think *t = step->state;
    struct buf own = {0};
    struct str text;
    struct err err;

    if (json_string(content, &t->text, &err) < 0) {
        fail(step);
        return;
    }
    text = trim_left(buf_str(&t->text));
    if (str_starts(text, OPEN)) {
        own = t->text;
        t->text = (struct buf){0};
        open_tag(step, e, text);
        buf_clear(&own);
    } else if (t->text.len > BLANK_MAX || e->finish.ptr || !str_starts(OPEN, text)) {
        pass(step, e, true);
    } else if (t->text.len == 0) {
        pass(step, e, false);
    } else if (fix_queue_add(&t->held, e->raw) < 0) {
        fail(step);
    }
}

static void take_content(struct fix_step *step, const struct fix_event *e, struct str content)
{
    struct think *t = step->state;
    struct buf text = {0};
    struct str trimmed;
    struct err err;

    if (json_string(content, &text, &err) < 0) {
        fail(step);
    } else if (t->state == INSIDE) {
        inside(step, e, buf_str(&text));
    } else {
        trimmed = trim_left(buf_str(&text));
        if (trimmed.len > 0)
            t->state = OVER;
        if (trimmed.len == text.len)
            fix_pass(step, e);
        else
            emit_changed(step, e, STR(""), trimmed);
    }
    buf_clear(&text);
}

/* Nothing for the tags in it. */
static void take_other(struct fix_step *step, const struct fix_event *e)
{
    struct think *t = step->state;
    bool ends = e->class == FIX_DONE || (e->class == FIX_CHUNK && (e->finish.ptr || e->calls)) ||
                step->run->ending;

    if (t->state == START) {
        pass(step, e, t->text.len > 0 || e->calls || e->text);
        return;
    }
    if (t->state == INSIDE && ends)
        emit_model(step);
    fix_pass(step, e);
}

static void event(struct fix_step *step, const struct fix_event *e)
{
    struct think *t = step->state;
    struct str content;

    if (t->state == OVER || e->class == FIX_COMMENT) {
        fix_pass(step, e);
        return;
    }
    content = json_type_of(e->content) == JSON_STRING ? e->content : STR_NONE;
    if (!content.ptr || (t->state == START && (e->calls || e->reasoning.len > 2)))
        take_other(step, e);
    else if (t->state == START)
        take_start(step, e, content);
    else
        take_content(step, e, content);
    if (t->state == INSIDE && (e->finish.ptr || e->class == FIX_DONE))
        warn_unclosed(step);
}

static void large(struct fix_step *step)
{
    struct think *t = step->state;

    if (t->held.bytes.len > 0)
        t->state = OVER;
    release(step);
    emit_model(step);
}

static void finish(struct fix_step *step, bool broken)
{
    struct think *t = step->state;

    release(step);
    emit_model(step);
    if (!broken && t->state == INSIDE)
        warn_unclosed(step);
}

static bool holds(const struct fix_step *step)
{
    const struct think *t = step->state;

    return t->held.bytes.len > 0 || t->carry.len > 0;
}

static void clear(struct fix_step *step)
{
    struct think *t = step->state;

    fix_queue_clear(&t->held);
    buf_clear(&t->text);
    buf_clear(&t->carry);
    buf_clear(&t->model);
}

const struct fix_kind fix_think = {
    .id = FIX_THINK,
    .wanted = wanted,
    .plain = plain,
    .event = event,
    .large = large,
    .finish = finish,
    .holds = holds,
    .clear = clear,
    .size = sizeof(struct think),
};
