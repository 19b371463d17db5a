#include "complete.h"

#include <ctype.h>
#include <stdio.h>

#include "config/serve_options.h"
#include "filter/filter.h"
#include "out.h"
#include "synopsis.h"
#include "text/term.h"
#include "topics.h"

#define VALUE_MAX 1000

/* Where the words before the one under the cursor have led. */
struct place {
    const struct command *command;
    const struct verb *verb;
    const struct opt *pending;            /* its value is next */
    const char *arguments[ARGUMENTS_MAX]; /* the first ones */
    size_t argument_count;
    bool ended; /* "--" */
    const char *url, *database;
    const char *const *words;
    size_t index;
};

void complete_add(struct completion *c, struct str value, struct str about)
{
    struct err ignored;

    if (c->count >= COMPLETE_MAX || value.len == 0 || value.len > VALUE_MAX ||
        !str_starts(value, c->prefix) || !term_is_plain(value) || str_chr(value, '\t') >= 0 ||
        str_chr(value, '\n') >= 0)
        return;
    buf_printf(&c->out, "%.*s%.*s\t", STR_ARG(c->before), STR_ARG(value));
    term_clean(&c->out, str_cut(about, 200), 0, &ignored);
    buf_put(&c->out, STR("\n"));
    c->count++;
}

static void add(struct completion *c, const char *value, const char *about)
{
    complete_add(c, str_c(value), str_c(about ? about : ""));
}

/* ---- the words before ---- */

static const struct opt *own_options(const struct place *p)
{
    if (p->verb)
        return p->verb->options;
    if (p->command)
        return p->command->options;
    return serve_options;
}

static const struct opt *option_of(const struct place *p, const char *word)
{
    const struct opt *own = find_option(own_options(p), word);

    return own ? own : find_option(global_options, word);
}

static void take_option(struct place *p, const char *word, const char *next)
{
    const struct opt *opt = option_of(p, word);
    const char *value = strchr(word, '=');

    if (!opt)
        return;
    if (takes_next(opt, word))
        p->pending = opt;
    value = value ? value + 1 : next;
    if (strcmp(opt->name, "url") == 0)
        p->url = value;
    if (strcmp(opt->name, "database-url") == 0)
        p->database = value;
}

/* False when the word is not known, so that nothing can be said about what follows. */
static bool take_word(struct place *p, const struct command *commands, const char *word)
{
    if (!p->command) {
        p->command = command_find(commands, word);
        if (p->command && p->command->verbs && !command_has_verbs(p->command))
            p->verb = p->command->verbs;
        for (const struct alias *a = command_aliases; p->command && a->name; a++)
            if (a->verb && strcmp(a->name, word) == 0)
                p->verb = verb_find(p->command, a->verb);
        return p->command != NULL;
    }
    if (!p->verb && command_has_verbs(p->command)) {
        p->verb = verb_find(p->command, word);
        return p->verb != NULL;
    }
    if (p->argument_count < ARGUMENTS_MAX)
        p->arguments[p->argument_count] = word;
    p->argument_count++;
    return true;
}

static bool walk(struct place *p, const struct command *commands)
{
    for (size_t i = 1; i < p->index; i++) {
        const char *word = p->words[i];

        if (p->pending)
            p->pending = NULL;
        else if (strcmp(word, "--") == 0 && !p->ended)
            p->ended = true;
        else if (word[0] == '-' && word[1] && !p->ended)
            take_option(p, word, i + 1 < p->index ? p->words[i + 1] : NULL);
        else if (!take_word(p, commands, word))
            return false;
        if (p->verb && p->verb->command_follows && p->argument_count > 0)
            p->ended = true;
    }
    return true;
}

/* ---- values ---- */

/* Only what follows the last of these characters is completed. */
static void after_last(struct completion *c, const char *characters, struct buf *before)
{
    size_t start = c->prefix.len;

    while (start > 0 && !strchr(characters, c->prefix.ptr[start - 1]))
        start--;
    buf_put(before, c->before);
    buf_put(before, str_cut(c->prefix, start));
    c->before = buf_str(before);
    c->prefix = str_from(c->prefix, start);
}

static void add_columns(struct completion *c, const struct out_spec *spec)
{
    for (const struct column *col = spec ? spec->columns : NULL; col && col->id; col++)
        add(c, col->id, col->title);
}

static void add_fields(struct completion *c, const struct out_spec *spec)
{
    for (const char *const *f = spec ? spec->fields : NULL; f && *f; f++)
        add(c, *f, NULL);
    add(c, "help", "list the fields");
}

static void add_choices(struct completion *c, struct str choices)
{
    struct str choice;

    while (str_split(&choices, '|', &choice))
        complete_add(c, choice, STR_NONE);
}

static void add_commands(struct completion *c)
{
    for (const struct command *one = c->commands; one->name; one++)
        if (command_listed(one))
            add(c, one->name, one->help);
}

static void add_topics(struct completion *c)
{
    add_commands(c);
    for (const struct topic *t = help_topics; t->name; t++)
        add(c, t->name, t->help);
}

static void add_verbs(struct completion *c, const struct command *command)
{
    if (!command || !command_has_verbs(command))
        return;
    for (const struct verb *v = command->verbs; v->name; v++)
        add(c, v->name, v->help);
}

static void add_names(struct completion *c, const struct filter_name *names)
{
    for (; names->name; names++)
        add(c, names->name, names->help);
}

