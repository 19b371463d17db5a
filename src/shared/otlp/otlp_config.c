#include "otlp/otlp_config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/query.h"
#include "base/xalloc.h"
#include "core/forward.h"
#include "otlp/otlp_json.h"

#define DAY_MS 86400000
#define ATTRIBUTES_MAX 64

/* An empty variable counts as unset. */
static struct str env(const char *name)
{
    struct str value = str_trim(str_c(getenv(name)));

    return value.len > 0 ? value : STR_NONE;
}

static const struct signal {
    const char *name; /* in the names of variables */
    const char *what, *path, *exporter;
} spans = {"TRACES", "spans", "/v1/traces", "OTEL_TRACES_EXPORTER"},
  sums = {"METRICS", "metrics", "/v1/metrics", "OTEL_METRICS_EXPORTER"};

/* A name that is there for each signal and for both; the former is stronger. */
struct variable {
    char name[64];
    struct str value;
};

static struct variable look_up(const struct signal *signal, const char *what)
{
    struct variable v;

    snprintf(v.name, sizeof(v.name), "OTEL_EXPORTER_OTLP_%s_%s", signal->name, what);
    v.value = env(v.name);
    if (v.value.ptr)
        return v;
    snprintf(v.name, sizeof(v.name), "OTEL_EXPORTER_OTLP_%s", what);
    v.value = env(v.name);
    return v;
}

static int64_t number(const char *name, struct str text, int64_t fallback, int64_t most)
{
    int64_t n;

    if (!text.ptr)
        return fallback;
    if (str_int64(text, &n) && n >= 1 && n <= most)
        return n;
    log_warning("%s: \"%.*s\" is not a number from 1 to %lld; using %lld", name,
                STR_ARG(str_cut(text, 60)), (long long)most, (long long)fallback);
    return fallback;
}

static int64_t env_number(const char *name, int64_t fallback, int64_t most)
{
    return number(name, env(name), fallback, most);
}

/* ---- lists of name=value ---- */

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] == 0x7f || strchr("\"(),/:;<=>?@[\\]{}", s.ptr[i]))
            return false;
    return s.len > 0;
}

static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            return false;
    return true;
}

/* Take the next pair off *rest; values are percent-encoded. 1 got one, 0 no more, -1 broken. */
static int next_pair(struct str *rest, struct str *name, struct buf *value)
{
    struct str part;
    struct err err;
    ptrdiff_t at;

    do {
        if (!str_split(rest, ',', &part))
            return 0;
        part = str_trim(part);
    } while (part.len == 0);
    at = str_chr(part, '=');
    if (at <= 0)
        return -1;
    *name = str_trim(str_cut(part, (size_t)at));
    value->len = 0;
    if (query_decode(value, str_trim(str_from(part, (size_t)at + 1)), false, &err) < 0)
        return -1;
    return is_token(*name) && is_printable(buf_str(value)) ? 1 : -1;
}

/* What a broken entry holds may be a key: it is counted, not shown. */
static void warn_entry(const char *name, size_t entry, const char *of)
{
    log_warning("%s: entry %zu is not name=value with a percent-encoded value; it is left out of "
                "the %s",
                name, entry, of);
}

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void read_headers(struct otlp_target *t, const struct signal *signal)
{
    struct variable v = look_up(signal, "HEADERS");
    struct buf value = {0}, line = {0};
    struct str name;
    int got;

    for (size_t i = 1; (got = next_pair(&v.value, &name, &value)) != 0; i++) {
        if (got < 0 || t->header_count == OTLP_HEADERS_MAX) {
            warn_entry(v.name, i, signal->what);
            continue;
        }
        buf_printf(&line, "%.*s: %.*s", STR_ARG(name), STR_ARG(buf_str(&value)));
        t->headers[t->header_count++] = buf_take(&line);
    }
    if (value.ptr)
        explicit_bzero(value.ptr, value.cap);
    buf_clear(&value);
}

/* ---- one signal ---- */

static bool is_on(const struct signal *signal)
{
    struct str value = env(signal->exporter);

    if (!value.ptr || str_eq(value, STR("otlp")))
        return true;
    if (!str_eq(value, STR("none")))
        log_warning("%s: \"%.*s\" is not known, only otlp and none; no %s are exported",
                    signal->exporter, STR_ARG(str_cut(value, 60)), signal->what);
    return false;
}

static bool protocol_is_known(const struct signal *signal)
{
    struct variable v = look_up(signal, "PROTOCOL");

    if (!v.value.ptr || str_eq(v.value, STR("http/json")))
        return true;
    log_warning("%s: \"%.*s\" is not supported, only http/json; no %s are exported", v.name,
                STR_ARG(str_cut(v.value, 60)), signal->what);
    return false;
}

static bool wants_gzip(const struct signal *signal)
{
    struct variable v = look_up(signal, "COMPRESSION");

    if (str_eq(v.value, STR("gzip")))
        return true;
    if (v.value.ptr && !str_eq(v.value, STR("none")))
        log_warning("%s: \"%.*s\" is not supported, only gzip and none; %s go uncompressed", v.name,
                    STR_ARG(str_cut(v.value, 60)), signal->what);
    return false;
}

