#include "daemon/http/token.h"

#include <stdint.h>

bool is_token_char(unsigned char c)
{
    /* ! # $ % & ' * + - . 0-9 A-Z ^ _ ` a-z | ~ */
    static const uint64_t low = 0x03FF6CFA00000000u, high = 0x57FFFFFFC7FFFFFEu;

    if (c >= 128)
        return false;
    return c < 64 ? low >> c & 1 : high >> (c - 64) & 1;
}
