/* daemon/http/token.h - characters that RFC 9110 allows in field names and methods. */
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include <stdbool.h>

bool is_token_char(unsigned char c);

#endif
