#include "store/store_where.h"

#include <stdio.h>
#include <stdlib.h>

#include "filter/filter_tree.h"

/* Ids that are looked up one by one rather than met on a walk. */
#define ID_SPAN_MAX 20000

static const enum sql_part_id column_parts[] = {
    [FILTER_COL_ID] = PART_WHERE_ID,
    [FILTER_COL_CREATED] = PART_WHERE_CREATED,
    [FILTER_COL_ENDED] = PART_WHERE_ENDED,
    [FILTER_COL_METHOD] = PART_WHERE_METHOD,
    [FILTER_COL_ENDPOINT] = PART_WHERE_ENDPOINT,
    [FILTER_COL_MODEL] = PART_WHERE_MODEL,
    [FILTER_COL_SENT_MODEL] = PART_WHERE_SENT_MODEL,
    [FILTER_COL_ROUTE] = PART_WHERE_ROUTE,
    [FILTER_COL_PROVIDER_SLUG] = PART_WHERE_PROVIDER_SLUG,
    [FILTER_COL_PROVIDER_NAME] = PART_WHERE_PROVIDER_NAME,
    [FILTER_COL_RUN_ID] = PART_WHERE_RUN,
    [FILTER_COL_STATUS] = PART_WHERE_STATUS,
    [FILTER_COL_OUTCOME] = PART_WHERE_OUTCOME,
    [FILTER_COL_FINISH] = PART_WHERE_FINISH,
    [FILTER_COL_DURATION] = PART_WHERE_DURATION,
    [FILTER_COL_TTFT] = PART_WHERE_TTFT,
    [FILTER_COL_GAP] = PART_WHERE_GAP,
    [FILTER_COL_MAXGAP] = PART_WHERE_MAXGAP,
    [FILTER_COL_INPUT] = PART_WHERE_INPUT,
    [FILTER_COL_CACHED] = PART_WHERE_CACHED,
    [FILTER_COL_OUTPUT] = PART_WHERE_OUTPUT,
    [FILTER_COL_REASONING] = PART_WHERE_REASONING,
    [FILTER_COL_TOTAL] = PART_WHERE_TOTAL,
    [FILTER_COL_TPS] = PART_WHERE_TPS,
    [FILTER_COL_COST] = PART_WHERE_COST,
    [FILTER_COL_TOOLS] = PART_WHERE_TOOLS,
    [FILTER_COL_BYTES] = PART_WHERE_BYTES,
    [FILTER_COL_REQ_BYTES] = PART_WHERE_REQ_BYTES,
    [FILTER_COL_ERROR] = PART_WHERE_ERROR,
    [FILTER_COL_UPSTREAM_ERROR] = PART_WHERE_UPSTREAM_ERROR,
};

static const enum sql_part_id flag_parts[] = {
    [FILTER_IS_STREAM] = PART_WHERE_IS_STREAM,     [FILTER_IS_TOOL] = PART_WHERE_IS_TOOL,
    [FILTER_IS_IMAGE] = PART_WHERE_IS_IMAGE,       [FILTER_IS_ERROR] = PART_WHERE_IS_ERROR,
    [FILTER_IS_SLOW] = PART_WHERE_IS_SLOW,         [FILTER_IS_LARGE] = PART_WHERE_IS_LARGE,
    [FILTER_IS_PENDING] = PART_WHERE_IS_PENDING,   [FILTER_IS_REWRITTEN] = PART_WHERE_IS_REWRITTEN,
    [FILTER_IS_WARNED] = PART_WHERE_IS_WARNED,     [FILTER_IS_PRICED] = PART_WHERE_IS_PRICED,
    [FILTER_IS_UNPRICED] = PART_WHERE_IS_UNPRICED,
};

/* ---- text and values ---- */

struct maker {
    struct store *store;
    struct where *w;
    int64_t active_run; /* UNKNOWN: none */
    struct err *err;
};

static int put(struct maker *m, const char *text)
{
    return buf_add(&m->w->test, str_c(text), m->err);
}

