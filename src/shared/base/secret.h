/* base/secret.h - a key: it has no printf form, and its bytes are wiped when it goes. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "str.h"

/** {0} is empty. */
struct secret {
    char *bytes;
    size_t len;
};

/** Copy value; replaces (and wipes) what was there. STR_NONE empties it. */
void secret_set(struct secret *secret, struct str value);
/** For the one place that writes it to the upstream. */
struct str secret_expose(const struct secret *secret);
void secret_clear(struct secret *secret);

#endif
