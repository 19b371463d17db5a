#include "ops/version.h"

#include <stdio.h>

#include "base/clock.h"

void version_tell(struct call *call, int64_t updated_us)
{
    char iso[CLOCK_ISO_SIZE], tag[CLOCK_ISO_SIZE + 2];
    struct err err;

    snprintf(tag, sizeof(tag), "\"%s\"", clock_iso(updated_us, iso));
    if (headers_add(&call->extra, &call->arena, STR("ETag"), str_c(tag), &err) < 0)
        call_error(call, &err);
}

/* One tag of If-Match, without its quotes. */
static struct str unquoted(struct str tag)
{
    tag = str_trim(tag);
    if (str_starts(tag, STR("W/")))
        tag = str_from(tag, 2);
    if (tag.len >= 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"')
        tag = str_cut(str_from(tag, 1), tag.len - 2);
    return tag;
}

static bool is_listed(struct str list, struct str version)
{
    struct str tag;

    while (str_split(&list, ',', &tag)) {
        tag = unquoted(tag);
        if (version.len > 0 && (str_eq(tag, STR("*")) || str_eq(tag, version)))
            return true;
    }
    return false;
}

static bool refuse_change(struct call *call, const char *what, struct str version)
{
    char text[240];

    if (version.len > 0)
        snprintf(text, sizeof(text),
                 "%.80s was changed at %.*s, after you read it; nothing was saved. Read it again "
                 "and repeat your change.",
                 what, STR_ARG(version));
    else
        snprintf(text, sizeof(text), "%.80s was deleted after you read it; nothing was saved.",
                 what);
    call_detail(call, 409, text);
    return false;
}

bool version_fits(struct call *call, const struct body *b, const char *what, int64_t updated_us)
{
    struct str asked = headers_get(&call->headers, STR("if-match"));
    const cJSON *read_at = b ? body_get(b, "updated_at") : NULL;
    char iso[CLOCK_ISO_SIZE];
    struct str version = updated_us == VERSION_NONE ? STR("") : str_c(clock_iso(updated_us, iso));

    if (read_at && !cJSON_IsNull(read_at) && !cJSON_IsString(read_at)) {
        call_detail(call, 400, "updated_at must be the text that was read.");
        return false;
    }
    if (cJSON_IsString(read_at) && read_at->valuestring[0] &&
        !str_eq(str_trim(str_c(read_at->valuestring)), version))
        return refuse_change(call, what, version);
    return !asked.ptr || is_listed(asked, version) || refuse_change(call, what, version);
}
