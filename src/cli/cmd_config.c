/* "config": the settings that are saved in the database. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "commands.h"
#include "out.h"
#include "source.h"
#include "json/json.h"
#include "json/json_scan.h"

#define VALUES_PATH "/admin/api/settings/values"

/* ---- columns and fields ---- */

#define TEXT(id, title, min, max, flex, drop)                                                      \
    {                                                                                              \
        id, title, min, max, false, flex, drop, KIND_TEXT, id, NULL, NULL                          \
    }

static const struct column columns[] = {
    TEXT("key", "KEY", 12, 40, false, 0),
    TEXT("value", "VALUE", 8, 60, true, 0),
    TEXT("source", "SOURCE", 6, 11, false, 1),
    TEXT("applies", "APPLIES", 7, 12, false, 2),
    TEXT("default", "DEFAULT", 8, 60, true, 3),
    TEXT("type", "TYPE", 4, 8, false, 4),
    TEXT("overridden_by", "OVERRIDDEN BY", 4, 13, false, 5),
    TEXT("help", "HELP", 12, 60, true, 6),
    {0},
};

static const char *const fields[] = {
    "key", "value", "default", "source", "overridden_by", "applies", "type", "help", NULL,
};

static const char *columns_for(size_t width)
{
    return width < 120 ? "key,value,source,applies" : "key,value,source,applies,help";
}

static const struct out_spec setting_rows = {
    .columns = columns,
    .columns_for = columns_for,
    .machine = "key,value,default,source,overridden_by,applies,type",
    .fields = fields,
    .nothing = "no setting matches",
    .pager = true,
};
static const struct out_spec setting_object = {.fields = fields};

/* ---- all settings ---- */

struct settings {
    struct source source;
    struct buf text;
    struct str values; /* the array */
};

static void settings_clear(struct settings *s)
{
    source_close(&s->source);
    buf_clear(&s->text);
}

static int ask(struct settings *s, const char *method, struct str json, struct err *err)
{
    if (source_send(&s->source, "config", method, VALUES_PATH, "", json, 0, &s->text, &s->values,
                    err) < 0)
        return -1;
    if (json_type_of(s->values) != JSON_ARRAY)
        return err_set(err, ERR_FAILED, "config: the answer of %s is no list",
                       source_name(&s->source));
    return 0;
}

/* Open the source and read the settings. 0, or the exit status of what was said. */
static int settings_open(struct settings *s, const struct cli *cli)
{
    struct err err;

    *s = (struct settings){0};
    if (source_open(&s->source, cli, &err) < 0)
        return source_fail(&s->source, &err);
    return ask(s, "GET", STR_NONE, &err) < 0 ? cli_fail(&err) : 0;
}

static int no_setting(const struct settings *s, const char *key, struct err *err)
{
    struct json_iter it = json_iter(s->values);
    char *names[64];
    struct buf near = {0};
    struct row row = {0};
    size_t n = 0;

    while (n < 64 && json_next(&it)) {
        struct buf name = {0};

        if (row_read(&row, it.value) && row_text(&row, "key", &name))
            names[n++] = buf_take(&name);
        buf_clear(&name);
    }
    opts_suggest(&near, str_c(key), (const char *const *)names, n);
    err_set(err, ERR_NOT_FOUND, "there is no setting \"%.80s\"%.*s", key, STR_ARG(buf_str(&near)));
    while (n > 0)
        free(names[--n]);
    buf_clear(&near);
    row_clear(&row);
    return -1;
}

/* The row of a key. ERR_NOT_FOUND. */
static int find(const struct settings *s, const char *key, struct row *row, struct str *json,
                struct err *err)
{
    struct json_iter it = json_iter(s->values);
    struct str name;

    while (json_next(&it))
        if (row_read(row, it.value) && row_get(row, "key", &name) &&
            json_string_is(name, str_c(key))) {
            *json = it.value;
            return 0;
        }
    return no_setting(s, key, err);
}

/* ---- list ---- */

/* A part of the key, or with * and ? all of it. */
static bool matches(struct row *row, const char *pattern)
{
    struct buf key = {0};
    bool found = false;

    if (row_text(row, "key", &key) && key.ptr)
        found = strpbrk(pattern, "*?[") ? fnmatch(pattern, key.ptr, 0) == 0
                                        : strstr(key.ptr, pattern) != NULL;
    buf_clear(&key);
    return found;
}

static int print_rows(struct out *out, const struct settings *s, const char *pattern,
                      struct err *err)
{
    struct json_iter it = json_iter(s->values);
    struct row row = {0};
    int rc = 0;

    while (rc == 0 && json_next(&it))
        if (row_read(&row, it.value) && (!pattern || matches(&row, pattern)))
            rc = out_row(out, it.value, err);
    row_clear(&row);
    return rc < 0 ? -1 : out_end(out, err);
}

static int config_list(struct cli *cli)
{
    struct settings s = {0};
    struct out out;
    struct err err;
    int rc = out_open(&out, cli, &setting_rows, &err), status = 0;

    if (rc < 0) {
        status = out_usage(&out, cli, &err);
    } else if (rc == 0) {
        status = settings_open(&s, cli);
        if (status == 0 &&
            print_rows(&out, &s, cli->opts.arg_count ? cli->opts.args[0] : NULL, &err) < 0)
            status = cli_fail(&err);
    }
    settings_clear(&s);
    out_close(&out);
    return status;
}

