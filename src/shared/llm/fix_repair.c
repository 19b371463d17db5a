/* JSON with a trailing comma, without its closing brackets, or in a code fence. */
#include "llm/fix_priv.h"

#define FENCE STR("```")

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static struct str without_fence(struct str s)
{
    s = fix_trim(s);
    if (s.len < 2 * FENCE.len || !str_starts(s, FENCE) || !str_ends(s, FENCE))
        return s;
    s = (struct str){s.ptr + FENCE.len, s.len - 2 * FENCE.len};
    while (s.len > 0 && is_word(s.ptr[0])) /* the language */
        s = str_from(s, 1);
    return fix_trim(s);
}

static struct str without_comma(struct str s)
{
    struct str t = fix_trim(s);

    return t.len > 0 && t.ptr[t.len - 1] == ',' ? str_cut(t, t.len - 1) : s;
}

/* The next bracket at or behind at, outside of strings; SIZE_MAX: none is left. */
static size_t next_bracket(struct str s, size_t at)
{
    while (at < s.len) {
        char c = s.ptr[at];

        if (c == '{' || c == '[' || c == '}' || c == ']')
            return at;
        at = c == '"' ? (size_t)(json_string_end(s.ptr + at, s.ptr + s.len) - s.ptr) : at + 1;
    }
    return SIZE_MAX;
}

/* Everything up to a bracket that closes loses its last comma. */
static bool copy(struct buf *out, struct str s, char *open, size_t *depth)
{
    size_t from = 0, at = 0;
    struct err err;

    while ((at = next_bracket(s, at)) != SIZE_MAX) {
        char c = s.ptr[at];
        struct str before = {s.ptr + from, at - from};
        bool opens = c == '{' || c == '[';

        if (opens && *depth == JSON_MAX_DEPTH)
            return false;
        if (!opens && (*depth == 0 || open[--*depth] != c))
            return false;
        if (opens)
            open[(*depth)++] = c == '{' ? '}' : ']';
        if (buf_add(out, opens ? before : without_comma(before), &err) < 0 ||
            buf_add(out, (struct str){&c, 1}, &err) < 0)
            return false;
        from = ++at;
    }
    return buf_add(out, without_comma(str_from(s, from)), &err) == 0;
}

bool fix_repair(struct buf *out, struct str text, bool cut_off)
{
    char open[JSON_MAX_DEPTH];
    size_t depth = 0;
    struct str value;
    enum json_type type;
    struct err err;

    if (!copy(out, without_fence(text), open, &depth) || (cut_off && depth > 0))
        return false;
    while (depth > 0)
        if (buf_add(out, (struct str){&open[--depth], 1}, &err) < 0)
            return false;
    type = json_scan(buf_str(out), &value);
    return type == JSON_OBJECT || type == JSON_ARRAY;
}
