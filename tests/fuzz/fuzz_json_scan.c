/* json_scan() against a slow, plain reading of RFC 8259; then everything that builds on it. */
#include "fuzz.h"

#include <string.h>

#include "utf8.h"
#include "json/json.h"
#include "json/json_index.h"

/* ---- the plain reading -------------------------------------------------------------------- */

struct plain {
    const char *p, *end;
    int depth;
};

static void blanks(struct plain *s)
{
    while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
        s->p++;
}

static bool one(struct plain *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool digits(struct plain *s)
{
    const char *from = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > from;
}

static bool number(struct plain *s)
{
    one(s, '-');
    if (!one(s, '0') && !digits(s))
        return false;
    if (one(s, '.') && !digits(s))
        return false;
    if (one(s, 'e') || one(s, 'E')) {
        if (!one(s, '+'))
            one(s, '-');
        return digits(s);
    }
    return true;
}

static bool string(struct plain *s)
{
    if (!one(s, '"'))
        return false;
    while (s->p < s->end) {
        char c = *s->p++;

        if (c == '"')
            return true;
        if ((unsigned char)c < 0x20)
            return false;
        if (c != '\\')
            continue;
        if (s->p == s->end)
            return false;
        c = *s->p++;
        if (c == 'u') {
            for (int i = 0; i < 4; i++, s->p++)
                if (s->p == s->end || !*s->p || !strchr("0123456789abcdefABCDEF", *s->p))
                    return false;
        } else if (!c || !strchr("\"\\/bfnrt", c)) {
            return false;
        }
    }
    return false;
}

static bool word(struct plain *s, const char *text)
{
    while (*text)
        if (!one(s, *text++))
            return false;
    return true;
}

static bool value(struct plain *s);

static bool members(struct plain *s, bool object, char close)
{
    blanks(s);
    if (one(s, close))
        return true;
    do {
        blanks(s);
        if (object) {
            if (!string(s))
                return false;
            blanks(s);
            if (!one(s, ':'))
                return false;
        }
        if (!value(s))
            return false;
        blanks(s);
    } while (one(s, ','));
    return one(s, close);
}

static bool value(struct plain *s)
{
    bool ok;

    blanks(s);
    if (s->p == s->end)
        return false;
    switch (*s->p) {
    case '{':
    case '[':
        if (++s->depth > JSON_MAX_DEPTH)
            return false;
        ok = *s->p++ == '{' ? members(s, true, '}') : members(s, false, ']');
        s->depth--;
        return ok;
    case '"':
        return string(s);
    case 't':
        return word(s, "true");
    case 'f':
        return word(s, "false");
    case 'n':
        return word(s, "null");
    default:
        return number(s);
    }
}

static bool is_json(struct str text)
{
    struct plain s = {text.ptr, text.ptr + text.len, 0};

    if (!utf8_valid(text))
        return false;
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        s.p += 3;
    if (!value(&s))
        return false;
    blanks(&s);
    return s.p == s.end;
}

/* ---- what must hold ----------------------------------------------------------------------- */

/* Ranges of the iterator are values themselves and lie inside, one behind the other. */
static void check_members(struct str text)
{
    struct json_iter it = json_iter(text);
    const char *from = text.ptr;
    struct str range, key;

    while (json_next(&it)) {
        REQUIRE(it.value.ptr > from && it.value.ptr + it.value.len < text.ptr + text.len);
        REQUIRE(json_scan(it.value, &range) != JSON_INVALID && str_eq(range, it.value));
        if (it.object) {
            key = (struct str){it.key.ptr - 1, it.key.len + 2};
            REQUIRE(json_scan(key, &range) == JSON_STRING && range.len == key.len);
        }
        from = it.value.ptr + it.value.len - 1;
    }
}

static void check_index(struct str text)
{
    struct json_index index = {0}, again = {0};
    struct buf pretty = {.limit = text.len * 64 + 4096}, twice = {.limit = text.len * 64 + 4096};
    struct err err;

    REQUIRE(json_index(&index, text, &err) == 0);
    for (size_t i = 0; i < index.count; i++) {
        const struct json_node *n = &index.nodes[i];

        REQUIRE(n->start < n->end && n->end <= index.text.len && n->next > i &&
                n->next <= index.count);
    }
    if (json_pretty(&pretty, &index, 0, 0, &err) == 0) {
        REQUIRE(json_index(&again, buf_str(&pretty), &err) == 0);
        REQUIRE(json_pretty(&twice, &again, 0, 0, &err) == 0);
        REQUIRE(str_eq(buf_str(&pretty), buf_str(&twice)));
    }
    buf_clear(&pretty);
    buf_clear(&twice);
    json_index_clear(&index);
    json_index_clear(&again);
}

static void check_strings(struct str text)
{
    struct buf decoded = {0}, quoted = {0};
    struct str range;
    struct err err;

    REQUIRE(json_string(text, &decoded, &err) == 0);
    REQUIRE(utf8_valid(buf_str(&decoded)));
    REQUIRE(json_string_is(text, buf_str(&decoded)));
    REQUIRE(json_string_filled(text) == (decoded.len > 0));
    REQUIRE(json_quote(&quoted, buf_str(&decoded)));
    REQUIRE(json_scan(buf_str(&quoted), &range) == JSON_STRING);
    REQUIRE(json_string_is(range, buf_str(&decoded)));
    buf_clear(&decoded);
    buf_clear(&quoted);
}

static void walk_lax(struct str text, int levels)
{
    struct json_iter it = json_iter(text);
    struct buf out = {0};
    struct err err;

    while (json_next_lax(&it)) {
        json_key_is(it.key, STR("model"));
        json_key_compare(it.key, STR("\\u0061b"));
        json_string_is(it.value, STR("x"));
        if (json_type_of(it.value) == JSON_STRING)
            json_string(it.value, &out, &err);
        if (levels > 0)
            walk_lax(it.value, levels - 1);
    }
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size}, range = STR_NONE;
    enum json_type type = json_scan(text, &range);
    struct buf quoted = {0};
    cJSON *tree;

    REQUIRE((type != JSON_INVALID) == is_json(text));
    walk_lax(text, 3);
    REQUIRE(json_quote(&quoted, text) && is_json(buf_str(&quoted)));
    buf_clear(&quoted);
    if (type == JSON_INVALID)
        return 0;
    REQUIRE(json_type_of(range) == type);
    check_members(range);
    check_index(range);
    if (type == JSON_STRING)
        check_strings(range);
    tree = json_parse(text);
    REQUIRE(tree);
    cJSON_Delete(tree);
    return 0;
}
