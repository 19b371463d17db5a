/* client/webhook.h - JSON for somebody's URL, from a thread of its own: one try each, in order.
 *
 * Posting never waits; what comes while the queue is full is dropped, and logged. */
#ifndef CLIENT_WEBHOOK_H
#define CLIENT_WEBHOOK_H

#include "base/err.h"
#include "base/str.h"

#define WEBHOOK_TIMEOUT_MS 5000
#define WEBHOOK_QUEUE 64
#define WEBHOOK_URL_MAX 2048

struct webhook;

/** An absolute http or https URL with a host. ERR_INVALID. */
int webhook_check(struct str url, struct err *err);
/** Returns owned, webhook_stop(). The thread starts with the first post. */
struct webhook *webhook_new(void);
/** One thread. Copies both. */
void webhook_post(struct webhook *w, struct str url, struct str json);
/** Give up what waits and what is under way; end the thread; free. Accepts NULL. */
void webhook_stop(struct webhook *w);

#endif
