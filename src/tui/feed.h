/* tui/feed.h - news from the server, fetched by a thread of its own so that keys never wait.
 *
 * The thread asks /api/live at the wished interval over one connection, and between two answers
 * does what feed_call() wants done. Without a server it reads the database file; or it plays
 * answers from a file. What it brings is taken with feed_next(); feed_fd() becomes readable. */
#ifndef TUI_FEED_H
#define TUI_FEED_H

#include "cli/source.h"

enum news_kind {
    NEWS_LIVE,    /* body: an answer of /api/live */
    NEWS_TEXT,    /* body: the same with nothing but "text" */
    NEWS_RUNS,    /* body: an answer of /api/runs */
    NEWS_LOST,    /* the server does not answer: err; the next attempt is in retry_s seconds */
    NEWS_OFFLINE, /* from now on the file is read: body is its path */
    NEWS_ONLINE,  /* from now on a server is asked: body is its URL */
    NEWS_END,     /* the played file is over */
    NEWS_ANSWER,  /* of feed_call(): tag; body, or failed and err */
};

struct news {
    struct news *next; /* private */
    enum news_kind kind;
    struct buf body;
    int64_t at_us; /* monotonic */
    int retry_s;
    int tag;
    int64_t id; /* of feed_call() */
    bool failed;
    struct err err;
};
void news_free(struct news *news);

/** What the screen wants to know; set again when it changes. */
struct feed_wish {
    int64_t interval_ms;
    bool paused;
    bool runs;        /* the list of runs, every few seconds */
    int64_t text_id;  /* of this request the text; 0: none */
    bool text_often;  /* it is growing and seen */
    char where[4097]; /* filter that the server applies */
};

struct feed;
/** Keeps source until feed_close(). play: a file of answers, or NULL; "-" is none. */
struct feed *feed_open(struct source *source, const char *play, const struct feed_wish *wish,
                       struct err *err);
/** The rest of the calls: one thread. */
int feed_fd(const struct feed *feed);
/** Returns owned, news_free(); NULL when there is no more. */
struct news *feed_next(struct feed *feed);
void feed_wish(struct feed *feed, const struct feed_wish *wish);
/** Ask at once. */
void feed_hurry(struct feed *feed);
/** A call of the API, answered by NEWS_ANSWER with tag and id. json NULL: none. */
void feed_call(struct feed *feed, int tag, int64_t id, const char *method, const char *path,
               const char *query, const char *json);
/** Waits a moment for the thread; one that hangs in a call is left alone. Returns false then:
 *  source must stay. */
bool feed_close(struct feed *feed);

#endif
