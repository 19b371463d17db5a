#include "synopsis.h"

#include <ctype.h>
#include <string.h>

/* The next word; what stands in brackets is one. */
static struct str next_word(const char **at)
{
    const char *start;
    int depth = 0;

    while (**at == ' ')
        ++*at;
    start = *at;
    while (**at && (depth > 0 || **at != ' ')) {
        depth += **at == '[' ? 1 : **at == ']' ? -1 : 0;
        ++*at;
    }
    return (struct str){start, (size_t)(*at - start)};
}

static bool ends(struct str s, struct str end)
{
    return s.len >= end.len && memcmp(s.ptr + s.len - end.len, end.ptr, end.len) == 0;
}

static struct argument read_argument(struct str word)
{
    struct argument a = {.repeated = ends(word, STR("..."))};
    ptrdiff_t blank;

    if (a.repeated)
        word = str_cut(word, word.len - 3);
    if (word.len > 1 && word.ptr[0] == '[') {
        a.optional = true;
        word = (struct str){word.ptr + 1, word.len - 2};
    }
    if (ends(word, STR("..."))) {
        a.repeated = true;
        word = str_cut(word, word.len - 3);
    }
    blank = str_chr(word, ' ');
    a.name = blank < 0 ? word : str_cut(word, (size_t)blank);
    return a;
}

size_t synopsis_read(const char *synopsis, struct argument out[ARGUMENTS_MAX])
{
    const char *at = synopsis ? synopsis : "";
    size_t n = 0;

    for (struct str word = next_word(&at); word.len > 0 && n < ARGUMENTS_MAX;
         word = next_word(&at)) {
        struct argument a = read_argument(word);

        if (str_eq(word, STR("|")) && n > 0) {
            out[n - 1].optional = true;
            if (next_word(&at).ptr[0] == '-')
                next_word(&at);
        } else if (a.name.len > 0 && a.name.ptr[0] != '-' && !str_eq(a.name, STR("options"))) {
            out[n++] = a;
        }
    }
    return n;
}

int choice_check(const char *what, struct str choices, const char *word, struct err *err)
{
    struct buf list = {0};
    struct str rest = choices, choice;

    if (str_chr(choices, '|') < 0 || isupper((unsigned char)choices.ptr[0]))
        return 0;
    while (str_split(&rest, '|', &choice)) {
        if (str_eq(choice, str_c(word))) {
            buf_clear(&list);
            return 0;
        }
        buf_printf(&list, "%s%.*s", list.len ? ", " : "", STR_ARG(choice));
    }
    err_set(err, ERR_INVALID, "%s\"%.80s\" is none of %s", what, word, list.ptr);
    buf_clear(&list);
    return -1;
}

int synopsis_check(const char *synopsis, const struct opts *opts, struct err *err)
{
    struct argument arguments[ARGUMENTS_MAX];
    size_t n = synopsis_read(synopsis, arguments);

    for (size_t i = 0; i < opts->arg_count; i++) {
        const struct argument *a = n > 0 && i >= n ? &arguments[n - 1] : &arguments[i];

        if (n == 0 || (i >= n && !a->repeated))
            return err_set(err, ERR_INVALID, "unexpected argument \"%.80s\"", opts->args[i]);
        if (choice_check("", a->name, opts->args[i], err) < 0)
            return -1;
    }
    for (size_t i = opts->arg_count; i < n; i++)
        if (!arguments[i].optional)
            return err_set(err, ERR_INVALID, "%.*s is missing", STR_ARG(arguments[i].name));
    return 0;
}
