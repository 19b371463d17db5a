/* requests show --part conversation: who said what. */
#include <inttypes.h>
#include <stdio.h>

#include "page.h"
#include "request_text.h"
#include "text/format.h"
#include "text/term.h"
#include "json/json_scan.h"

static void put_after(struct page *t, const char *before, const struct row *row, const char *path)
{
    size_t start = t->text.len;

    page_put(t, before);
    if (!page_member(t, row, path))
        buf_cut(&t->text, start);
}

static void end_line(struct page *t)
{
    if (t->text.len > 0 && t->text.ptr[t->text.len - 1] != '\n')
        page_put(t, "\n");
}

static void put_heading(struct page *t, const struct row *message)
{
    page_put(t, t->text.len > 0 ? "\n" : "");
    page_put(t, t->out->color ? "\x1b[1m" : "");
    if (!page_member(t, message, "role"))
        page_put(t, "(no role)");
    put_after(t, " ", message, "name");
    page_put(t, t->out->color ? "\x1b[0m\n" : "\n");
}

/* What a part is, unless it is plain text. */
static void put_label(struct page *t, const struct row *part)
{
    char size[FORMAT_SIZE];

    page_put(t, "[");
    page_member(t, part, "type");
    put_after(t, " ", part, "kind");
    put_after(t, " ", part, "name");
    put_after(t, " ", part, "id");
    put_after(t, " ", part, "tool_call_id");
    put_after(t, " ", part, "mime_type");
    put_after(t, " ", part, "url");
    put_after(t, " ", part, "file_id");
    page_put(t, row_true(part, "encrypted") ? " encrypted" : "");
    if (row_int(part, "bytes") != ROW_UNKNOWN) {
        page_put(t, " ");
        page_put(t, format_bytes_long(size, row_int(part, "bytes")));
    }
    page_put(t, "]\n");
}

static void put_part(struct page *t, const struct row *part)
{
    static const char *const texts[] = {"text", "arguments_raw", "transcript", "raw"};
    struct str type;

    if (!row_get(part, "type", &type) || !json_string_is(type, STR("text")))
        put_label(t, part);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        page_text(t, part, texts[i], TERM_MULTILINE);
    end_line(t);
}

/* Parts, and those of results. */
static void put_parts(struct page *t, const struct row *message)
{
    struct row part = {0};
    struct json_iter it, inner;
    struct str list;

    it = row_get(message, "parts", &list) ? json_iter(list) : json_iter(STR("[]"));
    while (json_next(&it)) {
        if (!row_read(&part, it.value))
            continue;
        put_part(t, &part);
        inner = row_get(&part, "content", &list) ? json_iter(list) : json_iter(STR("[]"));
        while (json_next(&inner))
            if (row_read(&part, inner.value))
                put_part(t, &part);
    }
    row_clear(&part);
}

static void put_messages(struct page *t, const struct row *all)
{
    struct row message = {0};
    struct json_iter it;
    struct str list;

    it = row_get(all, "messages", &list) ? json_iter(list) : json_iter(STR("[]"));
    while (json_next(&it)) {
        if (!row_read(&message, it.value))
            continue;
        put_heading(t, &message);
        put_parts(t, &message);
    }
    row_clear(&message);
}

/* Why there is less than expected, and how the answer ended. */
static void put_end(struct page *t, const struct row *all)
{
    struct row choice = {0};
    struct json_iter it;
    struct str list, state;

    page_put(t, "\n");
    it = row_get(all, "choices", &list) ? json_iter(list) : json_iter(STR("[]"));
    while (json_next(&it))
        if (row_read(&choice, it.value)) {
            put_after(t, "finish  ", &choice, "finish_reason");
            end_line(t);
        }
    if (row_get(all, "stream.state", &state) && !json_string_is(state, STR("complete"))) {
        put_after(t, "stream  ", all, "stream.state");
        put_after(t, " after event ", all, "stream.events");
        end_line(t);
    }
    put_after(t, "error   ", all, "error.message");
    end_line(t);
    put_after(t, "note    ", all, "notice");
    end_line(t);
    row_clear(&choice);
}

int request_conversation(struct job *job, struct str answer)
{
    struct row all = {0};
    struct page t;
    int rc;

    page_init(&t, &job->out, &job->err);
    row_read(&all, answer);
    put_messages(&t, &all);
    put_end(&t, &all);
    rc = page_print(&t);
    page_clear(&t);
    row_clear(&all);
    return rc;
}
