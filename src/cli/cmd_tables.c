/* "__tables": every table of the command line as JSON, for the check of the manual. */
#include "commands.h"
#include "out.h"
#include "synopsis.h"
#include "topics.h"
#include "where.h"
#include "json/json.h"

/* Members of an object under construction; text NULL is null. */
static void put_comma(struct buf *out)
{
    char last = out->len > 0 ? out->ptr[out->len - 1] : '{';

    if (last != '{' && last != '[')
        buf_put(out, STR(","));
}

static void put_key(struct buf *out, const char *key)
{
    put_comma(out);
    buf_printf(out, "\"%s\":", key);
}

static void put_quoted(struct buf *out, struct str text)
{
    if (text.ptr)
        json_quote(out, text);
    else
        buf_put(out, STR("null"));
}

static void put_text(struct buf *out, const char *key, const char *text)
{
    put_key(out, key);
    put_quoted(out, text ? str_c(text) : STR_NONE);
}

static void put_flag(struct buf *out, const char *key, bool value)
{
    put_key(out, key);
    buf_put(out, value ? STR("true") : STR("false"));
}

static void put_options(struct buf *out, const char *key, const struct opt *options)
{
    put_key(out, key);
    buf_put(out, STR("["));
    for (const struct opt *o = options; o && o->name; o++) {
        char letter[2] = {o->short_name, '\0'};

        put_comma(out);
        buf_put(out, STR("{"));
        put_text(out, "name", o->name);
        put_text(out, "short", o->short_name ? letter : NULL);
        put_text(out, "argument", o->kind == OPT_FLAG ? NULL : o->value);
        put_flag(out, "argument_optional", o->kind == OPT_OPTIONAL);
        put_flag(out, "repeatable", o->kind == OPT_LIST);
        put_text(out, "default", o->fallback);
        put_text(out, "values", o->values);
        put_text(out, "help", o->help);
        buf_put(out, STR("}"));
    }
    buf_put(out, STR("]"));
}

static void put_arguments(struct buf *out, const char *synopsis)
{
    struct argument arguments[ARGUMENTS_MAX];
    size_t n = synopsis_read(synopsis, arguments);

    put_key(out, "arguments");
    buf_put(out, STR("["));
    for (size_t i = 0; i < n; i++) {
        put_comma(out);
        buf_put(out, STR("{"));
        put_key(out, "name");
        put_quoted(out, arguments[i].name);
        put_flag(out, "optional", arguments[i].optional);
        put_flag(out, "repeatable", arguments[i].repeated);
        buf_put(out, STR("}"));
    }
    buf_put(out, STR("]"));
}

static void put_spec(struct buf *out, const struct out_spec *spec)
{
    put_key(out, "columns");
    buf_put(out, STR("["));
    for (const struct column *c = spec ? spec->columns : NULL; c && c->id; c++) {
        put_comma(out);
        json_quote(out, str_c(c->id));
    }
    buf_put(out, STR("]"));
    put_key(out, "fields");
    buf_put(out, STR("["));
    for (const char *const *f = spec ? spec->fields : NULL; f && *f; f++) {
        put_comma(out);
        json_quote(out, str_c(*f));
    }
    buf_put(out, STR("]"));
}

static void put_verb(struct buf *out, const struct verb *v)
{
    static const struct {
        unsigned form;
        const char *name;
    } forms[] = {{FORM_JSON, "json"}, {FORM_ROWS, "rows"}, {FORM_CHANGES, "changes"}};

    put_comma(out);
    buf_put(out, STR("{"));
    put_text(out, "name", v->name);
    put_text(out, "synopsis", v->synopsis);
    put_text(out, "help", v->help);
    put_key(out, "forms");
    buf_put(out, STR("["));
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (v->forms & forms[i].form) {
            put_comma(out);
            json_quote(out, str_c(forms[i].name));
        }
    buf_put(out, STR("]"));
    put_arguments(out, v->synopsis);
    put_options(out, "options", v->options);
    put_spec(out, v->out);
    put_text(out, "more", v->more);
    buf_put(out, STR("}"));
}

