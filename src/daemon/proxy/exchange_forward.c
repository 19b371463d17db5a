/* What an exchange sends upstream: the decision, the body, URL and headers. */
#include "core/forward_body.h"
#include "core/mask.h"
#include "daemon/proxy/exchange_priv.h"

void exchange_rewrite(struct exchange *x)
{
    struct forward_body in = {
        .body = x->original,
        .content_type = x->inspect.content_type,
        .endpoint = record_of(x)->endpoint,
        .model = record_of(x)->model,
    };

    exchange_plan_fixes(x);
    x->unchangeable = in.body.len > 0 && forward_body(&x->sent, &in, &x->decision, &x->why) < 0;
}

void exchange_understand(struct exchange *x)
{
    bool encoded = x->inspect.content_encoding.len > 0;

    inspect_request(x->capture, &x->inspect);
    x->original = encoded ? blob_str(&x->capture->request) : x->inspect.body;
    catalog_decide(x->catalog, record_of(x)->model, arena_of(x), &x->decision);
    if (x->decision.several)
        exchange_plan(x);
    exchange_rewrite(x);
}

void exchange_note_decision(struct exchange *x)
{
    struct record *r = record_of(x);
    const struct decision *d = &x->decision;

    r->upstream_model = arena_dup(arena_of(x), d->upstream_model);
    r->model_route = arena_dup(arena_of(x), d->model_route);
    r->provider_slug = arena_dup(arena_of(x), d->provider_slug);
    r->route_decision = str_c(d->route_decision);
    r->route_source = str_c(d->route_source);
}

/* A body that was decoded to be changed goes out as it is now. */
static void drop_encoding(struct headers *h)
{
    size_t kept = 0;

    for (size_t i = 0; i < h->count; i++)
        if (!str_ieq(h->items[i].name, STR("content-encoding")))
            h->items[kept++] = h->items[i];
    h->count = kept;
}

/* The pending row may be stored already: what the first attempt brought stays. */
static void note_target(struct exchange *x, struct str masked_url)
{
    exchange_attempt_prepared(x, masked_url);
    if (x->started_us)
        return;
    exchange_note_decision(x);
    record_of(x)->upstream_url = masked_url;
}

bool exchange_prepare(struct exchange *x, struct err *err)
{
    struct record *r = record_of(x);
    struct decision *d = &x->decision;
    struct buf url = {0}, masked = {0};
    struct str shown;
    bool ok = false;

    decision_key(d, &x->key);
    if (forward_url(&url, d->base_url, &x->target, err) < 0 ||
        mask_url(&masked, buf_str(&url), err) < 0 ||
        forward_request_headers(&x->forward, arena_of(x), &x->received, d, r->endpoint, err) < 0)
        goto out;
    if (x->sent.len > 0)
        drop_encoding(&x->forward);
    x->request.url = arena_dup(arena_of(x), buf_str(&url));
    shown = arena_dup(arena_of(x), buf_str(&masked));
    ok = x->request.url.ptr && shown.ptr;
    if (ok)
        note_target(x, shown);
    else
        err_set(err, ERR_NO_MEMORY, "no memory for the request");
out:
    buf_clear(&url);
    buf_clear(&masked);
    return ok;
}
