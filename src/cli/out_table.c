#include "out_table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "text/term.h"

#define FIELD_MAX_WIDTH 40

/* A row as cleaned cells: cell i is text[ends[i - 1]..ends[i]). */
struct out_line {
    char *text;
    size_t *ends;
    enum role *roles;
};

/* ---- names ---- */

bool out_field_known(const struct out_spec *spec, struct str name)
{
    struct str inner = name, first;

    for (const char *const *f = spec->fields; *f; f++)
        if (str_eq(str_c(*f), name))
            return true;
    if (!spec->record || !str_split(&inner, '.', &first) || !str_eq(first, str_c(spec->record)))
        return false;
    for (const char *const *f = request_fields; *f; f++)
        if (str_eq(str_c(*f), inner))
            return true;
    return false;
}

void out_list_fields(const struct out_spec *spec, struct buf *out, const char *separator)
{
    for (const char *const *f = spec->fields; *f; f++)
        buf_printf(out, "%s%s", *f, separator);
    for (const char *const *f = request_fields; spec->record && *f; f++)
        buf_printf(out, "%s.%s%s", spec->record, *f, separator);
}

int out_unknown(const struct out_spec *spec, const char *what, struct str name, struct err *err)
{
    const char *names[256];
    struct buf near = {0};
    size_t n = 0;

    for (const struct column *c = spec->columns; c && c->id && n < 100; c++)
        if (strcmp(what, "column") == 0 && !out_field_known(spec, str_c(c->id)))
            names[n++] = c->id;
    for (const char *const *f = spec->fields; *f && n < 256; f++)
        names[n++] = *f;
    opts_suggest(&near, name, names, n);
    err_set(err, ERR_INVALID, "unknown %s \"%.*s\"%.*s", what, STR_ARG(str_cut(name, 80)),
            STR_ARG(buf_str(&near)));
    buf_clear(&near);
    return -1;
}

/* ---- choice of columns ---- */

static bool is_number_field(struct str name)
{
    static const char *const ends[] = {"_ms", "_count", "_bytes", "_tokens", "_usd", ".id"};

    if (str_eq(name, STR("id")) || str_eq(name, STR("rev")) || str_eq(name, STR("status")) ||
        str_eq(name, STR("generation_tps")) || str_eq(name, STR("tokens_per_second")))
        return true;
    if (str_starts(name, STR("tokens.")))
        return !str_ends(name, STR("_display")) && !str_ends(name, STR("_estimated"));
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (str_ends(name, str_c(ends[i])))
            return true;
    return false;
}

static void add_column(struct out *o, struct str name)
{
    const struct column *known = column_find(o->spec->columns, name);
    bool machine = o->form == OUT_TSV || o->form == OUT_CSV;
    struct out_column *c;

    o->columns = xrealloc(o->columns, o->column_count + 1, sizeof(*o->columns));
    c = &o->columns[o->column_count++];
    *c = (struct out_column){.name = str_dup(name)};
    /* In TSV and CSV the name of a field is the field; "cached" and the like are columns only. A
     * list is its length. */
    if (known && (known->kind == KIND_LENGTH || !(machine && out_field_known(o->spec, name))))
        c->column = *known;
    else
        c->column = (struct column){.id = c->name,
                                    .title = c->name,
                                    .min = name.len,
                                    .max = name.len > FIELD_MAX_WIDTH ? name.len : FIELD_MAX_WIDTH,
                                    .right = is_number_field(name),
                                    .kind = KIND_TEXT,
                                    .path = c->name};
}

static void remove_column(struct out *o, struct str name)
{
    size_t kept = 0;

    for (size_t i = 0; i < o->column_count; i++) {
        if (str_eq(str_c(o->columns[i].name), name))
            free(o->columns[i].name);
        else
            o->columns[kept++] = o->columns[i];
    }
    o->column_count = kept;
}

int out_choose(struct out *o, const char *list, const char *defaults, struct err *err)
{
    struct str rest = str_c(list), name;
    bool changes = list && (list[0] == '+' || list[0] == '-');

    o->columns_given = list && !changes;
    if (!list || changes)
        for (struct str all = str_c(defaults); str_split(&all, ',', &name);)
            add_column(o, name);
    while (list && str_split(&rest, ',', &name)) {
        bool minus = str_starts(name, STR("-")), plus = str_starts(name, STR("+"));

        if (minus || plus)
            name = str_from(name, 1);
        if (!column_find(o->spec->columns, name) && !out_field_known(o->spec, name)) {
            o->unknown_field = true;
            return out_unknown(o->spec, "column", name, err);
        }
        remove_column(o, name);
        if (!minus)
            add_column(o, name);
    }
    if (o->column_count == 0)
        return err_set(err, ERR_INVALID, "--columns leaves no column");
    return 0;
}

