/* otlp/otlp_config.h - the standard variables of OpenTelemetry, OTEL_..., as far as they concern
 * an exporter of spans and metrics over OTLP/HTTP with JSON.
 *
 * What is wrong in them never keeps the proxy from starting: it is logged, and the signal is off or
 * the default is used. */
#ifndef OTLP_OTLP_CONFIG_H
#define OTLP_OTLP_CONFIG_H

#include "base/buf.h"

#define OTLP_HEADERS_MAX 32

/** Where one signal goes. */
struct otlp_target {
    const char *what;                /* "spans" or "metrics" */
    char *url;                       /* NULL: this signal is off */
    char *headers[OTLP_HEADERS_MAX]; /* "Name: value"; wiped when released */
    size_t header_count;
    int64_t timeout_ms; /* of one attempt */
    int64_t export_ms;  /* of all attempts for the same data */
    bool gzip;
    char *ca_file, *certificate, *key; /* NULL: the system's, none */
};

struct otlp_config {
    struct otlp_target traces, metrics;
    char *resource; /* the JSON text of the resource */
    size_t queue_max, batch_max;
    int64_t schedule_ms, interval_ms;
};

/** Read the environment. instance: of this start, service.instance.id. False when both signals are
 *  off; release with otlp_config_clear() in any case. */
bool otlp_config_read(struct otlp_config *c, struct str instance);
void otlp_config_clear(struct otlp_config *c);

#endif
