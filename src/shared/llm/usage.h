/* llm/usage.h - the tokens that an answer says it used, whatever the API.
 *
 * Cached, cache-write and reasoning tokens are parts of input and output, never added to them. What
 * is not reported is UNKNOWN, never 0. */
#ifndef LLM_USAGE_H
#define LLM_USAGE_H

#include "json/json_index.h"

struct usage {
    int64_t input, cached_input, cache_write_input, output, reasoning, total;
};

#define USAGE_UNKNOWN ((struct usage){UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN})

/** True when input, cached, cache-write, output or total is known. */
bool usage_known(const struct usage *u);
/** Find the usage of a body or an event: the outermost report, the first one in the order of the
 *  text, counts. USAGE_UNKNOWN when there is none. */
struct usage usage_find(const struct json_index *json);
/** Take in what the next event of a stream reports. A report with input and output replaces what
 *  was known (reports are cumulative, never summed), another one only what it names. */
void usage_merge(struct usage *u, const struct usage *next);
/** False where numbers in an answer are no consumption: reads of stored answers, token counting,
 *  files, batches and the like. */
bool usage_is_consumption(struct str method, struct str endpoint);

/** The output tokens that an event reports, found without a look at the whole of it: for a live
 *  view, on the loop. 0 when it reports none. */
int64_t usage_output_in(struct str event);

#endif
