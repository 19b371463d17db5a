/* cli/quote.h - words as they are typed in a shell, with quotes and backslashes. */
#ifndef CLI_QUOTE_H
#define CLI_QUOTE_H

#include "base/buf.h"

/** How far a word was typed, as bash sees it. */
struct typed {
    char quote;  /* the one that is open, or 0 */
    size_t kept; /* bytes of the word without quotes that stay: bash replaces what follows */
};

/** Append a typed word without its quotes. *typed is filled for the end of it. */
void quote_remove(struct buf *out, struct str word, struct typed *typed);
/** Append text so that a shell reads it back, behind an open quote or (0) without one. */
void quote_add(struct buf *out, struct str text, char quote);

#endif
