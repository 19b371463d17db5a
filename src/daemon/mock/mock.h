/* daemon/mock/mock.h - an upstream to try things on: the APIs of OpenAI and Anthropic, answered
 * from a list of sentences by one loop of its own.
 *
 * What it sends is a function of the seed, the request and the options: ids and times too, so that
 * a direct answer and one through a proxy can be compared byte by byte. */
#ifndef MOCK_MOCK_H
#define MOCK_MOCK_H

#include "daemon/mock/mock_model.h"

struct mock;

/** Texts are borrowed until mock_close(). */
struct mock_config {
    const char *host;
    int port;                  /* 0: any free one */
    const char *const *models; /* for /v1/models */
    size_t model_count;
    struct mock_options options;
    struct str text; /* to answer with; STR_NONE: built-in sentences */
};

/** Bind and listen. Returns owned, mock_close(). */
struct mock *mock_open(const struct mock_config *config, struct err *err);
int mock_port(const struct mock *m);
/** Serve until mock_stop(). */
void mock_run(struct mock *m);
/** Any thread, or a signal handler: end at once, cutting what is being answered. */
void mock_stop(struct mock *m);
/** The thread of mock_run(), or any after it ended. Accepts NULL. */
void mock_close(struct mock *m);

#endif
