/* "runs exec": a command and all its requests as one run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "child.h"
#include "core/money.h"
#include "runs_priv.h"
#include "json/json_scan.h"

#define TICK_MS 1000
#define POLL_MS 100
#define STATS_MS 1000  /* for a look at the cost; the child is not looked after meanwhile */
#define KILL_MS 10000  /* from SIGTERM to SIGKILL */
#define SETTLE_MS 5000 /* for requests in flight */
#define RETURN_MS 2000 /* for a server that starts again */
#define EXIT_LIMIT 124
#define EXIT_NOT_STARTED 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NO_COMMAND 127

const struct opt runs_exec_options[] = {
    {"name", 0, OPT_TEXT, "NAME", "of the run; else the command and the time"},
    {"notes", 0, OPT_TEXT, "TEXT", "what the run is about"},
    {"no-replace", 0, OPT_FLAG, NULL, "not when another run is active (exit 125)"},
    {"budget", 0, OPT_TEXT, "USD", "stop the command when the run has cost as much"},
    {"max-time", 0, OPT_TEXT, "DURATION", "stop the command after 30s, 10m, 2h"},
    {"no-env", 0, OPT_FLAG, NULL, "set none of the variables below"},
    {"env", 0, OPT_LIST, "NAME=VALUE", "set this variable too"},
    {"keep-running", 0, OPT_FLAG, NULL, "do not end the run"},
    LIST_END,
};

const char runs_exec_more[] =
    "Starts a run, runs the command, ends the run and prints its bill on stderr. The\n"
    "first word that is no option begins the command. It gets OPENAI_BASE_URL,\n"
    "OPENAI_API_BASE, ANTHROPIC_BASE_URL, LLM_OBSERVE_URL, LLM_OBSERVE_RUN_ID and\n"
    "LLM_OBSERVE_RUN_NAME. Needs a running server.\n"
    "\n"
    "Examples\n"
    "  llm-observe-proxy runs exec -- ./bench.sh\n"
    "  llm-observe-proxy runs exec --budget 2 --max-time 10m -- npm test\n"
    "\n"
    "Exit status: that of the command, or 128+N when signal N ended it; 124 stopped\n"
    "by a limit, 125 the run could not be started, 126 not executable, 127 not found.\n";

struct exec {
    struct cli *cli;
    struct source source;
    struct child child;
    char **command;
    int64_t run_id;
    int64_t budget_pusd, max_ms; /* 0: no limit */
    int64_t started_us, kill_us;
    const char *limit; /* the option whose limit was reached */
    bool blind;        /* it was said that the cost cannot be seen */
};

/* What has to be said also with --quiet. */
static void complain(const char *text, int64_t id, const struct err *err)
{
    cli_note(&(struct cli){0}, PROGRAM ": run %" PRId64 " %s: %s", id, text, err->msg);
}

/* ---- arguments ---- */

static int read_limits(struct exec *x, struct err *err)
{
    const char *budget = opts_text(&x->cli->opts, "budget");
    const char *time = opts_text(&x->cli->opts, "max-time");

    if (budget && (!money_amount(str_c(budget), &x->budget_pusd) || x->budget_pusd <= 0))
        return err_set(err, ERR_INVALID, "--budget: \"%.40s\" is no amount above 0", budget);
    if (time && (!format_parse_duration(str_c(time), &x->max_ms) || x->max_ms <= 0))
        return err_set(err, ERR_INVALID, "--max-time: \"%.40s\" is no duration (30s, 10m, 2h)",
                       time);
    return 0;
}

static int read_args(struct exec *x, struct err *err)
{
    const struct opt_given *env = opts_find(&x->cli->opts, "env");
    const char *name = opts_text(&x->cli->opts, "name");

    if (name && str_trim(str_c(name)).len == 0)
        return err_set(err, ERR_INVALID, "--name is empty");
    for (size_t i = 0; i < env->count; i++)
        if (env->list[i][0] == '=' || !strchr(env->list[i], '='))
            return err_set(err, ERR_INVALID, "--env: \"%.80s\" is not NAME=VALUE", env->list[i]);
    return read_limits(x, err);
}

/* "bench.sh 2026-11-24 03:25:10" unless it is named. */
static void put_name(const struct exec *x, struct buf *out)
{
    const char *name = opts_text(&x->cli->opts, "name"), *slash = strrchr(x->command[0], '/');
    char time[FORMAT_SIZE];

    if (name)
        buf_put(out, str_c(name));
    else
        buf_printf(out, "%.100s %s", slash && slash[1] ? slash + 1 : x->command[0],
                   format_time_long(time, clock_wall_us()));
}