/* ---- layout ---- */

static size_t base_width(const struct out *o, const struct out_column *c)
{
    size_t width = c->natural < c->column.min ? c->column.min : c->natural;

    if (o->wide)
        return width;
    if (c->column.flex)
        return c->column.min;
    return width > c->column.max ? c->column.max : width;
}

/* The width of all columns that are left, with a blank between them. */
static size_t total_width(const struct out *o, size_t *visible)
{
    size_t total = 0;

    *visible = 0;
    for (size_t i = 0; i < o->column_count; i++)
        if (!o->columns[i].dropped) {
            total += o->columns[i].width + (*visible > 0);
            (*visible)++;
        }
    return total;
}

static void drop_one(struct out *o)
{
    struct out_column *last = NULL;

    for (size_t i = 0; i < o->column_count; i++) {
        struct out_column *c = &o->columns[i];

        if (!c->dropped && (!last || o->columns_given || c->column.drop >= last->column.drop))
            last = c;
    }
    if (last)
        last->dropped = true;
}

/* Give one cell after the other to the flexible columns, so that odd ones go to the left. */
static void share(struct out *o, size_t left)
{
    bool given = true;

    while (left > 0 && given) {
        given = false;
        for (size_t i = 0; i < o->column_count && left > 0; i++) {
            struct out_column *c = &o->columns[i];

            if (!c->dropped && c->column.flex && c->width < c->column.max) {
                c->width++;
                left--;
                given = true;
            }
        }
    }
}

static void lay_out(struct out *o)
{
    size_t visible, total;

    for (size_t i = 0; i < o->column_count; i++)
        o->columns[i].width = base_width(o, &o->columns[i]);
    total = total_width(o, &visible);
    while (!o->wide && total > o->width && visible > 1) {
        drop_one(o);
        total = total_width(o, &visible);
    }
    if (o->wide)
        return;
    if (total > o->width)
        for (size_t i = 0; i < o->column_count; i++)
            o->columns[i].width = o->width;
    else
        share(o, o->width - total);
}

/* ---- lines ---- */

static int put_cell(struct out *o, struct buf *line, const struct out_column *c, struct str cell,
                    const char *start, const char *end, struct err *err)
{
    if (line->len > 0 && buf_add(line, STR(" "), err) < 0)
        return -1;
    if (buf_add(line, str_c(start), err) < 0 ||
        term_fit(line, cell, c->width, c->column.right, o->flags, err) < 0)
        return -1;
    return buf_add(line, str_c(end), err);
}

static int print_header(struct out *o, struct err *err)
{
    struct buf line = {0};
    int rc = 0;

    for (size_t i = 0; i < o->column_count && rc == 0; i++)
        if (!o->columns[i].dropped)
            rc = put_cell(o, &line, &o->columns[i], str_c(o->columns[i].column.title),
                          o->color ? "\x1b[1m" : "", o->color ? "\x1b[0m" : "", err);
    if (rc == 0)
        rc = buf_add(&line, STR("\n"), err);
    if (rc == 0)
        rc = out_text(o, buf_str(&line), err);
    buf_clear(&line);
    return rc;
}

static int print_line(struct out *o, const struct out_line *l, struct err *err)
{
    struct buf line = {0};
    int rc = 0;

    for (size_t i = 0; i < o->column_count && rc == 0; i++) {
        size_t start = i > 0 ? l->ends[i - 1] : 0;

        if (!o->columns[i].dropped)
            rc = put_cell(o, &line, &o->columns[i],
                          (struct str){l->text + start, l->ends[i] - start},
                          out_role_start(o, l->roles[i]), out_role_end(o, l->roles[i]), err);
    }
    if (rc == 0)
        rc = buf_add(&line, STR("\n"), err);
    if (rc == 0)
        rc = out_text(o, buf_str(&line), err);
    buf_clear(&line);
    return rc;
}

static void line_clear(struct out_line *l)
{
    free(l->text);
    free(l->ends);
    free(l->roles);
    *l = (struct out_line){0};
}

