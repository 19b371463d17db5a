#include "forward.h"

/* ---- targets and URLs --------------------------------------------------------------------- */

/* The part of an absolute-form target behind the authority. */
static struct str without_authority(struct str raw)
{
    size_t scheme = str_istarts(raw, STR("http://"))    ? 7
                    : str_istarts(raw, STR("https://")) ? 8
                                                        : 0;
    size_t i = scheme;

    if (scheme == 0)
        return raw;
    while (i < raw.len && raw.ptr[i] != '/' && raw.ptr[i] != '?')
        i++;
    return str_from(raw, i);
}

bool forward_target(struct str raw, struct target *out)
{
    struct str path = without_authority(raw), query = STR_NONE;
    ptrdiff_t mark = str_chr(path, '?');

    if (mark >= 0) {
        query = str_from(path, (size_t)mark + 1);
        path = str_cut(path, (size_t)mark);
    }
    if (str_eq(path, STR("/v1")))
        *out = (struct target){.rest = STR(""), .query = query};
    else if (str_starts(path, STR("/v1/")))
        *out = (struct target){.rest = str_from(path, 4), .query = query};
    else
        return false;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)str_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Take one character off *s, percent-decoded. A percent sign without two digits is itself. */
static char next_decoded(struct str *s)
{
    char c = s->ptr[0];
    size_t used = 1;

    if (c == '%' && s->len >= 3 && hex_digit(s->ptr[1]) >= 0 && hex_digit(s->ptr[2]) >= 0) {
        c = (char)(hex_digit(s->ptr[1]) * 16 + hex_digit(s->ptr[2]));
        used = 3;
    }
    *s = str_from(*s, used);
    return c;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

bool forward_path_ok(struct str path)
{
    size_t len = 0;   /* of the segment so far, up to a semicolon */
    bool dots = true; /* it holds nothing but dots */
    bool name = true; /* no semicolon yet */

    while (path.len > 0) {
        char c = next_decoded(&path);

        if (c == '\\' || is_control(c))
            return false;
        if (c == '/') {
            if (dots && (len == 1 || len == 2))
                return false;
            len = 0;
            dots = name = true;
        } else if (c == ';') {
            name = false;
        } else if (name) {
            dots = dots && c == '.';
            len++;
        }
    }
    return !(dots && (len == 1 || len == 2));
}

int forward_endpoint(struct buf *out, struct str rest, struct err *err)
{
    if (buf_reserve(out, rest.len + 4, err) < 0 || buf_add(out, STR("/v1/"), err) < 0)
        return -1;
    while (rest.len > 0)
        out->ptr[out->len++] = next_decoded(&rest);
    out->ptr[out->len] = '\0';
    return 0;
}

static struct str without_slashes(struct str s)
{
    while (s.len > 0 && s.ptr[s.len - 1] == '/')
        s.len--;
    return s;
}

int forward_url(struct buf *out, struct str base, const struct target *t, struct err *err)
{
    size_t before = out->len;

    if (buf_add(out, without_slashes(base), err) < 0 || buf_add(out, STR("/"), err) < 0 ||
        buf_add(out, t->rest, err) < 0)
        goto fail;
    if (t->query.len > 0 && (buf_add(out, STR("?"), err) < 0 || buf_add(out, t->query, err) < 0))
        goto fail;
    return 0;
fail:
    buf_cut(out, before);
    return -1;
}

static struct str without_slash(struct str s)
{
    return str_ends(s, STR("/")) ? str_cut(s, s.len - 1) : s;
}

bool forward_endpoint_is(struct str endpoint, struct str name)
{
    return str_eq(without_slash(endpoint), without_slash(name));
}

/* ---- headers ------------------------------------------------------------------------------ */

static bool is_any(struct str s, const struct str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_ieq(s, list[i]))
            return true;
    return false;
}

#define IS_ANY(s, list) is_any(s, list, sizeof(list) / sizeof(*(list)))

