/* tui/keys.h - the one table of keys: what a key does, and what the help says about it.
 *
 * A key is a code point or one of KEY_CODES; draw.h reads them from the terminal. */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include "base/opt.h"

/** Keys that are no characters. */
enum key_code {
    K_NONE,
    K_CTRL_B = 2,
    K_CTRL_C = 3,
    K_CTRL_F = 6,
    K_TAB = 9,
    K_CTRL_L = 12,
    K_ENTER = 13,
    K_CTRL_U = 21,
    K_CTRL_W = 23,
    K_CTRL_Z = 26,
    K_ESCAPE = 27,
    K_UP = 0x110000,
    K_DOWN,
    K_LEFT,
    K_RIGHT,
    K_PAGE_UP,
    K_PAGE_DOWN,
    K_HOME,
    K_END,
    K_BACKSPACE,
    K_DELETE,
    K_BACK_TAB,
    K_F1,
    K_F2,
    K_F3,
    K_F4,
    K_F5,
    K_F6,
    K_F7,
    K_F8,
    K_F9,
    K_F10,
    K_RESIZE,
};

enum action {
    ACT_NONE,
    ACT_UP,
    ACT_DOWN,
    ACT_PAGE_UP,
    ACT_PAGE_DOWN,
    ACT_HOME,
    ACT_END,
    ACT_LEFT,
    ACT_RIGHT,
    ACT_OPEN,
    ACT_CLOSE,
    ACT_BACK,
    ACT_QUIT,
    ACT_VIEW_1,
    ACT_VIEW_2,
    ACT_VIEW_3,
    ACT_VIEW_4,
    ACT_VIEW_5,
    ACT_VIEW_NEXT,
    ACT_VIEW_PREVIOUS,
    ACT_HELP,
    ACT_SEARCH,
    ACT_SEARCH_NEXT,
    ACT_SEARCH_PREVIOUS,
    ACT_FILTER,
    ACT_SORT_PREVIOUS,
    ACT_SORT_NEXT,
    ACT_SORT_MENU,
    ACT_REVERSE,
    ACT_PAUSE,
    ACT_FOLLOW,
    ACT_PANE,
    ACT_SLOWER,
    ACT_FASTER,
    ACT_ERROR_NEXT,
    ACT_ERROR_PREVIOUS,
    ACT_RUN_FILTER,
    ACT_MODEL_FILTER,
    ACT_PAGER,
    ACT_JSON,
    ACT_CURL_COPY,
    ACT_CURL,
    ACT_CANCEL,
    ACT_RUN_MENU,
    ACT_NEIGHBOUR_NEXT,
    ACT_NEIGHBOUR_PREVIOUS,
    ACT_BODY_NEXT,
    ACT_SAVE,
    ACT_REDRAW,
    ACT_SUSPEND,
};

/** What the help says; ends with NULL keys. Made from the same table as key_action(). */
extern const struct key_help top_keys[];

/** What a key does outside of prompts. */
enum action key_action(int code);

#endif
