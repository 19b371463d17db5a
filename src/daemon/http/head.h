/* daemon/http/head.h - the raw bytes of a request head: where it ends, its limits, and everything
 * that no parser should have to judge. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "daemon/http/refusal.h"

#define REQUEST_LINE_MAX ((size_t)16 * 1024)
#define REQUEST_HEAD_MAX ((size_t)64 * 1024)
#define REQUEST_FIELDS_MAX 256

/** How much of a head is there. Blank lines before it were skipped by the caller. *scanned keeps
 *  the place between calls. Returns the length of the head with its empty line, 0 when more is
 *  needed; on a refusal returns 0 and fills *refusal. */
size_t head_length(struct str bytes, size_t *scanned, struct refusal *refusal);
/** Check a complete head: sizes, CRLF everywhere, one request line of three parts, field lines with
 *  token names, no folding, no control characters. */
bool head_check(struct str head, struct refusal *refusal);

#endif
