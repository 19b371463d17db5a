/* From text to tree: recursive descent, as deep as brackets may nest. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/opt.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "filter/filter_priv.h"

#define SHOWN_BYTES 48

/* ---- messages ---- */

bool filter_fail(struct filter_parser *p, struct filter_place place, const char *fmt, ...)
{
    struct filter_error *e = p->error;
    va_list args;

    va_start(args, fmt);
    vsnprintf(e->msg, sizeof(e->msg), fmt, args);
    va_end(args);
    e->position = utf8_chars(str_cut(p->text, place.at));
    e->length = utf8_chars(str_cut(str_from(p->text, place.at), place.len));
    return false;
}

struct str filter_shown(struct str text)
{
    return utf8_cut(text, SHOWN_BYTES);
}

void filter_suggest(const struct filter_parser *p, struct buf *out, struct str word,
                    const struct filter_name *names)
{
    const char *list[64];
    size_t n = 0;

    for (; names->name && n + 2 < sizeof(list) / sizeof(*list); names++) {
        if (names->live_only && p->scope != FILTER_LIVE)
            continue;
        list[n++] = names->name;
        if (names->alias)
            list[n++] = names->alias;
    }
    opts_suggest(out, word, list, n);
}

static bool no_memory(struct filter_parser *p)
{
    return filter_fail(p, (struct filter_place){0, 0}, "no memory for the filter");
}

/* ---- characters ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool ends_bare(char c)
{
    return is_blank(c) || c == ',' || c == '(' || c == ')' || c == '"';
}

static bool at_end(const struct filter_parser *p)
{
    return p->at >= p->text.len;
}

static char peek(const struct filter_parser *p)
{
    return at_end(p) ? ' ' : p->text.ptr[p->at];
}

static void skip_blanks(struct filter_parser *p)
{
    while (!at_end(p) && is_blank(peek(p)))
        p->at++;
}

static struct str slice(const struct filter_parser *p, size_t from, size_t to)
{
    return str_cut(str_from(p->text, from), to - from);
}

/* The bare word at the cursor, which stays. */
static struct str bare_here(const struct filter_parser *p)
{
    size_t end = p->at;

    while (end < p->text.len && !ends_bare(p->text.ptr[end]))
        end++;
    return slice(p, p->at, end);
}

static bool is_word(const struct filter_parser *p, struct str word)
{
    return str_ieq(bare_here(p), word) &&
           !(p->at + word.len < p->text.len &&
             (p->text.ptr[p->at + word.len] == '"' || p->text.ptr[p->at + word.len] == ','));
}

/* ---- nodes ---- */

static struct filter_node *new_node(struct filter_parser *p, enum filter_node_kind kind)
{
    struct filter_node *node = arena_alloc(&p->filter->arena, sizeof(*node));

    if (!node) {
        no_memory(p);
        return NULL;
    }
    *node = (struct filter_node){.kind = kind};
    return node;
}

static bool count_term(struct filter_parser *p, struct filter_place place)
{
    if (++p->terms <= FILTER_TERMS_MAX)
        return true;
    return filter_fail(p, place, "the filter has more than %d terms", FILTER_TERMS_MAX);
}

/* ---- atoms ---- */

static bool is_escape(struct str s)
{
    return s.len > 1 && s.ptr[0] == '\\' && (s.ptr[1] == '"' || s.ptr[1] == '\\');
}

/* At a quote: the text between it and the next one, without backslashes before " and \. */
static bool read_quoted(struct filter_parser *p, struct filter_atom *out)
{
    size_t end = p->at + 1, len = 0;
    char *text;

    while (end < p->text.len && p->text.ptr[end] != '"')
        end += 1 + is_escape(str_from(p->text, end));
    out->place = (struct filter_place){p->at, end < p->text.len ? end + 1 - p->at : end - p->at};
    if (end >= p->text.len)
        return filter_fail(p, out->place, "the quote is not closed");
    text = arena_alloc(&p->filter->arena, end - p->at);
    if (!text)
        return no_memory(p);
    for (size_t i = p->at + 1; i < end; i++) {
        i += is_escape(str_from(p->text, i));
        text[len++] = p->text.ptr[i];
    }
    p->at = end + 1;
    out->text = (struct str){text, len};
    out->quoted = true;
    return true;
}