static int grow_args(struct maker *m)
{
    struct where *w = m->w;
    struct db_value *args;

    if (w->count < w->cap)
        return 0;
    args = reallocarray(w->args, w->cap * 2 + 64, sizeof(*args));
    if (!args)
        return err_set(m->err, ERR_NO_MEMORY, "no memory for a filter");
    w->args = args;
    w->cap = w->cap * 2 + 64;
    return 0;
}

/* A part whose "?" stand for these values. */
static int put_part(struct maker *m, enum sql_part_id part, const struct db_value *values)
{
    struct str rest = str_c(sql_part[part]);
    ptrdiff_t at;

    while ((at = str_chr(rest, '?')) >= 0) {
        if (buf_add(&m->w->test, str_cut(rest, (size_t)at), m->err) < 0 || grow_args(m) < 0)
            return -1;
        m->w->args[m->w->count++] = *values++;
        buf_printf(&m->w->test, "?%zu", m->w->count);
        rest = str_from(rest, (size_t)at + 1);
    }
    return buf_add(&m->w->test, rest, m->err);
}

static int put_test(struct maker *m, enum filter_column column, enum sql_part_id test,
                    const struct db_value *values)
{
    return put_part(m, column_parts[column], NULL) < 0 || put(m, " ") < 0
               ? -1
               : put_part(m, test, values);
}

/* Take the next character of a pattern, or of a text without wildcards, off *rest. */
static bool next_char(struct str *rest, bool literal, struct str *one, bool *wild)
{
    if (!literal)
        return filter_pattern_next(rest, one, wild);
    *wild = false;
    *one = str_cut(*rest, 1);
    *rest = str_from(*rest, 1);
    return one->len > 0;
}

static int put_like(struct buf *like, struct str text, bool literal, struct err *err)
{
    struct str one;
    bool wild;

    while (next_char(&text, literal, &one, &wild)) {
        bool special = one.ptr[0] == '%' || one.ptr[0] == '_' || one.ptr[0] == '\\';

        if (wild)
            one = one.ptr[0] == '*' ? STR("%") : STR("_");
        else if (special && buf_add(like, STR("\\"), err) < 0)
            return -1;
        if (buf_add(like, one, err) < 0)
            return -1;
    }
    return 0;
}

/* A value for LIKE; part: it may stand anywhere. */
static int like_value(struct maker *m, struct str text, bool literal, bool part,
                      struct db_value *out)
{
    struct str around = part ? STR("%") : STR("");
    struct buf like = {0};
    struct str copy = STR_NONE;
    int rc = -1;

    if (buf_add(&like, around, m->err) == 0 && put_like(&like, text, literal, m->err) == 0 &&
        buf_add(&like, around, m->err) == 0)
        copy = arena_dup(&m->w->arena, buf_str(&like));
    if (copy.ptr)
        rc = 0;
    else
        err_set(m->err, ERR_NO_MEMORY, "no memory for a filter");
    buf_clear(&like);
    *out = DB_TEXT(copy);
    return rc;
}

/* ---- terms ---- */

/* Whether any column of a field is known, or with unknown that none is. */
static int put_knowing(struct maker *m, const struct filter_field *f, bool unknown)
{
    size_t count = f->type == FILTER_RUN ? 1 : f->column_count;

    for (size_t i = 0; i < count; i++)
        if (put(m, i == 0    ? "("
                   : unknown ? " AND "
                             : " OR ") < 0 ||
            put_test(m, f->columns[i], unknown ? PART_WHERE_UNKNOWN : PART_WHERE_KNOWN, NULL) < 0)
            return -1;
    return put(m, ")");
}

static int put_interval(struct maker *m, enum filter_column column, const struct filter_value *v)
{
    const struct db_value both[] = {DB_INT(v->lo), DB_INT(v->hi)};

    if (v->lo == v->hi)
        return put_test(m, column, PART_WHERE_IS, both);
    if (v->lo == INT64_MIN)
        return put_test(m, column, PART_WHERE_LESS_EQUAL, both + 1);
    if (v->hi == INT64_MAX)
        return put_test(m, column, PART_WHERE_MORE_EQUAL, both);
    return put_test(m, column, PART_WHERE_BETWEEN, both);
}

