#include "keys.h"

/* ROW(keys as the help names them, what they do, {action, {codes}}...) */
#define KEY_TABLE(ROW)                                                                             \
    ROW("Up, k, Down, j", "move", {ACT_UP, {K_UP, 'k'}}, {ACT_DOWN, {K_DOWN, 'j'}})                \
    ROW("PgUp, Ctrl-B, PgDn, Ctrl-F", "move by a page", {ACT_PAGE_UP, {K_PAGE_UP, K_CTRL_B}},      \
        {ACT_PAGE_DOWN, {K_PAGE_DOWN, K_CTRL_F}})                                                  \
    ROW("Home, g, End, G", "first row, last row", {ACT_HOME, {K_HOME, 'g'}},                       \
        {ACT_END, {K_END, 'G'}})                                                                   \
    ROW("Left, Right", "scroll wide tables", {ACT_LEFT, {K_LEFT}}, {ACT_RIGHT, {K_RIGHT}})         \
    ROW("Enter", "open; in Models and Upstreams filter", {ACT_OPEN, {K_ENTER, '\n'}})              \
    ROW("Esc, Backspace, q", "close the innermost thing; q then quits",                            \
        {ACT_CLOSE, {K_ESCAPE, K_BACKSPACE}}, {ACT_BACK, {'q'}})                                   \
    ROW("Q, F10, Ctrl-C", "quit at once", {ACT_QUIT, {'Q', K_F10, K_CTRL_C}})                      \
    ROW("1-5, Tab, Shift-Tab", "view; in the detail, tab", {ACT_VIEW_1, {'1'}},                    \
        {ACT_VIEW_2, {'2'}}, {ACT_VIEW_3, {'3'}}, {ACT_VIEW_4, {'4'}}, {ACT_VIEW_5, {'5'}},        \
        {ACT_VIEW_NEXT, {K_TAB}}, {ACT_VIEW_PREVIOUS, {K_BACK_TAB}})                               \
    ROW("?, h, F1", "this help", {ACT_HELP, {'?', 'h', K_F1}})                                     \
    ROW("/, F3, n, N", "search in visible cells; next, previous", {ACT_SEARCH, {'/', K_F3}},       \
        {ACT_SEARCH_NEXT, {'n'}}, {ACT_SEARCH_PREVIOUS, {'N'}})                                    \
    ROW("\\, F4", "filter; empty clears", {ACT_FILTER, {'\\', K_F4}})                              \
    ROW("<, >, F6", "sort by the previous, next column; menu", {ACT_SORT_PREVIOUS, {'<'}},         \
        {ACT_SORT_NEXT, {'>'}}, {ACT_SORT_MENU, {K_F6}})                                           \
    ROW("I", "reverse the order", {ACT_REVERSE, {'I'}})                                            \
    ROW("p, Z", "pause, continue", {ACT_PAUSE, {'p', 'Z'}})                                        \
    ROW("f", "follow: keep the newest row selected", {ACT_FOLLOW, {'f'}})                          \
    ROW("t, F5", "pane with the selected request", {ACT_PANE, {'t', K_F5}})                        \
    ROW("+, -", "longer, shorter interval", {ACT_SLOWER, {'+'}}, {ACT_FASTER, {'-'}})              \
    ROW("e, E", "next, previous error", {ACT_ERROR_NEXT, {'e'}}, {ACT_ERROR_PREVIOUS, {'E'}})      \
    ROW("u, m", "filter to this row's run, model; again all", {ACT_RUN_FILTER, {'u'}},             \
        {ACT_MODEL_FILTER, {'m'}})                                                                 \
    ROW("o", "answer in the pager", {ACT_PAGER, {'o'}})                                            \
    ROW("y", "row or request as JSON in the pager", {ACT_JSON, {'y'}})                             \
    ROW("c, C", "copy as curl; curl in the pager", {ACT_CURL_COPY, {'c'}}, {ACT_CURL, {'C'}})      \
    ROW("K, F9", "cancel the request (asks)", {ACT_CANCEL, {'K', K_F9}})                           \
    ROW("R, F7", "runs: start, pause, resume, end", {ACT_RUN_MENU, {'R', K_F7}})                   \
    ROW("[, ]", "in the detail: previous, next request", {ACT_NEIGHBOUR_PREVIOUS, {'['}},          \
        {ACT_NEIGHBOUR_NEXT, {']'}})                                                               \
    ROW("b", "in Raw: the next body", {ACT_BODY_NEXT, {'b'}})                                      \
    ROW("s", "in Raw: save the body to a file", {ACT_SAVE, {'s'}})                                 \
    ROW("Ctrl-L, Ctrl-Z", "redraw, suspend", {ACT_REDRAW, {K_CTRL_L}}, {ACT_SUSPEND, {K_CTRL_Z}})

const struct key_help top_keys[] = {
#define ROW(keys, help, ...) {keys, help},
    KEY_TABLE(ROW)
#undef ROW
        {0},
};

static const struct {
    enum action action;
    int codes[4]; /* K_NONE: none */
} bindings[] = {
#define ROW(keys, help, ...) __VA_ARGS__,
    KEY_TABLE(ROW)
#undef ROW
};

enum action key_action(int code)
{
    if (code == K_NONE)
        return ACT_NONE;
    for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++)
        for (size_t k = 0; k < sizeof(bindings[i].codes) / sizeof(bindings[i].codes[0]); k++)
            if (bindings[i].codes[k] == code)
                return bindings[i].action;
    return ACT_NONE;
}
