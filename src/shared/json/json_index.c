#include "json_index.h"

#include <stdlib.h>

#include "utf8.h"

#define FIRST_COUNT 64

/* ---- building ----------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static struct json_node *add_node(struct json_index *index)
{
    if (index->count == index->cap) {
        size_t cap = index->cap ? index->cap * 2 : FIRST_COUNT;
        struct json_node *grown = realloc(index->nodes, cap * sizeof(*grown));

        if (!grown)
            return NULL;
        index->nodes = grown;
        index->cap = cap;
    }
    index->nodes[index->count] = (struct json_node){0};
    return &index->nodes[index->count++];
}

/* The end of the string at p, in validated text. */
static size_t string_end(struct str text, size_t p)
{
    return (size_t)(json_string_end(text.ptr + p, text.ptr + text.len) - text.ptr);
}

static size_t scalar_end(struct str text, size_t p)
{
    if (text.ptr[p] == '"')
        return string_end(text, p);
    while (p < text.len && !is_blank(text.ptr[p]) && text.ptr[p] != ',' && text.ptr[p] != ']' &&
           text.ptr[p] != '}')
        p++;
    return p;
}

/* Read the key at p into node; the result is at its colon. */
static size_t read_key(struct str text, size_t p, struct json_node *node)
{
    size_t end = string_end(text, p);

    node->key = (uint32_t)(p + 1);
    node->key_len = (uint32_t)(end - p - 2);
    while (text.ptr[end] != ':')
        end++;
    return end;
}

/* text is validated: every byte is where it belongs, so that commas and colons can be skipped and a
 * string in an object is a key when no key is waiting for its value. */
static int build(struct json_index *index, struct err *err)
{
    struct str text = index->text;
    uint32_t open[JSON_MAX_DEPTH];
    struct json_node key = {0}, *node;
    bool in_object = false;
    size_t depth = 0, p = 0;

    while (p < text.len) {
        char c = text.ptr[p];

        if (is_blank(c) || c == ',' || c == ':') {
            p++;
            continue;
        }
        if (c == '}' || c == ']') {
            node = &index->nodes[open[--depth]];
            node->end = (uint32_t)++p;
            node->next = (uint32_t)index->count;
            in_object = depth > 0 && text.ptr[index->nodes[open[depth - 1]].start] == '{';
            continue;
        }
        if (in_object && !key.key) {
            p = read_key(text, p, &key);
            continue;
        }
        node = add_node(index);
        if (!node)
            return err_set(err, ERR_NO_MEMORY, "no memory for %zu JSON values", index->count);
        *node = key;
        key = (struct json_node){0};
        node->start = (uint32_t)p;
        if (c == '{' || c == '[') {
            open[depth++] = (uint32_t)(index->count - 1);
            in_object = c == '{';
            p++;
        } else {
            p = scalar_end(text, p);
            node->end = (uint32_t)p;
            node->next = (uint32_t)index->count;
        }
    }
    return 0;
}

int json_index_again(struct json_index *index, struct str text, struct err *err)
{
    index->text = STR_NONE;
    index->count = 0;
    if (json_scan(text, &index->text) == JSON_INVALID)
        return err_set(err, ERR_INVALID, "not JSON");
    if (index->text.len >= UINT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "JSON text of %zu bytes", index->text.len);
    if (build(index, err) == 0)
        return 0;
    index->count = 0;
    return -1;
}

int json_index(struct json_index *out, struct str text, struct err *err)
{
    struct json_index index = {0};

    if (json_index_again(&index, text, err) < 0) {
        json_index_clear(&index);
        return -1;
    }
    *out = index;
    return 0;
}

void json_index_clear(struct json_index *index)
{
    free(index->nodes);
    *index = (struct json_index){0};
}

size_t json_index_member(const struct json_index *index, size_t node, struct str name)
{
    size_t found = 0, end = index->nodes[node].next;

    if (index->text.ptr[index->nodes[node].start] != '{')
        return 0;
    for (size_t child = node + 1; child < end; child = index->nodes[child].next)
        if (json_key_is(json_index_key(index, child), name))
            found = child;
    return found;
}

