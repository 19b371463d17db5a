#include "secret.h"

#include <stdlib.h>

#include "xalloc.h"

void secret_set(struct secret *secret, struct str value)
{
    secret_clear(secret);
    secret->bytes = str_dup(value);
    secret->len = value.len;
}

struct str secret_expose(const struct secret *secret)
{
    return (struct str){secret->bytes, secret->len};
}

void secret_clear(struct secret *secret)
{
    if (secret->bytes)
        explicit_bzero(secret->bytes, secret->len);
    free(secret->bytes);
    *secret = (struct secret){0};
}