/* Make the cleaned cells of a row; they count for the widths. */
static int make_line(struct out *o, const struct row *row, struct out_line *l, struct err *err)
{
    struct buf text = {0};

    l->ends = xcalloc(o->column_count, sizeof(*l->ends));
    l->roles = xcalloc(o->column_count, sizeof(*l->roles));
    for (size_t i = 0; i < o->column_count; i++) {
        struct out_column *c = &o->columns[i];
        size_t start = text.len, cells;

        column_text(&c->column, row, &o->ctx, &o->text, &l->roles[i]);
        if (term_clean(&text, buf_str(&o->text), o->flags, err) < 0) {
            buf_clear(&text);
            return -1;
        }
        l->ends[i] = text.len;
        cells = term_cells((struct str){text.ptr ? text.ptr + start : "", text.len - start});
        if (cells > c->natural)
            c->natural = cells;
    }
    l->text = buf_take(&text);
    return 0;
}

int out_table_flush(struct out *o, struct err *err)
{
    int rc = 0;

    if (!o->laid_out && o->line_count > 0) {
        lay_out(o);
        o->laid_out = true;
        if (o->header)
            rc = print_header(o, err);
    }
    for (size_t i = 0; i < o->line_count; i++) {
        if (rc == 0)
            rc = print_line(o, &o->lines[i], err);
        line_clear(&o->lines[i]);
    }
    o->line_count = 0;
    return rc;
}

int out_table_row(struct out *o, const struct row *row, struct err *err)
{
    struct out_line line = {0};
    int rc = make_line(o, row, &line, err);

    if (rc < 0 || o->laid_out) {
        if (rc == 0)
            rc = print_line(o, &line, err);
        line_clear(&line);
        return rc;
    }
    o->lines = xrealloc(o->lines, o->line_count + 1, sizeof(*o->lines));
    o->lines[o->line_count++] = line;
    return o->line_count == OUT_MEASURED ? out_table_flush(o, err) : 0;
}

void out_table_clear(struct out *o)
{
    for (size_t i = 0; i < o->line_count; i++)
        line_clear(&o->lines[i]);
    free(o->lines);
    for (size_t i = 0; i < o->column_count; i++)
        free(o->columns[i].name);
    free(o->columns);
}

/* ---- TSV and CSV ---- */

static int put_csv(struct buf *line, struct str cell, struct err *err)
{
    bool quote = str_chr(cell, ',') >= 0 || str_chr(cell, '"') >= 0 || str_chr(cell, '\n') >= 0 ||
                 str_chr(cell, '\r') >= 0 || (cell.len > 0 && cell.ptr[0] == ' ');
    struct str part;

    if (!quote)
        return buf_add(line, cell, err);
    if (buf_add(line, STR("\""), err) < 0)
        return -1;
    for (bool first = true; str_split(&cell, '"', &part); first = false)
        if ((!first && buf_add(line, STR("\"\""), err) < 0) || buf_add(line, part, err) < 0)
            return -1;
    return buf_add(line, STR("\""), err);
}

static int put_value(struct out *o, struct buf *line, size_t i, struct str raw, struct err *err)
{
    bool tsv = o->form == OUT_TSV;

    o->clean.len = 0;
    if (i > 0 && buf_add(line, tsv ? STR("\t") : STR(","), err) < 0)
        return -1;
    if (term_clean(&o->clean, raw, tsv ? (unsigned)TERM_BACKSLASH : 0, err) < 0)
        return -1;
    return tsv ? buf_add(line, buf_str(&o->clean), err) : put_csv(line, buf_str(&o->clean), err);
}

int out_values_header(struct out *o, struct err *err)
{
    struct buf line = {0};
    int rc = 0;

    for (size_t i = 0; i < o->column_count && rc == 0; i++)
        rc = put_value(o, &line, i, str_c(o->columns[i].name), err);
    if (rc == 0)
        rc = buf_add(&line, STR("\n"), err);
    if (rc == 0)
        rc = out_text(o, buf_str(&line), err);
    buf_clear(&line);
    return rc;
}

int out_values(struct out *o, const struct row *row, struct err *err)
{
    struct buf line = {0};
    int rc = 0;

    for (size_t i = 0; i < o->column_count && rc == 0; i++) {
        column_value(&o->columns[i].column, row, &o->ctx, &o->text);
        rc = put_value(o, &line, i, buf_str(&o->text), err);
    }
    if (rc == 0)
        rc = buf_add(&line, STR("\n"), err);
    if (rc == 0)
        rc = out_text(o, buf_str(&line), err);
    buf_clear(&line);
    return rc;
}
