#include "opt.h"

#include <stdio.h>
#include <stdlib.h>

#include "xalloc.h"

#define HELP_COLUMN 28
#define HELP_WIDTH 80
#define NEAR_DISTANCE 2
#define NEAR_PREFIX 3
#define NEAR_MAX 3
#define WORD_MAX 64 /* longer words are no misspellings */

static size_t table_size(const struct opt *table)
{
    size_t n = 0;

    while (table[n].name)
        n++;
    return n;
}

/* ---- near names ---- */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

/* Damerau-Levenshtein (swaps of neighbours) over three rows; both words are short. */
static unsigned distance(struct str a, struct str b)
{
    unsigned rows[3][WORD_MAX + 1];

    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned *now = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];

        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = a.ptr[i - 1] == b.ptr[j - 1];

            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + !same);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return rows[a.len % 3][b.len];
}

/* 0 is nearest; above NEAR_DISTANCE + 1 is not near at all. */
static unsigned rank(struct str word, struct str name)
{
    unsigned d = NEAR_DISTANCE + 1;

    if (word.len > WORD_MAX || name.len > WORD_MAX || word.len == 0)
        return NEAR_DISTANCE + 2;
    if (word.len <= name.len + NEAR_DISTANCE && name.len <= word.len + NEAR_DISTANCE)
        d = distance(word, name);
    if (d <= NEAR_DISTANCE && d < word.len && d < name.len)
        return d;
    if (word.len >= NEAR_PREFIX && name.len >= NEAR_PREFIX &&
        memcmp(word.ptr, name.ptr, NEAR_PREFIX) == 0)
        return NEAR_DISTANCE + 1;
    return NEAR_DISTANCE + 2;
}

static void suggest(struct buf *out, struct str word, const char *prefix,
                    const char *const *candidates, size_t n)
{
    const char *near[NEAR_MAX];
    size_t found = 0;

    for (unsigned r = 0; r <= NEAR_DISTANCE + 1; r++)
        for (size_t i = 0; i < n && found < NEAR_MAX; i++)
            if (rank(word, str_c(candidates[i])) == r)
                near[found++] = candidates[i];
    for (size_t i = 0; i < found; i++) {
        const char *before = i == 0 ? ", did you mean " : i + 1 == found ? " or " : ", ";

        buf_printf(out, "%s\"%s%s\"", before, prefix, near[i]);
    }
    if (found)
        buf_put(out, STR("?"));
}

void opts_suggest(struct buf *out, struct str word, const char *const *candidates, size_t n)
{
    suggest(out, word, "", candidates, n);
}

/* ---- parsing ---- */

static int unknown(const struct opt *table, struct str name, struct err *err)
{
    size_t n = table_size(table);
    const char **names = xcalloc(n + 1, sizeof(*names));
    struct buf near = {0};

    for (size_t i = 0; i < n; i++)
        names[i] = table[i].name;
    suggest(&near, name, "--", names, n);
    err_set(err, ERR_INVALID, "unknown option \"--%.*s\"%.*s", STR_ARG(str_cut(name, WORD_MAX)),
            STR_ARG(buf_str(&near)));
    buf_clear(&near);
    free(names);
    return -1;
}

static int give(struct opts *o, size_t i, const char *value, struct err *err)
{
    struct opt_given *g = &o->given[i];
    const struct opt *opt = &o->table[i];

    if (g->given && (opt->kind == OPT_TEXT || opt->kind == OPT_OPTIONAL))
        return err_set(err, ERR_INVALID, "--%s was given twice", opt->name);
    g->given = true;
    if (opt->kind == OPT_LIST) {
        g->list = xrealloc(g->list, g->count + 1, sizeof(*g->list));
        g->list[g->count++] = value;
    }
    g->value = value;
    return 0;
}

static int parse_long(struct opts *o, const char *word, const char *next, bool *used,
                      struct err *err)
{
    struct str name = str_c(word);
    ptrdiff_t eq = str_chr(name, '=');
    const char *value = eq < 0 ? NULL : word + eq + 1;
    size_t i = 0;

    if (eq >= 0)
        name = str_cut(name, (size_t)eq);
    while (o->table[i].name && !str_eq(str_c(o->table[i].name), name))
        i++;
    if (!o->table[i].name)
        return unknown(o->table, name, err);
    switch (o->table[i].kind) {
    case OPT_FLAG:
        if (value)
            return err_set(err, ERR_INVALID, "--%s takes no value", o->table[i].name);
        break;
    case OPT_OPTIONAL:
        break;
    case OPT_TEXT:
    case OPT_LIST:
        if (!value) {
            value = next;
            *used = true;
        }
        if (!value)
            return err_set(err, ERR_INVALID, "--%s needs a value (%s)", o->table[i].name,
                           o->table[i].value ? o->table[i].value : "TEXT");
        break;
    }
    return give(o, i, value, err);
}

