/* Upstream URLs: only http and https, and parts that put together are the URL again. */
#include "fuzz.h"

#include "daemon/upstream/transfer_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str url = {(const char *)data, size};
    struct url_parts p;
    struct err err;
    size_t scheme;

    if (url_split(url, &p, &err) < 0)
        return 0;
    scheme = p.tls ? 8 : 7;
    REQUIRE(str_istarts(url, p.tls ? STR("https://") : STR("http://")));
    REQUIRE(p.host.len > 0 && p.port > 0 && p.target.len > 0 && p.target.ptr[0] == '/');
    REQUIRE(str_eq(p.authority, str_cut(str_from(url, scheme), p.authority.len)));
    REQUIRE(str_chr(p.authority, '@') < 0 && str_chr(p.authority, '/') < 0);
    if (scheme + p.authority.len < url.len)
        REQUIRE(str_eq(p.target, str_from(url, scheme + p.authority.len)));
    for (size_t i = 0; i < p.target.len; i++)
        REQUIRE((unsigned char)p.target.ptr[i] > ' ' && p.target.ptr[i] != 0x7f);
    return 0;
}
