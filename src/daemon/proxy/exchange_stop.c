#include <string.h>

#include "daemon/proxy/exchange_priv.h"

/* Why an exchange is ended from outside, and what its client is told. */
struct ending {
    int status; /* of an answer of our own */
    const char *terminated_by, *error;
    void (*answer)(struct exchange *x); /* nothing was sent yet */
    void (*cut)(struct exchange *x);    /* some of the answer was */
};

static void end_unsent(struct exchange *x, const struct ending *e)
{
    record_of(x)->response_status = e->status;
    exchange_note_end(x, e->terminated_by, e->error);
    exchange_move(x, EX_FLUSHING);
    e->answer(x);
}

static void end_transfer(struct exchange *x, const struct ending *e)
{
    bool nothing_sent = !x->head_seen || x->gathering;

    exchange_let_go(x);
    exchange_note_end(x, e->terminated_by, e->error);
    exchange_move(x, EX_CANCELLING);
    transfer_cancel(x->transfer);
    if (nothing_sent)
        e->answer(x);
    else
        e->cut(x);
}

/* False: it is over already. Not while its body is looked at. */
static bool end(struct exchange *x, const struct ending *e)
{
    switch (x->state) {
    case EX_READING:
        exchange_note_arrival(x);
        /* fall through */
    case EX_INSPECTING:
    case EX_ADMITTING:
        list_remove(&x->waiting);
        end_unsent(x, e);
        return true;
    case EX_RETRYING:
        exchange_stop_retrying(x);
        if (x->transfer)
            end_transfer(x, e);
        else
            end_unsent(x, e);
        return true;
    case EX_WAITING:
    case EX_STREAMING:
        end_transfer(x, e);
        return true;
    case EX_FLUSHING:
    case EX_CANCELLING:
    case EX_CLOSED:
        break;
    }
    return false;
}

/* ---- the program stops ---- */

static void answer_stopping(struct exchange *x)
{
    exchange_answer_error(x, 503, "shutting_down", "The proxy is stopping.");
}

static void cut_stopping(struct exchange *x)
{
    exchange_send_cut(x, NULL, "proxy stopped");
}

static const struct ending stopping = {
    503, TERMINATED_SHUTDOWN, "proxy stopped", answer_stopping, cut_stopping,
};

void exchange_cut_all(struct worker *w)
{
    LIST_EACH_SAFE (node, &w->exchanges) {
        struct exchange *x = LIST_ENTRY(node, struct exchange, node);

        if (!x->inspecting) /* else exchange_stopped() comes */
            end(x, &stopping);
    }
}

/* ---- its operator does not want it ---- */

static void cut_cancelled(struct exchange *x)
{
    exchange_send_cut(x, EXCHANGE_CANCELLED, EXCHANGE_CANCELLED_TEXT);
}

static bool cancel(struct exchange *x, struct str reason)
{
    struct buf error = {0};
    struct ending cancelled = {499, TERMINATED_CANCELLED, NULL, exchange_answer_cancelled,
                               cut_cancelled};
    bool ended;

    buf_put(&error, STR("cancelled by the operator"));
    if (reason.len > 0) {
        buf_put(&error, STR(": "));
        buf_put(&error, reason);
    }
    cancelled.error = error.ptr;
    ended = end(x, &cancelled);
    buf_clear(&error);
    return ended;
}

bool exchange_cancel(void *exchange, struct str reason)
{
    struct exchange *x = exchange;

    if (!x->inspecting)
        return cancel(x, reason);
    if (!x->conn || x->cancelled)
        return false;
    x->cancelled = strndup(reason.ptr, reason.len);
    return x->cancelled;
}

bool exchange_stopped(struct exchange *x)
{
    if (x->worker->cut)
        return end(x, &stopping);
    return x->cancelled && cancel(x, str_c(x->cancelled));
}
