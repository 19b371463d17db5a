/* The place in a request or an answer where the words of a search stand. */
#include "base/utf8.h"
#include "core/search.h"
#include "view/view_priv.h"
#include "json/json.h"

#define BEFORE_BYTES 60
#define LENGTH_BYTES 240

static bool is_inner(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The part of a marked text around its first mark. */
static struct str window(struct str text, size_t mark)
{
    size_t start = mark > BEFORE_BYTES ? mark - BEFORE_BYTES : 0, end;

    while (start < mark &&
           (is_inner(text.ptr[start]) ||
            (start > 0 && mark - start > BEFORE_BYTES / 2 && text.ptr[start - 1] != ' ')))
        start++;
    end = start + LENGTH_BYTES < text.len ? start + LENGTH_BYTES : text.len;
    while (end < text.len && end > start && is_inner(text.ptr[end]))
        end--;
    return (struct str){text.ptr + start, end - start};
}

static void put_part(cJSON *parts, struct buf *text, bool hit)
{
    cJSON *part;

    if (text->len == 0)
        return;
    part = cJSON_CreateObject();
    json_put_str(part, "text", buf_str(text));
    json_put_bool(part, "hit", hit);
    cJSON_AddItemToArray(parts, part);
    text->len = 0;
}

static int put_parts(cJSON *parts, struct str shown, bool cut_before, bool cut_behind,
                     struct err *err)
{
    struct buf text = {0};
    bool hit = false;
    int rc = cut_before ? buf_add(&text, STR("\xe2\x80\xa6"), err) : 0;

    for (size_t i = 0; rc == 0 && i < shown.len; i++) {
        char c = shown.ptr[i];

        if (c == MARK_START || c == MARK_END) {
            put_part(parts, &text, hit);
            hit = c == MARK_START;
        } else if (c != SEARCH_SEPARATOR) {
            rc = buf_add(&text, (struct str){&c, 1}, err);
        }
    }
    if (hit)
        put_part(parts, &text, hit);
    if (rc == 0 && cut_behind)
        rc = buf_add(&text, STR("\xe2\x80\xa6"), err);
    put_part(parts, &text, false);
    buf_clear(&text);
    return rc;
}

static int put_side(cJSON *row, const char *side, struct str text, size_t mark, struct err *err)
{
    struct str shown = window(text, mark);
    cJSON *snippet = cJSON_AddObjectToObject(row, "snippet");

    json_put_text(snippet, "side", side);
    return put_parts(cJSON_AddArrayToObject(snippet, "parts"), shown, shown.ptr > text.ptr,
                     shown.ptr + shown.len < text.ptr + text.len, err);
}

int view_put_snippet(cJSON *row, struct store *store, int64_t id, struct marker *marker,
                     struct err *err)
{
    struct buf texts[4] = {{0}};
    ptrdiff_t mark;
    int rc = store_search_texts(store, id, &texts[0], &texts[1], err);

    if (rc == 0)
        rc = marker_mark(marker, buf_str(&texts[0]), buf_str(&texts[1]), &texts[2], &texts[3], err);
    if (rc == 0 && (mark = str_chr(buf_str(&texts[3]), MARK_START)) >= 0)
        rc = put_side(row, "answer", buf_str(&texts[3]), (size_t)mark, err);
    else if (rc == 0 && (mark = str_chr(buf_str(&texts[2]), MARK_START)) >= 0)
        rc = put_side(row, "request", buf_str(&texts[2]), (size_t)mark, err);
    else if (rc == 0)
        json_put_null(row, "snippet");
    for (size_t i = 0; i < 4; i++)
        buf_clear(&texts[i]);
    return rc;
}