/* A quoted text, or what stands before the next ".." or the end of a bare one. */
static bool read_atom(struct filter_parser *p, struct filter_atom *out)
{
    struct str bare;
    ptrdiff_t dots;

    *out = (struct filter_atom){.place = {p->at, 0}};
    if (peek(p) == '"')
        return read_quoted(p, out);
    bare = bare_here(p);
    dots = str_find(bare, STR(".."));
    if (dots >= 0)
        bare = str_cut(bare, (size_t)dots);
    if (bare.len > 0)
        out->text = bare;
    out->place.len = bare.len;
    p->at += bare.len;
    return true;
}

/* ---- terms ---- */

static const struct {
    const char *text;
    enum filter_compare compare;
} operators[] = {
    {"!=", FILTER_NOT_EQUAL}, {">=", FILTER_MORE_EQUAL}, {"<=", FILTER_LESS_EQUAL},
    {"=", FILTER_EQUAL},      {">", FILTER_MORE},        {"<", FILTER_LESS},
};

/* Take the operator at the cursor: ":", ":>" or ">". False when there is none. */
static bool take_operator(struct filter_parser *p, enum filter_compare *out)
{
    bool colon = peek(p) == ':';
    struct str rest;

    p->at += colon;
    rest = str_from(p->text, p->at);
    *out = FILTER_MATCH;
    for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
        if (str_starts(rest, str_c(operators[i].text))) {
            *out = operators[i].compare;
            p->at += strlen(operators[i].text);
            return true;
        }
    return colon;
}

/* How far the name before an operator goes; false when the bare word has no operator. */
static bool find_operator(struct str bare, size_t *len)
{
    for (*len = 0; *len < bare.len; (*len)++) {
        char c = bare.ptr[*len];

        if (c == ':' || c == '=' || c == '<' || c == '>' ||
            (c == '!' && *len + 1 < bare.len && bare.ptr[*len + 1] == '='))
            return true;
    }
    return false;
}

static bool unknown_field(struct filter_parser *p, struct str name, size_t at)
{
    struct filter_name names[64] = {{0}};
    struct buf near = {0};

    for (size_t i = 0; filter_field_name(i) && i + 1 < sizeof(names) / sizeof(*names); i++)
        names[i] = *filter_field_name(i);
    filter_suggest(p, &near, name, names);
    filter_fail(p, (struct filter_place){at, name.len}, "unknown field \"%.*s\"%.*s",
                STR_ARG(filter_shown(name)), STR_ARG(buf_str(&near)));
    buf_clear(&near);
    return false;
}

static const struct filter_field *find_field(struct filter_parser *p, struct str name, size_t at)
{
    for (const struct filter_field *f = filter_fields; f->n.name; f++) {
        if (!str_ieq(name, str_c(f->n.name)) && !(f->n.alias && str_ieq(name, str_c(f->n.alias))))
            continue;
        if (!f->n.live_only || p->scope == FILTER_LIVE)
            return f;
        filter_fail(p, (struct filter_place){at, name.len}, "\"%s\" is known only in top",
                    f->n.name);
        return NULL;
    }
    unknown_field(p, name, at);
    return NULL;
}

static bool has_order(const struct filter_field *field)
{
    switch (field->type) {
    case FILTER_TEXT:
    case FILTER_PART:
    case FILTER_ENUM:
    case FILTER_RUN:
    case FILTER_FLAG:
    case FILTER_SINCE:
    case FILTER_UNTIL:
        return false;
    case FILTER_NUMBER:
    case FILTER_STATUS:
    case FILTER_DURATION:
    case FILTER_COUNT:
    case FILTER_BYTES:
    case FILTER_MONEY:
    case FILTER_RATE:
    case FILTER_TIME:
        break;
    }
    return true;
}

static bool check_operator(struct filter_parser *p, const struct filter_node *term, size_t name_at,
                           struct filter_place op)
{
    const struct filter_field *f = term->field;
    struct str shown = filter_shown(slice(p, name_at, p->at + bare_here(p).len));
    bool ordered = term->compare >= FILTER_LESS;

