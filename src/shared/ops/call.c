#include "ops/call.h"

#include "base/clock.h"
#include "core/price_import.h"
#include "ops/operations.h"
#include "ops/tables.h"
#include "json/json.h"

#define INPUT_MAX 1048576
#define FILE_INPUT_MAX ((int64_t)IMPORT_DOCUMENT_MAX + INPUT_MAX)

/* ---- how a call runs ---- */

/* False: the call is answered. */
static bool query_fits(struct call *call)
{
    if (!call->operation || params_check(call->operation->params, call->query, &call->body))
        return true;
    call->status = 422;
    return false;
}

static bool is_open(struct call *call, const struct store *store)
{
    if (!store)
        call_detail(call, 503, "The database cannot be opened.");
    return store != NULL;
}

void call_read(struct call *call, struct store *store)
{
    bool without = call->operation && call->operation->without_store;

    if ((without || is_open(call, store)) && query_fits(call))
        call->route->run(call, store);
}

bool call_write(struct call *call, struct store *store)
{
    struct err err;

    if (!is_open(call, store))
        return false;
    if (store_begin(store, &err) < 0) {
        call_error(call, &err);
        return false;
    }
    call->route->write(call, store);
    if (call->status < 400 && store_commit(store, &err) == 0)
        return true;
    if (call->status < 400)
        call_error(call, &err);
    store_rollback(store);
    return false;
}

int64_t call_input_max(const struct call_route *route)
{
    return str_starts(str_c(route->pattern), STR(OP_PRICE_FILES)) ? FILE_INPUT_MAX : INPUT_MAX;
}

/* ---- what handlers use ---- */

struct catalog *call_catalog(const struct call *call)
{
    return call->env->catalog(call->env->ctx);
}

struct view_context call_view_context(struct call *call)
{
    return (struct view_context){
        .upstream_url = call->env->upstream_url(call->env->ctx, &call->arena),
        .now_wall_us = clock_wall_us(),
    };
}

void call_detail(struct call *call, int status, const char *message)
{
    call->status = status;
    call->body.len = 0;
    buf_put(&call->body, STR("{\"detail\":"));
    json_quote(&call->body, str_c(message));
    buf_put(&call->body, STR("}"));
}

void call_text(struct call *call, int status, const char *json)
{
    call->status = status;
    call->body.len = 0;
    buf_put(&call->body, str_c(json));
}

void call_json(struct call *call, int status, cJSON *tree)
{
    call->status = status;
    call->body.len = 0;
    if (!json_print(&call->body, tree))
        call_detail(call, 503, "No memory for the answer.");
    cJSON_Delete(tree);
}

void call_error(struct call *call, const struct err *err)
{
    int status = err_http_status(err->code);

    call_detail(call, status == 507 ? 503 : status, err->msg);
}

int64_t call_query_int(const struct call *call, const char *name)
{
    return param_int(call->operation->params, call->query, name);
}

bool call_query_text(const struct call *call, const char *name, struct buf *out)
{
    return param_text(call->operation->params, call->query, name, out);
}
