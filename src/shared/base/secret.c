#include "secret.h"

#include <stdlib.h>

#include "xalloc.h"

void secret_set(struct secret *secret, struct str value)
{
    struct secret fresh = {.bytes = str_dup(value), .len = value.len};

    secret_clear(secret); /* only now: value may be what was there */
    *secret = fresh;
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
