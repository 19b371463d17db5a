#include "facts.h"

#include "utf8.h"
#include "json/json_scan.h"

/* How much of a text body stands in for a message that is missing. */
#define EXCERPT_CHARS 200
/* A message of an upstream is shown in lists: what it wrote beyond this is in the body. */
#define MESSAGE_BYTES 4096
#define NAME_BYTES 256

/* The last member of that name; the text may be cut off, so it is walked with care. */
static struct str member(struct str value, struct str name)
{
    struct json_iter it = json_iter(value);
    struct str found = STR_NONE;

    while (it.object && json_next_lax(&it))
        if (json_key_is(it.key, name))
            found = it.value;
    return found;
}

/* The decoded text of a string, at most max bytes of it; STR_NONE for other values. */
static struct str text_of(struct str value, struct arena *arena, size_t max)
{
    struct buf text = {0}, clean = {0};
    struct str out = STR_NONE;
    struct err err;

    if (json_type_of(value) != JSON_STRING)
        return STR_NONE;
    value = str_cut(value, max * 6 + 2); /* an escape is six bytes for one, at most */
    if (json_string(value, &text, &err) == 0 && utf8_repair(&clean, buf_str(&text), &err) == 0)
        out = arena_dup(arena, utf8_cut(buf_str(&clean), max));
    buf_clear(&text);
    buf_clear(&clean);
    return out;
}

static struct str filled_text(struct str value, struct arena *arena, size_t max)
{
    struct str out = text_of(value, arena, max);

    return out.len > 0 ? out : STR_NONE;
}

/* A code is a text or a number. */
static struct str code_of(struct str value, struct arena *arena)
{
    if (json_type_of(value) == JSON_NUMBER)
        return arena_dup(arena, str_cut(value, NAME_BYTES));
    return filled_text(value, arena, NAME_BYTES);
}

/* error is an object, or a text. A message is always given: what is listed as failed says why. */
static bool read_error(struct str error, struct arena *arena, struct upstream_error *out)
{
    struct upstream_error e = {.message = filled_text(error, arena, MESSAGE_BYTES)};

    if (json_type_of(error) == JSON_OBJECT) {
        e.type = filled_text(member(error, STR("type")), arena, NAME_BYTES);
        if (!e.type.ptr)
            e.type = filled_text(member(error, STR("status")), arena, NAME_BYTES);
        e.code = code_of(member(error, STR("code")), arena);
        e.message = filled_text(member(error, STR("message")), arena, MESSAGE_BYTES);
    }
    if (!e.message.ptr)
        e.message = e.code.ptr ? e.code : e.type;
    if (!e.message.ptr)
        return false;
    *out = e;
    return true;
}

static bool read_object(struct str object, struct arena *arena, struct upstream_error *out)
{
    struct str type = member(object, STR("type"));

    if (read_error(member(object, STR("error")), arena, out))
        return true;
    if (json_string_is(type, STR("response.failed")))
        return read_error(member(member(object, STR("response")), STR("error")), arena, out);
    return json_string_is(type, STR("error")) && read_error(object, arena, out);
}

bool facts_error_in_json(struct str json, struct arena *arena, struct upstream_error *out)
{
    struct str value;
    struct json_iter it;

    if (json_scan(json, &value) == JSON_INVALID)
        value = str_trim(json); /* maybe the start of an event that was cut */
    if (json_type_of(value) == JSON_ARRAY) {
        it = json_iter(value);
        if (!json_next_lax(&it))
            return false;
        value = it.value;
    }
    return json_type_of(value) == JSON_OBJECT && read_object(value, arena, out);
}

static bool is_text_type(struct str content_type)
{
    static const char *const binary[] = {
        "image/", "audio/", "video/", "font/", "application/octet-stream", "multipart/"};

    for (size_t i = 0; i < sizeof(binary) / sizeof(*binary); i++)
        if (str_istarts(str_trim(content_type), str_c(binary[i])))
            return false;
    return true;
}

/* The first characters of a body that is text; STR_NONE of one that is not, or blank. */
static struct str excerpt(struct str body, struct str content_type, struct arena *arena)
{
    struct buf clean = {0};
    struct str text, out = STR_NONE;
    size_t len = 0, one;
    struct err err;

    body = str_trim(str_cut(body, 65536));
    if (!is_text_type(content_type) || str_chr(body, '\0') >= 0)
        return STR_NONE;
    if (utf8_repair(&clean, str_cut(body, EXCERPT_CHARS * 4), &err) == 0) {
        text = buf_str(&clean);
        for (size_t chars = 0; chars < EXCERPT_CHARS && len < text.len; chars++) {
            utf8_next(str_from(text, len), &one);
            len += one;
        }
        if (len > 0)
            out = arena_dup(arena, str_cut(text, len));
    }
    buf_clear(&clean);
    return out;
}

bool facts_error_in_body(struct str body, struct str content_type, int64_t status,
                         struct arena *arena, struct upstream_error *out)
{
    struct str value, message = STR_NONE;

    if (facts_error_in_json(body, arena, out))
        return true;
    if (status < 400)
        return false;
    if (json_scan(body, &value) == JSON_OBJECT) {
        message = filled_text(member(value, STR("detail")), arena, MESSAGE_BYTES);
        if (!message.ptr)
            message = filled_text(member(value, STR("message")), arena, MESSAGE_BYTES);
    }
    if (!message.ptr)
        message = excerpt(body, content_type, arena);
    if (!message.ptr)
        return false;
    *out = (struct upstream_error){.message = message};
    return true;
}
