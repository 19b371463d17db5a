/* core/search.h - full-text search: which text of an exchange is found, and what people type.
 *
 * Texts are what people read: prompts, answers (streams put together), reasoning, arguments and
 * results of tools. No structure, no base64, no names of models or ids. */
#ifndef CORE_SEARCH_H
#define CORE_SEARCH_H

#include "base/buf.h"

/** Grows whenever the functions below make another text of the same body: the index is then made
 *  anew. */
#define SEARCH_VERSION 2
/** Of a longer text of one side the index has the start and the end. */
#define SEARCH_TEXT_MAX ((size_t)128 << 10)
/** Matches that a list goes through; a total that reaches it is a minimum. */
#define SEARCH_HITS_MAX 10000

/** Append the text of a request body, or of an answer: parts are separated by blank lines. What is
 *  no JSON is text as it stands; what is binary has none. Linear, not for the event loop. */
int search_request_text(struct str body, struct str content_type, struct buf *out, struct err *err);
int search_answer_text(struct str body, struct str content_type, struct buf *out, struct err *err);

/** What stands between two characters that are words of their own in search_clean() text. */
#define SEARCH_SEPARATOR '\x1f'
/** Append text as the index takes it: valid UTF-8 on one line, no control characters, CJK and emoji
 *  separated. At most SEARCH_TEXT_MAX bytes of text count. */
int search_clean(struct str text, struct buf *out, struct err *err);

enum search_join {
    SEARCH_ALL, /* all words must be there */
    SEARCH_ANY  /* those that are there, to mark them */
};
/** Append an FTS5 expression of words, "phrases", prefix* and -unwanted words. Nothing that is
 * typed makes it invalid. ERR_INVALID: too long, or no word to look for. */
int search_query(struct str typed, enum search_join join, struct buf *out, struct err *err);

#endif