static int put_run(struct maker *m, const struct filter_value *v, const struct db_value *text)
{
    const struct db_value id = DB_INT(v->lo);

    if (put(m, "(") < 0 ||
        put_part(m, v->kind == FILTER_PATTERN ? PART_WHERE_RUN_LIKE : PART_WHERE_RUN_IS, text) < 0)
        return -1;
    if (v->has_id && (put(m, " OR ") < 0 || put_test(m, FILTER_COL_RUN_ID, PART_WHERE_IS, &id) < 0))
        return -1;
    return put(m, ")");
}

static int put_text(struct maker *m, const struct filter_field *f, const struct filter_value *v)
{
    bool pattern = v->kind == FILTER_PATTERN;
    struct db_value text = DB_TEXT(v->text);

    if (pattern && like_value(m, v->text, false, f->type == FILTER_PART, &text) < 0)
        return -1;
    if (f->type == FILTER_RUN)
        return put_run(m, v, &text);
    for (size_t i = 0; i < f->column_count; i++)
        if (put(m, i == 0 ? "(" : " OR ") < 0 ||
            put_test(m, f->columns[i], pattern ? PART_WHERE_LIKE : PART_WHERE_IS, &text) < 0)
            return -1;
    return put(m, ")");
}

static int put_equals(struct maker *m, const struct filter_field *f, const struct filter_value *v)
{
    const struct db_value active = store_int(m->active_run);

    switch (v->kind) {
    case FILTER_IS_UNKNOWN:
    case FILTER_IS_KNOWN:
        return put_knowing(m, f, v->kind == FILTER_IS_UNKNOWN);
    case FILTER_INTERVAL:
        return put_interval(m, f->columns[0], v);
    case FILTER_LITERAL:
    case FILTER_PATTERN:
        return put_text(m, f, v);
    case FILTER_ACTIVE_RUN:
        return put_test(m, FILTER_COL_RUN_ID, PART_WHERE_IS, &active);
    case FILTER_FLAG_VALUE:
        return put(m, "(") < 0 || put_part(m, flag_parts[v->lo], NULL) < 0 ? -1 : put(m, ")");
    }
    return 0;
}

/* What is known and not equal; of knowing and of flags simply the contrary. */
static int put_differs(struct maker *m, const struct filter_field *f, const struct filter_value *v)
{
    bool plain =
        v->kind == FILTER_IS_UNKNOWN || v->kind == FILTER_IS_KNOWN || f->type == FILTER_FLAG;

    if (put(m, "(") < 0)
        return -1;
    if (!plain && (put_knowing(m, f, false) < 0 || put(m, " AND ") < 0))
        return -1;
    if (put(m, "(") < 0 || put_equals(m, f, v) < 0 || put(m, ") ") < 0)
        return -1;
    return put_part(m, PART_WHERE_NOT, NULL) < 0 ? -1 : put(m, ")");
}

static int put_compare(struct maker *m, const struct filter_node *t, const struct filter_value *v)
{
    const struct filter_field *f = t->field;
    const struct db_value lo = DB_INT(v->lo), hi = DB_INT(v->hi);

    if (f->type == FILTER_SINCE)
        return put_test(m, f->columns[0], PART_WHERE_MORE_EQUAL, &lo);
    if (f->type == FILTER_UNTIL)
        return put_test(m, f->columns[0], PART_WHERE_LESS, &lo);
    switch (t->compare) {
    case FILTER_MATCH:
    case FILTER_EQUAL:
        return put_equals(m, f, v);
    case FILTER_NOT_EQUAL:
        return put_differs(m, f, v);
    case FILTER_LESS:
        return put_test(m, f->columns[0], PART_WHERE_LESS, &lo);
    case FILTER_LESS_EQUAL:
        return put_test(m, f->columns[0], PART_WHERE_LESS_EQUAL, &hi);
    case FILTER_MORE:
        return put_test(m, f->columns[0], PART_WHERE_MORE, &hi);
    case FILTER_MORE_EQUAL:
        return put_test(m, f->columns[0], PART_WHERE_MORE_EQUAL, &lo);
    }
    return 0;
}