/* What belongs to one connection and is never passed on, in either direction. */
static bool is_hop(struct str name)
{
    const struct str names[] = {STR("connection"),
                                STR("keep-alive"),
                                STR("proxy-authenticate"),
                                STR("te"),
                                STR("trailer"),
                                STR("transfer-encoding"),
                                STR("upgrade"),
                                STR("host"),
                                STR("content-length"),
                                STR("proxy-authorization"),
                                STR("proxy-connection")};

    return IS_ANY(name, names);
}

static bool is_credential(struct str name)
{
    const struct str names[] = {STR("authorization"), STR("x-api-key"), STR("api-key"),
                                STR("x-goog-api-key")};

    return IS_ANY(name, names);
}

static bool list_holds(struct str list, struct str name)
{
    struct str part;

    while (str_split(&list, ',', &part))
        if (str_ieq(str_trim(part), name))
            return true;
    return false;
}

/* True when a Connection header takes name away. Some it cannot: a request must not lose its
 * meaning that way. */
static bool is_nominated(const struct headers *received, struct str name)
{
    const struct str kept[] = {STR("content-type"), STR("content-encoding"), STR("authorization")};

    if (IS_ANY(name, kept))
        return false;
    for (size_t i = 0; i < received->count; i++)
        if (str_ieq(received->items[i].name, STR("connection")) &&
            list_holds(received->items[i].value, name))
            return true;
    return false;
}

static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (str_lower(c) >= 'a' && str_lower(c) <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char(s.ptr[i]))
            return false;
    return s.len > 0;
}

/* Checked once more on the way out, whatever the parser let in. */
static bool is_line_safe(struct str value)
{
    return str_chr(value, '\r') < 0 && str_chr(value, '\n') < 0 && str_chr(value, '\0') < 0;
}

static bool may_pass(const struct headers *received, const struct header *h)
{
    return !is_hop(h->name) && !is_nominated(received, h->name) && is_token(h->name) &&
           is_line_safe(h->value);
}

struct str forward_host(struct str url)
{
    ptrdiff_t slashes = str_find(url, STR("://"));
    struct str host = slashes < 0 ? STR("") : str_from(url, (size_t)slashes + 3);
    size_t len = 0;

    while (len < host.len && !strchr("/?#", host.ptr[len]))
        len++;
    host = str_cut(host, len);
    while (str_chr(host, '@') >= 0)
        host = str_from(host, (size_t)str_chr(host, '@') + 1);
    if (str_chr(host, ':') >= 0)
        host = str_cut(host, (size_t)str_chr(host, ':'));
    return str_ends(host, STR(".")) ? str_cut(host, host.len - 1) : host;
}

enum auth_style { AUTH_BEARER, AUTH_X_API_KEY, AUTH_API_KEY, AUTH_NONE };

static enum auth_style auth_style(const struct headers *received, const struct decision *d,
                                  struct str endpoint)
{
    if (str_eq(d->auth_style, STR("bearer")))
        return AUTH_BEARER;
    if (str_eq(d->auth_style, STR("x-api-key")))
        return AUTH_X_API_KEY;
    if (str_eq(d->auth_style, STR("api-key")))
        return AUTH_API_KEY;
    if (str_eq(d->auth_style, STR("none")))
        return AUTH_NONE;
    if (str_eq(d->provider_slug, STR("anthropic")) ||
        str_ieq(forward_host(d->base_url), STR("api.anthropic.com")))
        return forward_endpoint_is(endpoint, STR("/v1/chat/completions")) ? AUTH_BEARER
                                                                          : AUTH_X_API_KEY;
    if (str_starts(endpoint, STR("/v1/messages")) &&
        headers_count(received, STR("x-api-key")) > 0 &&
        headers_count(received, STR("authorization")) == 0)
        return AUTH_X_API_KEY;
    return AUTH_BEARER;
}

static int add_default(struct headers *out, struct arena *arena, struct str name, struct str value,
                       struct err *err)
{
    if (headers_get(out, name).ptr)
        return 0;
    return headers_add_borrowed(out, arena, name, value, err);
}

