/* daemon/proxy/exchange_priv.h - what the files of an exchange share: exchange.c moves it along,
 * exchange_answer.c brings the answer to the client, exchange_note.c fills in its record,
 * exchange_forward.c makes what goes upstream. */
#ifndef PROXY_EXCHANGE_PRIV_H
#define PROXY_EXCHANGE_PRIV_H

#include "core/forward.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/inspect.h"
#include "llm/watch.h"

/*  state               event              next        action
 *  READING             body complete      INSPECTING  look at the body, off the loop when large
 *  READING             bad or refused     FLUSHING    the connection answers 4xx
 *  INSPECTING          body understood    WAITING     start the transfer
 *  INSPECTING          writer is behind   ADMITTING   wait some milliseconds for it
 *  INSPECTING          refused            FLUSHING    send 4xx or 502
 *  ADMITTING           writer caught up   WAITING     start the transfer
 *  WAITING             response head      STREAMING   send it, or gather a small body first
 *  WAITING             transfer failed    FLUSHING    send 502 or 504
 *  STREAMING           bytes              STREAMING   to the client and the capture
 *  STREAMING           transfer done      FLUSHING    end the body
 *  STREAMING           transfer failed    FLUSHING    no end of body, then close: cut must look cut
 *  WAITING, STREAMING  client gone        CANCELLING  cancel the transfer
 *  before WAITING      client gone        FLUSHING    nothing more can be sent
 *  FLUSHING            all is out         CLOSED      tell the recorder
 *  CANCELLING          transfer released  CLOSED      tell the recorder
 *
 * A stricter durability has its place between STREAMING and FLUSHING: a state that holds the end of
 * the answer until the recorder has committed the row, or a bound has passed. */
enum exchange_state {
    EX_READING,
    EX_INSPECTING,
    EX_ADMITTING,
    EX_WAITING,
    EX_STREAMING,
    EX_FLUSHING,
    EX_CANCELLING,
    EX_CLOSED
};

struct exchange {
    struct list node;    /* of the worker, until recorded */
    struct list waiting; /* while ADMITTING */
    struct worker *worker;
    struct conn *conn; /* NULL: the client is gone or was answered */
    struct capture *capture;
    struct live_slot *live;
    struct catalog *catalog;
    enum exchange_state state;
    int64_t arrived_us, received_us, body_us, started_us, ended_us;
    struct target target;
    struct headers received;
    struct blob wire; /* the body as received, when capture holds a decoded one */
    struct blob sent; /* the body as the decision changed it; empty when it did not */
    struct decision decision;
    struct err why; /* the body could not be changed, when unchangeable */
    bool unchangeable;
    uv_work_t work;
    struct inspect_input inspect;
    struct transfer *transfer;
    struct transfer_request request;
    struct headers forward;
    struct secret key;
    bool announced, inspecting;
    /* the answer */
    bool head_seen, gathering, watching, body_lost;
    int64_t reply_length;
    struct headers reply;
    struct watch watch;
    int64_t chunks, full_since_us, lag_max_us;
};

static inline struct record *record_of(struct exchange *x)
{
    return &x->capture->record;
}

static inline struct arena *arena_of(struct exchange *x)
{
    return &x->capture->arena;
}

/** The only writer of state; a move that the table does not have is our mistake. */
void exchange_move(struct exchange *x, enum exchange_state next);
/** Hand the record over and free x, once neither connection nor transfer need it any more. */
void exchange_finish_if_over(struct exchange *x);

/** Look at the body, decide where the request goes, and change what goes there. Any thread. */
void exchange_understand(struct exchange *x);
void exchange_note_decision(struct exchange *x);
/** URL, headers and key. False when memory is gone or the URL is bad. */
bool exchange_prepare(struct exchange *x, struct err *err);

/** Text of our own making that the record keeps. */
struct str exchange_keep(struct exchange *x, const char *text);
/** What the head of the request says: id, time, method, endpoint, client. */
void exchange_note_head(struct exchange *x, const struct request *r);
/** Its headers and query, masked. */
void exchange_note_arrival(struct exchange *x);
/** What the head of the answer says. */
void exchange_note_answer(struct exchange *x, const struct transfer_head *head);
/** The answer is over, in whatever way: times, events, how it ended. The first call counts. */
void exchange_note_end(struct exchange *x, const char *terminated_by, const char *error);
/** The client left. */
void exchange_note_gone(struct exchange *x, const char *error);

/** What the transfer tells. */
extern const struct transfer_events exchange_transfer_events;
/** An answer of our own; the body is captured too. Sends nothing when the client is gone. */
void exchange_answer_error(struct exchange *x, int status, const char *code, const char *message);
/** The request is refused before anything went upstream. */
void exchange_reject(struct exchange *x, const struct refusal *refusal);
/** A budget is used up: 402 or 429 without contacting the upstream. */
void exchange_reject_spending(struct exchange *x, int status, const char *message);
/** The upstream failed before the client got anything. */
void exchange_fail(struct exchange *x, int status, const char *code, const char *message);
/** Break the answer off: an event that says so, where one can stand, then no end of the body. */
void exchange_send_cut(struct exchange *x, const char *message);

#endif
