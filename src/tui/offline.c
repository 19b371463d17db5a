#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "feed_priv.h"
#include "json/json_scan.h"

#define PAGES 5
#define PAGE_ROWS 200

void offline_note(struct offline *o, struct str answer)
{
    struct buf path = {0};
    struct row row = {0};

    if (!o->path && row_read(&row, answer) && row_text(&row, "server.database", &path))
        o->path = buf_take(&path);
    buf_clear(&path);
    row_clear(&row);
}

bool offline_start(struct offline *o, struct source *source)
{
    char *url = NULL;
    bool locked;
    struct err err;

    if (!o->path || !source->client)
        return false;
    locked = source_instance(o->path, &url);
    free(url);
    return !locked && source_to_file(source, o->path, &err) == 0;
}

bool offline_server_is_back(struct offline *o, struct source *source)
{
    char *url = NULL;
    bool back =
        source->path && source_instance(source->path, &url) && url && source_to_server(source, url);

    free(url);
    if (back)
        o->read = false;
    return back;
}

/* The elements of "items" of one page; how many there are. */
static int add_page(struct source *source, int page, struct buf *out, struct err *err)
{
    struct buf body = {0};
    char query[64];
    struct str value, items;
    int count = -1;

    snprintf(query, sizeof(query), "facets=0&per_page=%d&page=%d", PAGE_ROWS, page);
    if (source_get(source, "requests", "/api/requests", query, &body, &value, err) == 0 &&
        json_member(value, STR("items"), &items)) {
        struct json_iter it = json_iter(items);

        for (count = 0; json_next(&it); count++)
            if ((out->ptr[out->len - 1] != '[' && buf_add(out, STR(","), err) < 0) ||
                buf_add(out, it.value, err) < 0) {
                count = -1;
                break;
            }
    }
    buf_clear(&body);
    return count;
}

/* The active run as the list of runs has it. */
static int add_active_run(struct source *source, struct buf *out, struct err *err)
{
    struct buf body = {0};
    struct str value, items, active;
    int rc = -1;

    if (source_get(source, "runs", "/api/runs", "", &body, &value, err) == 0 &&
        json_member(value, STR("items"), &items)) {
        struct json_iter it = json_iter(items);

        rc = 0;
        while (rc == 0 && json_next(&it))
            if (json_member(it.value, STR("is_active"), &active) && str_eq(active, STR("true"))) {
                rc = buf_add(out, STR("\"active_run\":"), err);
                rc = rc < 0 ? rc : buf_add(out, it.value, err);
                rc = rc < 0 ? rc : buf_add(out, STR(","), err);
                break;
            }
    }
    buf_clear(&body);
    return rc;
}

int offline_read(struct offline *o, struct source *source, struct buf *out, struct err *err)
{
    char now[CLOCK_ISO_SIZE];
    int64_t version;
    int count = PAGE_ROWS;

    if (store_data_version(source->store, &version, err) < 0)
        return -1;
    if (o->read && version == o->version)
        return 0;
    o->version = version;
    o->read = true;
    buf_printf(out, "{\"rev\":0,\"now\":\"%s\",\"instance\":\"file\",",
               clock_iso(clock_wall_us(), now));
    if (add_active_run(source, out, err) < 0 || buf_add(out, STR("\"finished\":["), err) < 0)
        return -1;
    for (int page = 1; page <= PAGES && count == PAGE_ROWS; page++)
        count = add_page(source, page, out, err);
    return count < 0 || buf_add(out, STR("]}"), err) < 0 ? -1 : 1;
}

void offline_clear(struct offline *o)
{
    free(o->path);
    *o = (struct offline){0};
}