/* "-fn20": flags may be bundled; the first one with a value takes the rest, or the next word. */
static int parse_short(struct opts *o, const char *word, const char *next, bool *used,
                       struct err *err)
{
    for (const char *c = word; *c; c++) {
        const char *value = NULL;
        bool takes;
        size_t i = 0;

        while (o->table[i].name && o->table[i].short_name != *c)
            i++;
        if (!o->table[i].name)
            return err_set(err, ERR_INVALID, "unknown option \"-%c\"", *c);
        takes = o->table[i].kind == OPT_TEXT || o->table[i].kind == OPT_LIST;
        if (takes && !c[1] && !next)
            return err_set(err, ERR_INVALID, "-%c needs a value (%s)", *c,
                           o->table[i].value ? o->table[i].value : "TEXT");
        if (takes) {
            value = c[1] ? c + 1 : next;
            *used = !c[1];
        }
        if (give(o, i, value, err) < 0)
            return -1;
        if (takes)
            break;
    }
    return 0;
}

static int parse(struct opts *o, const struct opt *table, bool leading, int argc, char **argv,
                 struct err *err)
{
    bool ended = false;

    *o = (struct opts){.table = table};
    o->given = xcalloc(table_size(table) + 1, sizeof(*o->given));
    o->args = xcalloc((size_t)(argc > 0 ? argc : 0) + 1, sizeof(*o->args));
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
        bool used = false;
        int rc = 0;

        if (ended || word[0] != '-' || !word[1]) {
            o->args[o->arg_count++] = word;
            ended |= leading;
        } else if (strcmp(word, "--") == 0) {
            ended = true;
        } else if (word[1] == '-') {
            rc = parse_long(o, word + 2, next, &used, err);
        } else {
            rc = parse_short(o, word + 1, next, &used, err);
        }
        if (rc < 0)
            return -1;
        i += used;
    }
    return 0;
}

int opts_parse(struct opts *o, const struct opt *table, int argc, char **argv, struct err *err)
{
    return parse(o, table, false, argc, argv, err);
}

int opts_parse_leading(struct opts *o, const struct opt *table, int argc, char **argv,
                       struct err *err)
{
    return parse(o, table, true, argc, argv, err);
}

const struct opt_given *opts_find(const struct opts *o, const char *name)
{
    static const struct opt_given none;

    for (size_t i = 0; o->table && o->table[i].name; i++)
        if (strcmp(o->table[i].name, name) == 0)
            return &o->given[i];
    return &none;
}

const char *opts_text(const struct opts *o, const char *name)
{
    return opts_find(o, name)->value;
}

bool opts_flag(const struct opts *o, const char *name)
{
    return opts_find(o, name)->given;
}

void opts_clear(struct opts *o)
{
    for (size_t i = 0; o->table && o->given && o->table[i].name; i++)
        free(o->given[i].list);
    free(o->given);
    free(o->args);
    *o = (struct opts){0};
}

/* ---- help ---- */

static size_t put_name(struct buf *out, const struct opt *opt)
{
    size_t start = out->len;

    if (opt->short_name)
        buf_printf(out, "  -%c, --%s", opt->short_name, opt->name);
    else
        buf_printf(out, "      --%s", opt->name);
    if (opt->kind == OPT_OPTIONAL)
        buf_printf(out, "[=%s]", opt->value ? opt->value : "TEXT");
    else if (opt->kind != OPT_FLAG)
        buf_printf(out, " %s%s", opt->value ? opt->value : "TEXT",
                   opt->kind == OPT_LIST ? "..." : "");
    return out->len - start;
}

/* Words of text from HELP_COLUMN on, broken before HELP_WIDTH. */
static void put_wrapped(struct buf *out, struct str text)
{
    size_t at = HELP_COLUMN;
    struct str word;

    while (str_split(&text, ' ', &word)) {
        if (at > HELP_COLUMN && at + 1 + word.len > HELP_WIDTH) {
            buf_printf(out, "\n%*s", HELP_COLUMN, "");
            at = HELP_COLUMN;
        }
        if (at > HELP_COLUMN) {
            buf_put(out, STR(" "));
            at++;
        }
        buf_put(out, word);
        at += word.len;
    }
    buf_put(out, STR("\n"));
}

void opts_help(struct buf *out, const struct opt *table)
{
    for (; table->name; table++) {
        size_t used = put_name(out, table);
        struct buf text = {0};

        if (used + 2 > HELP_COLUMN) {
            buf_put(out, STR("\n"));
            used = 0;
        }
        buf_printf(out, "%*s", (int)(HELP_COLUMN - used), "");
        buf_put(&text, str_c(table->help ? table->help : ""));
        if (table->fallback)
            buf_printf(&text, " (%s)", table->fallback);
        put_wrapped(out, buf_str(&text));
        buf_clear(&text);
    }
}
