#include "model.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "json/json_scan.h"

static void item_clear(struct item *item)
{
    row_clear(&item->row);
    free(item->text);
    *item = (struct item){0};
}

static void items_clear(struct items *list)
{
    for (size_t i = 0; i < list->cap; i++)
        item_clear(&list->rows[i]);
    free(list->rows);
    *list = (struct items){0};
}

void model_clear(struct model *m)
{
    items_clear(&m->inflight);
    items_clear(&m->finished);
    items_clear(&m->models);
    items_clear(&m->upstreams);
    items_clear(&m->runs);
    row_clear(&m->top);
    buf_clear(&m->answer);
    buf_clear(&m->runs_answer);
    buf_clear(&m->text_answer);
    *m = (struct model){0};
}

static void grow(struct items *list, size_t need)
{
    size_t cap = list->cap ? list->cap : 16;

    if (need <= list->cap)
        return;
    while (cap < need)
        cap *= 2;
    list->rows = xrealloc(list->rows, cap, sizeof(*list->rows));
    memset(list->rows + list->cap, 0, (cap - list->cap) * sizeof(*list->rows));
    list->cap = cap;
}

/* A number for rows that have no id: of their name and provider, either of which may be null. */
static int64_t name_id(const struct row *row, const char *name)
{
    const char *const paths[] = {name, "provider_slug"};
    uint64_t hash = 1469598103934665603u;

    for (size_t k = 0; k < 2; k++) {
        struct str value;

        if (!row_get(row, paths[k], &value))
            value = STR("null");
        for (size_t i = 0; i < value.len; i++)
            hash = (hash ^ (unsigned char)value.ptr[i]) * 1099511628211u;
    }
    return (int64_t)(hash >> 1);
}

/* Fill list with the objects of an array of the last answer; they point into it. Without a name
 * they have an id. */
static void read_items(struct items *list, struct str array, const char *name)
{
    struct json_iter it;

    list->count = 0;
    if (json_type_of(array) != JSON_ARRAY)
        return;
    it = json_iter(array);
    while (json_next(&it)) {
        struct item *item;

        grow(list, list->count + 1);
        item = &list->rows[list->count];
        if (!row_read(&item->row, it.value))
            continue;
        list->count++;
        item->id = name ? name_id(&item->row, name) : row_int(&item->row, "id");
        item->created_us = row_time(&item->row, "created_at");
    }
}

static struct str member(const struct model *m, const char *name)
{
    struct str value;

    return row_get(&m->top, name, &value) ? value : STR_NONE;
}

/* ---- finished requests ---- */

