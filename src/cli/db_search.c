/* "db search": the full-text index of a database file. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db_priv.h"
#include "store/instance.h"
#include "store/store_search.h"
#include "json/json.h"

#define BUSY_WAIT_MS 5000
#define STEP_US 200000

const struct opt db_search_options[] = {LIST_END};

const char db_search_more[] =
    "status tells whether there is an index and how many requests are not in it yet.\n"
    "off removes it and on makes it again: saved as search_index, which a running\n"
    "server heeds at its next start. rebuild makes it anew, in a running server\n"
    "beside its other work.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy db search rebuild\n";

enum action { ACTION_STATUS, ACTION_ON, ACTION_OFF, ACTION_REBUILD };

struct search {
    struct cli *cli;
    enum action action;
    char *path;
    int lock;
    bool unclean, served;
    struct store *store;
};

/* The synopsis knows the words. */
static enum action read_action(const struct opts *o)
{
    static const char *const names[] = {"status", "on", "off", "rebuild"};
    size_t i = 0;

    while (o->arg_count > 0 && strcmp(o->args[0], names[i]) != 0)
        i++;
    return (enum action)i;
}

/* Alone with the file, or beside a server. */
static int open_store(struct search *s, struct err *err)
{
    if (access(s->path, F_OK) != 0)
        return err_set(err, ERR_UNREACHABLE, "there is no database %s", s->path);
    if (s->action == ACTION_STATUS) {
        s->store = store_open(s->path, STORE_READ, err);
        return s->store ? 0 : -1;
    }
    if (instance_lock(s->path, &s->lock, &s->unclean, err) < 0) {
        if (err->code != ERR_CONFLICT)
            return -1;
        s->served = true;
    } else if (store_prepare(s->path, false, err) < 0) {
        return -1;
    }
    s->store = store_open(s->path, STORE_WRITE, err);
    if (!s->store)
        return -1;
    store_set_busy_wait(s->store, BUSY_WAIT_MS);
    return 0;
}

static int run_steps(struct search *s, struct err *err)
{
    bool more = true;

    while (more)
        if (store_search_step(s->store, s->action != ACTION_OFF, STEP_US, &more, err) < 0)
            return -1;
    return 0;
}

static int act(struct search *s, struct err *err)
{
    struct str key = STR("search_index");

    switch (s->action) {
    case ACTION_STATUS:
        return 0;
    case ACTION_ON:
    case ACTION_OFF:
        if (store_setting_put(s->store, key, s->action == ACTION_ON ? STR("1") : STR("0"), err) < 0)
            return -1;
        if (s->served)
            cli_note(s->cli, "a server uses %s: it heeds this at its next start", s->path);
        break;
    case ACTION_REBUILD:
        if (store_search_rebuild(s->store, err) < 0)
            return -1;
        if (s->served)
            cli_note(s->cli, "the server goes on with it");
        break;
    }
    return s->served ? 0 : run_steps(s, err);
}

static int print(struct search *s, struct err *err)
{
    struct store_search state;
    struct buf json = {0}, text = {0};
    int status;

    if (store_search_state(s->store, &state, err) < 0)
        return cli_fail(err);
    buf_printf(&json, "{\"on\":%s,\"pending\":%lld}", state.on ? "true" : "false",
               (long long)state.pending);
    if (state.on)
        buf_printf(&text, "the index is on, %lld requests are not in it yet\n",
                   (long long)state.pending);
    else
        buf_put(&text, STR("there is no index\n"));
    status = db_print(s->cli, buf_str(&json), buf_str(&text));
    buf_clear(&json);
    buf_clear(&text);
    return status;
}

int db_search(struct cli *cli)
{
    struct search s = {.cli = cli, .action = read_action(&cli->opts), .lock = -1};
    struct err err;
    int status;

    if (db_path(cli, &s.path, &err) < 0 || open_store(&s, &err) < 0 || act(&s, &err) < 0)
        status = cli_fail(&err);
    else
        status = print(&s, &err);
    store_close(s.store);
    if (s.unclean && s.lock >= 0)
        close(s.lock);
    else if (s.lock >= 0)
        instance_release(s.path, s.lock);
    free(s.path);
    return status;
}
