#include "ops/body.h"

#include <inttypes.h>
#include <math.h>

#include "base/query.h"
#include "llm/multipart.h"
#include "json/json_scan.h"

/* More fields than any form has: what a stranger sends must stay cheap. */
#define FIELDS_MAX 256
#define INPUT_SHOWN 200

static struct str type_of(const struct call *call)
{
    return headers_get(&call->headers, STR("content-type"));
}

static void add_field(struct body *b, struct str name, struct str value)
{
    struct str key = arena_dup(&b->arena, name);
    struct buf text = {0};

    if (key.ptr && json_quote(&text, value)) {
        cJSON *item = json_parse(buf_str(&text));

        if (item)
            cJSON_AddItemToObject(b->fields, key.ptr, item);
    }
    buf_clear(&text);
}

static void read_pairs(struct body *b, struct str rest)
{
    struct str name, value;

    for (int i = 0; i < FIELDS_MAX && query_next(&rest, &name, &value); i++) {
        struct buf key = {0}, text = {0};
        struct err err;

        if (query_decode(&key, name, true, &err) == 0 &&
            query_decode(&text, value, true, &err) == 0)
            add_field(b, buf_str(&key), buf_str(&text));
        buf_clear(&key);
        buf_clear(&text);
    }
}

static void read_parts(struct body *b, struct str bytes, struct str boundary)
{
    struct multipart parts;

    if (!multipart_parse(bytes, boundary, &parts))
        return;
    for (size_t i = 0; i < parts.count; i++)
        if (parts.parts[i].name.ptr && !parts.parts[i].filename.ptr)
            add_field(b, parts.parts[i].name, parts.parts[i].content);
}

void body_json(struct body *b, const struct call *call)
{
    *b = (struct body){.fields = json_parse(call->input)};
    if (!cJSON_IsObject(b->fields)) {
        cJSON_Delete(b->fields);
        b->fields = cJSON_CreateObject();
    }
}

void body_form(struct body *b, const struct call *call)
{
    struct str boundary = multipart_boundary(type_of(call));

    *b = (struct body){.fields = cJSON_CreateObject()};
    if (boundary.ptr)
        read_parts(b, call->input, boundary);
    else if (str_ifind(type_of(call), STR("application/x-www-form-urlencoded")) >= 0)
        read_pairs(b, call->input);
}

void body_json_or_form(struct body *b, const struct call *call)
{
    if (str_ifind(type_of(call), STR("application/json")) >= 0)
        body_json(b, call);
    else
        body_form(b, call);
}

/* The input that an issue shows: JSON as it is, anything else as text. */
static void put_input(struct buf *out, const struct body *b, struct str bytes)
{
    if (b->fields && bytes.len <= INPUT_SHOWN)
        buf_put(out, bytes);
    else if (b->fields || !json_quote(out, str_cut(bytes, INPUT_SHOWN)))
        buf_put(out, STR("null"));
}

static void refuse_text(struct call *call, struct str bytes)
{
    call->status = 422;
    buf_printf(
        &call->body,
        "{\"detail\":[{\"type\":\"json_invalid\",\"loc\":[\"body\",%zu],\"msg\":\"the body is "
        "not JSON\",\"input\":{},\"ctx\":{\"error\":\"not JSON\"}}]}",
        json_scan_error(bytes));
}

static void refuse_type(struct call *call, const struct body *b, struct str bytes)
{
    call->status = 422;
    buf_put(&call->body, STR("{\"detail\":[{\"type\":\"dict_type\",\"loc\":[\"body\"],"
                             "\"msg\":\"must be a JSON object\",\"input\":"));
    put_input(&call->body, b, bytes);
    buf_put(&call->body, STR("}]}"));
}

bool body_strict(struct body *b, struct call *call)
{
    struct str type = type_of(call), bytes = call->input;

    *b = (struct body){0};
    if (str_trim(bytes).len > 0 && (type.len == 0 || str_ifind(type, STR("json")) >= 0)) {
        b->fields = json_parse(bytes);
        if (!b->fields) {
            refuse_text(call, bytes);
            return false;
        }
    }
    if (str_trim(bytes).len == 0 || cJSON_IsNull(b->fields)) {
        cJSON_Delete(b->fields);
        b->fields = cJSON_CreateObject();
    }
    if (cJSON_IsObject(b->fields))
        return true;
    refuse_type(call, b, bytes);
    body_clear(b);
    return false;
}

