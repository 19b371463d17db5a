/* tests/unit/cases.h - table-driven tests: reads tests/fixtures/capture/<group>.json, an array of
 * {"name","input","expect"}. Include after cmocka.h. */
#ifndef TESTS_UNIT_CASES_H
#define TESTS_UNIT_CASES_H

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "buf.h"
#include "headers.h"

/** Returns owned, buf_clear(). */
static inline struct buf cases_read(const char *name)
{
    struct buf out = {0};
    char path[1024], part[4096];
    size_t got;
    FILE *file;

    snprintf(path, sizeof(path), "%s/capture/%s", FIXTURES, name);
    file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    while ((got = fread(part, 1, sizeof(part), file)) > 0)
        buf_put(&out, (struct str){part, got});
    fclose(file);
    buf_put(&out, STR(""));
    return out;
}

/** Call check for each case of a group; at least one. */
static inline void cases_run(const char *group, void (*check)(const char *name, const cJSON *input,
                                                              const cJSON *expect))
{
    char name[64];
    struct buf text;
    cJSON *list, *one;

    snprintf(name, sizeof(name), "%s.json", group);
    text = cases_read(name);
    list = cJSON_ParseWithLength(text.ptr, text.len);
    assert_true(cJSON_GetArraySize(list) > 0);
    cJSON_ArrayForEach(one, list)
    {
        check(cJSON_GetObjectItemCaseSensitive(one, "name")->valuestring,
              cJSON_GetObjectItemCaseSensitive(one, "input"),
              cJSON_GetObjectItemCaseSensitive(one, "expect"));
    }
    cJSON_Delete(list);
    buf_clear(&text);
}

static inline const cJSON *cases_get(const cJSON *o, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(o, key);
}

/** STR_NONE when the member is null or absent. */
static inline struct str cases_str(const cJSON *o, const char *key)
{
    return str_c(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key)));
}

/** The body of a case, inline or from its file. Returns owned. */
static inline struct buf cases_body(const cJSON *input)
{
    struct str file = cases_str(input, "body_file"), text = cases_str(input, "body_text");
    struct buf out = {0};

    if (file.ptr)
        return cases_read(file.ptr);
    buf_put(&out, text);
    return out;
}

static inline void cases_headers(const cJSON *input, struct headers *out, struct arena *arena)
{
    const cJSON *pair;
    struct err err;

    cJSON_ArrayForEach(pair, cases_get(input, "headers"))
    {
        struct str name = str_c(cJSON_GetArrayItem(pair, 0)->valuestring);
        struct str value = str_c(cJSON_GetArrayItem(pair, 1)->valuestring);

        assert_int_equal(headers_add(out, arena, name, value, &err), 0);
    }
}

/** Equal, or both absent. */
static inline void cases_same(const char *name, const char *what, struct str got, struct str expect)
{
    if (!str_eq(got, expect) || !got.ptr != !expect.ptr)
        fail_msg("%s: %s is \"%.*s\", expected \"%.*s\"", name, what, STR_ARG(got),
                 STR_ARG(expect));
}

#endif
