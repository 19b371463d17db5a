/* daemon/http/head.h - the raw bytes of a request head: where it ends, its limits, and everything
 * that no parser should have to judge. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "daemon/http/refusal.h"

#define REQUEST_LINE_MAX ((size_t)16 * 1024)
#define REQUEST_HEAD_MAX ((size_t)64 * 1024)
#define REQUEST_FIELDS_MAX 256

/** Where a scan is; {0} is the start of a head. */
struct head_scan {
    size_t seen;       /* bytes looked at */
    size_t line;       /* where the line at hand begins */
    size_t first_line; /* length of the request line */
    size_t fields;     /* complete field lines */
};

/** Look at what has come of a head since the last call; bytes is all of it. Blank lines before it
 *  were skipped by the caller. Everything is judged as it arrives: sizes, CRLF everywhere, one
 *  request line of three parts, field lines with token names, no folding, no control characters.
 *  Returns the length of the head with its empty line; 0 when more is needed, or when *refusal was
 *  filled. */
size_t head_scan(struct head_scan *scan, struct str bytes, struct refusal *refusal);

/** What the first line of a head that was refused seems to ask for. Borrowed from bytes. */
bool head_guess(struct str bytes, struct str *method, struct str *target);

#endif