    if (f->type == FILTER_SINCE || f->type == FILTER_UNTIL) {
        if (term->compare == FILTER_MATCH || term->compare == FILTER_EQUAL)
            return true;
        return filter_fail(p, op, "%.*s: write %s:15m", STR_ARG(shown), f->n.name);
    }
    if (!ordered || has_order(f))
        return true;
    return filter_fail(p, op, "%.*s: %s has no order", STR_ARG(shown), f->n.values);
}

static bool check_range(struct filter_parser *p, const struct filter_node *term,
                        const struct filter_atom *a, const struct filter_atom *b, size_t at)
{
    struct filter_place place = {at, p->at - at};
    enum filter_type type = term->field->type;

    if (type == FILTER_SINCE || type == FILTER_UNTIL)
        return filter_fail(p, place, "%s takes one time; created takes a range",
                           term->field->n.name);
    if (!has_order(term->field))
        return filter_fail(p, place, "%s:%.*s: %s has no order, so no range", term->field->n.name,
                           STR_ARG(filter_shown(slice(p, at, p->at))), term->field->n.values);
    if (term->compare >= FILTER_LESS)
        return filter_fail(p, place, "a range has an order itself; write %s:%.*s",
                           term->field->n.name, STR_ARG(filter_shown(slice(p, at, p->at))));
    if (!a->text.ptr && !b->text.ptr)
        return filter_fail(p, place, "the range has no end");
    return true;
}

static bool check_special(struct filter_parser *p, const struct filter_node *term,
                          const struct filter_value *value, struct filter_place place)
{
    bool special = value->kind == FILTER_IS_UNKNOWN || value->kind == FILTER_IS_KNOWN;

    if (!special || term->compare < FILTER_LESS)
        return true;
    return filter_fail(p, place, "\"%c\" has no order; write %s:%c", p->text.ptr[place.at],
                       term->field->n.name, p->text.ptr[place.at]);
}

/* What stands at the cursor does not belong there. */
static bool unexpected(struct filter_parser *p)
{
    char c = peek(p);

    return filter_fail(p, (struct filter_place){p->at, 1}, "unexpected %s; quote the whole text",
                       c == '"'   ? "quote"
                       : c == ',' ? "comma"
                                  : "text");
}

static bool parse_value(struct filter_parser *p, const struct filter_node *term,
                        struct filter_place op, struct filter_value *out)
{
    struct filter_atom a, b = {0};
    size_t start = p->at;
    bool range = false;

    if (!read_atom(p, &a))
        return false;
    if (str_starts(str_from(p->text, p->at), STR(".."))) {
        range = true;
        p->at += 2;
        if (!read_atom(p, &b) || !check_range(p, term, &a, &b, start))
            return false;
    } else if (!a.text.ptr) {
        return filter_fail(p, op, "the value is missing after \"%s%.*s\"", term->field->n.name,
                           STR_ARG(slice(p, op.at, op.at + op.len)));
    }
    if (!at_end(p) && (peek(p) == '"' || !ends_bare(peek(p))))
        return unexpected(p);
    return filter_read_value(p, term, &a, &b, range, out) && check_special(p, term, out, a.place);
}

static bool add_value(struct filter_parser *p, struct filter_node *term, size_t *cap,
                      const struct filter_value *value)
{
    if (term->value_count == *cap) {
        size_t larger = *cap ? *cap * 2 : 1;
        struct filter_value *values = arena_alloc(&p->filter->arena, larger * sizeof(*values));

        if (!values)
            return no_memory(p);
        if (term->value_count)
            memcpy(values, term->values, term->value_count * sizeof(*values));
        term->values = values;
        *cap = larger;
    }
    term->values[term->value_count++] = *value;
    return true;
}

/* name_len bytes of a name are at the cursor, and an operator behind them. */
static struct filter_node *parse_term(struct filter_parser *p, size_t name_len)
{
    size_t name_at = p->at, cap = 0;
    struct filter_node *term = new_node(p, FILTER_TERM);
    struct str name = slice(p, name_at, name_at + name_len);
    struct filter_place op = {name_at + name_len, 0};
    struct filter_value value;