/* The last term of a filter: a field, or a word behind is: or outcome:. */
static void add_filter(struct completion *c, struct buf *before)
{
    const struct filter_name *field;
    struct buf terms = {0};

    after_last(c, " (!-", &terms);
    if (str_starts(c->prefix, STR("is:")) || str_starts(c->prefix, STR("outcome:"))) {
        const struct filter_name *names =
            c->prefix.ptr[0] == 'i' ? filter_flag_names : filter_outcome_names;

        after_last(c, ":", before);
        add_names(c, names);
    } else {
        for (size_t i = 0; (field = filter_field_name(i)); i++) {
            char name[64];

            snprintf(name, sizeof(name), "%s:", field->name);
            add(c, name, field->help);
        }
    }
    buf_clear(&terms);
}

static void add_times(struct completion *c)
{
    add(c, "15m", "a quarter of an hour ago");
    add(c, "1h", "an hour ago");
    add(c, "today", "since midnight");
    add(c, "yesterday", "since midnight before");
}

static bool is_kind(const char *kind, const char *name)
{
    return strcmp(kind, name) == 0;
}

/* Values of what help calls kind: "RUN", "COLUMN", "on|off". */
static void add_values(struct completion *c, const struct place *p, const char *kind)
{
    const struct out_spec *spec = p->verb ? p->verb->out : NULL;
    struct buf before = {0};

    if (islower((unsigned char)kind[0]) && strchr(kind, '|')) {
        add_choices(c, str_c(kind));
    } else if (is_kind(kind, "FILE") || is_kind(kind, "FOLDER") || is_kind(kind, "COMMAND")) {
        c->files = true;
    } else if (is_kind(kind, "FIELDS")) {
        after_last(c, ",", &before);
        add_fields(c, spec);
    } else if (is_kind(kind, "LIST")) {
        after_last(c, ",", &before);
        add_columns(c, spec);
        add(c, "help", "list the columns");
    } else if (is_kind(kind, "COLUMN")) {
        add_columns(c, spec);
    } else if (is_kind(kind, "EXPR")) {
        add_filter(c, &before);
    } else if (is_kind(kind, "TIME")) {
        add_times(c);
    } else {
        complete_data(c, kind, p->url, p->database);
    }
    buf_clear(&before);
}

static void add_option_value(struct completion *c, const struct place *p, const struct opt *opt)
{
    const char *kind = opt->values ? opt->values : opt->value;

    if (kind)
        add_values(c, p, kind);
}

static bool given(const struct place *p, const struct opt *opt)
{
    for (size_t i = 1; i < p->index; i++)
        if (find_option(opt, p->words[i]) == opt)
            return true;
    return false;
}

static void add_options(struct completion *c, const struct place *p, const struct opt *options,
                        unsigned forms)
{
    for (; options && options->name; options++) {
        struct opt one[2] = {*options, {0}};
        struct buf name = {0};

        if (global_option_form(options->name) & ~forms)
            continue;
        buf_printf(&name, "--%s", options->name);
        if (options->kind == OPT_LIST || !given(p, one))
            complete_add(c, buf_str(&name), str_c(options->help));
        buf_clear(&name);
    }
}

static void complete_option(struct completion *c, const struct place *p, const char *word)
{
    const char *equals = strchr(word, '=');
    const struct opt *opt = equals ? option_of(p, word) : NULL;
    unsigned forms = p->verb ? p->verb->forms : ~0u;

    if (opt) {
        c->before = (struct str){word, (size_t)(equals + 1 - word)};
        c->prefix = str_c(equals + 1);
        add_option_value(c, p, opt);
    } else if (!equals) {
        add_options(c, p, own_options(p), ~0u);
        if (!p->command || p->verb)
            add_options(c, p, global_options, forms);
    }
}

static void complete_argument(struct completion *c, const struct place *p)
{
    struct argument arguments[ARGUMENTS_MAX];
    size_t n = synopsis_read(p->verb ? p->verb->synopsis : p->command->synopsis, arguments);
    size_t at = p->argument_count < n ? p->argument_count : n - 1;
    char kind[64];

    if (n == 0 || (p->argument_count >= n && !arguments[at].repeated))
        return;
    if (p->verb && p->verb->command_follows && p->argument_count > 0) {
        c->files = true;
        return;
    }
    for (size_t i = 0; i < p->argument_count && i < n; i++)
        if (str_eq(arguments[i].name, STR("PROVIDER")))
            c->provider = p->arguments[i];
    snprintf(kind, sizeof(kind), "%.*s", STR_ARG(arguments[at].name));
    if (is_kind(kind, "COMMAND|TOPIC"))
        add_topics(c);
    else if (is_kind(kind, "VERB"))
        add_verbs(c, command_find(c->commands, p->arguments[0]));
    else
        add_values(c, p, kind);
}

void complete_word(struct completion *c, size_t index, const char *const *words, size_t count)
{
    struct place p = {.words = words, .index = index};
    const char *word = index < count ? words[index] : "";

    if (index == 0 || index > count)
        return;
    c->prefix = str_c(word);
    if (!walk(&p, c->commands))
        return;
    c->command = p.command ? p.command->name : "serve";
    if (p.pending)
        add_option_value(c, &p, p.pending);
    else if (word[0] == '-' && !p.ended)
        complete_option(c, &p, word);
    else if (!p.command)
        add_commands(c);
    else if (!p.verb && command_has_verbs(p.command))
        add_verbs(c, p.command);
    else
        complete_argument(c, &p);
}
