#include "otlp/otlp_json.h"

#include <inttypes.h>

#include "base/utf8.h"
#include "json/json.h"

void otlp_next(struct buf *out)
{
    char last = out->len ? out->ptr[out->len - 1] : '[';

    if (last != '[')
        buf_put(out, STR(","));
}

void otlp_quote(struct buf *out, struct str text)
{
    if (!json_quote(out, utf8_cut(text, OTLP_TEXT_MAX)))
        buf_put(out, STR("\"\""));
}

void otlp_decimal(struct buf *out, int64_t value, int decimals)
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value, scale = 1;

    for (int i = 0; i < decimals; i++)
        scale *= 10;
    buf_printf(out, "%s%" PRIu64, value < 0 ? "-" : "", rest / scale);
    if (decimals > 0)
        buf_printf(out, ".%0*" PRIu64, decimals, rest % scale);
}

static void begin(struct buf *out, const char *key)
{
    otlp_next(out);
    buf_put(out, STR("{\"key\":"));
    otlp_quote(out, str_c(key));
    buf_put(out, STR(",\"value\":{"));
}

void otlp_put_text(struct buf *out, const char *key, struct str value)
{
    if (!value.ptr)
        return;
    begin(out, key);
    buf_put(out, STR("\"stringValue\":"));
    otlp_quote(out, value);
    buf_put(out, STR("}}"));
}

void otlp_put_int(struct buf *out, const char *key, int64_t value)
{
    if (value == UNKNOWN)
        return;
    begin(out, key);
    buf_printf(out, "\"intValue\":\"%" PRId64 "\"}}", value);
}

void otlp_put_decimal(struct buf *out, const char *key, int64_t value, int decimals)
{
    if (value == UNKNOWN)
        return;
    begin(out, key);
    buf_put(out, STR("\"doubleValue\":"));
    otlp_decimal(out, value, decimals);
    buf_put(out, STR("}}"));
}

void otlp_put_true(struct buf *out, const char *key)
{
    begin(out, key);
    buf_put(out, STR("\"boolValue\":true}}"));
}

void otlp_put_list(struct buf *out, const char *key, struct str value)
{
    if (!value.ptr)
        return;
    begin(out, key);
    buf_put(out, STR("\"arrayValue\":{\"values\":[{\"stringValue\":"));
    otlp_quote(out, value);
    buf_put(out, STR("}]}}}"));
}