static int add_bearer(struct headers *out, struct arena *arena, struct str key, struct err *err)
{
    char *value = arena_alloc(arena, key.len + 7);

    if (!value)
        return err_set(err, ERR_NO_MEMORY, "no memory for a header");
    memcpy(value, "Bearer ", 7);
    memcpy(value + 7, key.ptr, key.len);
    return headers_add_borrowed(out, arena, STR("Authorization"), (struct str){value, key.len + 7},
                                err);
}

static int add_key(struct headers *out, struct arena *arena, enum auth_style style,
                   const struct secret *secret, struct err *err)
{
    struct str key = secret ? str_trim(secret_expose(secret)) : STR_NONE;

    if (key.len == 0)
        return 0;
    if (!is_line_safe(key))
        return err_set(err, ERR_INVALID, "the configured key holds a line break");
    switch (style) {
    case AUTH_BEARER:
        return add_bearer(out, arena, key, err);
    case AUTH_X_API_KEY:
        if (headers_add_borrowed(out, arena, STR("x-api-key"), key, err) < 0)
            return -1;
        return add_default(out, arena, STR("anthropic-version"), STR("2023-06-01"), err);
    case AUTH_API_KEY:
        return headers_add_borrowed(out, arena, STR("api-key"), key, err);
    case AUTH_NONE:
        break;
    }
    return 0;
}

int forward_request_headers(struct headers *out, struct arena *arena,
                            const struct headers *received, const struct decision *d,
                            struct str endpoint, struct err *err)
{
    /* made anew, or meant for this proxy */
    const struct str replaced[] = {STR("accept-encoding"), STR("expect"), STR("x-llm-observe-run")};

    for (size_t i = 0; i < received->count; i++) {
        const struct header *h = &received->items[i];

        if (!may_pass(received, h) || IS_ANY(h->name, replaced) ||
            (d->key_configured && is_credential(h->name)))
            continue;
        if (headers_add_borrowed(out, arena, h->name, h->value, err) < 0)
            return -1;
    }
    if (add_default(out, arena, STR("Accept"), STR("*/*"), err) < 0 ||
        add_default(out, arena, STR("User-Agent"), STR("llm-observe-proxy/" LOP_VERSION), err) < 0)
        return -1;
    if (!d->key_configured)
        return 0;
    return add_key(out, arena, auth_style(received, d, endpoint), d->key, err);
}

/* What a browser would run, or may take for something it runs. Such an answer, opened through the
 * proxy, would share the origin of the admin pages. */
static bool is_active_type(struct str content_type)
{
    struct str type = content_type;
    ptrdiff_t semicolon = str_chr(type, ';'), slash;
    struct str subtype;

    if (semicolon >= 0)
        type = str_cut(type, (size_t)semicolon);
    type = str_trim(type);
    slash = str_chr(type, '/');
    if (slash <= 0 || str_chr(content_type, ',') >= 0)
        return true; /* none, or several: nobody knows which one counts */
    subtype = str_from(type, (size_t)slash + 1);
    return str_ieq(subtype, STR("html")) || str_ieq(subtype, STR("xml")) ||
           (subtype.len >= 4 && str_ieq(str_from(subtype, subtype.len - 4), STR("+xml"))) ||
           str_ieq(subtype, STR("svg")) || str_ieq(subtype, STR("xhtml"));
}

int forward_response_headers(struct headers *out, struct arena *arena,
                             const struct headers *received, struct err *err)
{
    const struct str csp = STR("Content-Security-Policy");
    bool active = headers_count(received, STR("content-type")) != 1 ||
                  is_active_type(headers_get(received, STR("content-type")));

    for (size_t i = 0; i < received->count; i++) {
        const struct header *h = &received->items[i];

        if (!may_pass(received, h) || str_ieq(h->name, STR("content-encoding")) ||
            (active && str_ieq(h->name, csp)))
            continue;
        if (headers_add_borrowed(out, arena, h->name, h->value, err) < 0)
            return -1;
    }
    if (add_default(out, arena, STR("X-Content-Type-Options"), STR("nosniff"), err) < 0)
        return -1;
    if (!active)
        return 0;
    return headers_add_borrowed(out, arena, csp, STR("sandbox; default-src 'none'"), err);
}

