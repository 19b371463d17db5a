#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int http, exit;
} codes[] = {
#define X(name, http, exit) [ERR_##name] = {http, exit},
    ERR_CODES(X)
#undef X
};

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list args;

    err->code = code;
    va_start(args, fmt);
    vsnprintf(err->msg, sizeof(err->msg), fmt, args);
    va_end(args);
    return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
    char inner[sizeof(err->msg)];
    size_t used;
    va_list args;

    memcpy(inner, err->msg, sizeof(inner));
    va_start(args, fmt);
    vsnprintf(err->msg, sizeof(err->msg), fmt, args);
    va_end(args);
    used = strlen(err->msg);
    snprintf(err->msg + used, sizeof(err->msg) - used, ": %s", inner);
    return -1;
}

int err_exit_status(enum err_code code)
{
    return codes[code].exit;
}

int err_http_status(enum err_code code)
{
    return codes[code].http;
}
