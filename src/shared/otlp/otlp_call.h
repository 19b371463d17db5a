/* otlp/otlp_call.h - what an exchange is in the words of the GenAI semantic conventions. */
#ifndef OTLP_OTLP_CALL_H
#define OTLP_OTLP_CALL_H

#include "base/buf.h"
#include "core/record.h"

/** Borrowed from the record, or static. */
struct otlp_call {
    const char *operation; /* chat, text_completion, ...; NULL: nothing generative */
    struct str provider;   /* a well-known name where one applies */
    struct str model;      /* as it was asked for upstream */
    struct str address;    /* of the upstream; STR_NONE: none was chosen */
    int64_t port;          /* UNKNOWN when address is */
    struct str error_type; /* STR_NONE: it went well */
    char error_storage[24];
};

/** A finished record; *out must not move. */
void otlp_call_read(const struct record *r, struct otlp_call *out);
/** Append the attributes that spans and metrics share. */
void otlp_put_call(struct buf *out, const struct otlp_call *call, const struct record *r);

#endif
