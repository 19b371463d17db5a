#include "edit.h"

#include <inttypes.h>
#include <stdio.h>

#include "text/format.h"
#include "text/term.h"
#include "json/json.h"
#include "json/json_scan.h"

void edit_start(struct edit *e, const struct row *old)
{
    *e = (struct edit){.old = old};
    buf_put(&e->json, STR("{"));
}

static void add(struct edit *e, const char *key, struct str value)
{
    buf_printf(&e->json, "%s\"%s\":%.*s", e->json.len > 1 ? "," : "", key, STR_ARG(value));
}

static void put_shown(struct buf *out, struct str value)
{
    struct buf text = {0};
    struct err ignored;

    value_text(value, &text);
    if (text.len > 0)
        term_clean(out, buf_str(&text), 0, &ignored);
    else
        buf_put(out, STR("-"));
    buf_clear(&text);
}

/* Equal values of different spelling, 1.5 and "1.5", are no change. */
static void note_change(struct edit *e, const char *key, struct str was, struct str value)
{
    struct buf before = {0}, after = {0};

    put_shown(&before, was);
    put_shown(&after, value);
    if (!str_eq(buf_str(&before), buf_str(&after))) {
        e->changed = true;
        buf_printf(&e->changes, "  %s: %.*s -> %.*s\n", key, STR_ARG(buf_str(&before)),
                   STR_ARG(buf_str(&after)));
    }
    buf_clear(&before);
    buf_clear(&after);
}

void edit_put(struct edit *e, const char *key, struct str value)
{
    struct str was = STR_NONE;

    if (e->old)
        row_get(e->old, key, &was);
    if (value.ptr) {
        note_change(e, key, was, value);
        add(e, key, value);
    } else if (was.ptr) {
        add(e, key, was);
    }
}

void edit_text(struct edit *e, const char *key, const char *text)
{
    struct buf value = {0};

    json_quote(&value, str_c(text));
    edit_put(e, key, buf_str(&value));
    buf_clear(&value);
}

static void put_list(struct edit *e, const char *key, const struct opt_given *given)
{
    struct buf value = {0};

    buf_put(&value, STR("["));
    for (size_t i = 0; i < given->count; i++) {
        if (i > 0)
            buf_put(&value, STR(","));
        json_quote(&value, str_c(given->list[i]));
    }
    buf_put(&value, STR("]"));
    edit_put(e, key, buf_str(&value));
    buf_clear(&value);
}

static int put_number(struct edit *e, const struct edit_field *f, const char *text, struct err *err)
{
    char digits[24];
    int64_t n;

    if (!str_int64(str_c(text), &n) && !format_parse_count(str_c(text), &n))
        return err_set(err, ERR_INVALID, "--%s: \"%.80s\" is no whole number", f->option, text);
    snprintf(digits, sizeof(digits), "%" PRId64, n);
    edit_put(e, f->key, str_c(digits));
    return 0;
}

/* A number as it was, in quotes. */
static void keep_decimal(struct edit *e, const char *key)
{
    struct buf quoted = {0};
    struct str was;

    if (!e->old || !row_get(e->old, key, &was))
        return;
    if (json_type_of(was) == JSON_NUMBER) {
        buf_printf(&quoted, "\"%.*s\"", STR_ARG(was));
        was = buf_str(&quoted);
    }
    add(e, key, was);
    buf_clear(&quoted);
}

int edit_fields(struct edit *e, const struct cli *cli, const struct edit_field *fields,
                struct err *err)
{
    for (const struct edit_field *f = fields; f->key; f++) {
        const struct opt_given *given = f->option ? opts_find(&cli->opts, f->option) : NULL;

        if (given && !given->given)
            given = NULL;
        if (!given && f->kind == EDIT_DECIMAL)
            keep_decimal(e, f->key);
        else if (!given)
            edit_put(e, f->key, STR_NONE);
        else if (f->kind == EDIT_LIST)
            put_list(e, f->key, given);
        else if (f->kind != EDIT_NUMBER)
            edit_text(e, f->key, given->value);
        else if (put_number(e, f, given->value, err) < 0)
            return -1;
    }
    return 0;
}

int edit_flag(struct edit *e, const struct cli *cli, const char *key, const char *yes,
              const char *no, struct err *err)
{
    bool on = yes && opts_flag(&cli->opts, yes), off = no && opts_flag(&cli->opts, no);

    if (on && off)
        return err_set(err, ERR_INVALID, "--%s and --%s exclude each other", yes, no);
    edit_put(e, key, on ? STR("true") : off ? STR("false") : STR_NONE);
    return 0;
}

struct str edit_end(struct edit *e)
{
    if (e->old)
        edit_put(e, "updated_at", STR_NONE);
    buf_put(&e->json, STR("}"));
    return buf_str(&e->json);
}

void edit_clear(struct edit *e)
{
    buf_clear(&e->json);
    buf_clear(&e->changes);
}

void edit_tell(const struct edit *e, const struct cli *cli)
{
    struct str rest = buf_str(&e->changes), line;

    while (str_split(&rest, '\n', &line) && line.len > 0)
        cli_note(cli, "%.*s", STR_ARG(line));
}
