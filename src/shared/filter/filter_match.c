/* Asking a tree of a row in memory. As deep as the tree: brackets nest to a limit. */
#include "base/utf8.h"
#include "filter/filter_priv.h"

/* ---- text ---- */

bool filter_pattern_next(struct str *rest, struct str *one, bool *wild)
{
    size_t len;

    if (rest->len == 0)
        return false;
    *wild = rest->ptr[0] == '*' || rest->ptr[0] == '?';
    if (rest->ptr[0] == '\\' && rest->len > 1 && strchr("*?\\", rest->ptr[1]) && rest->ptr[1])
        *rest = str_from(*rest, 1);
    utf8_next(*rest, &len);
    *one = str_cut(*rest, len);
    *rest = str_from(*rest, len);
    return true;
}

/* Take one character of text off *rest, if it is the one that the pattern goes on with. */
static bool step(struct str *rest, struct str one, bool wild)
{
    size_t len;

    if (rest->len == 0)
        return false;
    if (wild) {
        utf8_next(*rest, &len);
        *rest = str_from(*rest, len);
        return true;
    }
    if (!str_istarts(*rest, one))
        return false;
    *rest = str_from(*rest, one.len);
    return true;
}

/* The last "*" takes as little as it can and more when the rest does not fit; what was before it
 * fits already. */
static bool glob(struct str text, struct str pattern, bool part)
{
    struct str behind = pattern, start = text, one; /* of the last "*" */
    bool star = part, wild;
    size_t len;

    for (;;) {
        struct str rest = pattern;

        if (!filter_pattern_next(&rest, &one, &wild)) {
            if (text.len == 0 || part)
                return true;
        } else if (wild && one.ptr[0] == '*') {
            star = true;
            pattern = behind = rest;
            start = text;
            continue;
        } else if (step(&text, one, wild)) {
            pattern = rest;
            continue;
        }
        if (!star || start.len == 0)
            return false;
        utf8_next(start, &len);
        start = text = str_from(start, len);
        pattern = behind;
    }
}

/* ---- values ---- */

struct asked {
    const struct filter_row *row;
    int64_t active_run;
    struct buf scratch;
};

static bool get_number(const struct asked *a, enum filter_column column, int64_t *out)
{
    return a->row->number(a->row->row, column, out);
}

static bool get_text(struct asked *a, enum filter_column column, struct str *out)
{
    a->scratch.len = 0;
    return a->row->text(a->row->row, column, &a->scratch, out);
}

static bool is_number(const struct filter_field *f)
{
    return f->type <= FILTER_UNTIL;
}

static bool is_known(struct asked *a, const struct filter_field *f)
{
    struct str text;
    int64_t n;

    if (f->type == FILTER_RUN || is_number(f))
        return get_number(a, f->columns[0], &n);
    for (size_t i = 0; i < f->column_count; i++)
        if (get_text(a, f->columns[i], &text))
            return true;
    return false;
}

static bool text_is(struct str text, const struct filter_value *v, enum filter_type type)
{
    if (v->kind == FILTER_PATTERN)
        return glob(text, v->text, type == FILTER_PART);
    return str_eq(text, v->text);
}

/* Whether any of the texts of a field is the value. */
static bool any_text(struct asked *a, const struct filter_field *f, const struct filter_value *v)
{
    struct str text;

    for (size_t i = f->type == FILTER_RUN; i < f->column_count; i++)
        if (get_text(a, f->columns[i], &text) && text_is(text, v, f->type))
            return true;
    return false;
}

static bool state_is(struct asked *a, const char *state)
{
    struct str text;

    return get_text(a, FILTER_COL_STATE, &text) && str_eq(text, str_c(state));
}

static bool flag_on(const struct asked *a, enum filter_column column)
{
    int64_t n;

    return get_number(a, column, &n) && n != 0;
}

static bool has_failed(struct asked *a)
{
    struct str text;
    int64_t status;

    return (get_number(a, FILTER_COL_STATUS, &status) && (status < 200 || status >= 400)) ||
           get_text(a, FILTER_COL_ERROR, &text) || get_text(a, FILTER_COL_UPSTREAM_ERROR, &text);
}

static bool is_large(const struct asked *a)
{
    int64_t n;

    if (get_number(a, FILTER_COL_IS_LARGE, &n))
        return n != 0;
    if (!get_number(a, FILTER_COL_TOTAL, &n) && !get_number(a, FILTER_COL_INPUT, &n))
        return false;
    return n >= FILTER_LARGE_TOKENS;
}

static bool is_warned(struct asked *a)
{
    struct str text;

    return get_text(a, FILTER_COL_COMPATIBILITY, &text) && str_eq(text, STR("warned"));
}

