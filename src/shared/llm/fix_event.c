#include "llm/fix_priv.h"

/* ---- reading ---- */

/* Without its end: LF, CRLF or CR. */
static struct str take_line(struct str *rest)
{
    size_t i = 0;
    struct str line;

    while (i < rest->len && rest->ptr[i] != '\n' && rest->ptr[i] != '\r')
        i++;
    line = str_cut(*rest, i);
    if (i + 1 < rest->len && rest->ptr[i] == '\r' && rest->ptr[i + 1] == '\n')
        i++;
    *rest = str_from(*rest, i + 1);
    return line;
}

/* One data line is borrowed, several are joined. */
static bool read_data(struct fix_event *e)
{
    struct str rest = e->raw, line;
    struct err err;
    size_t count = 0;

    if (str_starts(rest, STR("\xEF\xBB\xBF")))
        rest = str_from(rest, 3);
    e->data = STR("");
    while (rest.len > 0) {
        line = take_line(&rest);
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

static bool text_in(struct str delta)
{
    static const char *const names[] = {"content", "reasoning_content", "reasoning"};
    struct str value;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (json_member(delta, str_c(names[i]), &value) && fix_has_text(value))
            return true;
    return false;
}

static void read_choice(struct fix_event *e, struct str choice, bool first)
{
    struct str delta, value;

    if (json_type_of(choice) != JSON_OBJECT)
        return;
    if (first) {
        e->choice = choice;
        if (json_member(choice, STR("finish_reason"), &value) && json_type_of(value) == JSON_STRING)
            e->finish = value;
    }
    if (!json_member(choice, STR("delta"), &delta) || json_type_of(delta) != JSON_OBJECT)
        return;
    if (first)
        e->delta = delta;
    if (json_member(delta, STR("tool_calls"), &value) && fix_truthy(value))
        e->calls = true;
    e->text = e->text || text_in(delta);
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

int fix_event_write(struct buf *out, const struct fix_event *e, struct str delta, struct str finish,
                    struct err *err)
{
    struct fix_patch of_choice[] = {{.key = STR("finish_reason"), .text = finish},
                                    {.key = STR("delta"), .text = delta}};
    struct fix_patch *from = finish.ptr ? of_choice : of_choice + 1;
    struct buf choice = {0}, choices = {0};
    int rc = -1;

    if (fix_patch(&choice, e->choice, from, finish.ptr ? 2 : 1, err) == 0 &&
        fix_replace(&choices, e->choices, 0, buf_str(&choice), err) == 0) {
        struct fix_patch of_root = {.key = STR("choices"), .text = buf_str(&choices)};

        if (buf_add(out, STR("data: "), err) == 0 && fix_patch(out, e->data, &of_root, 1, err) == 0)
            rc = buf_add(out, STR("\n\n"), err);
    }
    buf_clear(&choice);
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
