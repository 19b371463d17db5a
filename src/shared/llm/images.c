#include "images.h"

#include <stdlib.h>

#include "llm/keys.h"

/* ---- the list ----------------------------------------------------------------------------- */

#define SLOTS (2 * IMAGES_MAX) /* a power of two */

struct finder {
    const struct json_index *json;
    struct arena *arena;
    struct images *out;
    size_t max, cap;
    struct {
        uint64_t hash;
        size_t number; /* of the image, from 1; 0: free */
    } seen[SLOTS];
};

static uint64_t hash_text(uint64_t hash, struct str s)
{
    uint64_t word;

    for (; s.len >= sizeof(word); s = str_from(s, sizeof(word))) {
        memcpy(&word, s.ptr, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.ptr[i]) * UINT64_C(0x100000001B3);
    return hash ^ hash >> 29;
}

static bool same_source(const struct image *a, const struct image *b)
{
    return str_eq(a->head, b->head) && str_eq(a->data_base64, b->data_base64);
}

/* True when it was not there before. */
static bool remember(struct finder *f, const struct image *image)
{
    uint64_t hash = hash_text(hash_text(1469598103934665603u, image->head), image->data_base64);
    size_t slot = hash % SLOTS;

    for (; f->seen[slot].number; slot = (slot + 1) % SLOTS)
        if (f->seen[slot].hash == hash &&
            same_source(&f->out->items[f->seen[slot].number - 1], image))
            return false;
    f->seen[slot].hash = hash;
    f->seen[slot].number = f->out->count + 1;
    return true;
}

static bool make_room(struct finder *f)
{
    size_t cap = f->cap ? f->cap * 2 : 4;
    struct image *grown;

    if (f->out->count < f->cap)
        return true;
    grown = arena_alloc(f->arena, cap * sizeof(*grown));
    if (!grown)
        return false;
    if (f->out->count > 0)
        memcpy(grown, f->out->items, f->out->count * sizeof(*grown));
    f->out->items = grown;
    f->cap = cap;
    return true;
}

static void add(struct finder *f, const struct image *image)
{
    if (f->out->count < f->max && make_room(f) && remember(f, image))
        f->out->items[f->out->count++] = *image;
}

/* Afterwards, so that sources were compared whole. */
static void omit_large(struct images *images, struct arena *arena)
{
    for (size_t i = 0; i < images->count; i++) {
        struct image *image = &images->items[i];

        if (image->data_base64.len <= IMAGES_MAX_BYTES)
            continue;
        if (str_eq(image->kind, STR(IMAGE_DATA_URL)))
            image->head = arena_printf(arena, "data:%.*s;base64,(%zu bytes omitted)",
                                       STR_ARG(image->mime_type), image->data_base64.len);
        image->data_base64 = STR_NONE;
    }
}

/* ---- data URLs ---------------------------------------------------------------------------- */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Strict standard base64 of at least one byte. */
static bool is_base64(struct str s)
{
    size_t len = s.len;

    if (len == 0 || len % 4 != 0)
        return false;
    for (int pad = 0; pad < 2 && s.ptr[len - 1] == '='; pad++)
        len--;
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(s.ptr[i]) && s.ptr[i] != '+' && s.ptr[i] != '/')
            return false;
    return true;
}

/* image/<subtype> */
static bool is_image_type(struct str type)
{
    if (!str_istarts(type, STR("image/")) || type.len == 6)
        return false;
    for (size_t i = 6; i < type.len; i++)
        if (!is_alnum(type.ptr[i]) && !strchr(".+-", type.ptr[i]))
            return false;
    return true;
}

static bool read_data_url(struct str s, struct image *out)
{
    ptrdiff_t comma = str_chr(s, ',');
    struct str head, type;

    if (comma < 0 || !str_istarts(s, STR("data:")))
        return false;
    head = str_cut(s, (size_t)comma);
    if (head.len < 7 || !str_ieq(str_from(head, head.len - 7), STR(";base64")))
        return false;
    head = str_from(str_cut(head, head.len - 7), 5);
    str_split(&head, ';', &type);
    if (!is_image_type(type))
        return false;
    for (struct str parameter; str_split(&head, ';', &parameter);)
        if (str_chr(parameter, '=') < 1)
            return false;
    *out = (struct image){.kind = STR(IMAGE_DATA_URL),
                          .mime_type = type,
                          .head = str_cut(s, (size_t)comma + 1),
                          .data_base64 = str_from(s, (size_t)comma + 1)};
    return is_base64(out->data_base64);
}

/* ---- JSON --------------------------------------------------------------------------------- */

/* The text of a string node: borrowed where it has no escapes. STR_NONE for other values. */
static struct str text_of(struct finder *f, size_t node)
{
    struct str value = node ? json_index_value(f->json, node) : STR_NONE, out;
    struct buf text = {0};
    struct err err;

    if (json_type_of(value) != JSON_STRING)
        return STR_NONE;
    out = (struct str){value.ptr + 1, value.len - 2};
    if (str_chr(out, '\\') < 0)
        return out;
    out = json_string(value, &text, &err) == 0 ? arena_dup(f->arena, buf_str(&text)) : STR_NONE;
    buf_clear(&text);
    return out;
}

