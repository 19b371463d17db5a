/* The forms about the listener and about old requests: they answer with a redirect to the page they
 * are on, or with what is wrong. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/api/api_form.h"
#include "ops/body.h"
#include "ops/op_routing.h"
#include "ops/op_storage.h"

#define DAYS_MAX 3650

static void form_incoming(struct call *call, struct store *store)
{
    struct body body;
    int64_t port;
    struct err err;

    body_form(&body, call);
    call->status = 200;
    if (form_required(&body, call, "incoming_port").ptr &&
        form_int(&body, call, "incoming_port", 0, &port)) {
        if (op_save_listener(store, port, str_eq(form_text(&body, "expose_all_ips"), STR("yes")),
                             &err) < 0)
            form_error(call, &err, "/admin/settings/server");
        else
            form_redirect(call, "/admin/settings/server");
    }
    body_clear(&body);
}

static void trim_by_form(struct call *call, struct store *store, int64_t days, bool confirmed)
{
    char to[96];
    struct err err;

    if (op_trim_some(call, store, days, confirmed, &err) < 0) {
        form_error(call, &err, "/admin/settings/data");
        return;
    }
    call->extra = (struct headers){0}; /* of the batch before */
    snprintf(to, sizeof(to), "/admin/settings/data?days=%" PRId64 "&trimmed=%" PRId64,
             days > DAYS_MAX ? DAYS_MAX : days, call->progress);
    form_redirect(call, to);
}

static void form_trim(struct call *call, struct store *store)
{
    struct body body;
    int64_t days;

    body_form(&body, call);
    call->status = 200;
    if (form_required(&body, call, "days").ptr && form_int(&body, call, "days", 0, &days))
        trim_by_form(call, store, days, str_eq(form_text(&body, "confirm"), STR("yes")));
    body_clear(&body);
}

const struct call_route api_data_forms_routes[] = {
    {"POST", "/admin/settings/incoming", .write = form_incoming},
    {"POST", "/admin/trim", .write = form_trim},
    {0},
};
