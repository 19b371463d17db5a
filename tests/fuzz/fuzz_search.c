/* Whatever a body holds or a person types: the text is bounded and clean, and the expression is a
 * list of quoted strings. */
#include "fuzz.h"

#include "base/utf8.h"
#include "core/search.h"

static void check_clean(struct str raw)
{
    struct buf out = {0};
    struct err err;

    REQUIRE(search_clean(raw, &out, &err) == 0);
    REQUIRE(utf8_valid(buf_str(&out)));
    for (size_t i = 0; i < out.len; i++)
        REQUIRE((unsigned char)out.ptr[i] >= ' ' || out.ptr[i] == SEARCH_SEPARATOR);
    buf_clear(&out);
}

static void check_text(int rc, struct buf *text, size_t body)
{
    REQUIRE(rc == 0);
    REQUIRE(text->len <= 4 * body);
    check_clean(buf_str(text));
    buf_clear(text);
}

/* Outside of quoted strings there is nothing but our own words. */
static void check_query(struct str typed, enum search_join join)
{
    struct buf out = {0};
    struct err err;
    bool quoted = false;

    if (search_query(typed, join, &out, &err) == 0) {
        REQUIRE(utf8_valid(buf_str(&out)));
        for (size_t i = 0; i < out.len; i++) {
            if (out.ptr[i] == '"')
                quoted = !quoted;
            else if (!quoted)
                REQUIRE(strchr(" ()*ANDORT", out.ptr[i]) && out.ptr[i]);
        }
        REQUIRE(!quoted);
    } else {
        REQUIRE(err.code == ERR_INVALID && out.len == 0);
    }
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {(const char *)data, size};
    struct buf text = {0};
    struct err err;

    check_text(search_request_text(body, STR("application/json"), &text, &err), &text, size);
    check_text(search_answer_text(body, STR(""), &text, &err), &text, size);
    check_text(search_answer_text(body, STR("text/event-stream"), &text, &err), &text, size);
    check_query(body, SEARCH_ALL);
    check_query(body, SEARCH_ANY);
    return 0;
}
