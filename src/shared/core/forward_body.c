#include "core/forward_body.h"

#include "llm/multipart.h"
#include "json/json.h"
#include "json/json_scan.h"

/* Bytes of the body that are replaced; edits come in the order of their places. */
struct edit {
    size_t at, drop;
    struct str text;
};

struct edits {
    struct edit *items;
    size_t count, cap;
    struct arena arena;
    struct str body;
    bool failed; /* no memory */
};

static void add_edit(struct edits *e, const char *at, size_t drop, struct str text)
{
    if (e->count == e->cap) {
        size_t cap = e->cap ? e->cap * 2 : 8;
        struct edit *items = arena_alloc(&e->arena, cap * sizeof(*items));

        if (!items) {
            e->failed = true;
            return;
        }
        if (e->count > 0)
            memcpy(items, e->items, e->count * sizeof(*items));
        e->items = items;
        e->cap = cap;
    }
    e->items[e->count++] = (struct edit){(size_t)(at - e->body.ptr), drop, text};
}

static void replace(struct edits *e, struct str range, struct str text)
{
    add_edit(e, range.ptr, range.len, text);
}

static struct str quoted(struct edits *e, struct str text)
{
    struct buf json = {0};
    struct str out = STR_NONE;

    if (json_quote(&json, text))
        out = arena_dup(&e->arena, buf_str(&json));
    buf_clear(&json);
    e->failed = e->failed || !out.ptr;
    return out;
}

static struct str joined(struct edits *e, struct str before, struct str text, struct str after)
{
    struct str out =
        arena_printf(&e->arena, "%.*s%.*s%.*s", STR_ARG(before), STR_ARG(text), STR_ARG(after));

    e->failed = e->failed || !out.ptr;
    return out;
}

static bool is_empty_object(struct str value)
{
    struct json_iter it = json_iter(value);

    return !json_next(&it);
}

/* Add members (without a comma in front) before the closing brace. */
static void append(struct edits *e, struct str object, struct str members)
{
    struct str text = is_empty_object(object) ? members : joined(e, STR(","), members, STR(""));

    add_edit(e, object.ptr + object.len - 1, 0, text);
}

/* ---- what is set ---- */

/* A member that is to be set in an object: replaced everywhere it stands, else appended. */
struct member {
    struct str name;
    struct str value; /* JSON text */
};

static bool set_all(struct edits *e, struct str object, const struct member *m, size_t count,
                    struct buf *missing)
{
    bool seen[2] = {false, false};
    struct json_iter it = json_iter(object);

    while (json_next(&it))
        for (size_t i = 0; i < count; i++)
            if (json_key_is(it.key, m[i].name)) {
                replace(e, it.value, m[i].value);
                seen[i] = true;
            }
    for (size_t i = 0; i < count; i++)
        if (!seen[i])
            buf_printf(missing, "%s\"%.*s\":%.*s", missing->len ? "," : "", STR_ARG(m[i].name),
                       STR_ARG(m[i].value));
    return missing->len > 0;
}

/* Set the members in the object; another value is replaced by an object of them. */
static void set_members(struct edits *e, struct str value, const struct member *m, size_t count)
{
    struct buf missing = {0};

    if (json_type_of(value) == JSON_OBJECT) {
        if (set_all(e, value, m, count, &missing))
            append(e, value, arena_dup(&e->arena, buf_str(&missing)));
    } else {
        for (size_t i = 0; i < count; i++)
            buf_printf(&missing, "%s\"%.*s\":%.*s", i ? "," : "", STR_ARG(m[i].name),
                       STR_ARG(m[i].value));
        replace(e, value, joined(e, STR("{"), buf_str(&missing), STR("}")));
    }
    buf_clear(&missing);
}

/* ---- the decision ---- */

static bool is_variant(struct str tag)
{
    static const struct str variants[] = {STR("free"),     STR("batch"),  STR("thinking"),
                                          STR("extended"), STR("nitro"),  STR("floor"),
                                          STR("exacto"),   STR("online"), STR("beta")};

    for (size_t i = 0; i < sizeof(variants) / sizeof(*variants); i++)
        if (str_eq(tag, variants[i]))
            return true;
    return false;
}

/* model is base, mark and a rest that is not empty. */
static bool has_tag(struct str model, struct str base, char mark, struct str *tag)
{
    if (model.len < base.len + 2 || !str_starts(model, base) || model.ptr[base.len] != mark)
        return false;
    *tag = str_from(model, base.len + 1);
    return true;
}

bool forward_pin(const struct decision *d, struct str model, struct str *base, struct str *tag)
{
    struct str m = d->upstream_model;
    ptrdiff_t at = str_chr(m, '@');

    if (!str_eq(d->provider_slug, STR("openrouter")) || m.len == 0)
        return false;
    if (at > 0 && (size_t)at + 1 < m.len) {
        *base = str_cut(m, (size_t)at);
        *tag = str_from(m, (size_t)at + 1);
        return true;
    }
    *base = m;
    if (has_tag(model, m, '@', tag))
        return true;
    return d->match_type && strcmp(d->match_type, "exact") == 0 && has_tag(model, m, ':', tag) &&
           !is_variant(*tag);
}

