/* The first line is the content type, the rest the body. Parts lie inside the body, one behind the
 * other, and no delimiter is left in them. */
#include "fuzz.h"

#include "llm/facts.h"
#include "llm/multipart.h"
#include "llm/render.h"
#include "json/json_scan.h"

static void check_parts(const struct multipart *form, struct str body, struct str boundary)
{
    const char *from = body.ptr;
    struct buf json = {0}, delimiter = {0};
    struct str range;

    buf_put(&delimiter, STR("\r\n--"));
    buf_put(&delimiter, boundary);
    buf_put(&delimiter, STR("\r\n"));
    REQUIRE(form->count <= MULTIPART_MAX_PARTS);
    for (size_t i = 0; i < form->count; i++) {
        struct str content = form->parts[i].content;

        REQUIRE(content.ptr >= from && content.ptr + content.len <= body.ptr + body.len);
        REQUIRE(str_find(content, buf_str(&delimiter)) < 0);
        from = content.ptr + content.len;
    }
    multipart_json(form, &json);
    REQUIRE(json_scan(buf_str(&json), &range) == JSON_ARRAY);
    buf_clear(&json);
    buf_clear(&delimiter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct multipart form;
    struct str rest = {(const char *)data, size}, type, boundary, value;
    struct upstream_error error;
    struct arena arena = {0};
    struct buf text = {0};

    if (!str_split(&rest, '\n', &type) || !rest.ptr)
        return 0;
    boundary = multipart_boundary(type);
    if (multipart_parse(rest, boundary, &form)) {
        check_parts(&form, rest, boundary);
        multipart_field(&form, STR("model"), &value);
    }
    for (int mode = RENDER_AUTO; mode <= RENDER_SSE; mode++)
        cJSON_Delete(render_body(rest, type, (enum render_mode)mode));
    render_text(rest, type, &text);
    facts_error_in_body(rest, type, 500, &arena, &error);
    arena_clear(&arena);
    buf_clear(&text);
    return 0;
}