    p->at = op.at;
    if (!term || !take_operator(p, &term->compare))
        return NULL;
    op.len = p->at - op.at;
    if (name_len == 0) {
        filter_fail(p, op, "there is no field before \"%.*s\"; blanks may not stand around it",
                    STR_ARG(slice(p, op.at, p->at)));
        return NULL;
    }
    term->field = find_field(p, name, name_at);
    if (!term->field || !count_term(p, (struct filter_place){name_at, name_len + op.len}) ||
        !check_operator(p, term, name_at, op))
        return NULL;
    for (;;) {
        if (!parse_value(p, term, op, &value) || !add_value(p, term, &cap, &value))
            return NULL;
        if (at_end(p) || peek(p) != ',')
            return term;
        op = (struct filter_place){p->at, 1};
        p->at++;
    }
}

static struct filter_node *parse_word(struct filter_parser *p)
{
    struct filter_node *word = new_node(p, FILTER_WORD);
    struct filter_value value = {.kind = FILTER_LITERAL};
    struct filter_atom atom = {.place = {p->at, 0}};
    size_t cap = 0;

    if (!word)
        return NULL;
    if (peek(p) == '"') {
        if (!read_quoted(p, &atom))
            return NULL;
    } else {
        atom.text = bare_here(p);
        atom.place.len = atom.text.len;
        p->at += atom.text.len;
    }
    if (!count_term(p, atom.place))
        return NULL;
    if (atom.text.len == 0) {
        filter_fail(p, atom.place, "there is nothing between the quotes");
        return NULL;
    }
    if (!at_end(p) && (peek(p) == '"' || peek(p) == ',' || !ends_bare(peek(p)))) {
        unexpected(p);
        return NULL;
    }
    value.text = arena_dup(&p->filter->arena, atom.text);
    value.has_id =
        atom.text.ptr[0] >= '0' && atom.text.ptr[0] <= '9' && str_int64(atom.text, &value.lo);
    return add_value(p, word, &cap, &value) ? word : NULL;
}

/* ---- operators ---- */

static struct filter_node *parse_or(struct filter_parser *p);

static struct filter_node *parse_brackets(struct filter_parser *p)
{
    struct filter_place open = {p->at, 1};
    struct filter_node *inner;

    if (++p->depth > FILTER_DEPTH_MAX) {
        filter_fail(p, open, "brackets nest deeper than %d", FILTER_DEPTH_MAX);
        return NULL;
    }
    p->at++;
    skip_blanks(p);
    if (!at_end(p) && peek(p) == ')') {
        filter_fail(p, (struct filter_place){open.at, p->at + 1 - open.at},
                    "there is nothing in the brackets");
        return NULL;
    }
    if (at_end(p)) {
        filter_fail(p, open, "the bracket is not closed");
        return NULL;
    }
    inner = parse_or(p);
    if (!inner)
        return NULL;
    if (at_end(p)) {
        filter_fail(p, open, "the bracket is not closed");
        return NULL;
    }
    p->at++;
    p->depth--;
    return inner;
}

/* Where a term must stand: false when none begins here. behind is what asks for it, or empty. */
static bool check_begin(struct filter_parser *p, struct filter_place behind)
{
    struct str before = slice(p, behind.at, behind.at + behind.len);

    if (at_end(p) || is_blank(peek(p)) || peek(p) == ')') {
        if (behind.len > 0)
            return filter_fail(p, behind, "nothing follows \"%.*s\"", STR_ARG(before));
        return filter_fail(p, (struct filter_place){p->at, 1}, "unexpected \")\"");
    }
    if (peek(p) == ',')
        return filter_fail(p, (struct filter_place){p->at, 1}, "unexpected \",\"");
    if (is_word(p, STR("and")) || is_word(p, STR("or")) || is_word(p, STR("not"))) {
        struct str word = bare_here(p);

        return filter_fail(p, (struct filter_place){p->at, word.len},
                           "\"%.*s\" stands where a term should; quote it to look for it",
                           STR_ARG(word));
    }
    return true;
}

static struct filter_node *parse_primary(struct filter_parser *p, struct filter_place behind)
{
    size_t name_len;

    if (!check_begin(p, behind))
        return NULL;
    if (peek(p) == '(')
        return parse_brackets(p);
    if (peek(p) != '"' && find_operator(bare_here(p), &name_len))
        return parse_term(p, name_len);
    return parse_word(p);
}

