#include "join.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "json/json_scan.h"

static int compare_text(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare(const void *a, const void *b)
{
    return compare_text(((const struct join_row *)a)->key, ((const struct join_row *)b)->key);
}

/* Keys are compared as they are written: both answers are of the same hand. */
static int keep(struct task *t, void *ctx, struct str json, const struct row *row)
{
    struct join *j = ctx;
    struct str key;

    (void)t;
    if (!row_get(row, j->other_key, &key))
        return 0;
    j->others = xrealloc(j->others, j->count + 1, sizeof(*j->others));
    j->others[j->count++] = (struct join_row){key, json};
    return 0;
}

int join_read(struct join *j, struct task *t, const char *what, const char *path)
{
    struct str array;

    if (source_send(&t->source, what, "GET", path, "", STR_NONE, 0, &j->text, &array, &t->err) < 0)
        return -1;
    if (task_each_of(t, array, keep, j) < 0)
        return -1;
    if (j->count > 0)
        qsort(j->others, j->count, sizeof(*j->others), compare);
    return 0;
}

void join_clear(struct join *j)
{
    buf_clear(&j->text);
    buf_clear(&j->out);
    free(j->others);
}

static struct str member_of(const struct join *j, const struct join_row *other, size_t i)
{
    struct str value;

    if (other && json_member(other->json, str_c(j->members[i]), &value))
        return value;
    return str_c(j->fallbacks[i]);
}

int join_print_row(struct task *t, void *ctx, struct str json, const struct row *row)
{
    struct join *j = ctx;
    struct join_row wanted = {.json = STR_NONE}, *other = NULL;

    if (j->count > 0 && row_get(row, j->key, &wanted.key))
        other = bsearch(&wanted, j->others, j->count, sizeof(*j->others), compare);
    j->out.len = 0;
    json = str_cut(json, json.len - 1); /* "}" */
    if (buf_add(&j->out, json, &t->err) < 0)
        return -1;
    for (size_t i = 0; j->members[i]; i++) {
        if (buf_add(&j->out, STR(",\""), &t->err) < 0 ||
            buf_add(&j->out, str_c(j->members[i]), &t->err) < 0 ||
            buf_add(&j->out, STR("\":"), &t->err) < 0 ||
            buf_add(&j->out, member_of(j, other, i), &t->err) < 0)
            return -1;
    }
    if (buf_add(&j->out, STR("}"), &t->err) < 0)
        return -1;
    return out_row(&t->out, buf_str(&j->out), &t->err);
}