/* ---- one setting ---- */

/* The value alone; an unknown one is an empty line. */
static int print_value(struct out *out, const struct row *row, struct err *err)
{
    struct buf value = {0};
    int rc;

    row_text(row, "value", &value);
    buf_put(&value, STR("\n"));
    rc = out_text(out, buf_str(&value), err);
    buf_clear(&value);
    return rc;
}

static int print_one(struct out *out, const struct row *row, struct str json, bool text,
                     struct err *err)
{
    int rc = 0;

    if (out->form == OUT_JSON)
        rc = out_object(out, json, err);
    else if (text)
        rc = print_value(out, row, err);
    return rc < 0 ? -1 : out_end(out, err);
}

static int get(struct settings *s, struct out *out, const char *key, struct err *err)
{
    struct row row = {0};
    struct str json;
    int rc = find(s, key, &row, &json, err);

    if (rc == 0)
        rc = print_one(out, &row, json, true, err);
    row_clear(&row);
    return rc;
}

/* What was done, and when it counts. */
static void tell(const struct cli *cli, const struct row *row, const char *key, const char *value,
                 bool dry)
{
    struct buf applies = {0}, by = {0};

    row_text(row, "applies", &applies);
    row_text(row, "overridden_by", &by);
    if (value)
        cli_note(cli, "%s %s as %s; applies: %s", key, dry ? "would be saved" : "saved", value,
                 applies.ptr ? applies.ptr : "");
    else
        cli_note(cli, "%s %s; applies: %s", key, dry ? "would be forgotten" : "forgotten",
                 applies.ptr ? applies.ptr : "");
    if (by.len > 0)
        cli_note(cli, "note: a %s of the running server is stronger", by.ptr);
    buf_clear(&applies);
    buf_clear(&by);
}

/* value NULL: unset. */
static int change(struct settings *s, const struct cli *cli, struct out *out, const char *key,
                  const char *value, struct err *err)
{
    bool dry = opts_flag(&cli->opts, "dry-run");
    struct row row = {0};
    struct buf body = {0};
    struct str json;
    int rc = find(s, key, &row, &json, err);

    if (rc == 0 && !dry) {
        buf_put(&body, STR("{"));
        json_quote(&body, str_c(key));
        buf_put(&body, STR(":"));
        if (value)
            json_quote(&body, str_c(value));
        else
            buf_put(&body, STR("null"));
        buf_put(&body, STR("}"));
        rc = ask(s, "POST", buf_str(&body), err);
        if (rc == 0)
            rc = find(s, key, &row, &json, err);
    }
    if (rc == 0) {
        tell(cli, &row, key, value, dry);
        rc = print_one(out, &row, json, false, err);
    }
    buf_clear(&body);
    row_clear(&row);
    return rc;
}

static int run_one(struct cli *cli, bool changes)
{
    struct settings s = {0};
    struct out out;
    struct err err;
    const char *key, *value;
    int rc = out_open(&out, cli, &setting_object, &err), status = 0;

    if (rc < 0) {
        status = out_usage(&out, cli, &err);
    } else if (rc == 0) {
        key = cli->opts.args[0];
        value = cli->opts.arg_count > 1 ? cli->opts.args[1] : NULL;
        status = settings_open(&s, cli);
        if (status == 0 &&
            (changes ? change(&s, cli, &out, key, value, &err) : get(&s, &out, key, &err)) < 0)
            status = cli_fail(&err);
    }
    settings_clear(&s);
    out_close(&out);
    return status;
}

static int config_get(struct cli *cli)
{
    return run_one(cli, false);
}

static int config_change(struct cli *cli)
{
    return run_one(cli, true);
}

/* ---- the command ---- */

static const char list_more[] =
    "PATTERN is a part of a key, or with * and ? all of it. SOURCE is flag, saved,\n"
    "environment or default: the strongest that says something.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy config list timeout\n"
    "  llm-observe-proxy config list --json=key,value,source\n";

static const char get_more[] = "Example\n"
                               "  llm-observe-proxy config get upstream_idle_timeout_ms\n"
                               "\n"
                               "Exit status: 3 no such setting.\n";

static const char set_more[] =
    "The value is checked and saved in the database. On stderr it says when it\n"
    "applies; a flag of a running server stays stronger.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy config set upstream_idle_timeout_ms 600000\n"
    "  llm-observe-proxy config set store_secrets false --dry-run\n"
    "\n"
    "Exit status: 2 a value that makes no sense, 3 no such setting.\n";

static const char unset_more[] = "Afterwards environment or default count again.\n"
                                 "\n"
                                 "Example\n"
                                 "  llm-observe-proxy config unset upstream_idle_timeout_ms\n"
                                 "\n"
                                 "Exit status: 3 no such setting.\n";

const struct verb config_verbs[] = {
    {"list", "[PATTERN] [options]", "list settings", NULL, FORM_JSON | FORM_ROWS, list_more,
     config_list, .out = &setting_rows},
    {"get", "KEY", "print the value of a setting", NULL, FORM_JSON, get_more, config_get,
     .out = &setting_object},
    {"set", "KEY VALUE", "save a setting", NULL, FORM_JSON | FORM_CHANGES, set_more, config_change,
     .out = &setting_object},
    {"unset", "KEY", "forget a saved setting", NULL, FORM_JSON | FORM_CHANGES, unset_more,
     config_change, .out = &setting_object},
    {0},
};
