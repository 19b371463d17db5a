/* tests/unit/fixture.h - files of tests/fixtures. Include after cmocka.h. */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "buf.h"

/** Returns owned, buf_clear(). */
static inline struct buf fixture_read(const char *name)
{
    struct buf out = {0};
    char path[1024], part[4096];
    size_t got;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", FIXTURES, name);
    file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    while ((got = fread(part, 1, sizeof(part), file)) > 0)
        buf_put(&out, (struct str){part, got});
    fclose(file);
    buf_put(&out, STR(""));
    return out;
}

/** Returns owned, cJSON_Delete(): an array that is not empty. */
static inline cJSON *fixture_cases(const char *name)
{
    struct buf text = fixture_read(name);
    cJSON *list = cJSON_ParseWithLength(text.ptr, text.len);

    buf_clear(&text);
    assert_true(cJSON_GetArraySize(list) > 0);
    return list;
}

static inline const cJSON *fixture_get(const cJSON *o, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(o, key);
}

/** STR_NONE when the member is null or absent. */
static inline struct str fixture_str(const cJSON *o, const char *key)
{
    return str_c(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key)));
}

/** Equal, or both absent. */
static inline void fixture_same(struct str name, const char *what, struct str got,
                                struct str expect)
{
    if (!str_eq(got, expect) || !got.ptr != !expect.ptr)
        fail_msg("%.*s: %s is \"%.*s\", expected \"%.*s\"", STR_ARG(name), what, STR_ARG(got),
                 STR_ARG(expect));
}

#endif