/* Values from..to of a list, in halves: an engine may refuse expressions that are too deep. */
static int put_values(struct maker *m, const struct filter_node *t, size_t from, size_t to)
{
    size_t middle = from + (to - from) / 2;

    if (to - from == 1)
        return put_compare(m, t, &t->values[from]);
    if (put(m, "(") < 0 || put_values(m, t, from, middle) < 0 ||
        put(m, t->compare == FILTER_NOT_EQUAL ? " AND " : " OR ") < 0 ||
        put_values(m, t, middle, to) < 0)
        return -1;
    return put(m, ")");
}

static int put_word(struct maker *m, const struct filter_value *word)
{
    const struct db_value id = DB_INT(word->lo);
    struct db_value text;

    if (like_value(m, word->text, true, true, &text) < 0 || put(m, "(") < 0)
        return -1;
    for (size_t i = 0; i < filter_word_column_count; i++) {
        enum filter_column column = filter_word_columns[i];

        if (i > 0 && put(m, " OR ") < 0)
            return -1;
        if ((column == FILTER_COL_RUN_NAME ? put_part(m, PART_WHERE_RUN_LIKE, &text)
                                           : put_test(m, column, PART_WHERE_LIKE, &text)) < 0)
            return -1;
    }
    if (word->has_id && (put(m, " OR ") < 0 || put_test(m, FILTER_COL_ID, PART_WHERE_IS, &id) < 0))
        return -1;
    return put(m, ")");
}

/* As deep as brackets nest. */
static int put_node(struct maker *m, const struct filter_node *node)
{
    switch (node->kind) {
    case FILTER_TERM:
        return put_values(m, node, 0, node->value_count);
    case FILTER_WORD:
        return put_word(m, node->values);
    case FILTER_NOT:
        if (put(m, "((") < 0 || put_node(m, node->first) < 0 || put(m, ") ") < 0)
            return -1;
        return put_part(m, PART_WHERE_NOT, NULL) < 0 ? -1 : put(m, ")");
    case FILTER_AND:
    case FILTER_OR:
        break;
    }
    for (const struct filter_node *child = node->first; child; child = child->next)
        if (put(m, child == node->first       ? "("
                   : node->kind == FILTER_AND ? " AND "
                                              : " OR ") < 0 ||
            put_node(m, child) < 0)
            return -1;
    return put(m, ")");
}

/* ---- what indexes know ---- */

static void narrow(struct maker *m, struct record_filter *f, int64_t lo, int64_t hi)
{
    if (lo > f->since_us)
        f->since_us = lo;
    if (hi < INT64_MAX && (!f->until_us || hi + 1 < f->until_us))
        f->until_us = hi > 0 ? hi + 1 : 1;
    if (f->until_us && f->since_us >= f->until_us)
        m->w->empty = true;
}

static bool lift_time(struct maker *m, struct record_filter *f, const struct filter_node *t)
{
    const struct filter_value *v = t->values;

    if (v->kind != FILTER_INTERVAL)
        return false;
    if (t->field->type == FILTER_SINCE || t->compare == FILTER_MORE_EQUAL)
        narrow(m, f, v->lo, INT64_MAX);
    else if (t->field->type == FILTER_UNTIL || t->compare == FILTER_LESS)
        narrow(m, f, 0, v->lo - 1);
    else if (t->compare == FILTER_LESS_EQUAL)
        narrow(m, f, 0, v->hi);
    else if (t->compare == FILTER_MORE)
        narrow(m, f, v->hi + 1, INT64_MAX);
    else if (t->compare != FILTER_NOT_EQUAL)
        narrow(m, f, v->lo, v->hi);
    else
        return false;
    return true;
}

