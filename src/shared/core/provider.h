/* core/provider.h - a named upstream account, and where its key comes from. */
#ifndef CORE_PROVIDER_H
#define CORE_PROVIDER_H

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

/** Borrowed texts; absent ones are STR_NONE. */
struct provider {
    struct str slug, name;
    struct str base_url; /* without slashes at its end */
    struct str currency;
    struct str api_key_env; /* name of an environment variable */
    struct str auth_style;  /* bearer, x-api-key, api-key, none */
    bool active, is_default_fallback;
    struct str capabilities_json; /* an object */
    int64_t created_us, updated_us;
};

/** What is known of a key. */
enum key_state { KEY_NOT_CONFIGURED, KEY_CONFIGURED, KEY_MISSING };

/** Read the variable into *out, trimmed; false when it is unset or blank. */
bool provider_key(struct str api_key_env, struct secret *out);
/** The state of a key that is read from a variable; STR_NONE: not configured. */
enum key_state provider_key_state(struct str api_key_env);
/** "configured", "missing", "not_configured". */
const char *key_state_text(enum key_state state);

/** The same for results of checks: "valid", "missing_key", "not_configured". */
const char *key_auth_state(enum key_state state);
/** What a check says of the status of an answer (0: none came) to a request with this key. */
bool provider_is_healthy(int status, enum key_state key);

/** [a-z0-9][a-z0-9_-]{0,63} */
bool provider_slug_ok(struct str slug);
/** [A-Za-z_][A-Za-z0-9_]*, at most 128. */
bool provider_env_ok(struct str name);
bool provider_auth_style_ok(struct str style);

/** A base URL without blanks around and slashes at its end. */
struct str provider_bare_url(struct str url);
/** Two such URLs are the same; scheme and host have no case. */
bool provider_same_url(struct str a, struct str b);

#endif
