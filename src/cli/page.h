/* cli/page.h - a text for people, put together piece by piece and printed at once.
 *
 * Text from outside passes term_clean() on its way. After a failure nothing more is added, and
 * page_print() reports it. */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include "out.h"

struct page {
    struct out *out;
    struct err *err;
    struct buf text, scratch;
    unsigned flags; /* of term_clean() */
    bool failed;
};

/** Keeps out and err. Release with page_clear(). */
void page_init(struct page *p, struct out *out, struct err *err);
void page_clear(struct page *p);
/** Print all of it. -1 with *err filled. */
int page_print(struct page *p);

/** Text of our own. */
void page_put(struct page *p, const char *own);
/** The same with numbers in it, at most 255 bytes. */
void page_putf(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void page_bold(struct page *p, const char *own);
/** Text from outside; flags are further ones of term_clean(). */
void page_clean(struct page *p, struct str text, unsigned flags);
/** One line from a member of a row; false, and nothing is added, when it is unknown or empty. */
bool page_member(struct page *p, const struct row *row, const char *path);
/** The same with further flags of term_clean(). */
bool page_text(struct page *p, const struct row *row, const char *path, unsigned flags);

#endif
