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
