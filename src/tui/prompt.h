/* tui/prompt.h - a line that is being typed. Pure; one thread. */
#ifndef TUI_PROMPT_H
#define TUI_PROMPT_H

#include "base/buf.h"

#define PROMPT_MAX 4096
#define HISTORY_MAX 50

enum prompt_kind {
    PROMPT_NONE,
    PROMPT_FILTER,
    PROMPT_SEARCH,
    PROMPT_RUN_NAME,
    PROMPT_RUN_NOTES,
    PROMPT_SAVE,
};
#define PROMPT_KINDS 6

struct history {
    char *lines[HISTORY_MAX]; /* oldest first; owned */
    size_t count;
};

/** {0}: none is open. */
struct prompt {
    enum prompt_kind kind;
    struct buf text;
    size_t cursor;   /* byte */
    size_t place;    /* in the history; its count: what is being typed */
    char error[320]; /* what is wrong with the text, and where, in characters */
    size_t error_at, error_len;
    char note[200]; /* said below it while nothing is wrong */
    struct history histories[PROMPT_KINDS];
};

enum prompt_result { PROMPT_IGNORED, PROMPT_MOVED, PROMPT_EDITED, PROMPT_ACCEPTED, PROMPT_CLOSED };

void prompt_open(struct prompt *p, enum prompt_kind kind, struct str text, const char *note);
/** Close; the text of an accepted one joins the history. */
void prompt_close(struct prompt *p, bool accepted);
enum prompt_result prompt_key(struct prompt *p, int code);
void prompt_clear(struct prompt *p);

#endif