static void set_environment(const struct exec *x, const struct run_answer *a)
{
    const struct opt_given *env = opts_find(&x->cli->opts, "env");
    const char *url = api_client_url(x->source.client);
    struct buf v1 = {0}, name = {0};
    char id[32];

    if (!opts_flag(&x->cli->opts, "no-env")) {
        buf_printf(&v1, "%s/v1", url);
        row_text(&a->run, "name", &name);
        snprintf(id, sizeof(id), "%" PRId64, x->run_id);
        setenv("OPENAI_BASE_URL", v1.ptr, 1);
        setenv("OPENAI_API_BASE", v1.ptr, 1);
        setenv("ANTHROPIC_BASE_URL", url, 1);
        setenv("LLM_OBSERVE_URL", url, 1);
        setenv("LLM_OBSERVE_RUN_ID", id, 1);
        setenv("LLM_OBSERVE_RUN_NAME", name.ptr ? name.ptr : "", 1);
    }
    for (size_t i = 0; i < env->count; i++) {
        char *pair = str_dup(str_c(env->list[i])), *eq = pair ? strchr(pair, '=') : NULL;

        if (eq) {
            *eq = '\0';
            setenv(pair, eq + 1, 1);
        }
        free(pair);
    }
    buf_clear(&v1);
    buf_clear(&name);
}

/* ---- limits ---- */

static bool is_spent(struct exec *x)
{
    struct run_answer a = {0};
    struct row answer = {0};
    struct buf cost = {0};
    struct err err;
    int64_t pusd = 0;

    if (run_stats(&x->source, x->run_id, STATS_MS, &a, &err) < 0) {
        if (!x->blind)
            complain("cost cannot be compared with --budget", x->run_id, &err);
        x->blind = true;
    } else {
        x->blind = false;
        row_read(&answer, a.value);
        if (row_text(&answer, "stats.cost_usd", &cost))
            money_amount(buf_str(&cost), &pusd);
    }
    buf_clear(&cost);
    row_clear(&answer);
    run_answer_clear(&a);
    return pusd >= x->budget_pusd;
}

static void check_limits(struct exec *x)
{
    int64_t now_us = clock_now_us();

    if (x->limit) {
        if (now_us >= x->kill_us)
            child_signal(&x->child, SIGKILL);
        return;
    }
    if (x->max_ms && (now_us - x->started_us) / 1000 >= x->max_ms)
        x->limit = "max-time";
    else if (x->budget_pusd && is_spent(x))
        x->limit = "budget";
    if (!x->limit)
        return;
    x->kill_us = clock_now_us() + (int64_t)KILL_MS * 1000;
    child_signal(&x->child, SIGTERM);
    child_signal(&x->child, SIGCONT);
}

/* How long until there is something to look at. */
static int64_t tick_ms(const struct exec *x)
{
    int64_t left_ms = TICK_MS;

    if (!x->limit && x->max_ms)
        left_ms = x->max_ms - (clock_now_us() - x->started_us) / 1000;
    return left_ms < 1 ? 1 : left_ms > TICK_MS ? TICK_MS : left_ms;
}

static void look_after(struct exec *x)
{
    while (!x->child.over) {
        child_wait(&x->child, tick_ms(x));
        if (!x->child.over)
            check_limits(x);
    }
    /* A limit ends what the command started, too. */
    while (x->limit && child_group_lives(&x->child) && clock_now_us() < x->kill_us)
        if (!child_pause(&x->child, POLL_MS))
            break;
    if (x->limit)
        child_signal(&x->child, SIGKILL);
}

/* ---- the end of the run ---- */

/* True while a request of the run is in flight. *rc becomes -1 when the server does not tell. */
static bool is_busy(struct exec *x, int *rc, struct err *err)
{
    struct buf text = {0};
    struct row row = {0};
    struct json_iter it;
    struct str answer, list;
    bool busy = false;

    *rc = source_send(&x->source, "live", "GET", "/api/live", "rows=0", STR_NONE, STATS_MS, &text,
                      &answer, err);
    if (*rc == 0 && json_member(answer, STR("inflight"), &list) && json_type_of(list) == JSON_ARRAY)
        for (it = json_iter(list); !busy && json_next(&it);)
            busy = row_read(&row, it.value) && row_int(&row, "task_run.id") == x->run_id;
    row_clear(&row);
    buf_clear(&text);
    return busy;
}

static bool may_return(const struct err *err)
{
    return err->code == ERR_UNREACHABLE || err->code == ERR_TIMEOUT || err->code == ERR_BUSY;
}

/* Wait for requests in flight, and for a server that is away. -1: it stays away. */
static int settle(struct exec *x, struct run_answer *a, struct err *err)
{
    int64_t start_us = clock_now_us(), waited_ms = 0;
    bool more = true;
    int rc = -1;

    while (more) {
        more = is_busy(x, &rc, err) && waited_ms < SETTLE_MS;
        if (rc < 0)
            more = may_return(err) && waited_ms < RETURN_MS;
        if (more)
            more = child_pause(&x->child, POLL_MS);
        waited_ms = (clock_now_us() - start_us) / 1000;
    }
    return rc < 0 ? -1 : run_stats(&x->source, x->run_id, 0, a, err);
}

static bool status_is(const struct run_answer *a, const char *status)
{
    struct buf text = {0};
    bool is = row_text(&a->run, "status", &text) && str_eq(buf_str(&text), str_c(status));

    buf_clear(&text);
    return is;
}