static bool lift_flag(struct maker *m, struct record_filter *f, enum filter_flag flag)
{
    bool *const flags[] = {
        [FILTER_IS_STREAM] = &f->stream, [FILTER_IS_TOOL] = &f->tool, [FILTER_IS_IMAGE] = &f->image,
        [FILTER_IS_ERROR] = &f->error,   [FILTER_IS_SLOW] = &f->slow, [FILTER_IS_LARGE] = &f->large,
    };

    if (flag == FILTER_IS_PENDING)
        m->w->index = WHERE_BY_PENDING;
    else if (flag == FILTER_IS_REWRITTEN && m->w->index == WHERE_BY_ANY)
        m->w->index = WHERE_BY_REWRITTEN;
    if ((size_t)flag >= sizeof(flags) / sizeof(*flags))
        return false;
    *flags[flag] = true;
    return true;
}

static bool has_wildcard(struct str pattern)
{
    return str_chr(pattern, '*') >= 0 || str_chr(pattern, '?') >= 0 || str_chr(pattern, '\\') >= 0;
}

static bool lift_text(struct record_filter *f, const struct filter_node *t)
{
    const struct filter_value *v = t->values;
    bool literal = v->kind == FILTER_LITERAL && t->compare == FILTER_EQUAL;
    bool part = v->kind == FILTER_PATTERN && v->text.len > 0 && !has_wildcard(v->text);
    struct str *to = NULL;

    if (t->field->columns[0] == FILTER_COL_MODEL && literal)
        to = &f->model;
    else if (t->field->columns[0] == FILTER_COL_ROUTE && literal)
        to = &f->route;
    else if (t->field->columns[0] == FILTER_COL_ENDPOINT && part)
        to = &f->endpoint;
    if (!to || to->ptr)
        return false;
    *to = v->text;
    return true;
}

/* A model in any case: when there is one such model, it is meant. 1 lifted, 0 not, -1 error. */
static int lift_model(struct maker *m, struct record_filter *f, const struct filter_node *t)
{
    const struct filter_value *v = t->values;
    struct db_value like;
    struct db_rows *rows;
    int got, count = 0;

    if (t->field->columns[0] != FILTER_COL_MODEL || t->compare != FILTER_MATCH ||
        v->kind != FILTER_PATTERN || has_wildcard(v->text) || f->model.ptr ||
        v->text.len > FACET_MAX_BYTES)
        return 0;
    if (like_value(m, v->text, false, false, &like) < 0)
        return -1;
    rows = db_query(m->store->db, SQL_WHERE_MODELS_LIKE, DB_ARGS(like), m->err);
    while ((got = rows ? db_next(rows, m->err) : -1) == 1)
        if (count++ == 0)
            snprintf(m->w->model, sizeof(m->w->model), "%.*s", STR_ARG(db_bytes(rows, 0)));
    db_done(rows);
    m->w->empty |= got == 0 && count == 0;
    if (got < 0 || count != 1)
        return got < 0 ? -1 : 0;
    f->model = str_c(m->w->model);
    return f->model.len == v->text.len; /* else it holds a NUL, and the test decides */
}

/* Runs by name or id: when there is one such run, it is meant. */
static int lift_run(struct maker *m, struct record_filter *f, const struct filter_node *t)
{
    const struct filter_value *v = t->values;
    bool pattern = v->kind == FILTER_PATTERN;
    struct db_value args[2] = {DB_TEXT(v->text), v->has_id ? DB_INT(v->lo) : DB_NULL};
    int64_t id = m->active_run;
    struct db_rows *rows;
    int got, count = id != UNKNOWN;

    if (t->field->type != FILTER_RUN || t->compare > FILTER_EQUAL || f->has_run ||
        (v->kind != FILTER_LITERAL && !pattern && v->kind != FILTER_ACTIVE_RUN))
        return 0;
    if (v->kind != FILTER_ACTIVE_RUN) {
        if (pattern && like_value(m, v->text, false, false, &args[0]) < 0)
            return -1;
        count = 0;
        rows = db_query(m->store->db, pattern ? SQL_WHERE_RUNS_LIKE : SQL_WHERE_RUNS_IS, args, 2,
                        m->err);
        for (; (got = rows ? db_next(rows, m->err) : -1) == 1; count++)
            id = db_int(rows, 0);
        db_done(rows);
        if (got < 0)
            return -1;
    }
    m->w->empty |= count == 0;
    if (count != 1)
        return 0;
    f->has_run = true;
    f->run = id;
    return 1;
}

