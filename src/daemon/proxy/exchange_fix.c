/* Compatibility fixes: between the upstream's bytes and the client's. */
#include <inttypes.h>

#include "base/log.h"
#include "daemon/proxy/exchange_priv.h"

void exchange_plan_fixes(struct exchange *x)
{
    struct record *r = record_of(x);
    struct str fixes = x->decision.fixes_json;
    char id[32];

    fix_plan_free(x->fixes);
    x->fixes = NULL;
    if (fixes.len <= 2)
        return;
    snprintf(id, sizeof(id), "%" PRId64, r->id);
    x->fixes = fix_plan_new(fixes, r->endpoint, x->original, str_c(id));
}

/* What described the upstream's bytes. */
static void drop_digests(struct headers *h)
{
    static const char *const names[] = {"etag", "content-md5", "digest", "content-digest",
                                        "repr-digest"};
    size_t kept = 0;

    for (size_t i = 0; i < h->count; i++) {
        bool drop = false;

        for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
            drop = drop || str_ieq(h->items[i].name, str_c(names[k]));
        if (!drop)
            h->items[kept++] = h->items[i];
    }
    h->count = kept;
}

void exchange_fix_begin(struct exchange *x, const struct transfer_head *head)
{
    struct record *r = record_of(x);

    if (!x->fixes || head->no_body)
        return;
    x->fix_mode = fix_mode(x->fixes, r->is_stream, r->response_content_type);
    if (x->fix_mode != FIX_NOTHING)
        x->fixing = fix_run_new(x->fixes);
    if (!x->fixing)
        x->fix_mode = FIX_NOTHING;
    if (x->fix_mode == FIX_STREAM) {
        x->reply_length = -1;
        drop_digests(&x->reply);
    }
    if (x->fix_mode == FIX_PLAIN && head->content_length > (int64_t)FIX_BODY_MAX)
        exchange_fix_give_up(x);
}

/* As it came, for the record; a lost rest shows in what the client got. */
static void keep_raw(struct exchange *x, struct str bytes)
{
    struct capture *c = x->capture;
    size_t room = c->response_keep > c->upstream.len ? c->response_keep - c->upstream.len : 0;
    struct err err;

    if (blob_add(&c->upstream, str_cut(bytes, room), &err) < 0)
        log_debug("the upstream's bytes are not kept: %s", err.msg);
}

bool exchange_fix_bytes(struct exchange *x, struct str bytes, struct buf *out)
{
    keep_raw(x, bytes);
    return fix_feed(x->fixing, bytes, out) == 0;
}

bool exchange_fix_finish(struct exchange *x, bool broken, struct buf *out)
{
    return fix_finish(x->fixing, broken, out) == 0;
}

void exchange_fix_gathered(struct exchange *x)
{
    struct blob *body = &x->capture->response;
    struct blob changed = {.budget = body->budget};
    struct buf out = {0};
    struct err err;

    if (fix_plain(x->fixing, blob_str(body), &out)) {
        if (blob_add(&changed, buf_str(&out), &err) == 0) {
            x->capture->upstream = *body;
            *body = changed;
            record_of(x)->response_bytes = (int64_t)body->len;
            drop_digests(&x->reply);
        } else {
            fix_run_free(x->fixing);
            x->fixing = NULL;
        }
    } else if (fix_warned(x->fixing)) {
        keep_raw(x, blob_str(body));
    }
    buf_clear(&out);
}

void exchange_fix_give_up(struct exchange *x)
{
    fix_too_large(x->fixing);
    x->fix_mode = FIX_NOTHING;
}

void exchange_fix_note(struct exchange *x)
{
    struct record *r = record_of(x);
    struct str fixes = x->decision.fixes_json;
    struct buf text = {0};

    if (fixes.len > 2 && x->head_seen) {
        fix_audit(x->fixing, fixes, &text);
        r->compat_fixes_json = arena_dup(arena_of(x), buf_str(&text));
        buf_cut(&text, 0);
    }
    if (x->fixing) {
        r->response_was_rewritten = fix_rewritten(x->fixing);
        if (fix_warned(x->fixing)) {
            fix_warnings(x->fixing, &text);
            r->compat_fix_errors_json = arena_dup(arena_of(x), buf_str(&text));
        }
        if (!fix_rewritten(x->fixing) && !fix_warned(x->fixing) && !fix_holds(x->fixing))
            blob_clear(&x->capture->upstream);
    }
    buf_clear(&text);
}

void exchange_fix_free(struct exchange *x)
{
    fix_run_free(x->fixing);
    fix_plan_free(x->fixes);
}
