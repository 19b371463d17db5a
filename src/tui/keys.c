#include "keys.h"

const struct key_help key_table[] = {
    {ACT_UP, {K_UP, 'k'}, "Up k, Down j", "move"},
    {ACT_DOWN, {K_DOWN, 'j'}, NULL, NULL},
    {ACT_PAGE_UP, {K_PAGE_UP, K_CTRL_B}, "PgUp Ctrl-B, PgDn Ctrl-F", "move by a page"},
    {ACT_PAGE_DOWN, {K_PAGE_DOWN, K_CTRL_F}, NULL, NULL},
    {ACT_HOME, {K_HOME, 'g'}, "Home g, End G", "first row, last row"},
    {ACT_END, {K_END, 'G'}, NULL, NULL},
    {ACT_LEFT, {K_LEFT}, "Left, Right", "scroll wide tables"},
    {ACT_RIGHT, {K_RIGHT}, NULL, NULL},
    {ACT_OPEN, {K_ENTER, '\n'}, "Enter", "open; in Models and Upstreams filter"},
    {ACT_CLOSE, {K_ESCAPE, K_BACKSPACE}, "Esc Backspace q", "close the innermost thing; q quits"},
    {ACT_BACK, {'q'}, NULL, NULL},
    {ACT_QUIT, {'Q', K_F10, K_CTRL_C}, "Q F10 Ctrl-C", "quit at once"},
    {ACT_VIEW_1, {'1'}, "1-4, Tab, Shift-Tab", "view"},
    {ACT_VIEW_2, {'2'}, NULL, NULL},
    {ACT_VIEW_3, {'3'}, NULL, NULL},
    {ACT_VIEW_4, {'4'}, NULL, NULL},
    {ACT_VIEW_5, {'5'}, NULL, NULL},
    {ACT_VIEW_NEXT, {K_TAB}, NULL, NULL},
    {ACT_VIEW_PREVIOUS, {K_BACK_TAB}, NULL, NULL},
    {ACT_HELP, {'?', 'h', K_F1}, "? h F1", "this help"},
    {ACT_SEARCH, {'/', K_F3}, "/ F3, n N", "search in visible cells, next, previous"},
    {ACT_SEARCH_NEXT, {'n'}, NULL, NULL},
    {ACT_SEARCH_PREVIOUS, {'N'}, NULL, NULL},
    {ACT_FILTER, {'\\', K_F4}, "\\ F4", "filter; empty clears"},
    {ACT_SORT_PREVIOUS, {'<'}, "< > F6", "sort by the previous, next column, menu"},
    {ACT_SORT_NEXT, {'>'}, NULL, NULL},
    {ACT_SORT_MENU, {K_F6}, NULL, NULL},
    {ACT_REVERSE, {'I'}, "I", "reverse the order"},
    {ACT_PAUSE, {'p', 'Z'}, "p Z", "pause, continue"},
    {ACT_FOLLOW, {'f'}, "f", "follow: keep the newest row selected"},
    {ACT_PANE, {'t', K_F5}, "t F5", "pane with the selected request"},
    {ACT_SLOWER, {'+'}, "+ -", "interval"},
    {ACT_FASTER, {'-'}, NULL, NULL},
    {ACT_ERROR_NEXT, {'e'}, "e E", "next, previous error"},
    {ACT_ERROR_PREVIOUS, {'E'}, NULL, NULL},
    {ACT_RUN_FILTER, {'u'}, "u m", "filter to this row's run, model; again all"},
    {ACT_MODEL_FILTER, {'m'}, NULL, NULL},
    {ACT_PAGER, {'o'}, "o", "answer in the pager"},
    {ACT_JSON, {'y'}, "y", "row or request as JSON in the pager"},
    {ACT_CURL_COPY, {'c'}, "c C", "copy as curl, curl in the pager"},
    {ACT_CURL, {'C'}, NULL, NULL},
    {ACT_CANCEL, {'K', K_F9}, "K F9", "cancel the request (asks)"},
    {ACT_RUN_MENU, {'R', K_F7}, "R F7", "runs: start, pause, resume, end"},
    {ACT_NEIGHBOUR_PREVIOUS, {'['}, "[ ] b", "in the detail: previous, next request, body"},
    {ACT_NEIGHBOUR_NEXT, {']'}, NULL, NULL},
    {ACT_BODY_NEXT, {'b'}, NULL, NULL},
    {ACT_SAVE, {'s'}, "s", "in the detail: save the body to a file"},
    {ACT_REDRAW, {K_CTRL_L}, "Ctrl-L Ctrl-Z", "redraw, suspend"},
    {ACT_SUSPEND, {K_CTRL_Z}, NULL, NULL},
    {ACT_NONE, {K_NONE}, NULL, NULL},
};

enum action key_action(int code)
{
    if (code == K_NONE)
        return ACT_NONE;
    for (const struct key_help *k = key_table; k->action != ACT_NONE; k++)
        for (size_t i = 0; i < sizeof(k->codes) / sizeof(k->codes[0]); i++)
            if (k->codes[i] == code)
                return k->action;
    return ACT_NONE;
}
