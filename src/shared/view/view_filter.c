#include "view/view_filter.h"

#include "base/query.h"
#include "json/json.h"

struct filter *view_filter_read(struct str query, enum filter_scope scope, int64_t now_us,
                                struct buf *refusal)
{
    struct filter_error error;
    struct filter *filter = NULL;
    struct buf text = {0};
    cJSON *o;

    if (query_get(query, "where", &text) && text.len > 0) {
        filter = filter_parse(buf_str(&text), scope, now_us, &error);
        if (!filter) {
            o = cJSON_CreateObject();
            json_put_text(o, "detail", error.msg);
            json_put_int(o, "position", (int64_t)error.position);
            json_put_int(o, "length", (int64_t)error.length);
            json_print(refusal, o);
            cJSON_Delete(o);
        }
    }
    buf_clear(&text);
    return filter;
}
