/* A tool call as tagged text:
 *
 *   block = "<tool_call>" S "<function=" NAME ">" inner "</function>" S "</tool_call>"
 *   inner = S *( "<parameter=" NAME ">" value "</parameter>" S )
 *
 * Every search goes forward only, so that hostile text costs linear time. */
#include <stdlib.h>

#include "base/utf8.h"
#include "llm/fix_priv.h"
#include "json/json.h"

#define NAME_SHOWN 200 /* bytes of a name in a message */

static size_t find_from(struct str text, size_t at, struct str needle)
{
    ptrdiff_t found = str_find(str_from(text, at), needle);

    return found < 0 ? SIZE_MAX : at + (size_t)found;
}

static size_t skip_blanks(struct str text, size_t at)
{
    while (at < text.len && fix_blank(text.ptr[at]))
        at++;
    return at;
}

static bool tag_at(struct str text, size_t at, struct str tag)
{
    return at <= text.len && str_starts(str_from(text, at), tag);
}

/* A NAME and its ">" at *at, which goes behind it. When there is none, *at goes to where the
 * search may go on: no NAME that starts before would end better. */
static bool read_name(struct str text, size_t *at, struct str *name)
{
    size_t start = *at, p = start;

    while (p < text.len && text.ptr[p] != '>' && !fix_blank(text.ptr[p]))
        p++;
    *at = p;
    if (p == start || p == text.len || text.ptr[p] != '>')
        return false;
    *name = (struct str){text.ptr + start, p - start};
    *at = p + 1;
    return true;
}

struct span {
    size_t start, end; /* of the block */
    struct str name, inner;
};

/* The leftmost "<tool_call> <function=NAME>"; *at is behind it. */
static bool find_head(struct str text, struct span *out, size_t *at)
{
    *at = 0;
    while ((out->start = find_from(text, *at, STR("<tool_call>"))) != SIZE_MAX) {
        *at = skip_blanks(text, out->start + sizeof("<tool_call>") - 1);
        if (!tag_at(text, *at, STR("<function=")))
            continue;
        *at += sizeof("<function=") - 1;
        if (read_name(text, at, &out->name))
            return true;
    }
    return false;
}

static bool find_block(struct str text, struct span *out)
{
    size_t at, inner;

    if (!find_head(text, out, &at))
        return false;
    inner = at;
    while ((at = find_from(text, at, STR("</function>"))) != SIZE_MAX) {
        size_t close = at;

        at = skip_blanks(text, at + sizeof("</function>") - 1);
        if (!tag_at(text, at, STR("</tool_call>")))
            continue;
        out->inner = (struct str){text.ptr + inner, close - inner};
        out->end = at + sizeof("</tool_call>") - 1;
        return true;
    }
    return false;
}

/* ---- parameters ---- */

struct parameter {
    struct str name, value;
    bool again; /* the name was there before */
};
struct parameters {
    struct parameter *list;
    size_t count, cap;
    struct parameter **sorted;
    bool stray; /* something else than blanks between them */
};

static bool add_parameter(struct parameters *p, struct str name, struct str value)
{
    if (p->count == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 8;
        struct parameter *grown = realloc(p->list, cap * sizeof(*grown));

        if (!grown)
            return false;
        p->list = grown;
        p->cap = cap;
    }
    p->list[p->count++] = (struct parameter){name, value, false};
    return true;
}

static bool read_parameters(struct str inner, struct parameters *out)
{
    size_t at = 0, done = 0, open, close;
    struct str name;

    while ((open = find_from(inner, at, STR("<parameter="))) != SIZE_MAX) {
        at = open + sizeof("<parameter=") - 1;
        if (!read_name(inner, &at, &name))
            continue;
        close = find_from(inner, at, STR("</parameter>"));
        if (close == SIZE_MAX)
            break;
        if (!add_parameter(out, name, (struct str){inner.ptr + at, close - at}))
            return false;
        out->stray = out->stray || skip_blanks(inner, done) != open;
        done = at = close + sizeof("</parameter>") - 1;
    }
    out->stray = out->stray || skip_blanks(inner, done) != inner.len;
    return true;
}

/* By name, then by place. */
static int compare(const void *a, const void *b)
{
    const struct parameter *x = *(struct parameter *const *)a, *y = *(struct parameter *const *)b;
    int order = fix_str_compare(x->name, y->name);

    return order ? order : (x > y) - (x < y);
}

