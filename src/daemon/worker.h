/* daemon/worker.h - one loop and all it owns: listeners, connections, exchanges, upstreams. */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include <uv.h>

#include "daemon/app.h"
#include "daemon/http/conn.h"
#include "daemon/inbox.h"
#include "daemon/upstream/transfer.h"

struct listener {
    uv_tcp_t tcp;
    struct worker *worker;
    bool blocked; /* a connection waits in it because there is no room */
};

struct worker {
    struct app *app;
    uv_loop_t loop;
    struct inbox *inbox;
    struct upstreams *upstreams;
    struct conn_host host;
    struct list exchanges; /* not yet recorded */
    struct list waiting;   /* exchanges that wait for the writer to catch up */
    struct list viewers;   /* open event streams */
    size_t calls;          /* of the API that a reader thread works on */
    size_t max_conns;
    struct listener *listeners;
    size_t listener_count;
    uv_timer_t sweep, admit;
    int64_t last_accept_error_us;
    bool stopping, cut, closing;
    pthread_mutex_t order_lock; /* of gone: no order may come once the inbox closes */
    bool gone;
    char read_buffer[65536];
};

/** Set up a loop that accepts on fds (listening sockets; the worker owns them from now on). */
int worker_init(struct worker *w, struct app *app, const int *fds, size_t fd_count,
                struct err *err);
/** Run the loop until the worker has stopped; releases everything. The caller's thread. */
void worker_run(struct worker *w);
/** Any thread. Stop accepting, let exchanges finish; returns at once. */
void worker_stop(struct worker *w);
/** Any thread. Cut what is still running. */
void worker_cut(struct worker *w);

#endif