bool forward_is_sse(struct str content_type)
{
    return str_ifind(content_type, STR("text/event-stream")) >= 0;
}

/* ---- base URLs ---------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* v1, v4, v1beta */
static bool is_version(struct str segment)
{
    if (segment.len < 2 || segment.ptr[0] != 'v' || !is_digit(segment.ptr[1]))
        return false;
    for (size_t i = 2; i < segment.len; i++)
        if (!is_digit(segment.ptr[i]) && !(segment.ptr[i] >= 'a' && segment.ptr[i] <= 'z'))
            return false;
    return true;
}

static bool has_version(struct str path)
{
    struct str segment;

    while (str_split(&path, '/', &segment))
        if (is_version(segment))
            return true;
    return false;
}

static bool is_port(struct str text)
{
    int64_t port;

    return text.len > 0 && is_digit(text.ptr[0]) && str_int64(text, &port) && port >= 1 &&
           port <= 65535;
}

static bool all_of(struct str s, const char *marks)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = str_lower(s.ptr[i]);

        if (!is_digit((char)c) && !(c >= 'a' && c <= 'z') && (!c || !strchr(marks, c)))
            return false;
    }
    return s.len > 0;
}

/* host, host:port, [address] or [address]:port */
static bool is_authority(struct str s)
{
    ptrdiff_t end = str_starts(s, STR("[")) ? str_chr(s, ']') : str_chr(s, ':');
    struct str host = s, port = STR("");

    if (str_starts(s, STR("["))) {
        if (end < 0 || !all_of(str_from(str_cut(s, (size_t)end), 1), ":."))
            return false;
        port = str_from(s, (size_t)end + 1);
        return port.len == 0 || (port.ptr[0] == ':' && is_port(str_from(port, 1)));
    }
    if (end >= 0) {
        host = str_cut(s, (size_t)end);
        port = str_from(s, (size_t)end + 1);
    }
    return all_of(host, "-._~") && host.ptr[0] != '.' && (end < 0 || is_port(port));
}

static bool is_clean(struct str url)
{
    for (size_t i = 0; i < url.len; i++)
        if (is_control(url.ptr[i]) || url.ptr[i] == ' ' || url.ptr[i] == '\\')
            return false;
    return true;
}

static struct str path_of(struct str base)
{
    struct str rest = str_from(base, (size_t)str_find(base, STR("://")) + 3);
    ptrdiff_t slash = str_chr(rest, '/');

    return slash < 0 ? STR("") : str_from(rest, (size_t)slash);
}

int forward_check_provider_url(struct str url, struct str *out, struct err *err)
{
    struct str base = without_slashes(str_trim(url)), authority, path;

    if (!str_istarts(base, STR("http://")) && !str_istarts(base, STR("https://")))
        return err_set(err, ERR_INVALID,
                       "an upstream URL must be absolute: it begins with http:// or https://");
    if (!is_clean(base))
        return err_set(err, ERR_INVALID,
                       "an upstream URL must not hold blanks, backslashes or control characters");
    if (str_chr(base, '?') >= 0 || str_chr(base, '#') >= 0)
        return err_set(err, ERR_INVALID, "an upstream URL must not have a query or a fragment");
    path = path_of(base);
    authority = str_from(base, (size_t)str_find(base, STR("://")) + 3);
    authority = str_cut(authority, authority.len - path.len);
    if (str_chr(authority, '@') >= 0)
        return err_set(err, ERR_INVALID, "an upstream URL must not hold a user name or password");
    if (!is_authority(authority))
        return err_set(err, ERR_INVALID, "an upstream URL needs a valid host and port");
    if (!forward_path_ok(path))
        return err_set(err, ERR_INVALID, "an upstream URL must not have . or .. in its path");
    *out = base;
    return 0;
}

int forward_check_base_url(struct str url, struct str *out, struct err *err)
{
    struct str base;

    if (forward_check_provider_url(url, &base, err) < 0)
        return -1;
    if (!has_version(path_of(base)))
        return err_set(err, ERR_INVALID,
                       "an upstream URL must be a /v1 base URL: its path needs a version, for "
                       "example /v1");
    *out = base;
    return 0;
}