/* ---- printing ----------------------------------------------------------------------------- */

/* A container that is being printed: the children still to come. Of an object these are a slice of
 * the stack of sorted children, of an array a chain of next. */
struct frame {
    size_t node;
    size_t at, end; /* object: positions in sorted; array: node numbers */
    size_t base;    /* where its slice of sorted begins */
};

struct printer {
    const struct json_index *index;
    const struct json_replace *replace; /* NULL: nothing */
    struct buf *out;
    struct err *err;
    bool compact; /* on one line */
    size_t level; /* of the outermost value */
    size_t depth;
    struct frame *frames; /* JSON_MAX_DEPTH */
    uint32_t *sorted;
    size_t sorted_count, sorted_cap;
};

static bool is_object(const struct json_index *index, size_t node)
{
    return index->text.ptr[index->nodes[node].start] == '{';
}

static int by_key(const void *a, const void *b, void *arg)
{
    const struct json_index *index = arg;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    int order = json_key_compare(json_index_key(index, left), json_index_key(index, right));

    return order != 0 ? order : (left > right) - (left < right);
}

static int push_sorted(struct printer *p, uint32_t child)
{
    if (p->sorted_count == p->sorted_cap) {
        size_t cap = p->sorted_cap ? p->sorted_cap * 2 : FIRST_COUNT;
        uint32_t *grown = realloc(p->sorted, cap * sizeof(*grown));

        if (!grown)
            return err_set(p->err, ERR_NO_MEMORY, "no memory for %zu JSON keys", cap);
        p->sorted = grown;
        p->sorted_cap = cap;
    }
    p->sorted[p->sorted_count++] = child;
    return 0;
}

/* Of equal keys only the last one counts. */
static void drop_repeats(struct printer *p, size_t base)
{
    size_t kept = base;

    for (size_t i = base; i < p->sorted_count; i++) {
        if (i + 1 < p->sorted_count &&
            json_key_compare(json_index_key(p->index, p->sorted[i]),
                             json_index_key(p->index, p->sorted[i + 1])) == 0)
            continue;
        p->sorted[kept++] = p->sorted[i];
    }
    p->sorted_count = kept;
}

static int sort_children(struct printer *p, size_t node)
{
    size_t base = p->sorted_count, end = p->index->nodes[node].next;

    for (size_t child = node + 1; child < end; child = p->index->nodes[child].next)
        if (push_sorted(p, (uint32_t)child) < 0)
            return -1;
    if (p->sorted_count - base > 1) {
        qsort_r(p->sorted + base, p->sorted_count - base, sizeof(*p->sorted), by_key,
                (void *)(uintptr_t)p->index);
        drop_repeats(p, base);
    }
    return 0;
}

static int new_line(struct printer *p)
{
    size_t blanks = (p->level + p->depth) * 2;

    if (p->compact)
        return 0;
    if (buf_reserve(p->out, blanks + 1, p->err) < 0)
        return -1;
    p->out->ptr[p->out->len++] = '\n';
    memset(p->out->ptr + p->out->len, ' ', blanks);
    p->out->len += blanks;
    p->out->ptr[p->out->len] = '\0';
    return 0;
}

/* One escape of the source as it is printed: as the character itself where JSON allows that. */
static int put_escape(struct buf *out, struct str escape, struct err *err)
{
    static const char shorts[] = "\b\f\n\r\t", letters[] = "bfnrt";
    size_t len;
    int32_t code = json_unescape(escape, &len);
    const char *hit = code > 0 && code < 0x20 ? strchr(shorts, code) : NULL;
    char two[2] = {'\\', hit ? letters[hit - shorts] : (char)code}, utf8[4];

    if (hit || code == '"' || code == '\\')
        return buf_add(out, (struct str){two, 2}, err);
    if (code < 0x20) /* another control character, or half of a surrogate pair: as it was */
        return buf_add(out, escape, err);
    return buf_add(out, (struct str){utf8, utf8_encode(code, utf8)}, err);
}