static struct filter_node *parse_unary(struct filter_parser *p, struct filter_place behind)
{
    struct filter_place sign = {p->at, 0};
    struct filter_node *node;

    if ((peek(p) == '!' && !str_starts(str_from(p->text, p->at), STR("!="))) || peek(p) == '-')
        sign.len = 1;
    else if (is_word(p, STR("not")))
        sign.len = 3;
    if (sign.len == 0)
        return parse_primary(p, behind);
    node = new_node(p, FILTER_NOT);
    if (!node)
        return NULL;
    p->at += sign.len;
    if (sign.len == 3)
        skip_blanks(p);
    node->first = parse_primary(p, sign);
    return node->first ? node : NULL;
}

/* Put the nodes of a chain under one; a single one stays as it is. */
static bool chain(struct filter_parser *p, enum filter_node_kind kind, struct filter_node **list,
                  struct filter_node **last, struct filter_node *next)
{
    struct filter_node *parent = *list;

    if (!*list) {
        *list = *last = next;
        return true;
    }
    if (*last == *list) { /* the second one */
        parent = new_node(p, kind);
        if (!parent)
            return false;
        parent->first = *last;
        *list = parent;
    }
    (*last)->next = next;
    *last = next;
    return true;
}

static bool at_close(const struct filter_parser *p)
{
    return at_end(p) || (peek(p) == ')' && p->depth > 0);
}

static struct filter_node *parse_and(struct filter_parser *p, struct filter_place behind)
{
    struct filter_node *list = NULL, *last = NULL, *node;

    do {
        node = parse_unary(p, behind);
        if (!node || !chain(p, FILTER_AND, &list, &last, node))
            return NULL;
        skip_blanks(p);
        behind.len = 0;
        if (is_word(p, STR("and"))) {
            behind = (struct filter_place){p->at, 3};
            p->at += 3;
            skip_blanks(p);
        }
    } while (behind.len > 0 || (!at_close(p) && !is_word(p, STR("or"))));
    return list;
}

static struct filter_node *parse_or(struct filter_parser *p)
{
    struct filter_node *list = NULL, *last = NULL, *node;
    struct filter_place behind = {p->at, 0};

    for (;;) {
        node = parse_and(p, behind);
        if (!node || !chain(p, FILTER_OR, &list, &last, node))
            return NULL;
        if (at_close(p))
            return list;
        behind = (struct filter_place){p->at, 2};
        p->at += 2;
        skip_blanks(p);
    }
}

/* ---- the whole ---- */

static bool parse(struct filter_parser *p)
{
    size_t valid = utf8_valid_prefix(p->text);

    if (p->text.len > FILTER_BYTES_MAX) {
        struct str fits = utf8_cut(p->text, FILTER_BYTES_MAX);

        return filter_fail(p, (struct filter_place){fits.len, p->text.len - fits.len},
                           "the filter is longer than %d bytes", FILTER_BYTES_MAX);
    }
    if (valid < p->text.len)
        return filter_fail(p, (struct filter_place){valid, 1}, "the filter is not valid UTF-8");
    skip_blanks(p);
    if (at_end(p))
        return true;
    p->filter->root = parse_or(p);
    return p->filter->root != NULL;
}

struct filter *filter_parse(struct str text, enum filter_scope scope, int64_t now_us,
                            struct filter_error *error)
{
    struct filter *filter = xcalloc(1, sizeof(*filter));
    struct filter_parser p = {.filter = filter, .scope = scope, .now_us = now_us, .error = error};

    *error = (struct filter_error){0};
    p.text = text.ptr && text.len <= 2 * FILTER_BYTES_MAX ? arena_dup(&filter->arena, text) : text;
    if (text.ptr && !p.text.ptr)
        no_memory(&p);
    else if (parse(&p))
        return filter;
    filter_free(filter);
    return NULL;
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    arena_clear(&filter->arena);
    free(filter);
}

bool filter_is_empty(const struct filter *filter)
{
    return !filter->root;
}

bool filter_wants_run(const struct filter *filter)
{
    return filter->wants_run;
}

const struct filter_node *filter_root(const struct filter *filter)
{
    return filter->root;
}
