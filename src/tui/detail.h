/* tui/detail.h - one request on the whole screen, in five tabs. Plain data, filled by
 * act_detail.c, drawn by screen_detail.c. */
#ifndef TUI_DETAIL_H
#define TUI_DETAIL_H

#include "base/buf.h"
#include "wrap.h"

enum detail_tab { TAB_CHAT, TAB_RAW, TAB_HEADERS, TAB_TIMING, TAB_COST };
#define DETAIL_TABS 5
extern const char *const detail_tab_names[DETAIL_TABS];

struct detail {
    int64_t id; /* 0: not open */
    enum detail_tab tab;
    int body;     /* of Raw: request, response, upstream response */
    bool running; /* in flight: the text is the model's */
    bool loading;
    struct buf head, text; /* as the verb "requests show" prints them */
    struct buf record;     /* JSON, for Timing and Cost */
    char error[256];
    int64_t top;  /* first visible line */
    int64_t most; /* the last one that may be first; set by the screen */
    /* the screen's */
    struct wrapped lines;
    int folded_width; /* 0: to be folded anew */
};

void detail_clear(struct detail *d);

#endif