static bool sort_parameters(struct parameters *p)
{
    p->sorted = calloc(p->count + 1, sizeof(*p->sorted));
    if (!p->sorted)
        return false;
    for (size_t i = 0; i < p->count; i++)
        p->sorted[i] = &p->list[i];
    if (p->count > 1)
        qsort(p->sorted, p->count, sizeof(*p->sorted), compare);
    for (size_t i = 1; i < p->count; i++)
        p->sorted[i]->again = str_eq(p->sorted[i]->name, p->sorted[i - 1]->name);
    return true;
}

static bool has_parameter(const struct parameters *p, struct str name)
{
    size_t low = 0, high = p->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = fix_str_compare(name, p->sorted[mid]->name);

        if (order == 0)
            return true;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return false;
}

/* ---- the verdict ---- */

static enum fix_verdict reject(struct buf *why, const char *text)
{
    buf_put(why, str_c(text));
    return FIX_REJECTED;
}

static enum fix_verdict reject_name(struct buf *why, const char *what, struct str name)
{
    buf_printf(why, "%s '%.*s'.", what, STR_ARG(utf8_cut(name, NAME_SHOWN)));
    return FIX_REJECTED;
}

static enum fix_verdict add_argument(const struct parameter *p, const struct fix_tool *tool,
                                     struct fix_block *out)
{
    const struct fix_property *property = fix_tool_property(tool, p->name);
    struct err err;
    int rc;

    if (p->again)
        return reject_name(&out->why, "duplicate parameter", p->name);
    if (tool->has_properties && !property)
        return reject_name(&out->why, "unknown parameter", p->name);
    if (str_find(p->value, STR("<parameter=")) >= 0)
        return reject(&out->why, "malformed parameter tags.");
    if (out->arguments.len > 1 && buf_add(&out->arguments, STR(","), &err) < 0)
        return FIX_FAILED;
    if (fix_quote(&out->arguments, p->name, &err) < 0 ||
        buf_add(&out->arguments, STR(":"), &err) < 0)
        return FIX_FAILED;
    rc = fix_value(&out->arguments, utf8_cut(p->name, NAME_SHOWN),
                   property ? property->schema : STR_NONE, p->value, &out->why);
    return rc < 0 ? FIX_FAILED : rc > 0 ? FIX_REJECTED : FIX_MATCHED;
}

static enum fix_verdict make_arguments(const struct parameters *p, const struct fix_tool *tool,
                                       struct fix_block *out)
{
    enum fix_verdict verdict = FIX_MATCHED;
    struct err err;

    if (buf_add(&out->arguments, STR("{"), &err) < 0)
        return FIX_FAILED;
    for (size_t i = 0; verdict == FIX_MATCHED && i < p->count; i++)
        verdict = add_argument(&p->list[i], tool, out);
    if (verdict != FIX_MATCHED)
        return verdict;
    if (p->stray)
        return reject(&out->why, "malformed parameter tags.");
    for (size_t i = 0; i < tool->required_count; i++)
        if (!has_parameter(p, tool->required[i]))
            return reject_name(&out->why, "missing required parameter", tool->required[i]);
    return buf_add(&out->arguments, STR("}"), &err) < 0 ? FIX_FAILED : FIX_MATCHED;
}

static enum fix_verdict judge(const struct span *s, struct fix_tools *tools, struct fix_block *out)
{
    struct parameters p = {0};
    enum fix_verdict verdict = FIX_FAILED;
    struct fix_tool *tool;
    bool failed;

    tool = fix_tools_find(tools, s->name, &failed);
    if (failed)
        return FIX_FAILED;
    if (!tool)
        return reject_name(&out->why, "undeclared tool", s->name);
    if (read_parameters(s->inner, &p) && sort_parameters(&p))
        verdict = make_arguments(&p, tool, out);
    free(p.list);
    free(p.sorted);
    return verdict;
}

enum fix_verdict fix_block(struct str text, struct fix_tools *tools, bool may_go_on,
                           struct fix_block *out)
{
    struct span s;

    *out = (struct fix_block){0};
    if (str_find(text, STR("<tool_call>")) < 0)
        return FIX_NONE;
    if (!find_block(text, &s)) {
        if (may_go_on && str_find(text, STR("</tool_call>")) < 0)
            return FIX_PENDING;
        return reject(&out->why, "malformed tagged block.");
    }
    if (skip_blanks(text, s.end) != text.len)
        return reject(&out->why, "content appeared after tagged block.");
    out->before = str_cut(text, s.start);
    out->name = s.name;
    return judge(&s, tools, out);
}

void fix_block_clear(struct fix_block *block)
{
    buf_clear(&block->arguments);
    buf_clear(&block->why);
}
