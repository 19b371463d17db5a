#include "sse.h"

#include "llm/line_ends.h"

#define FIELD STR("data:")
#define BOM STR("\xEF\xBB\xBF")
/* What a stream may hold on to between events. */
#define IDLE_BYTES 16384

void sse_init(struct sse *sse, size_t keep_bytes, sse_event_fn *event, void *ctx)
{
    *sse = (struct sse){.event = event, .ctx = ctx, .keep_bytes = keep_bytes, .at_boundary = true};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static struct str trim_left(struct str s)
{
    size_t i = 0;

    while (i < s.len && is_blank(s.ptr[i]))
        i++;
    return str_from(s, i);
}

static struct str trim_right(struct str s)
{
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* ---- the event ---------------------------------------------------------------------------- */

/* Append to what is kept of the event, up to keep_bytes. Without memory the event is cut too. */
static void keep(struct sse *sse, struct str s)
{
    size_t room = sse->keep_bytes - sse->data.len;
    struct err err;

    if (s.len > room)
        sse->cut = true;
    if (buf_add(&sse->data, str_cut(s, room), &err) < 0)
        sse->cut = true;
}

/* The piece that whole points into goes away, or another line comes. */
static void keep_whole(struct sse *sse)
{
    if (sse->whole.ptr)
        keep(sse, sse->whole);
    sse->whole = STR_NONE;
}

/* A complete data line, trimmed; it lives until the end of the piece. */
static void add_whole_line(struct sse *sse, struct str value)
{
    if (value.len > sse->keep_bytes) {
        value.len = sse->keep_bytes;
        sse->cut = true;
    }
    if (!sse->has_data) {
        sse->whole = value;
    } else {
        keep_whole(sse);
        keep(sse, STR("\n"));
        keep(sse, value);
    }
    sse->has_data = true;
}

/* The data line that was collected from several pieces. */
static void add_collected_line(struct sse *sse)
{
    struct str value = sse->line_cut ? buf_str(&sse->line) : trim_right(buf_str(&sse->line));

    if (sse->line_cut)
        sse->cut = true;
    if (!sse->has_data) { /* it becomes the event, without a copy */
        struct buf swapped = sse->data;

        sse->data = sse->line;
        buf_cut(&sse->data, value.len);
        sse->line = swapped;
    } else {
        keep_whole(sse);
        keep(sse, STR("\n"));
        keep(sse, value);
    }
    sse->has_data = true;
    buf_cut(&sse->line, 0);
    sse->line_cut = false;
}

static void end_event(struct sse *sse)
{
    struct str data = sse->whole.ptr ? sse->whole : buf_str(&sse->data);
    bool had = sse->has_data, cut = sse->cut;

    sse->has_data = sse->cut = false;
    if (had && !cut && str_eq(data, STR("[DONE]")))
        sse->done = true;
    else if (had && (data.len > 0 || cut))
        sse->event(sse->ctx, data, cut);
    sse->whole = STR_NONE;
    if (sse->data.cap > IDLE_BYTES)
        buf_clear(&sse->data);
    buf_cut(&sse->data, 0);
}

/* ---- lines in pieces ---------------------------------------------------------------------- */

/* Collect more of a data line: blanks in front are not kept, and blanks behind what is kept do not
 * count as lost, so that the result is the same for every way of cutting. */
static void collect(struct sse *sse, struct str s)
{
    size_t room;
    struct err err;

    if (sse->line.len == 0)
        s = trim_left(s);
    if (s.len == 0 || sse->line_cut)
        return;
    room = sse->keep_bytes - sse->line.len;
    if (buf_add(&sse->line, str_cut(s, room), &err) < 0 || trim_left(str_from(s, room)).len > 0)
        sse->line_cut = true;
}

/* A part of a line that is not complete in this piece. */
static void add_part(struct sse *sse, struct str s)
{
    if (sse->state == SSE_LINE_START && s.len > 0) {
        sse->prefix = 0;
        sse->state = s.ptr[0] == FIELD.ptr[0] ? SSE_LINE_PREFIX : SSE_LINE_BLANK;
    }
    while (sse->state == SSE_LINE_PREFIX && s.len > 0) {
        if (s.ptr[0] != FIELD.ptr[sse->prefix]) {
            sse->state = SSE_LINE_SKIP;
            return;
        }
        s = str_from(s, 1);
        if (++sse->prefix == FIELD.len)
            sse->state = SSE_LINE_DATA;
    }
    if (sse->state == SSE_LINE_BLANK && trim_left(s).len > 0)
        sse->state = SSE_LINE_SKIP;
    else if (sse->state == SSE_LINE_DATA)
        collect(sse, s);
}

/* A whole line, seen from its first to its last byte. */
static void add_line(struct sse *sse, struct str line)
{
    if (str_starts(line, FIELD))
        add_whole_line(sse, trim_right(trim_left(str_from(line, FIELD.len))));
    else if (trim_left(line).len == 0)
        end_event(sse);
}

static void end_line(struct sse *sse, struct str last)
{
    bool blank = false;

    if (sse->state == SSE_LINE_START) {
        blank = trim_left(last).len == 0;
        add_line(sse, last);
    } else {
        add_part(sse, last);
        blank = sse->state == SSE_LINE_BLANK;
        if (sse->state == SSE_LINE_DATA)
            add_collected_line(sse);
        else if (blank)
            end_event(sse);
    }
    sse->state = SSE_LINE_START;
    sse->at_boundary = blank;
}

/* ---- pieces ------------------------------------------------------------------------------- */

/* Take the byte order mark off the first bytes. False while it may still go on. */
static bool skip_mark(struct sse *sse, struct str *bytes)
{
    while (sse->prefix < BOM.len) {
        if (bytes->len == 0)
            return false;
        if (bytes->ptr[0] != BOM.ptr[sse->prefix])
            break;
        *bytes = str_from(*bytes, 1);
        sse->prefix++;
    }
    sse->started = true;
    /* The start of a mark that was none belongs to the first line. */
    if (sse->prefix < BOM.len && sse->prefix > 0)
        add_part(sse, str_cut(BOM, sse->prefix));
    return true;
}

void sse_feed(struct sse *sse, struct str bytes)
{
    struct line_ends ends = {0};
    const char *p, *end;

    if (bytes.len == 0 || (!sse->started && !skip_mark(sse, &bytes)))
        return;
    end = bytes.ptr + bytes.len;
    for (p = bytes.ptr; p < end;) {
        const char *stop;

        if (sse->last_was_cr) {
            sse->last_was_cr = false;
            if (*p == '\n') {
                p++;
                continue;
            }
        }
        stop = line_ends_next(&ends, p, end);
        if (stop == end) {
            add_part(sse, (struct str){p, (size_t)(end - p)});
            sse->at_boundary = false;
            break;
        }
        end_line(sse, (struct str){p, (size_t)(stop - p)});
        sse->last_was_cr = *stop == '\r';
        p = stop + 1;
    }
    keep_whole(sse);
}

void sse_finish(struct sse *sse)
{
    bool boundary = sse->at_boundary;

    if (sse->state != SSE_LINE_START)
        end_line(sse, STR(""));
    end_event(sse);
    sse->at_boundary = boundary;
}

void sse_clear(struct sse *sse)
{
    buf_clear(&sse->data);
    buf_clear(&sse->line);
    *sse = (struct sse){.event = sse->event, .ctx = sse->ctx, .keep_bytes = sse->keep_bytes};
}
