#include "run_name.h"

#include <stdio.h>

#include "row.h"
#include "json/json_scan.h"

/* The list of requests names all runs, newest first; /api/runs only the newest. */
#define PATH "/api/requests"
#define QUERY "per_page=1"
#define FORCED "name:"

void run_name_clear(struct run_name *run)
{
    buf_clear(&run->name);
    *run = (struct run_name){0};
}

static void take(struct run_name *run, const struct row *row)
{
    struct buf status = {0};

    run->id = row_int(row, "id");
    row_text(row, "name", &run->name);
    if (row_text(row, "status", &status))
        snprintf(run->status, sizeof(run->status), "%s", status.ptr ? status.ptr : "");
    buf_clear(&status);
}

static bool fits(const struct row *row, const char *word, const char *name)
{
    struct str value;

    if (name)
        return row_get(row, "name", &value) && json_string_is(value, str_c(name));
    return strcmp(word, "last") == 0 ||
           (row_get(row, "status", &value) && json_string_is(value, str_c(word)));
}

static int none(const char *word, const char *name, struct err *err)
{
    if (name)
        return err_set(err, ERR_NOT_FOUND, "no run is called \"%.300s\"", name);
    if (strcmp(word, "last") == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no run");
    return err_set(err, ERR_NOT_FOUND, "no run is %s", word);
}

/* The first of the runs that fits; the active one, when there should be several, is one of its
 * own. */
static bool search(struct str answer, const char *word, const char *name, struct run_name *run)
{
    bool active = !name && strcmp(word, "active") == 0, found = false;
    struct row row = {0};
    struct json_iter it;
    struct str list;

    if (active)
        found = json_member(answer, STR("active_run"), &list) && row_read(&row, list);
    else if (json_member(answer, STR("run_options"), &list))
        for (it = json_iter(list); !found && json_next(&it);)
            found = row_read(&row, it.value) && fits(&row, word, name);
    if (found)
        take(run, &row);
    row_clear(&row);
    return found;
}

int run_name_find(struct source *source, const char *word, struct run_name *run, struct err *err)
{
    bool forced = str_starts(str_c(word), STR(FORCED));
    bool state =
        strcmp(word, "active") == 0 || strcmp(word, "paused") == 0 || strcmp(word, "last") == 0;
    const char *name = forced ? word + strlen(FORCED) : state ? NULL : word;
    struct buf text = {0};
    struct str answer;
    int rc;

    *run = (struct run_name){0};
    if (str_int64(str_c(word), &run->id))
        return 0;
    rc = source_get(source, "runs", PATH, QUERY, &text, &answer, err);
    if (rc == 0 && !search(answer, word, name, run))
        rc = none(word, name, err);
    buf_clear(&text);
    return rc;
}
