#include "core/provider.h"

#include <stdlib.h>

#define SLUG_MAX 64
#define ENV_MAX 128

static struct str variable(struct str name)
{
    char text[ENV_MAX + 1];

    if (name.len == 0 || name.len > ENV_MAX)
        return STR_NONE;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return str_trim(str_c(getenv(text)));
}

bool provider_key(struct str api_key_env, struct secret *out)
{
    struct str value = variable(api_key_env);

    if (value.len == 0)
        return false;
    secret_set(out, value);
    return true;
}

enum key_state provider_key_state(struct str api_key_env)
{
    if (api_key_env.len == 0)
        return KEY_NOT_CONFIGURED;
    return variable(api_key_env).len > 0 ? KEY_CONFIGURED : KEY_MISSING;
}

const char *key_state_text(enum key_state state)
{
    switch (state) {
    case KEY_CONFIGURED:
        return "configured";
    case KEY_MISSING:
        return "missing";
    case KEY_NOT_CONFIGURED:
        break;
    }
    return "not_configured";
}

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

const char *key_auth_state(enum key_state state)
{
    return state == KEY_CONFIGURED ? "valid"
           : state == KEY_MISSING  ? "missing_key"
                                   : "not_configured";
}

bool provider_is_healthy(int status, enum key_state key)
{
    if (status == 0 || status >= 500 || key == KEY_MISSING)
        return false;
    return !(key == KEY_CONFIGURED && (status == 401 || status == 403));
}

bool provider_slug_ok(struct str slug)
{
    if (slug.len == 0 || slug.len > SLUG_MAX || !is_lower_or_digit(slug.ptr[0]))
        return false;
    for (size_t i = 1; i < slug.len; i++)
        if (!is_lower_or_digit(slug.ptr[i]) && slug.ptr[i] != '_' && slug.ptr[i] != '-')
            return false;
    return true;
}

bool provider_env_ok(struct str name)
{
    if (name.len == 0 || name.len > ENV_MAX || (name.ptr[0] >= '0' && name.ptr[0] <= '9'))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_lower_or_digit((char)str_lower(name.ptr[i])) && name.ptr[i] != '_')
            return false;
    return true;
}

bool provider_auth_style_ok(struct str style)
{
    return str_eq(style, STR("bearer")) || str_eq(style, STR("x-api-key")) ||
           str_eq(style, STR("api-key")) || str_eq(style, STR("none"));
}

struct str provider_bare_url(struct str url)
{
    url = str_trim(url);
    while (url.len > 0 && url.ptr[url.len - 1] == '/')
        url.len--;
    return url;
}

/* How many bytes are scheme and host, which have no case. */
static size_t authority_end(struct str url)
{
    ptrdiff_t scheme = str_find(url, STR("://")), slash;
    size_t start = scheme < 0 ? 0 : (size_t)scheme + 3;

    slash = str_chr(str_from(url, start), '/');
    return slash < 0 ? url.len : start + (size_t)slash;
}

bool provider_same_url(struct str a, struct str b)
{
    size_t end = authority_end(a);

    return a.len == b.len && end == authority_end(b) && str_ieq(str_cut(a, end), str_cut(b, end)) &&
           str_eq(str_from(a, end), str_from(b, end));
}