static struct str without_slashes(struct str s)
{
    while (str_ends(s, STR("/")))
        s.len--;
    return s;
}

static bool may_add_usage(const struct forward_body *in, const struct decision *d)
{
    return str_eq(in->endpoint, STR("/v1/chat/completions")) &&
           (str_eq(d->provider_slug, STR("openai")) ||
            str_ieq(without_slashes(d->base_url), STR("https://api.openai.com/v1")));
}

/* The client streams and did not say whether it wants usage. */
static bool wants_usage(struct str root)
{
    struct str stream, options, usage;

    if (!json_member(root, STR("stream"), &stream) || json_type_of(stream) != JSON_TRUE)
        return false;
    return !json_member(root, STR("stream_options"), &options) ||
           json_type_of(options) != JSON_OBJECT ||
           !json_member(options, STR("include_usage"), &usage);
}

struct plan {
    struct str model; /* JSON text; STR_NONE: it stays */
    bool pin, usage;
    struct member order[2], include;
};

static void edit_members(struct edits *e, struct str root, const struct plan *p)
{
    bool model = !p->model.ptr, pin = !p->pin, usage = !p->usage;
    struct json_iter it = json_iter(root);
    struct buf missing = {0};

    while (json_next(&it)) {
        if (p->model.ptr && json_key_is(it.key, STR("model"))) {
            replace(e, it.value, p->model);
            model = true;
        } else if (p->pin && json_key_is(it.key, STR("provider"))) {
            set_members(e, it.value, p->order, 2);
            pin = true;
        } else if (p->usage && json_key_is(it.key, STR("stream_options"))) {
            set_members(e, it.value, &p->include, 1);
            usage = true;
        }
    }
    if (!model)
        buf_printf(&missing, "\"model\":%.*s", STR_ARG(p->model));
    if (!pin)
        buf_printf(&missing, "%s\"provider\":{\"order\":%.*s,\"allow_fallbacks\":false}",
                   missing.len ? "," : "", STR_ARG(p->order[0].value));
    if (!usage)
        buf_printf(&missing, "%s\"stream_options\":{\"include_usage\":true}",
                   missing.len ? "," : "");
    if (missing.len > 0)
        append(e, root, arena_dup(&e->arena, buf_str(&missing)));
    buf_clear(&missing);
}

static void edit_json(struct edits *e, const struct forward_body *in, const struct decision *d)
{
    struct plan p = {.include = {STR("include_usage"), STR("true")}};
    struct str root, base = d->upstream_model, tag;

    if (json_scan(in->body, &root) != JSON_OBJECT)
        return;
    if (in->model.len > 0 && d->upstream_model.len > 0) {
        p.pin = forward_pin(d, in->model, &base, &tag);
        if (p.pin) {
            p.order[0] =
                (struct member){STR("order"), joined(e, STR("["), quoted(e, tag), STR("]"))};
            p.order[1] = (struct member){STR("allow_fallbacks"), STR("false")};
        }
        if (!str_eq(base, in->model))
            p.model = quoted(e, base);
    }
    p.usage = may_add_usage(in, d) && wants_usage(root);
    edit_members(e, root, &p);
}

static void edit_multipart(struct edits *e, const struct forward_body *in, struct str boundary,
                           const struct decision *d)
{
    struct multipart parts;
    struct str value;

    if (!str_eq(d->upstream_model, in->model) && multipart_parse(in->body, boundary, &parts) &&
        multipart_field(&parts, STR("model"), &value))
        replace(e, value, d->upstream_model);
}

/* ---- writing it ---- */

static int apply(struct blob *out, const struct edits *e, struct err *err)
{
    size_t size = e->body.len, from = 0;

    for (size_t i = 0; i < e->count; i++)
        size = size - e->items[i].drop + e->items[i].text.len;
    if (blob_reserve(out, size, err) < 0)
        return -1;
    for (size_t i = 0; i < e->count; i++) {
        const struct edit *one = &e->items[i];

        if (blob_add(out, str_cut(str_from(e->body, from), one->at - from), err) < 0 ||
            blob_add(out, one->text, err) < 0)
            return -1;
        from = one->at + one->drop;
    }
    return blob_add(out, str_from(e->body, from), err);
}

int forward_body(struct blob *out, const struct forward_body *in, const struct decision *d,
                 struct err *err)
{
    struct str boundary = multipart_boundary(in->content_type);
    struct edits e = {.body = in->body};
    int rc = 0;

    if (boundary.ptr && in->model.len > 0 && d->upstream_model.len > 0)
        edit_multipart(&e, in, boundary, d);
    else if (!boundary.ptr && ((in->model.len > 0 && d->upstream_model.len > 0 &&
                                (!str_eq(d->upstream_model, in->model) ||
                                 str_eq(d->provider_slug, STR("openrouter")))) ||
                               may_add_usage(in, d)))
        edit_json(&e, in, d);
    if (e.failed)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the request body");
    else if (e.count > 0)
        rc = apply(out, &e, err) < 0 ? -1 : 1;
    if (rc < 0)
        blob_clear(out);
    arena_clear(&e.arena);
    return rc;
}
