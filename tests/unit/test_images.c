#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cases.h"
#include "llm/images.h"
#include "llm/signals.h"

static struct str source_of(const struct image *image, struct buf *out)
{
    buf_cut(out, 0);
    buf_put(out, image->head);
    if (str_eq(image->kind, STR(IMAGE_DATA_URL)))
        buf_put(out, image->data_base64);
    return buf_str(out);
}

static void image_case(const char *name, const cJSON *input, const cJSON *expect)
{
    struct buf body = cases_body(input), source = {0};
    const cJSON *one, *list = cases_get(expect, "images");
    struct arena arena = {0};
    struct images found;
    size_t n = 0;

    images_find(buf_str(&body), STR("application/json"), IMAGES_MAX, &arena, &found);
    if (found.count != (size_t)cJSON_GetArraySize(list))
        fail_msg("%s: %zu images", name, found.count);
    if (found.count > 0 && !signals_look(buf_str(&body)).images)
        fail_msg("%s: the quick look says there is none", name);
    cJSON_ArrayForEach(one, list)
    {
        const struct image *image = &found.items[n++];

        cases_same(name, "kind", image->kind, cases_str(one, "kind"));
        cases_same(name, "type", image->mime_type, cases_str(one, "mime_type"));
        cases_same(name, "data", image->data_base64, cases_str(one, "data_base64"));
        cases_same(name, "source", source_of(image, &source), cases_str(one, "source"));
    }
    buf_clear(&source);
    buf_clear(&body);
    arena_clear(&arena);
}

static void images_are_as_the_cases_say(void **state)
{
    (void)state;
    cases_run("images", image_case);
}

static size_t count(const char *json)
{
    struct arena arena = {0};
    struct images found;
    size_t n;

    images_find(str_c(json), STR_NONE, IMAGES_MAX, &arena, &found);
    n = found.count;
    arena_clear(&arena);
    return n;
}

static void data_urls_are_strict(void **state)
{
    (void)state;
    assert_int_equal(count("{\"image_url\":\"data:image/png;base64,AAAA\"}"), 1);
    assert_int_equal(count("{\"image_url\":\"data:image\\/png;BASE64,AA==\"}"), 1);
    assert_int_equal(count("{\"image_url\":\"data:image/png;base64,\"}"), 0);
    assert_int_equal(count("{\"image_url\":\"data:image/png;base64,AAA\"}"), 0);
    assert_int_equal(count("{\"image_url\":\"data:image/png;base64,A===\"}"), 0);
    assert_int_equal(count("{\"image_url\":\"data:image/png;base64,AA-_\"}"), 0);
    assert_int_equal(count("{\"image_url\":\"data:image/;base64,AAAA\"}"), 0);
    assert_int_equal(count("{\"image_url\":\"data:image/p g;base64,AAAA\"}"), 0);
    assert_int_equal(count("{\"image_url\":\"data:image/png;x;base64,AAAA\"}"), 0);
    assert_int_equal(count("{\"image_url\":\"data:image/png,AAAA\"}"), 0);
    assert_int_equal(count("{\"image_url\":\"ftp://x/y.png\"}"), 0);
    assert_int_equal(count("not json \"image_url\":\"http://x\""), 0);
}

static void uploads_are_images_too(void **state)
{
    static const char body[] = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n"
                               "--b\r\nContent-Disposition: form-data; name=\"image\"; "
                               "filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nhello\r\n"
                               "--b\r\nContent-Disposition: form-data; name=\"mask\"; "
                               "filename=\"e.png\"\r\nContent-Type: image/png\r\n\r\n\r\n--b--\r\n";
    struct arena arena = {0};
    struct images found;

    (void)state;
    images_find(STR(body), STR("multipart/form-data; boundary=b"), IMAGES_MAX, &arena, &found);
    assert_int_equal(found.count, 1);
    assert_true(str_eq(found.items[0].kind, STR("upload")));
    assert_true(str_eq(found.items[0].mime_type, STR("image/png")));
    assert_true(str_eq(found.items[0].head, STR("multipart:image:a.png")));
    assert_true(str_eq(found.items[0].data_base64, STR("aGVsbG8=")));
    arena_clear(&arena);
}

static void an_image_that_is_too_large_is_named_without_data(void **state)
{
    struct arena arena = {0};
    struct images found;
    struct buf body = {0};

    (void)state;
    buf_put(&body, STR("{\"image_url\":\"data:image/png;base64,"));
    for (size_t i = 0; i <= IMAGES_MAX_BYTES; i += 1024)
        for (int k = 0; k < 16; k++)
            buf_put(&body, STR("AAAABBBBAAAABBBBAAAABBBBAAAABBBBAAAABBBBAAAABBBBAAAABBBBAAAABBBB"));
    buf_put(&body, STR("\"}"));
    images_find(buf_str(&body), STR_NONE, IMAGES_MAX, &arena, &found);
    assert_int_equal(found.count, 1);
    assert_null(found.items[0].data_base64.ptr);
    assert_true(str_eq(found.items[0].head, STR("data:image/png;base64,(20972544 bytes omitted)")));
    buf_clear(&body);
    arena_clear(&arena);
}

static void many_images_cost_no_more_than_their_text(void **state)
{
    struct arena arena = {0};
    struct images found;
    struct buf body = {0};

    (void)state;
    buf_put(&body, STR("[0"));
    for (int i = 0; i < 200000; i++)
        buf_printf(&body, ",{\"image_url\":\"http://x/%d\"}", i % 100 ? i % 100 : i);
    buf_put(&body, STR("]"));
    images_find(buf_str(&body), STR_NONE, SIZE_MAX, &arena, &found);
    assert_int_equal(found.count, IMAGES_MAX);
    images_find(buf_str(&body), STR_NONE, 1, &arena, &found);
    assert_int_equal(found.count, 1);
    buf_clear(&body);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_as_the_cases_say),
        cmocka_unit_test(data_urls_are_strict),
        cmocka_unit_test(uploads_are_images_too),
        cmocka_unit_test(an_image_that_is_too_large_is_named_without_data),
        cmocka_unit_test(many_images_cost_no_more_than_their_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