static void say_meanwhile(const struct exec *x, const struct run_answer *a, const char *what)
{
    struct buf name = {0};

    run_put_row(&name, &a->run);
    cli_note(x->cli, "%s was %s meanwhile", name.ptr, what);
    buf_clear(&name);
}

/* End exactly this run, unless somebody did. */
static int end_run(struct exec *x, struct run_answer *a, struct err *err)
{
    struct run_answer ended = {0};
    int rc = 0;

    if (status_is(a, "complete")) {
        say_meanwhile(x, a, "ended");
        return 0;
    }
    if (status_is(a, "paused"))
        say_meanwhile(x, a, "paused");
    rc = run_change(&x->source, x->run_id, "end", &ended, err);
    if (rc < 0 && err->code == ERR_INVALID) { /* between the two calls */
        say_meanwhile(x, a, "ended");
        rc = 0;
    }
    run_answer_clear(&ended);
    return rc;
}

static void put_outcome(const struct exec *x, struct buf *out)
{
    int status = x->child.status;

    if (x->limit)
        buf_printf(out, ", command stopped by --%s %s", x->limit,
                   opts_text(&x->cli->opts, x->limit));
    else if (!x->child.over)
        buf_put(out, STR(", command not started"));
    else if (WIFSIGNALED(status))
        buf_printf(out, ", command ended by signal %d (%s)", WTERMSIG(status),
                   strsignal(WTERMSIG(status)));
    else
        buf_printf(out, ", command exited %d", WEXITSTATUS(status));
}

static void finish(struct exec *x)
{
    bool keep = opts_flag(&x->cli->opts, "keep-running");
    struct run_answer a = {0};
    struct buf outcome = {0};
    struct err err;
    int rc = settle(x, &a, &err);

    if (rc == 0 && !keep)
        rc = end_run(x, &a, &err);
    if (rc < 0)
        complain(keep ? "has no bill" : "could not be ended", x->run_id, &err);
    if (rc == 0)
        rc = run_stats(&x->source, x->run_id, 0, &a, &err);
    if (rc == 0) {
        put_outcome(x, &outcome);
        run_bill(x->cli, &a, status_is(&a, "complete") ? "ended" : "goes on", outcome.ptr);
    }
    buf_clear(&outcome);
    run_answer_clear(&a);
}

/* ---- the verb ---- */

static int exit_status(const struct exec *x)
{
    if (x->limit)
        return EXIT_LIMIT;
    return WIFSIGNALED(x->child.status) ? 128 + WTERMSIG(x->child.status)
                                        : WEXITSTATUS(x->child.status);
}

static int command_status(const struct err *err)
{
    return err->code == ERR_NOT_FOUND ? EXIT_NO_COMMAND
           : err->code == ERR_DENIED  ? EXIT_NOT_EXECUTABLE
                                      : EXIT_NOT_STARTED;
}

static int run_command(struct exec *x)
{
    struct run_answer a = {0};
    struct buf name = {0};
    struct err err;
    int status = EXIT_NOT_STARTED;

    put_name(x, &name);
    child_init(&x->child);
    if (run_begin(x->cli, &x->source, name.ptr, &a, &err) < 0) {
        cli_fail(&err);
        goto out;
    }
    x->run_id = row_int(&a.run, "id");
    set_environment(x, &a);
    x->started_us = clock_now_us();
    if (child_start(&x->child, x->command, &err) < 0) {
        cli_fail(&err);
        status = command_status(&err);
    } else {
        look_after(x);
        status = exit_status(x);
    }
    finish(x);
out:
    child_close(&x->child);
    run_answer_clear(&a);
    buf_clear(&name);
    return status;
}

static int open_server(struct exec *x)
{
    struct err err;

    if (source_open(&x->source, x->cli, &err) < 0) {
        source_fail(&x->source, &err);
        return -1;
    }
    if (!x->source.client) {
        err_set(&err, ERR_UNREACHABLE, "%s needs a running server", x->cli->name);
        cli_fail(&err);
        return -1;
    }
    return 0;
}

int runs_exec(struct cli *cli)
{
    struct exec x = {.cli = cli};
    struct err err;
    int status = EXIT_NOT_STARTED;

    if (read_args(&x, &err) < 0)
        return cli_usage(cli->name, &err);
    x.command = calloc(cli->opts.arg_count + 1, sizeof(*x.command));
    for (size_t i = 0; x.command && i < cli->opts.arg_count; i++)
        x.command[i] = str_dup(str_c(cli->opts.args[i]));
    if (x.command && child_find(x.command[0], &err) < 0) {
        cli_fail(&err);
        status = command_status(&err);
    } else if (x.command && open_server(&x) == 0) {
        status = run_command(&x);
    }
    source_close(&x.source);
    for (size_t i = 0; x.command && i < cli->opts.arg_count; i++)
        free(x.command[i]);
    free(x.command);
    return status;
}
