#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "db_priv.h"
#include "source.h"

int db_path(const struct cli *cli, char **out, struct err *err)
{
    const char *url = opts_text(&cli->opts, "database-url");
    const char *set = getenv("LLM_OBSERVE_DATABASE_URL");

    if (opts_text(&cli->opts, "url"))
        return err_set(err, ERR_INVALID, "--url has no meaning for %s: it works on the file",
                       cli->name);
    if (!url)
        url = set && *set ? set : SOURCE_DEFAULT_DATABASE;
    if (store_path(str_c(url), out, err) < 0)
        return -1;
    if (!store_path_in_memory(*out))
        return 0;
    free(*out);
    *out = NULL;
    return err_set(err, ERR_INVALID, "%s needs a file, not a database in memory", cli->name);
}

int db_print(struct cli *cli, struct str json, struct str text)
{
    static const char *const no_fields[] = {NULL};
    static const struct out_spec spec = {.fields = no_fields};
    struct out out;
    struct err err;
    int rc = out_open(&out, cli, &spec, &err), status = 0;

    if (rc < 0) {
        status = out_usage(&out, cli, &err);
    } else if (rc == 0) {
        rc = out.form == OUT_JSON ? out_object(&out, json, &err) : out_text(&out, text, &err);
        if (rc < 0 || out_end(&out, &err) < 0)
            status = cli_fail(&err);
    }
    out_close(&out);
    return status;
}

const struct verb db_verbs[] = {
    {"stats", "[options]", "tell how large the database is", db_stats_options, FORM_JSON,
     db_stats_more, db_stats, .out = &db_stats_object},
    {"check", "[options]", "look for what is wrong", db_check_options, FORM_JSON, db_check_more,
     db_check, .out = &db_check_object},
    {"trim", "[options]", "delete old requests", db_trim_options, FORM_JSON | FORM_CHANGES,
     db_trim_more, db_trim, .out = &db_trim_object},
    {"vacuum", "", "give unused disk back", NULL, FORM_JSON, db_vacuum_more, db_vacuum,
     .out = &db_vacuum_object},
    {"backup", "FILE", "copy the database while it is used", NULL, FORM_JSON, db_backup_more,
     db_copy, .out = &db_backup_object},
    {"path", "", "print where the database is", NULL, FORM_JSON, db_path_more, db_where,
     .out = &db_stats_object},
    {"import", "FILE [options]", "take over a database of the Python program", db_import_options,
     FORM_JSON | FORM_CHANGES, db_import_more, db_import},
    {"search", "[status|on|off|rebuild]", "look after the full-text index", db_search_options,
     FORM_JSON, db_search_more, db_search},
    {0},
};
