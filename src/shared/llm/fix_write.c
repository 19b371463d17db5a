#include "llm/fix_priv.h"
#include "json/json.h"

struct str fix_trim(struct str s)
{
    while (s.len > 0 && fix_blank(s.ptr[0]))
        s = str_from(s, 1);
    while (s.len > 0 && fix_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

int fix_quote(struct buf *out, struct str text, struct err *err)
{
    if (json_quote(out, text))
        return 0;
    return err_set(err, ERR_NO_MEMORY, "no memory for a text of %zu bytes", text.len);
}

static int add_unescaped(struct buf *out, struct str raw, struct err *err)
{
    struct buf text = {0};
    int rc = json_string(raw, &text, err);

    if (rc == 0)
        rc = fix_quote(out, buf_str(&text), err);
    buf_clear(&text);
    return rc;
}

static bool has_blanks(struct str s)
{
    return str_chr(s, ' ') >= 0 || str_chr(s, '\n') >= 0 || str_chr(s, '\r') >= 0 ||
           str_chr(s, '\t') >= 0;
}

static bool is_json_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Blanks between tokens are left out, everything else is copied in runs. */
static int copy(struct buf *out, struct str value, bool clean, struct err *err)
{
    const char *p = value.ptr, *end = p + value.len, *from = p;
    int rc = 0;

    if (!clean && !has_blanks(value))
        return buf_add(out, value, err);
    while (rc == 0 && p < end) {
        const char *token = p;
        struct str raw;

        if (*p == '"')
            p = json_string_end(p, end);
        else
            p++;
        raw = (struct str){token, (size_t)(p - token)};
        if (clean && *token == '"' && str_chr(raw, '\\') >= 0) {
            if (buf_add(out, (struct str){from, (size_t)(token - from)}, err) < 0)
                return -1;
            rc = add_unescaped(out, raw, err);
            from = p;
        } else if (is_json_blank(*token)) {
            rc = buf_add(out, (struct str){from, (size_t)(token - from)}, err);
            from = p;
        }
    }
    return rc < 0 ? -1 : buf_add(out, (struct str){from, (size_t)(end - from)}, err);
}

int fix_compact(struct buf *out, struct str value, struct err *err)
{
    return copy(out, value, false, err);
}

int fix_clean(struct buf *out, struct str value, struct err *err)
{
    return copy(out, value, true, err);
}

static struct fix_patch *patch_of(struct fix_patch *patches, size_t count, struct str key)
{
    for (size_t i = 0; i < count; i++)
        if (json_key_is(key, patches[i].key))
            return &patches[i];
    return NULL;
}

/* Of an object that begins at start. */
static int add_comma(struct buf *out, size_t start, struct err *err)
{
    return buf_add(out, out->len > start ? STR(",") : STR("{"), err);
}

static int add_patched(struct buf *out, struct str key, struct str text, size_t start,
                       struct err *err)
{
    if (add_comma(out, start, err) < 0 || buf_add(out, STR("\""), err) < 0 ||
        buf_add(out, key, err) < 0 || buf_add(out, STR("\":"), err) < 0)
        return -1;
    return buf_add(out, text, err);
}

/* Members that stay, from the quote of the first key to the end of the last value. */
static int add_run(struct buf *out, struct str *run, size_t start, struct err *err)
{
    struct str members = *run;

    *run = STR_NONE;
    if (!members.ptr)
        return 0;
    return add_comma(out, start, err) < 0 ? -1 : fix_compact(out, members, err);
}

/* Of equal keys the last one counts. 1: that was not known to be another one, so that too much was
 * written; now it is. */
static int add_members(struct buf *out, struct str object, struct fix_patch *patches, size_t count,
                       struct err *err)
{
    struct json_iter it = json_iter(object);
    struct str run = STR_NONE;
    size_t start = out->len;
    int rc = 0;

    while (json_next(&it)) {
        struct fix_patch *p = patch_of(patches, count, it.key);

        if (!p) {
            if (!run.ptr)
                run.ptr = it.key.ptr - 1;
            run.len = (size_t)(it.value.ptr + it.value.len - run.ptr);
            continue;
        }
        if (add_run(out, &run, start, err) < 0)
            return -1;
        if (p->at.ptr && it.value.ptr < p->at.ptr)
            continue;
        if (p->at.ptr && it.value.ptr > p->at.ptr)
            rc = 1;
        p->at = it.value;
        if (rc == 0 && p->text.ptr && add_patched(out, it.key, p->text, start, err) < 0)
            return -1;
    }
    return add_run(out, &run, start, err) < 0 ? -1 : rc;
}

int fix_patch(struct buf *out, struct str object, struct fix_patch *patches, size_t count,
              struct err *err)
{
    size_t start = out->len;
    int rc;

    for (size_t i = 0; i < count; i++)
        patches[i].at = STR_NONE;
    rc = add_members(out, object, patches, count, err);
    if (rc > 0) {
        buf_cut(out, start);
        rc = add_members(out, object, patches, count, err);
    }
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (patches[i].text.ptr && !patches[i].at.ptr)
            rc = add_patched(out, patches[i].key, patches[i].text, start, err);
    return rc < 0 ? -1 : buf_add(out, out->len > start ? STR("}") : STR("{}"), err);
}

struct str fix_choose(struct str first, struct str second)
{
    bool one = json_type_of(first) == JSON_STRING, other = json_type_of(second) == JSON_STRING;

    if (one && (json_string_filled(first) || !other || !json_string_filled(second)))
        return first;
    return other ? second : STR_NONE;
}

struct str fix_reasoning(struct str object)
{
    struct str named = STR_NONE, plain = STR_NONE;

    (void)json_member(object, STR("reasoning_content"), &named);
    (void)json_member(object, STR("reasoning"), &plain);
    return fix_choose(named, plain);
}

static bool is_zero(struct str number)
{
    for (size_t i = 0; i < number.len; i++) {
        if (number.ptr[i] == 'e' || number.ptr[i] == 'E')
            break;
        if (number.ptr[i] >= '1' && number.ptr[i] <= '9')
            return false;
    }
    return true;
}

static bool is_empty(struct str container)
{
    struct json_iter it = json_iter(container);

    return !json_next(&it);
}

bool fix_truthy(struct str value)
{
    switch (json_type_of(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return !is_empty(value);
    case JSON_STRING:
        return value.len > 2;
    case JSON_NUMBER:
        return !is_zero(value);
    case JSON_TRUE:
        return true;
    case JSON_FALSE:
    case JSON_NULL:
    case JSON_INVALID:
        break;
    }
    return false;
}

bool fix_has_text(struct str value)
{
    size_t i = 1, len;

    if (json_type_of(value) != JSON_STRING)
        return false;
    while (i + 1 < value.len) {
        struct str rest = str_from(value, i);
        int32_t code = (unsigned char)rest.ptr[0];

        len = 1;
        if (rest.ptr[0] == '\\')
            code = json_unescape(rest, &len);
        if (code < 0 || code > ' ' || !fix_blank((char)code))
            return true;
        i += len;
    }
    return false;
}

bool fix_has_content(struct str value)
{
    switch (json_type_of(value)) {
    case JSON_STRING:
        return fix_has_text(value);
    case JSON_ARRAY:
        return !is_empty(value);
    case JSON_NULL:
    case JSON_INVALID:
        return false;
    case JSON_OBJECT:
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE:
        break;
    }
    return true;
}
