/* llm/usage.h - how many tokens an answer took, whatever provider reports them. */
#ifndef LLM_USAGE_H
#define LLM_USAGE_H

#include "base/str.h"

struct usage {
    int64_t input, cached_input, cache_write_input, output, reasoning, total;
};

#endif