static bool has_flag(struct asked *a, enum filter_flag flag)
{
    int64_t n;

    switch (flag) {
    case FILTER_IS_STREAM:
        return flag_on(a, FILTER_COL_IS_STREAM);
    case FILTER_IS_TOOL:
        return flag_on(a, FILTER_COL_IS_TOOL);
    case FILTER_IS_IMAGE:
        return flag_on(a, FILTER_COL_IS_IMAGE);
    case FILTER_IS_REWRITTEN:
        return flag_on(a, FILTER_COL_IS_REWRITTEN);
    case FILTER_IS_ERROR:
        return has_failed(a);
    case FILTER_IS_SLOW:
        return get_number(a, FILTER_COL_DURATION, &n) && n >= FILTER_SLOW_MS;
    case FILTER_IS_LARGE:
        return is_large(a);
    case FILTER_IS_WARNED:
        return is_warned(a);
    case FILTER_IS_PENDING:
        return !get_number(a, FILTER_COL_ENDED, &n);
    case FILTER_IS_PRICED:
        return get_number(a, FILTER_COL_COST, &n);
    case FILTER_IS_UNPRICED:
        return !get_number(a, FILTER_COL_COST, &n) && get_number(a, FILTER_COL_ENDED, &n);
    case FILTER_IS_WAITING:
        return state_is(a, "waiting");
    case FILTER_IS_STREAMING:
        return state_is(a, "streaming");
    case FILTER_IS_STALLED:
        return state_is(a, "stalled");
    }
    return false;
}

/* What ":" and "=" say of one value; "!=" says the contrary of what is known. */
static bool equals(struct asked *a, const struct filter_field *f, const struct filter_value *v)
{
    int64_t n;

    switch (v->kind) {
    case FILTER_IS_UNKNOWN:
        return !is_known(a, f);
    case FILTER_IS_KNOWN:
        return is_known(a, f);
    case FILTER_INTERVAL:
        return get_number(a, f->columns[0], &n) && n >= v->lo && n <= v->hi;
    case FILTER_LITERAL:
    case FILTER_PATTERN:
        if (v->has_id && get_number(a, FILTER_COL_RUN_ID, &n) && n == v->lo)
            return true;
        return any_text(a, f, v);
    case FILTER_ACTIVE_RUN:
        return get_number(a, FILTER_COL_RUN_ID, &n) && n == a->active_run;
    case FILTER_FLAG_VALUE:
        return has_flag(a, (enum filter_flag)v->lo);
    }
    return false;
}

static bool compares(struct asked *a, const struct filter_node *t, const struct filter_value *v)
{
    const struct filter_field *f = t->field;
    bool about_knowing = v->kind == FILTER_IS_KNOWN || v->kind == FILTER_IS_UNKNOWN;
    int64_t n;

    if (t->compare == FILTER_NOT_EQUAL)
        return (about_knowing || f->type == FILTER_FLAG || is_known(a, f)) && !equals(a, f, v);
    if (f->type != FILTER_SINCE && f->type != FILTER_UNTIL && t->compare <= FILTER_EQUAL)
        return equals(a, f, v);
    if (!get_number(a, f->columns[0], &n))
        return false;
    if (f->type == FILTER_SINCE || t->compare == FILTER_MORE_EQUAL)
        return n >= v->lo;
    if (f->type == FILTER_UNTIL || t->compare == FILTER_LESS)
        return n < v->lo;
    return t->compare == FILTER_MORE ? n > v->hi : n <= v->hi;
}

/* Any of the values; with "!=" none. */
static bool term_matches(struct asked *a, const struct filter_node *t)
{
    bool none = t->compare == FILTER_NOT_EQUAL;

    for (size_t i = 0; i < t->value_count; i++)
        if (compares(a, t, &t->values[i]) != none)
            return !none;
    return none;
}

static bool word_matches(struct asked *a, const struct filter_value *word)
{
    struct str text;
    int64_t id;

    if (word->has_id && get_number(a, FILTER_COL_ID, &id) && id == word->lo)
        return true;
    for (size_t i = 0; i < filter_word_column_count; i++)
        if (get_text(a, filter_word_columns[i], &text) && str_ifind(text, word->text) >= 0)
            return true;
    return false;
}

static bool node_matches(struct asked *a, const struct filter_node *node)
{
    bool any = node->kind == FILTER_OR;

    switch (node->kind) {
    case FILTER_TERM:
        return term_matches(a, node);
    case FILTER_WORD:
        return word_matches(a, node->values);
    case FILTER_NOT:
        return !node_matches(a, node->first);
    case FILTER_AND:
    case FILTER_OR:
        break;
    }
    for (const struct filter_node *child = node->first; child; child = child->next)
        if (node_matches(a, child) == any)
            return any;
    return !any;
}

bool filter_matches(const struct filter *filter, const struct filter_row *row, int64_t active_run)
{
    struct asked a = {.row = row, .active_run = active_run};
    bool yes = !filter->root || node_matches(&a, filter->root);

    buf_clear(&a.scratch);
    return yes;
}