/* Where a finished request stands or would stand; they are sorted by id, largest first. */
static size_t place(const struct items *list, int64_t id)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (list->rows[mid].id > id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void keep(struct item *item, struct str json)
{
    char *text = str_dup(json);

    if (!text)
        return;
    free(item->text);
    item->text = text;
    row_read(&item->row, (struct str){text, json.len});
    item->created_us = row_time(&item->row, "created_at");
    if (item->row.count > 0 && item->row.count < item->row.cap) {
        item->row.members =
            xrealloc(item->row.members, item->row.count, sizeof(*item->row.members));
        item->row.cap = item->row.count;
    }
}

static void take_finished(struct items *list, struct str json)
{
    struct row row = {0};
    struct item fresh = {0};
    int64_t id, rev;
    size_t at;

    if (!row_read(&row, json))
        return;
    id = row_int(&row, "id");
    rev = row_int(&row, "rev");
    row_clear(&row);
    if (id == ROW_UNKNOWN)
        return;
    at = place(list, id);
    if (at < list->count && list->rows[at].id == id) {
        if (rev >= list->rows[at].rev) {
            keep(&list->rows[at], json);
            list->rows[at].rev = rev;
        }
        return;
    }
    if (at >= MODEL_FINISHED_MAX)
        return;
    if (list->count == MODEL_FINISHED_MAX)
        item_clear(&list->rows[--list->count]);
    grow(list, list->count + 1);
    item_clear(&list->rows[list->count]);
    memmove(&list->rows[at + 1], &list->rows[at], (list->count - at) * sizeof(*list->rows));
    fresh.id = id;
    fresh.rev = rev;
    keep(&fresh, json);
    list->rows[at] = fresh;
    list->count++;
}

static void take_all_finished(struct model *m, struct str array)
{
    struct json_iter it;

    if (json_type_of(array) != JSON_ARRAY)
        return;
    it = json_iter(array);
    while (json_next(&it))
        take_finished(&m->finished, it.value);
}

/* ---- answers ---- */

/* Another server, or the same started anew: what we hold is about another one. */
static void notice_instance(struct model *m)
{
    struct buf text = {0};

    row_text(&m->top, "instance", &text);
    if (text.len > 0 && m->instance[0] && strcmp(text.ptr, m->instance) != 0)
        items_clear(&m->finished);
    snprintf(m->instance, sizeof(m->instance), "%.*s", STR_ARG(buf_str(&text)));
    buf_clear(&text);
}

int model_take(struct model *m, struct str answer, int64_t monotonic_us, struct err *err)
{
    struct buf copy = {0};
    struct str value;

    if (buf_add(&copy, answer, err) < 0)
        return -1;
    if (json_scan(buf_str(&copy), &value) != JSON_OBJECT) {
        buf_clear(&copy);
        return err_set(err, ERR_FAILED, "the answer of /api/live is no JSON object");
    }
    buf_clear(&m->answer);
    m->answer = copy; /* moved */
    row_read(&m->top, value);
    m->filled = true;
    m->answered_us = monotonic_us;
    m->now_us = row_time(&m->top, "now");
    m->rev = row_int(&m->top, "rev");
    notice_instance(m);
    read_items(&m->inflight, member(m, "inflight"), NULL);
    take_all_finished(m, member(m, "finished"));
    read_items(&m->models, member(m, "models"), "model");
    read_items(&m->upstreams, member(m, "upstreams"), "base_url");
    m->text = member(m, "text");
    return 0;
}

int model_take_runs(struct model *m, struct str answer, struct err *err)
{
    struct str value, runs;
    struct buf copy = {0};

    if (buf_add(&copy, answer, err) < 0)
        return -1;
    if (json_scan(buf_str(&copy), &value) != JSON_OBJECT ||
        !json_member(value, STR("items"), &runs)) {
        buf_clear(&copy);
        return err_set(err, ERR_FAILED, "the answer of /api/runs has no runs");
    }
    buf_clear(&m->runs_answer);
    m->runs_answer = copy; /* moved */
    read_items(&m->runs, runs, NULL);
    return 0;
}

void model_take_text(struct model *m, struct str answer)
{
    struct str value, text;
    struct buf copy = {0};
    struct err ignored;

    if (buf_add(&copy, answer, &ignored) < 0)
        return;
    if (json_scan(buf_str(&copy), &value) != JSON_OBJECT ||
        !json_member(value, STR("text"), &text)) {
        buf_clear(&copy);
        return;
    }
    buf_clear(&m->text_answer);
    m->text_answer = copy; /* moved */
    m->text = text;
}

int64_t model_int(const struct model *m, const char *path)
{
    return row_int(&m->top, path);
}

double model_number(const struct model *m, const char *path)
{
    return row_number(&m->top, path);
}

bool model_text(const struct model *m, const char *path, struct buf *out)
{
    return row_text(&m->top, path, out);
}

const struct item *model_finished(const struct model *m, int64_t id)
{
    size_t at = place(&m->finished, id);

    return at < m->finished.count && m->finished.rows[at].id == id ? &m->finished.rows[at] : NULL;
}

const struct item *model_request(const struct model *m, int64_t id)
{
    const struct item *finished = model_finished(m, id);

    for (size_t i = 0; i < m->inflight.count && !finished; i++)
        if (m->inflight.rows[i].id == id)
            return &m->inflight.rows[i];
    return finished;
}
