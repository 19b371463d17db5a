/* text/term.h - text from outside, made harmless for a terminal, and measured in cells.
 *
 * Bodies, headers, names, URLs, error texts and answers of servers may hold sequences that set
 * titles, write the clipboard, erase the screen, or hide and reorder other text. term_clean() is
 * the only way such text may reach stdout, stderr, a pager or a screen. What it gives holds no
 * control character but LF (multi-line form), no invalid UTF-8, no invisible or reordering code
 * point, and no more marks on a letter than a script needs.
 *
 * Pure but for the character tables, which term_start() sets. Any thread. Linear time. */
#ifndef TEXT_TERM_H
#define TEXT_TERM_H

#include "base/buf.h"

enum {
    TERM_MULTILINE = 1, /* LF stays, TAB becomes blanks up to the next multiple of 8, CR LF is LF */
    TERM_BACKSLASH = 2, /* a backslash is doubled, so that escapes can be told from text */
    TERM_ASCII = 4,     /* the terminal does not speak UTF-8: other characters become "?" */
    TERM_DIM = 8,       /* escapes are dim, by our own sequences */
};

/** Once at the start of a program: the character tables of UTF-8, whatever the environment says,
 *  because stored text is UTF-8. Numbers keep their decimal point. */
void term_start(void);
/** True when the environment (LC_ALL, LC_CTYPE, LANG) names a UTF-8 character set. */
bool term_is_utf8(void);

/** Append s made harmless. The result is at most eight times as long as s, plus 9 bytes a run of
 *  escapes with TERM_DIM. ERR_NO_MEMORY, ERR_TOO_LARGE. */
int term_clean(struct buf *out, struct str s, unsigned flags, struct err *err);
/** True when s is valid UTF-8 and term_clean() would escape nothing of it; TAB and LF are plain. */
bool term_is_plain(struct str s);

/** The bytes of the character that cleaned text starts with and of the marks on it, and the cells
 *  they take together; marks that would make it longer than max bytes and joiners follow as
 *  characters of no cells. clean is not empty. */
size_t term_next(struct str clean, size_t max, size_t *cells);
/** The cells that a line of cleaned text takes. */
size_t term_cells(struct str clean);
/** Append a line of cleaned text in exactly width cells: padded on the right (on the left with
 *  right), or cut so that it ends in "…" ("+" with TERM_ASCII). A wide character is never split. */
int term_fit(struct buf *out, struct str clean, size_t width, bool right, unsigned flags,
             struct err *err);
/** Append n blanks. */
int term_blanks(struct buf *out, size_t n, struct err *err);

#endif
