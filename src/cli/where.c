#include "where.h"

#include <stdio.h>

#include "base/clock.h"
#include "text/term.h"

#define HELP_WIDTH 78

bool where_check(const struct cli *cli, enum filter_scope scope, int *status)
{
    const char *text = opts_text(&cli->opts, "where");
    unsigned flags = term_is_utf8() ? 0 : (unsigned)TERM_ASCII;
    struct filter_error error;
    struct buf lines = {0};
    struct filter *filter;
    struct err err;

    if (!text)
        return true;
    filter = filter_parse(str_c(text), scope, clock_wall_us(), &error);
    if (!filter) {
        err_set(&err, ERR_INVALID, "--where: %s", error.msg);
        *status = cli_fail(&err);
        filter_error_show(&lines, str_c(text), &error, flags);
        fputs(lines.ptr, stderr);
        buf_clear(&lines);
    }
    filter_free(filter);
    return filter != NULL;
}

/* ---- help ---- */

static const char intro[] =
    "A filter chooses requests: --where, top, and where= of the API.\n"
    "\n"
    "  model:gpt-*          whole text, * any run, ? one character; case ignored\n"
    "  model=gpt-5          exactly;  model!=gpt-5  known, and another\n"
    "  status>=400          also > < <=;  status:4xx;  status:429,500..599\n"
    "  ttft>2s cost>0.01    both; also: or, and, not, -term, !term, ( )\n"
    "  cost:-  run:*        unknown, known\n"
    "  since:15m            arrived at or after;  until:today  before\n"
    "  is:error             a flag\n"
    "  \"rate limit\"         part of model, sent model, provider, route, run name,\n"
    "                       endpoint or error; a whole number also is an id\n"
    "\n"
    "What is unknown compares to nothing; -cost>1 finds it too.\n";

static const char outro[] = "\n"
                            "Examples\n"
                            "  model:qwen* status>=400\n"
                            "  (is:error or is:slow) since:1h -run:bench-*\n"
                            "  ttft>2s provider=openai\n"
                            "  cost>0.01 output<5\n";

static void put_fields(struct buf *out)
{
    const struct filter_name *f;

    buf_put(out, STR("\nFields\n"));
    for (size_t i = 0; (f = filter_field_name(i)); i++) {
        char name[48];

        snprintf(name, sizeof(name), "%s%s%s", f->name, f->alias ? ", " : "",
                 f->alias ? f->alias : "");
        buf_printf(out, "  %-20s %-9s %s%s\n", name, f->values, f->help,
                   f->live_only ? " (top only)" : "");
    }
}

/* Names with commas, in lines that fit. */
static void put_names(struct buf *out, const char *title, const struct filter_name *names)
{
    size_t cells = HELP_WIDTH;

    buf_printf(out, "\n%s", title);
    for (; names->name; names++) {
        size_t more = strlen(names->name) + (names->live_only ? 1 : 0);

        if (cells + more + 1 > HELP_WIDTH) {
            buf_put(out, STR("\n "));
            cells = 1;
        }
        buf_printf(out, " %s%s", names->name, names->live_only ? "*" : "");
        cells += more + 1;
    }
    buf_put(out, STR("\n"));
}

void where_help(struct buf *out)
{
    buf_put(out, STR(intro));
    put_fields(out);
    put_names(out, "Flags, behind \"is:\" (* top only)", filter_flag_names);
    put_names(out, "Outcomes", filter_outcome_names);
    buf_put(out, STR(outro));
}
