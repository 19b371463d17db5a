/* daemon/mock/mock_model.h - what the mock's answers are like, out of flags and out of the model
 * name: "mock,tokens=20,ttft=2s" asks for 20 tokens, the first of them after two seconds. */
#ifndef MOCK_MODEL_H
#define MOCK_MODEL_H

#include "base/opt.h"

#define MOCK_TOKENS_MAX 1000000
#define MOCK_NAME_MAX 64 /* bytes of a tool's name */

struct mock_options {
    int64_t tokens;      /* of the answer's text; UNKNOWN: 200, or the whole of --text FILE once */
    int64_t ttft_ms;     /* until the first token */
    double tps;          /* tokens a second, 0: as fast as they can be sent */
    int64_t cached;      /* percent of the prompt that usage calls cached */
    int64_t reasoning;   /* tokens before the text */
    struct str tool;     /* STR_NONE: none */
    int status;          /* of an error, 0: none */
    double status_share; /* of requests that get it, above 0 to 1 */
    int64_t retry_after_s; /* UNKNOWN: no such header */
    double cut_share;      /* of answers that end in the middle */
    int64_t stall_ms;      /* pause in the middle */
    bool no_usage, qwen;
    uint64_t seed;
};

/** The options of the command, --host and --port among them. */
extern const struct opt mock_options[];

struct mock_options mock_options_default(void);
/** Put in what was given on the command line. *out borrows from opts. ERR_INVALID names the flag.
 */
int mock_options_from_flags(struct mock_options *out, const struct opts *opts, struct err *err);
/** Put in what follows the first comma of model. *out borrows from model. ERR_INVALID names the
 *  option. */
int mock_options_from_model(struct mock_options *out, struct str model, struct err *err);
/** The same from a list without a model, as the header x-mock-options has it. */
int mock_options_from_list(struct mock_options *out, struct str list, struct err *err);
/** What a tool of the mock may be called: letters, digits, "_", "-", "." */
bool mock_name_valid(struct str name);

#endif
