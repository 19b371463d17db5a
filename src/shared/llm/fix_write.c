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

static int add_string(struct buf *out, struct str raw, bool clean, struct err *err)
{
    struct buf text = {0};
    int rc;

    if (!clean || str_chr(raw, '\\') < 0)
        return buf_add(out, raw, err);
    rc = json_string(raw, &text, err);
    if (rc == 0)
        rc = fix_quote(out, buf_str(&text), err);
    buf_clear(&text);
    return rc;
}

static bool is_json_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Everything but strings is copied in runs without blanks. */
static int copy(struct buf *out, struct str value, bool clean, struct err *err)
{
    const char *p = value.ptr, *end = p + value.len, *from;
    int rc = 0;

    while (rc == 0 && p < end) {
        from = p;
        if (*p == '"') {
            p = json_string_end(p, end);
            rc = add_string(out, (struct str){from, (size_t)(p - from)}, clean, err);
            continue;
        }
        while (p < end && *p != '"' && !is_json_blank(*p))
            p++;
        rc = buf_add(out, (struct str){from, (size_t)(p - from)}, err);
        while (p < end && is_json_blank(*p))
            p++;
    }
    return rc;
}

int fix_compact(struct buf *out, struct str value, struct err *err)
{
    return copy(out, value, false, err);
}

int fix_clean(struct buf *out, struct str value, struct err *err)
{
    return copy(out, value, true, err);
}

static int add_member(struct buf *out, struct str key, struct str value, bool *first,
                      struct err *err)
{
    int rc = *first ? 0 : buf_add(out, STR(","), err);

    *first = false;
    if (rc < 0 || buf_add(out, STR("\""), err) < 0 || buf_add(out, key, err) < 0 ||
        buf_add(out, STR("\":"), err) < 0)
        return -1;
    return fix_compact(out, value, err);
}

static struct fix_patch *patch_of(struct fix_patch *patches, size_t count, struct str key)
{
    for (size_t i = 0; i < count; i++)
        if (json_key_is(key, patches[i].key))
            return &patches[i];
    return NULL;
}

int fix_patch(struct buf *out, struct str object, struct fix_patch *patches, size_t count,
              struct err *err)
{
    struct json_iter it = json_iter(object);
    struct fix_patch *p;
    bool first = true;

    for (size_t i = 0; i < count; i++)
        patches[i].at = STR_NONE;
    while (json_next(&it))
        if ((p = patch_of(patches, count, it.key)))
            p->at = it.value; /* of equal keys the last one counts */
    if (buf_add(out, STR("{"), err) < 0)
        return -1;
    it = json_iter(object);
    while (json_next(&it)) {
        p = patch_of(patches, count, it.key);
        if (p && (!p->text.ptr || p->at.ptr != it.value.ptr))
            continue;
        if (add_member(out, it.key, p ? p->text : it.value, &first, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < count; i++)
        if (patches[i].text.ptr && !patches[i].at.ptr &&
            add_member(out, patches[i].key, patches[i].text, &first, err) < 0)
            return -1;
    return buf_add(out, STR("}"), err);
}

int fix_replace(struct buf *out, struct str list, size_t at, struct str text, struct err *err)
{
    struct json_iter it = json_iter(list);

    if (buf_add(out, STR("["), err) < 0)
        return -1;
    for (size_t i = 0; json_next(&it); i++) {
        if (i > 0 && buf_add(out, STR(","), err) < 0)
            return -1;
        if (fix_compact(out, i == at ? text : it.value, err) < 0)
            return -1;
    }
    return buf_add(out, STR("]"), err);
}

struct str fix_reasoning(struct str object)
{
    static const char *const names[] = {"reasoning_content", "reasoning"};
    struct str found = STR_NONE, value;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!json_member(object, str_c(names[i]), &value) || json_type_of(value) != JSON_STRING)
            continue;
        if (json_string_filled(value))
            return value;
        if (!found.ptr)
            found = value;
    }
    return found;
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