/* raw is the text between two quotes. */
static int put_string(struct buf *out, struct str raw, struct err *err)
{
    if (buf_add(out, STR("\""), err) < 0)
        return -1;
    while (raw.len > 0) {
        ptrdiff_t slash = str_chr(raw, '\\');
        size_t plain = slash < 0 ? raw.len : (size_t)slash, len;

        if (buf_add(out, str_cut(raw, plain), err) < 0)
            return -1;
        raw = str_from(raw, plain);
        if (raw.len == 0)
            break;
        json_unescape(raw, &len);
        if (put_escape(out, str_cut(raw, len), err) < 0)
            return -1;
        raw = str_from(raw, len);
    }
    return buf_add(out, STR("\""), err);
}

static int put_scalar(struct printer *p, size_t parent, size_t node)
{
    struct str value = json_index_value(p->index, node);
    struct str other =
        p->replace ? p->replace->text(p->replace->ctx, p->index, parent, node) : STR_NONE;

    if (other.ptr)
        return buf_add(p->out, other, p->err);
    if (value.ptr[0] != '"')
        return buf_add(p->out, value, p->err);
    return put_string(p->out, (struct str){value.ptr + 1, value.len - 2}, p->err);
}

/* Print the value of a node: whole, or its opening bracket, which makes it the top frame. */
static int put_node(struct printer *p, size_t parent, size_t node)
{
    struct str value = json_index_value(p->index, node);
    bool object = value.ptr[0] == '{';
    struct frame *frame;

    if (!object && value.ptr[0] != '[')
        return put_scalar(p, parent, node);
    if (p->index->nodes[node].next == node + 1)
        return buf_add(p->out, object ? STR("{}") : STR("[]"), p->err);
    frame = &p->frames[p->depth];
    *frame = (struct frame){.node = node, .base = p->sorted_count};
    if (object && sort_children(p, node) < 0)
        return -1;
    frame->at = object ? frame->base : node + 1;
    frame->end = object ? p->sorted_count : p->index->nodes[node].next;
    p->depth++;
    return buf_add(p->out, object ? STR("{") : STR("["), p->err);
}

/* The next child of the top frame with what stands before it, or its closing bracket. */
static int step(struct printer *p)
{
    struct frame *top = &p->frames[p->depth - 1];
    bool object = is_object(p->index, top->node);
    bool first = top->at == (object ? top->base : top->node + 1);
    size_t child;

    if (top->at == top->end) {
        p->sorted_count = top->base;
        p->depth--;
        return new_line(p) < 0 ? -1 : buf_add(p->out, object ? STR("}") : STR("]"), p->err);
    }
    child = object ? p->sorted[top->at] : top->at;
    top->at = object ? top->at + 1 : p->index->nodes[child].next;
    if ((!first && buf_add(p->out, STR(","), p->err) < 0) || new_line(p) < 0)
        return -1;
    if (object && (put_string(p->out, json_index_key(p->index, child), p->err) < 0 ||
                   buf_add(p->out, p->compact ? STR(":") : STR(": "), p->err) < 0))
        return -1;
    return put_node(p, top->node, child);
}

static int print(struct printer *p, size_t node)
{
    struct frame frames[JSON_MAX_DEPTH];
    int rc;

    p->frames = frames;
    rc = put_node(p, node, node);
    while (rc == 0 && p->depth > 0)
        rc = step(p);
    free(p->sorted);
    return rc;
}

int json_pretty(struct buf *out, const struct json_index *index, size_t node, size_t level,
                struct err *err)
{
    struct printer p = {.index = index, .out = out, .err = err, .level = level};

    return print(&p, node);
}

int json_compact(struct buf *out, const struct json_index *index, size_t node,
                 const struct json_replace *replace, struct err *err)
{
    struct printer p = {
        .index = index, .replace = replace, .out = out, .err = err, .compact = true};

    return print(&p, node);
}