static void put_command(struct buf *out, const struct command *c)
{
    const struct verb self = {"", c->synopsis, c->help, c->options, 0, NULL, NULL};

    put_comma(out);
    buf_put(out, STR("{"));
    put_text(out, "name", c->name);
    put_text(out, "help", c->help);
    put_key(out, "aliases");
    buf_put(out, STR("["));
    for (const struct alias *a = command_aliases; a->name; a++)
        if (strcmp(a->command, c->name) == 0 && (!a->verb || verb_find(c, a->verb))) {
            put_comma(out);
            buf_put(out, STR("{"));
            put_text(out, "name", a->name);
            put_text(out, "verb", a->verb);
            buf_put(out, STR("}"));
        }
    buf_put(out, STR("]"));
    put_key(out, "keys");
    buf_put(out, STR("["));
    for (const struct key_help *k = c->keys; k && k->keys; k++) {
        put_comma(out);
        buf_put(out, STR("{"));
        put_text(out, "keys", k->keys);
        put_text(out, "help", k->help);
        buf_put(out, STR("}"));
    }
    buf_put(out, STR("]"));
    put_key(out, "verbs");
    buf_put(out, STR("["));
    if (!c->verbs)
        put_verb(out, &self);
    for (const struct verb *v = c->verbs; v && v->name; v++)
        put_verb(out, v);
    buf_put(out, STR("]}"));
}

static void put_topics(struct buf *out)
{
    put_key(out, "topics");
    buf_put(out, STR("["));
    for (const struct topic *t = help_topics; t->name; t++) {
        put_comma(out);
        buf_put(out, STR("{"));
        put_text(out, "name", t->name);
        put_text(out, "help", t->help);
        buf_put(out, STR("}"));
    }
    buf_put(out, STR("]"));
}

static void put_variables(struct buf *out)
{
    put_key(out, "variables");
    buf_put(out, STR("["));
    for (const struct variable *v = help_variables; v->name; v++) {
        put_comma(out);
        buf_put(out, STR("{"));
        put_text(out, "name", v->name);
        put_text(out, "group", v->group);
        put_text(out, "help", v->help);
        buf_put(out, STR("}"));
    }
    buf_put(out, STR("]"));
}

static void put_exit_codes(struct buf *out)
{
    put_key(out, "exit_codes");
    buf_put(out, STR("["));
    for (const struct exit_code *e = help_exit_codes; e->name; e++) {
        put_comma(out);
        buf_put(out, STR("{"));
        put_key(out, "code");
        buf_printf(out, "%d", e->code);
        put_text(out, "name", e->name);
        put_text(out, "help", e->help);
        buf_put(out, STR("}"));
    }
    buf_put(out, STR("]"));
}

static void put_name(struct buf *out, const struct filter_name *n)
{
    put_comma(out);
    buf_put(out, STR("{"));
    put_text(out, "name", n->name);
    put_text(out, "alias", n->alias);
    put_text(out, "values", n->values);
    put_flag(out, "live_only", n->live_only);
    put_text(out, "help", n->help);
    buf_put(out, STR("}"));
}

/* The filter language. */
static void put_filter(struct buf *out)
{
    put_key(out, "filter_fields");
    buf_put(out, STR("["));
    for (size_t i = 0; filter_field_name(i); i++)
        put_name(out, filter_field_name(i));
    buf_put(out, STR("]"));
    put_key(out, "filter_flags");
    buf_put(out, STR("["));
    for (const struct filter_name *n = filter_flag_names; n->name; n++)
        put_name(out, n);
    buf_put(out, STR("]"));
    put_key(out, "filter_outcomes");
    buf_put(out, STR("["));
    for (const struct filter_name *n = filter_outcome_names; n->name; n++)
        put_name(out, n);
    buf_put(out, STR("]"));
}

static int tables(struct cli *cli)
{
    struct buf out = {0};
    int status;

    buf_put(&out, STR("{"));
    put_key(&out, "commands");
    buf_put(&out, STR("["));
    for (const struct command *c = cli->commands; c->name; c++)
        if (command_listed(c))
            put_command(&out, c);
    buf_put(&out, STR("]"));
    put_options(&out, "global_options", global_options);
    put_topics(&out);
    put_variables(&out);
    put_exit_codes(&out);
    put_filter(&out);
    buf_put(&out, STR("}\n"));
    status = cli_print(buf_str(&out));
    buf_clear(&out);
    return status;
}

const struct verb tables_verbs[] = {
    {"", "", "print the tables of the command line as JSON", NULL, 0, NULL, tables},
    {0},
};
