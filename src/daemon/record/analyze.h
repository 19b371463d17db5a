/* daemon/record/analyze.h - what the writer works out of a finished exchange before it is stored.
 *
 * Off the loop, so it may take its time; pure: capture in, columns out. */
#ifndef RECORD_ANALYZE_H
#define RECORD_ANALYZE_H

#include "core/price.h"
#include "daemon/record/capture.h"

/** Estimate how many input tokens the request has, once for each capture: with its pending row, or
 *  else with the complete one. quick: there is no time to count. Writer thread. */
void analyze_request(struct capture *c, bool quick);
/** Fill the columns of c->record that come from its bodies, and what the exchange costs by the
 * prices of book (NULL: none are known); texts go to its arena. What cannot be understood leaves
 * them unknown. Writer thread, after recorder_end(). */
void analyze(struct capture *c, const struct price_book *book);

#endif