static void add_candidate(struct finder *f, size_t node)
{
    struct str s = text_of(f, node);
    struct image image;

    if (!s.ptr)
        return;
    if (read_data_url(s, &image)) {
        add(f, &image);
    } else if (str_istarts(s, STR("http://")) || str_istarts(s, STR("https://"))) {
        image = (struct image){.kind = STR(IMAGE_URL), .head = s};
        add(f, &image);
    }
}

/* {"type":"base64","media_type":...,"data":...} or {"type":"url","url":...} */
static void add_source(struct finder *f, size_t node)
{
    struct image image = {.kind = STR(IMAGE_DATA_URL)};
    struct members m;
    struct str type;

    members_read(f->json, node, &m);
    type = member_value(f->json, &m, KEY_type);
    if (json_string_is(type, STR("url")))
        add_candidate(f, m.at[KEY_url]);
    if (!json_string_is(type, STR("base64")))
        return;
    image.mime_type = text_of(f, m.at[KEY_media_type]);
    image.data_base64 = text_of(f, m.at[KEY_data]);
    if (!str_starts(image.mime_type, STR("image/")) || !is_base64(image.data_base64))
        return;
    image.head = arena_printf(f->arena, "data:%.*s;base64,", STR_ARG(image.mime_type));
    if (image.head.ptr)
        add(f, &image);
}

static void add_of_object(struct finder *f, size_t node)
{
    struct members m, inner;
    struct str type;

    members_read(f->json, node, &m);
    if (member_object(f->json, &m, KEY_image_url)) {
        members_read(f->json, m.at[KEY_image_url], &inner);
        add_candidate(f, inner.at[KEY_url]);
    }
    add_candidate(f, m.at[KEY_image_url]);
    type = member_value(f->json, &m, KEY_type);
    if (json_string_is(type, STR("image_url")) || json_string_is(type, STR("input_image")))
        add_candidate(f, m.at[KEY_url]);
    else if (json_string_is(type, STR("image")) && member_object(f->json, &m, KEY_source))
        add_source(f, m.at[KEY_source]);
}

static void find_in_json(struct finder *f, struct str body)
{
    struct json_index json = {0};
    struct err err;

    if (json_index(&json, body, &err) < 0)
        return;
    f->json = &json;
    for (size_t node = 0; node < json.count && f->out->count < f->max; node++)
        if (json_node_is(&json, node, '{'))
            add_of_object(f, node);
    json_index_clear(&json);
}

/* ---- uploads ------------------------------------------------------------------------------ */

static struct str encode(struct str bytes, struct arena *arena)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = (bytes.len + 2) / 3 * 4;
    char *out = arena_alloc(arena, len + 1), *p = out;

    if (!out)
        return STR_NONE;
    for (size_t i = 0; i < bytes.len; i += 3, p += 4) {
        size_t have = bytes.len - i;
        uint32_t bits = (uint32_t)(unsigned char)bytes.ptr[i] << 16;

        if (have > 1)
            bits |= (uint32_t)(unsigned char)bytes.ptr[i + 1] << 8;
        if (have > 2)
            bits |= (unsigned char)bytes.ptr[i + 2];
        p[0] = digits[bits >> 18];
        p[1] = digits[bits >> 12 & 63];
        p[2] = have > 1 ? digits[bits >> 6 & 63] : '=';
        p[3] = have > 2 ? digits[bits & 63] : '=';
    }
    *p = '\0';
    return (struct str){out, len};
}

bool images_is_upload(const struct part *part)
{
    return part->content.len > 0 && str_istarts(str_trim(part->content_type), STR("image/"));
}

static void find_in_form(struct finder *f, const struct multipart *form)
{
    for (size_t i = 0; i < form->count; i++) {
        const struct part *part = &form->parts[i];
        struct image image = {.kind = STR(IMAGE_UPLOAD), .mime_type = part->content_type};

        if (!images_is_upload(part))
            continue;
        image.head = arena_printf(f->arena, "multipart:%.*s:%.*s", STR_ARG(part->name),
                                  STR_ARG(part->filename));
        if ((part->content.len + 2) / 3 * 4 <= IMAGES_MAX_BYTES)
            image.data_base64 = encode(part->content, f->arena);
        if (image.head.ptr)
            add(f, &image);
    }
}

/* ---- public ------------------------------------------------------------------------------- */

bool images_may_be_in(struct str json)
{
    return str_find(json, STR("image")) >= 0;
}

void images_find(struct str body, struct str content_type, size_t max, struct arena *arena,
                 struct images *out)
{
    struct str boundary = multipart_boundary(content_type);
    struct finder *f = calloc(1, sizeof(*f));
    struct multipart form;

    *out = (struct images){0};
    if (!f)
        return;
    f->arena = arena;
    f->out = out;
    f->max = max < IMAGES_MAX ? max : IMAGES_MAX;
    if (boundary.ptr && multipart_parse(body, boundary, &form))
        find_in_form(f, &form);
    else
        find_in_json(f, body);
    omit_large(out, arena);
    free(f);
}
