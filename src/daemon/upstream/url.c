#include <netinet/in.h>

#include "daemon/upstream/transfer_priv.h"

#define HOST_MAX 255

static bool take_scheme(struct str *url, bool *tls)
{
    *tls = str_istarts(*url, STR("https://"));
    if (!*tls && !str_istarts(*url, STR("http://")))
        return false;
    *url = str_from(*url, *tls ? 8 : 7);
    return true;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Names as they are (with bytes of other alphabets), or what stands between brackets. */
static bool host_ok(struct str host, bool brackets)
{
    bool colon = false;

    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];

        colon |= c == ':';
        if (is_alnum(c) || c == '.' || c == '-' || c == '_' || (!brackets && (c & 0x80)) ||
            (brackets && (c == ':' || c == '%')))
            continue;
        return false;
    }
    return host.len > 0 && host.len <= HOST_MAX && colon == brackets;
}

static bool read_port(struct str text, uint16_t *port)
{
    unsigned value = 0;

    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    *port = (uint16_t)value;
    return value >= 1 && value <= 65535;
}

static bool split_authority(struct url_parts *parts)
{
    struct str a = parts->authority, rest;
    bool brackets = a.len > 0 && a.ptr[0] == '[';
    ptrdiff_t end = brackets ? str_chr(a, ']') : str_chr(a, ':');

    if (brackets && end < 0)
        return false;
    parts->host = end < 0 ? a : str_cut(a, (size_t)end);
    rest = end < 0 ? (struct str){"", 0} : str_from(a, (size_t)end);
    if (brackets) {
        parts->host = str_from(parts->host, 1);
        rest = str_from(rest, 1);
    }
    parts->port = parts->tls ? 443 : 80;
    if (!host_ok(parts->host, brackets))
        return false;
    return rest.len == 0 || (rest.ptr[0] == ':' && read_port(str_from(rest, 1), &parts->port));
}

static bool target_ok(struct str target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.ptr[i];

        if (c <= ' ' || c == 0x7f || c == '#')
            return false;
    }
    return true;
}

int url_split(struct str url, struct url_parts *out, struct err *err)
{
    struct url_parts parts = {0};
    ptrdiff_t slash;

    if (!take_scheme(&url, &parts.tls))
        return err_set(err, ERR_INVALID, "the upstream URL is not http:// or https://");
    slash = str_chr(url, '/');
    parts.authority = slash < 0 ? url : str_cut(url, (size_t)slash);
    parts.target = slash < 0 ? STR("/") : str_from(url, (size_t)slash);
    if (!split_authority(&parts))
        return err_set(err, ERR_INVALID, "the host of the upstream URL is invalid");
    if (!target_ok(parts.target))
        return err_set(err, ERR_INVALID, "the path of the upstream URL is invalid");
    *out = parts;
    return 0;
}

bool address_is_link_local(const struct sockaddr *addr)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    const unsigned char *a;

    if (addr->sa_family == AF_INET) {
        a = (const void *)&((const struct sockaddr_in *)(const void *)addr)->sin_addr;
        return a[0] == 169 && a[1] == 254;
    }
    if (addr->sa_family != AF_INET6)
        return false;
    a = ((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr.s6_addr;
    return (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) ||
           (memcmp(a, mapped, sizeof(mapped)) == 0 && a[12] == 169 && a[13] == 254);
}