/* Failed requests have an index of their own. True when the term can only match these. */
static bool is_of_errors(const struct filter_node *t)
{
    const struct filter_value *v = t->values;

    if (t->compare == FILTER_NOT_EQUAL || v->kind == FILTER_IS_UNKNOWN)
        return false;
    switch (t->field->columns[0]) {
    case FILTER_COL_ERROR:
        return true;
    case FILTER_COL_STATUS:
        return v->kind == FILTER_INTERVAL &&
               (t->compare <= FILTER_EQUAL        ? v->lo >= 400 || v->hi < 200
                : t->compare == FILTER_MORE       ? v->hi >= 399
                : t->compare == FILTER_MORE_EQUAL ? v->lo >= 400
                                                  : v->hi < 200);
    case FILTER_COL_OUTCOME:
        return str_eq(v->text, STR("http_error")) || str_eq(v->text, STR("failed")) ||
               str_eq(v->text, STR("upstream_error"));
    default:
        return false;
    }
}

static bool lift_number(struct maker *m, struct record_filter *f, const struct filter_node *t)
{
    const struct filter_value *v = t->values;

    if (v->kind != FILTER_INTERVAL || t->compare > FILTER_EQUAL)
        return false;
    if (t->field->type == FILTER_NUMBER && t->field->columns[0] == FILTER_COL_ID &&
        v->lo > INT64_MIN && v->hi < INT64_MAX && v->hi - v->lo < ID_SPAN_MAX)
        m->w->index = WHERE_BY_ID;
    if (t->field->type != FILTER_STATUS || f->has_status || v->lo != v->hi)
        return false;
    f->has_status = true;
    f->status = v->lo;
    return true;
}

/* 1: the record_filter says all that the term says. */
static int lift(struct maker *m, struct record_filter *f, const struct filter_node *t)
{
    int rc;

    if (t->kind != FILTER_TERM || t->value_count != 1)
        return 0;
    if (t->field->type == FILTER_FLAG)
        return t->compare != FILTER_NOT_EQUAL && lift_flag(m, f, (enum filter_flag)t->values->lo);
    if (t->field->columns[0] == FILTER_COL_CREATED)
        return lift_time(m, f, t);
    if (is_of_errors(t))
        f->error = true;
    rc = lift_model(m, f, t);
    if (rc == 0)
        rc = lift_run(m, f, t);
    return rc != 0 ? rc : lift_text(f, t) || lift_number(m, f, t);
}

static int put_rest(struct maker *m, struct record_filter *f, const struct filter_node *node)
{
    int lifted = lift(m, f, node);

    if (lifted != 0)
        return lifted < 0 ? -1 : 0;
    if (m->w->test.len > 0 && put(m, " AND ") < 0)
        return -1;
    return put_node(m, node);
}

static int find_active(struct maker *m)
{
    struct arena arena = {0};
    struct run run;
    int rc = store_run_active(m->store, &arena, &run, m->err);

    if (rc == 0)
        m->active_run = run.id;
    arena_clear(&arena);
    return rc == 0 || m->err->code == ERR_NOT_FOUND ? 0 : -1;
}

int where_make(struct store *store, struct record_filter *f, struct where *out, struct err *err)
{
    struct maker m = {store, out, UNKNOWN, err};
    const struct filter_node *root = f->where ? filter_root(f->where) : NULL;
    int rc = 0;

    *out = (struct where){.count = WHERE_ARGS};
    if (!root)
        return 0;
    if (grow_args(&m) < 0 || (filter_wants_run(f->where) && find_active(&m) < 0))
        return -1;
    for (size_t i = 0; i < WHERE_ARGS; i++)
        out->args[i] = DB_NULL;
    if (root->kind != FILTER_AND)
        return put_rest(&m, f, root);
    for (const struct filter_node *child = root->first; rc == 0 && child; child = child->next)
        rc = put_rest(&m, f, child);
    return rc;
}

void where_clear(struct where *w)
{
    buf_clear(&w->test);
    free(w->args);
    arena_clear(&w->arena);
}
