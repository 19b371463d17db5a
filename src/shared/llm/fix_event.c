#include "llm/fix_priv.h"
#include "llm/line_ends.h"

/* ---- reading ---- */

/* Without its end: LF, CRLF or CR. */
static struct str take_line(struct line_ends *ends, struct str *rest)
{
    size_t i = (size_t)(line_ends_next(ends, rest->ptr, rest->ptr + rest->len) - rest->ptr);
    struct str line = str_cut(*rest, i);

    if (i + 1 < rest->len && rest->ptr[i] == '\r' && rest->ptr[i + 1] == '\n')
        i++;
    *rest = str_from(*rest, i + 1);
    return line;
}

/* One data line is borrowed, several are joined. */
static bool read_data(struct fix_event *e)
{
    struct str rest = e->raw, line;
    struct line_ends ends = {0};
    struct err err;
    size_t count = 0;

    if (str_starts(rest, STR("\xEF\xBB\xBF")))
        rest = str_from(rest, 3);
    e->data = STR("");
    while (rest.len > 0) {
        line = take_line(&ends, &rest);
        if (!str_starts(line, STR("data:")))
            continue;
        line = fix_trim(str_from(line, 5));
        if (count++ == 0) {
            e->data = line;
            continue;
        }
        if ((count == 2 && buf_add(&e->joined, e->data, &err) < 0) ||
            buf_add(&e->joined, STR("\n"), &err) < 0 || buf_add(&e->joined, line, &err) < 0)
            return false;
    }
    if (count > 1)
        e->data = buf_str(&e->joined);
    return true;
}

static void read_delta(struct fix_event *e, struct str delta, bool first)
{
    struct str content = STR_NONE, plain = STR_NONE, named = STR_NONE, calls = STR_NONE;
    struct json_iter it = json_iter(delta);

    while (json_next(&it)) {
        if (json_key_is(it.key, STR("content")))
            content = it.value;
        else if (json_key_is(it.key, STR("reasoning_content")))
            named = it.value;
        else if (json_key_is(it.key, STR("reasoning")))
            plain = it.value;
        else if (json_key_is(it.key, STR("tool_calls")))
            calls = it.value;
    }
    if (first) {
        e->delta = delta;
        e->content = content;
        e->reasoning = fix_choose(named, plain);
        e->tool_calls = calls;
    }
    e->calls = e->calls || fix_truthy(calls);
    e->text = e->text || fix_has_text(content) || fix_has_text(named) || fix_has_text(plain);
}

static void read_choice(struct fix_event *e, struct str choice, bool first)
{
    struct str delta = STR_NONE, finish = STR_NONE;
    struct json_iter it = json_iter(choice);

    if (json_type_of(choice) != JSON_OBJECT)
        return;
    while (json_next(&it)) {
        if (json_key_is(it.key, STR("delta")))
            delta = it.value;
        else if (json_key_is(it.key, STR("finish_reason")))
            finish = it.value;
    }
    if (first) {
        e->choice = choice;
        if (json_type_of(finish) == JSON_STRING)
            e->finish = finish;
    }
    if (json_type_of(delta) == JSON_OBJECT)
        read_delta(e, delta, first);
}

static enum fix_class read_json(struct fix_event *e)
{
    struct json_iter it;
    bool first = true;

    if (json_scan(e->data, &e->data) != JSON_OBJECT)
        return FIX_BROKEN;
    if (!json_member(e->data, STR("choices"), &e->choices) ||
        json_type_of(e->choices) != JSON_ARRAY)
        return FIX_CONTROL;
    it = json_iter(e->choices);
    for (; json_next(&it); first = false)
        read_choice(e, it.value, first);
    return first ? FIX_CONTROL : FIX_CHUNK;
}

bool fix_event_read(struct fix_event *out, struct str raw)
{
    *out = (struct fix_event){.raw = raw};
    if (!read_data(out))
        return false;
    if (out->data.len == 0)
        out->class = FIX_COMMENT;
    else if (str_eq(out->data, STR("[DONE]")))
        out->class = FIX_DONE;
    else
        out->class = read_json(out);
    return true;
}

void fix_event_clear(struct fix_event *event)
{
    buf_clear(&event->joined);
}

/* ---- writing ---- */

/* Append the choices with their first one, an object, changed. */
static int add_choices(struct buf *out, const struct fix_event *e, struct str delta,
                       struct str finish, struct err *err)
{
    struct fix_patch patches[] = {{.key = STR("finish_reason"), .text = finish},
                                  {.key = STR("delta"), .text = delta}};
    size_t skip = finish.ptr ? 0 : 1;
    const char *rest = e->choice.ptr + e->choice.len, *end = e->choices.ptr + e->choices.len;

    if (buf_reserve(out, e->choices.len + delta.len, err) < 0 || buf_add(out, STR("["), err) < 0 ||
        fix_patch(out, e->choice, patches + skip, 2 - skip, err) < 0)
        return -1;
    return fix_compact(out, (struct str){rest, (size_t)(end - rest)}, err);
}

int fix_event_write(struct buf *out, const struct fix_event *e, struct str delta, struct str finish,
                    struct err *err)
{
    struct buf choices = {0};
    int rc = -1;

    if (add_choices(&choices, e, delta, finish, err) == 0) {
        struct fix_patch of_root = {.key = STR("choices"), .text = buf_str(&choices)};

        if (buf_reserve(out, e->data.len + delta.len, err) == 0 &&
            buf_add(out, STR("data: "), err) == 0 && fix_patch(out, e->data, &of_root, 1, err) == 0)
            rc = buf_add(out, STR("\n\n"), err);
    }
    buf_clear(&choices);
    return rc;
}

/* ---- queues ---- */

int fix_queue_add(struct fix_queue *q, struct str raw)
{
    struct str size = {(const char *)&raw.len, sizeof(raw.len)};
    struct err err;

    if (buf_reserve(&q->bytes, size.len + raw.len, &err) < 0)
        return -1;
    buf_put(&q->bytes, size);
    buf_put(&q->bytes, raw);
    return 0;
}

bool fix_queue_next(const struct fix_queue *q, size_t *at, struct str *raw)
{
    if (*at >= q->bytes.len)
        return false;
    memcpy(&raw->len, q->bytes.ptr + *at, sizeof(raw->len));
    raw->ptr = q->bytes.ptr + *at + sizeof(raw->len);
    *at += sizeof(raw->len) + raw->len;
    return true;
}

void fix_queue_clear(struct fix_queue *q)
{
    buf_clear(&q->bytes);
}
