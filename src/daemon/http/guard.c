#include "daemon/http/guard.h"

#include <arpa/inet.h>

static struct str without_port(struct str authority)
{
    ptrdiff_t end;

    if (authority.len > 0 && authority.ptr[0] == '[') {
        end = str_chr(authority, ']');
        return str_cut(authority, end < 0 ? authority.len : (size_t)end + 1);
    }
    end = str_chr(authority, ':');
    return str_cut(authority, end < 0 ? authority.len : (size_t)end);
}

static bool is_ip(struct str host)
{
    char text[64];
    unsigned char addr[16];
    bool v6 = host.len > 2 && host.ptr[0] == '[';

    if (v6)
        host = (struct str){host.ptr + 1, host.len - 2};
    if (host.len == 0 || host.len >= sizeof(text))
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return inet_pton(v6 ? AF_INET6 : AF_INET, text, addr) == 1;
}

static bool is_localhost(struct str host)
{
    return str_ieq(host, STR("localhost")) ||
           (host.len > 10 && str_ieq(str_from(host, host.len - 10), STR(".localhost")));
}

static bool in_list(const char *const *list, size_t count, struct str value)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], "*") == 0 || str_ieq(str_c(list[i]), value))
            return true;
    return false;
}

bool guard_host(const struct guard *g, struct str authority, struct refusal *refusal)
{
    struct str host = without_port(authority);

    if (!authority.ptr)
        return true;
    if (host.len > 1 && host.ptr[host.len - 1] == '.')
        host.len--;
    if (is_ip(host) || is_localhost(host) || str_ieq(host, STR("host.docker.internal")) ||
        str_ieq(host, STR("host.containers.internal")) || str_ieq(host, str_c(g->own_name)) ||
        str_ieq(host, str_c(g->listen_host)) ||
        in_list(g->allowed_hosts, g->allowed_host_count, host))
        return true;
    return refuse(refusal, 421, "host_not_allowed",
                  "This host name is not allowed; start with --allowed-host to allow it.");
}

static bool is_loopback_origin(struct str rest)
{
    struct str host = without_port(rest), port = str_from(rest, host.len);

    if (port.len > 0 && port.ptr[0] != ':')
        return false;
    if (is_localhost(host) || str_eq(host, STR("[::1]")))
        return true;
    return is_ip(host) && str_starts(host, STR("127."));
}

static bool origin_allowed(const struct guard *g, struct str origin, struct str authority, bool v1)
{
    struct str rest;

    for (size_t i = 0; i < g->allowed_origin_count; i++)
        if (str_ieq(str_c(g->allowed_origins[i]), origin))
            return true;
    if (str_istarts(origin, STR("http://")))
        rest = str_from(origin, 7);
    else if (str_istarts(origin, STR("https://")))
        rest = str_from(origin, 8);
    else
        return false;
    for (size_t i = 0; i < rest.len; i++)
        if (strchr("/?#@, \\", rest.ptr[i]))
            return false;
    if (rest.len > 0 && authority.ptr && str_ieq(rest, authority))
        return true;
    return v1 && is_loopback_origin(rest);
}

static bool is_read(struct str method)
{
    return str_eq(method, STR("GET")) || str_eq(method, STR("HEAD")) ||
           str_eq(method, STR("OPTIONS"));
}

bool guard_origin(const struct guard *g, struct str method, struct str path, struct str authority,
                  const struct headers *headers, struct refusal *refusal)
{
    bool v1 = str_eq(path, STR("/v1")) || str_starts(path, STR("/v1/"));
    struct str origin = headers_get(headers, STR("origin"));
    struct str site = headers_get(headers, STR("sec-fetch-site"));

    if (!v1 && is_read(method))
        return true;
    if (headers_count(headers, STR("origin")) > 1)
        origin = STR("null");
    if (origin.ptr ? origin_allowed(g, origin, authority, v1)
                   : !site.ptr || str_eq(site, STR("same-origin")) || str_eq(site, STR("none")))
        return true;
    return refuse(refusal, 403, "origin_not_allowed",
                  "Requests of this web page's origin are not allowed; start with --allowed-origin "
                  "to allow it.");
}
