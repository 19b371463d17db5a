/* daemon/proxy/exchange_priv.h - what the files of an exchange share: exchange.c moves it along,
 * exchange_answer.c brings the answer to the client, exchange_note.c fills in its record,
 * exchange_forward.c makes what goes upstream, exchange_fix.c applies compatibility fixes,
 * exchange_attempt.c chooses among several upstreams, exchange_stop.c ends it from outside. */
#ifndef PROXY_EXCHANGE_PRIV_H
#define PROXY_EXCHANGE_PRIV_H

#include "core/forward.h"
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/inspect.h"
#include "llm/fix.h"
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
 *  WAITING             passed over        RETRYING    keep the answer, let go of the transfer
 *  INSPECTING, ADMITTING  all cool down   RETRYING    wait for the first to be ready
 *  RETRYING            next upstream      WAITING     start the transfer
 *  RETRYING            none left          STREAMING   send the answer that was kept
 *  RETRYING            none left          FLUSHING    send 502
 *  STREAMING           bytes              STREAMING   to the client and the capture
 *  STREAMING           transfer done      FLUSHING    end the body
 *  STREAMING           transfer failed    FLUSHING    no end of body, then close: cut must look cut
 *  WAITING, STREAMING, RETRYING  client gone  CANCELLING  cancel the transfer
 *  before WAITING, RETRYING  client gone  FLUSHING    nothing more can be sent
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
    EX_RETRYING,
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
    struct blob wire;    /* the body as received, when capture holds a decoded one */
    struct str original; /* the body that a decision changes; empty when it cannot be read */
    struct blob sent;    /* the body as the decision changed it; empty when it did not */
    struct decision decision;
    struct attempts *attempts; /* NULL: there is one upstream */
    struct err why;            /* the body could not be changed, when unchangeable */
    bool unchangeable;
    uv_work_t work;
    struct inspect_input inspect;
    struct transfer *transfer;
    struct transfer_request request;
    struct headers forward;
    struct secret key;
    bool announced, inspecting;
    char *cancelled;        /* why, when it is to be cancelled after the inspection; owned */
    struct fix_plan *fixes; /* NULL: none has anything to do with this request */
    /* the answer */
    struct fix_run *fixing; /* NULL: no fix looks at it */
    enum fix_mode fix_mode;
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
/** Change the body for the decision. Any thread. */
void exchange_rewrite(struct exchange *x);
void exchange_note_decision(struct exchange *x);
/** URL, headers and key. False when memory is gone or the URL is bad. */
bool exchange_prepare(struct exchange *x, struct err *err);
/** Send it. */
void exchange_start(struct exchange *x);

/** The decision has several upstreams: order them, and decide for the first. Any thread. */
void exchange_plan(struct exchange *x);
void exchange_attempts_free(struct exchange *x);
/** True when the first attempt has to wait: it starts later. */
bool exchange_waits(struct exchange *x);
/** No wait goes on. */
void exchange_stop_retrying(struct exchange *x);
/** An attempt is about to go to masked_url, goes, ends: well, or the upstream failed. */
void exchange_attempt_prepared(struct exchange *x, struct str masked_url);
void exchange_attempt_begin(struct exchange *x);
void exchange_attempt_done(struct exchange *x, bool well);
/** What the transfer tells. True: the client sees nothing of it, another attempt may follow. */
bool exchange_passes_head(struct exchange *x, const struct transfer_head *head);
bool exchange_passes_bytes(struct exchange *x, struct str bytes);
bool exchange_passes_done(struct exchange *x, enum transfer_error error, const char *message);
/** The transfer did not even start. */
bool exchange_passes_start(struct exchange *x, const char *message);
/** The transfer is gone: true when the next attempt, or its end, is under way. */
bool exchange_released(struct exchange *x);
/** The times of an answer that was kept, when the client gets it. */
bool exchange_held_times(const struct exchange *x, struct transfer_times *out);
/** The exchange is over: the attempts belong to its record. */
void exchange_attempts_over(struct exchange *x);
/** Tell the client how many attempts there were, and who answered. */
void exchange_add_headers(struct exchange *x, struct headers *headers);

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

/** For the live table: what there is of the answer. */
void exchange_peek(void *exchange, struct live_peek *out, bool with_request);

/** What the fixes of the decision need to know of the request. Any thread. */
void exchange_plan_fixes(struct exchange *x);
/** The head of the answer is there: fixes that look at it start. */
void exchange_fix_begin(struct exchange *x, const struct transfer_head *head);
/** A piece of a stream: what the client gets instead. False without memory. */
bool exchange_fix_bytes(struct exchange *x, struct str bytes, struct buf *out);
/** The end of a stream; broken: the upstream failed. */
bool exchange_fix_finish(struct exchange *x, bool broken, struct buf *out);
/** The whole answer is gathered: fix it. */
void exchange_fix_gathered(struct exchange *x);
/** It is larger than what can be gathered. */
void exchange_fix_give_up(struct exchange *x);
/** What the record tells of the fixes. */
void exchange_fix_note(struct exchange *x);
void exchange_fix_free(struct exchange *x);

/** The answer breaks off: the client gets what is held back. */
void exchange_let_go(struct exchange *x);
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
/** An answer that was kept goes to the client after all. */
void exchange_relay(struct exchange *x, const struct transfer_head *head, struct str body);
#define EXCHANGE_CANCELLED "request_cancelled"
#define EXCHANGE_CANCELLED_TEXT "Request cancelled by the operator."
/** The operator does not want it: 499, and clients do not try again. */
void exchange_answer_cancelled(struct exchange *x);
/** Break the answer off: an event that says so, where one can stand, then no end of the body. type
 *  is that of the error, NULL the usual one. */
void exchange_send_cut(struct exchange *x, const char *type, const char *message);

/** After an inspection: true when the exchange was to be ended meanwhile, and is. */
bool exchange_stopped(struct exchange *x);
/** For the live table. False: it is over already. */
bool exchange_cancel(void *exchange, struct str reason);

#endif