void body_clear(struct body *b)
{
    cJSON_Delete(b->fields);
    arena_clear(&b->arena);
    *b = (struct body){0};
}

const cJSON *body_get(const struct body *b, const char *key)
{
    const cJSON *item, *found = NULL;

    cJSON_ArrayForEach(item, b->fields)
    {
        if (strcmp(item->string, key) == 0)
            found = item;
    }
    return found;
}

static struct str number_text(struct body *b, double n)
{
    if (n == trunc(n) && fabs(n) < 1e15)
        return arena_printf(&b->arena, "%" PRId64, (int64_t)n);
    return arena_printf(&b->arena, "%.15g", n);
}

static struct str text_of(struct body *b, const char *key)
{
    const cJSON *item = key ? body_get(b, key) : NULL;

    if (cJSON_IsString(item))
        return str_c(item->valuestring);
    if (cJSON_IsTrue(item))
        return STR("True");
    if (cJSON_IsNumber(item) && item->valuedouble != 0)
        return number_text(b, item->valuedouble);
    return STR("");
}

struct str body_text(struct body *b, const char *key, const char *other)
{
    struct str text = text_of(b, key);

    return text.len > 0 ? text : text_of(b, other);
}

bool body_flag(const struct body *b, const char *key, bool fallback)
{
    const cJSON *item = body_get(b, key);

    if (!item)
        return fallback;
    if (cJSON_IsNumber(item))
        return item->valuedouble == 1;
    if (cJSON_IsString(item))
        return str_is_yes(str_c(item->valuestring));
    return cJSON_IsTrue(item);
}

bool body_value_int(const cJSON *value, int64_t *out)
{
    if (cJSON_IsString(value))
        return str_int64(str_trim(str_c(value->valuestring)), out);
    if (cJSON_IsTrue(value) || cJSON_IsFalse(value)) {
        *out = cJSON_IsTrue(value);
        return true;
    }
    if (!cJSON_IsNumber(value) || !(fabs(value->valuedouble) < 9.2e18))
        return false;
    *out = (int64_t)value->valuedouble;
    return true;
}

int body_int(const struct body *b, const char *key, int64_t *out)
{
    const cJSON *item = body_get(b, key);

    if (!item)
        return 0;
    return body_value_int(item, out) ? 1 : -1;
}

/* ---- forms ---- */

struct str form_text(const struct body *b, const char *key)
{
    const cJSON *item = body_get(b, key);

    if (!cJSON_IsString(item) || !item->valuestring[0])
        return STR_NONE;
    return str_c(item->valuestring);
}

bool form_checkbox(const struct body *b, const char *key, bool fallback)
{
    const cJSON *item;
    bool seen = false, yes = false;

    cJSON_ArrayForEach(item, b->fields)
    {
        if (strcmp(item->string, key) != 0)
            continue;
        seen = true;
        yes = yes || (cJSON_IsString(item) && strcmp(item->valuestring, "yes") == 0);
    }
    return seen ? yes : fallback;
}

/* Issues of one request stand together, in the order of the calls. */
static void note_issue(struct call *call, const char *type, const char *field, const char *msg,
                       struct str input)
{
    if (call->status == 422 && call->body.len > 2)
        buf_cut(&call->body, call->body.len - 2);
    else
        buf_put(&call->body, STR("{\"detail\":["));
    if (call->status == 422)
        buf_put(&call->body, STR(","));
    call->status = 422;
    buf_printf(&call->body,
               "{\"type\":\"%s\",\"loc\":[\"body\",\"%s\"],\"msg\":\"%s\",\"input\":", type, field,
               msg);
    if (input.ptr)
        json_quote(&call->body, str_cut(input, 200));
    else
        buf_put(&call->body, STR("null"));
    buf_put(&call->body, STR("}]}"));
}

struct str form_required(const struct body *b, struct call *call, const char *key)
{
    struct str text = form_text(b, key);

    if (!text.ptr)
        note_issue(call, "missing", key, "is required", STR_NONE);
    return text;
}

bool form_int(const struct body *b, struct call *call, const char *key, int64_t fallback,
              int64_t *out)
{
    struct str text = form_text(b, key);

    *out = fallback;
    if (!text.ptr || str_int64(str_trim(text), out))
        return true;
    note_issue(call, "int_parsing", key, "must be an integer", text);
    return false;
}
