#include "daemon/mock/mock_priv.h"

#include "json/json.h"
#include "json/json_scan.h"

#define PROPERTIES_MAX 32
#define KEY_MAX 128
#define ENUM_MAX 256
#define WORDS 4

static enum json_type known_type(struct str value)
{
    static const struct {
        const char *name;
        enum json_type type;
    } types[] = {{"\"string\"", JSON_STRING}, {"\"integer\"", JSON_NUMBER},
                 {"\"number\"", JSON_NUMBER}, {"\"boolean\"", JSON_TRUE},
                 {"\"array\"", JSON_ARRAY},   {"\"object\"", JSON_OBJECT}};

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (str_eq(value, str_c(types[i].name)))
            return types[i].type;
    return JSON_NULL;
}

/* Of a property; "type" may be a list. What is not said is text. */
static enum json_type wanted_type(struct str property)
{
    enum json_type type = JSON_NULL;
    struct str value;
    struct json_iter it;

    if (!json_member(property, STR("type"), &value))
        return JSON_STRING;
    if (json_type_of(value) == JSON_ARRAY) {
        it = json_iter(value);
        while (type == JSON_NULL && json_next(&it))
            type = known_type(it.value);
    } else {
        type = known_type(value);
    }
    return type == JSON_NULL ? JSON_STRING : type;
}

/* The first allowed value, as JSON. */
static bool first_of_enum(struct str property, struct str *out)
{
    struct str list;
    struct json_iter it;

    if (!json_member(property, STR("enum"), &list) || json_type_of(list) != JSON_ARRAY)
        return false;
    it = json_iter(list);
    if (!json_next(&it) || it.value.len > ENUM_MAX)
        return false;
    *out = it.value;
    return true;
}

static void put_words(struct buf *out, uint64_t key)
{
    struct mock_pieces p = {.text = &mock_sentences, .key = key, .left = WORDS};
    struct str piece;

    while (mock_piece(&p, &piece))
        buf_put(out, piece);
}

/* Without quotes: the words need no escapes. */
static void put_value(struct buf *out, enum json_type type, uint64_t key)
{
    switch (type) {
    case JSON_NUMBER:
        buf_printf(out, "%u", (unsigned)(key % 100));
        break;
    case JSON_TRUE:
        buf_put(out, STR("true"));
        break;
    case JSON_ARRAY:
        buf_put(out, STR("[]"));
        break;
    case JSON_OBJECT:
        buf_put(out, STR("{}"));
        break;
    case JSON_STRING:
    case JSON_INVALID:
    case JSON_FALSE:
    case JSON_NULL:
        put_words(out, key);
        break;
    }
}

struct walk {
    struct json_iter it;
    unsigned n;
};

static bool walk_start(struct walk *w, struct str schema)
{
    struct str properties;

    *w = (struct walk){0};
    if (!schema.ptr || !json_member(schema, STR("properties"), &properties) ||
        json_type_of(properties) != JSON_OBJECT)
        return false;
    w->it = json_iter(properties);
    return true;
}

static bool walk_next(struct walk *w)
{
    while (w->n < PROPERTIES_MAX && json_next(&w->it)) {
        if (w->it.key.len > KEY_MAX || json_type_of(w->it.value) != JSON_OBJECT)
            continue;
        w->n++;
        return true;
    }
    return false;
}

void mock_arguments(struct buf *out, struct str schema, uint64_t key)
{
    struct walk w;
    bool more = walk_start(&w, schema);

    buf_put(out, STR("{"));
    while (more && walk_next(&w)) {
        enum json_type type = wanted_type(w.it.value);
        const char *quote = type == JSON_STRING ? "\"" : "";
        struct str allowed;

        buf_printf(out, "%s\"%.*s\":", w.n > 1 ? "," : "", STR_ARG(w.it.key));
        if (first_of_enum(w.it.value, &allowed)) {
            buf_put(out, allowed);
            continue;
        }
        buf_put(out, str_c(quote));
        put_value(out, type, mock_mix(key, w.n));
        buf_put(out, str_c(quote));
    }
    buf_put(out, STR("}"));
}

int mock_qwen_call(struct buf *out, struct mock_tool tool, uint64_t key, struct err *err)
{
    struct walk w;
    bool more = walk_start(&w, tool.schema);

    buf_printf(out, "<tool_call>\n<function=%.*s>\n", STR_ARG(tool.name));
    while (more && walk_next(&w)) {
        struct str allowed;

        if (memchr(w.it.key.ptr, '\\', w.it.key.len))
            continue;
        buf_printf(out, "<parameter=%.*s>\n", STR_ARG(w.it.key));
        if (!first_of_enum(w.it.value, &allowed))
            put_value(out, wanted_type(w.it.value), mock_mix(key, w.n));
        else if (json_type_of(allowed) != JSON_STRING)
            buf_put(out, allowed);
        else if (json_string(allowed, out, err) < 0)
            return -1;
        buf_put(out, STR("\n</parameter>\n"));
    }
    buf_put(out, STR("</function>\n</tool_call>"));
    return 0;
}