/* The variable of a signal is used as it is, the one for all is a base. */
static char *url_of(const struct signal *signal)
{
    struct variable v = look_up(signal, "ENDPOINT");
    bool own = strcmp(v.name, "OTEL_EXPORTER_OTLP_ENDPOINT") != 0;
    struct buf url = {0};
    struct str base;
    struct err err;

    if (forward_check_provider_url(v.value, &base, &err) < 0) {
        log_warning("%s: it must be an http:// or https:// URL with a host, without user name and "
                    "query; no %s are exported",
                    v.name, signal->what);
        return NULL;
    }
    buf_printf(&url, "%.*s%s", STR_ARG(own ? v.value : base), own ? "" : signal->path);
    return buf_take(&url);
}

static char *file_of(const struct signal *signal, const char *what)
{
    return str_dup(look_up(signal, what).value);
}

static void read_target(struct otlp_target *t, const struct signal *signal)
{
    struct variable v = look_up(signal, "TIMEOUT");

    t->what = signal->what;
    if (!look_up(signal, "ENDPOINT").value.ptr || !is_on(signal) || !protocol_is_known(signal))
        return;
    t->url = url_of(signal);
    if (!t->url)
        return;
    t->timeout_ms = number(v.name, v.value, 10000, DAY_MS);
    t->gzip = wants_gzip(signal);
    t->ca_file = file_of(signal, "CERTIFICATE");
    t->certificate = file_of(signal, "CLIENT_CERTIFICATE");
    t->key = file_of(signal, "CLIENT_KEY");
    read_headers(t, signal);
}

/* ---- the resource ---- */

static void put_resource_attributes(struct buf *out, struct buf *service)
{
    struct str list = env("OTEL_RESOURCE_ATTRIBUTES"), name;
    struct buf value = {0};
    int got;

    for (size_t i = 1; (got = next_pair(&list, &name, &value)) != 0; i++) {
        char *key;

        if (got < 0 || i > ATTRIBUTES_MAX) {
            warn_entry("OTEL_RESOURCE_ATTRIBUTES", i, "resource");
            continue;
        }
        if (str_eq(name, STR("service.name"))) {
            service->len = 0;
            buf_put(service, buf_str(&value));
            continue;
        }
        if (str_eq(name, STR("service.version")) || str_eq(name, STR("service.instance.id")))
            continue; /* these are known better */
        key = str_dup(name);
        otlp_put_text(out, key, buf_str(&value));
        free(key);
    }
    buf_clear(&value);
}

static char *make_resource(struct str instance)
{
    struct str name = env("OTEL_SERVICE_NAME");
    struct buf out = {0}, service = {0};

    buf_put(&service, STR("llm-observe-proxy"));
    buf_put(&out, STR("{\"attributes\":["));
    put_resource_attributes(&out, &service);
    otlp_put_text(&out, "service.name", name.ptr ? name : buf_str(&service));
    otlp_put_text(&out, "service.version", STR(LOP_VERSION));
    otlp_put_text(&out, "service.instance.id", instance);
    buf_put(&out, STR("]}"));
    buf_clear(&service);
    return buf_take(&out);
}

/* ---- all ---- */

static bool is_disabled(void)
{
    return str_ieq(env("OTEL_SDK_DISABLED"), STR("true"));
}

bool otlp_config_read(struct otlp_config *c, struct str instance)
{
    *c = (struct otlp_config){0};
    if (is_disabled())
        return false;
    read_target(&c->traces, &spans);
    read_target(&c->metrics, &sums);
    if (!c->traces.url && !c->metrics.url)
        return false;
    c->schedule_ms = env_number("OTEL_BSP_SCHEDULE_DELAY", 5000, DAY_MS);
    c->traces.export_ms = env_number("OTEL_BSP_EXPORT_TIMEOUT", 30000, DAY_MS);
    c->queue_max = (size_t)env_number("OTEL_BSP_MAX_QUEUE_SIZE", 2048, 100000);
    c->batch_max = (size_t)env_number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, 10000);
    if (c->batch_max > c->queue_max)
        c->batch_max = c->queue_max;
    c->interval_ms = env_number("OTEL_METRIC_EXPORT_INTERVAL", 60000, DAY_MS);
    c->metrics.export_ms = env_number("OTEL_METRIC_EXPORT_TIMEOUT", 30000, DAY_MS);
    c->resource = make_resource(instance);
    return true;
}

static void clear_target(struct otlp_target *t)
{
    for (size_t i = 0; i < t->header_count; i++)
        wipe(t->headers[i]);
    free(t->url);
    free(t->ca_file);
    free(t->certificate);
    free(t->key);
}

void otlp_config_clear(struct otlp_config *c)
{
    clear_target(&c->traces);
    clear_target(&c->metrics);
    free(c->resource);
    *c = (struct otlp_config){0};
}
