/* otlp/otlp_span.h - an exchange as a span of OTLP/JSON.
 *
 * A span says what was asked of whom, how it went and what it took and cost. Nothing that was said
 * is in it: no prompts, no answers, no error messages, no headers. */
#ifndef OTLP_OTLP_SPAN_H
#define OTLP_OTLP_SPAN_H

#include "otlp/otlp_call.h"

/** The W3C trace context of a request; texts are borrowed from its headers. */
struct otlp_context {
    struct str trace_id, span_id; /* lower-case hex; STR_NONE: there is none */
    struct str state;             /* the quoted JSON text of tracestate, or STR_NONE */
    bool sampled;                 /* true without a context */
};

/** Read it from the stored JSON of request headers. What is not valid counts as absent. */
void otlp_context_read(struct str headers_json, struct otlp_context *out);

/** Random bytes of a new span: the first 16 for a trace, the other 8 for the span. */
#define OTLP_RANDOM 24

/** Append the span of a finished record, below the span of its context. run_name: STR_NONE when it
 *  is not known. */
void otlp_span(struct buf *out, const struct record *r, const struct otlp_call *call,
               const struct otlp_context *context, const unsigned char random[OTLP_RANDOM],
               struct str run_name);

#endif
