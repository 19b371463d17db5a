/* tui/ui.h - what the user has chosen: view, selection, order, filter, what is open.
 *
 * Plain data; keys change it (act.c), the screen is made from it and from the model. */
#ifndef TUI_UI_H
#define TUI_UI_H

#include "base/buf.h"
#include "cli/columns.h"
#include "detail.h"
#include "graph.h"
#include "prompt.h"

enum view { VIEW_REQUESTS, VIEW_RUNS, VIEW_MODELS, VIEW_UPSTREAMS };
#define VIEWS 4
extern const char *const view_names[VIEWS];

/** Where the data comes from. */
enum source_state { SOURCE_CONNECTING, SOURCE_LIVE, SOURCE_RETRY, SOURCE_OFFLINE, SOURCE_PLAY };

/** One for each view. */
struct table_state {
    int64_t selected;          /* id of a row; UNKNOWN: the first one */
    bool gone;                 /* it is no longer in the list */
    int64_t last;              /* where it stood when it was last seen */
    int64_t top;               /* first visible row */
    size_t shift;              /* columns scrolled out on the left */
    const struct column *sort; /* NULL: as the server sends them */
    bool reverse;
};

enum pane_wish { PANE_AUTO, PANE_ON, PANE_OFF }; /* auto: where there is room */

/** What lies over the rest; at most one, besides a prompt. */
enum overlay { OVERLAY_NONE, OVERLAY_HELP, OVERLAY_CONFIRM, OVERLAY_MENU };

enum menu_kind { MENU_SORT, MENU_RUNS, MENU_RESUME };
#define MENU_ITEMS 64
struct menu {
    enum menu_kind kind;
    const char *title;
    struct {
        char key;       /* 0: none */
        char text[100]; /* not cleaned */
        int64_t id;
    } items[MENU_ITEMS];
    int count, at;
};

/** What "y" would do. */
enum confirmed { CONFIRM_CANCEL, CONFIRM_RUN_END };
struct confirm {
    enum confirmed what;
    int64_t id;
    char question[400]; /* not cleaned */
};

struct ui {
    enum view view;
    struct table_state tables[VIEWS];
    bool follow; /* the newest row stays selected */
    enum pane_wish pane;
    bool paused;
    bool read_only;
    enum source_state source;
    int retry_s; /* until the next attempt */
    int64_t interval_ms;
    const char *url;     /* what is asked, or the file; for the time before the first answer */
    const char *columns; /* --columns, or NULL */
    enum graph_alphabet alphabet;
    bool ascii;
    int64_t monotonic_us; /* now */
    char message[256];    /* the result of an action; cleaned */
    bool message_error;
    enum overlay overlay;
    int help_top;
    struct menu menu;
    struct confirm confirm;
    struct prompt prompt;
    struct detail detail;
    int page; /* rows of the table, set by the screen */
    struct buf filter, search;
};

#endif
