#include "core/route.h"

bool route_is_startup(const struct route *r)
{
    return r->priority == 0;
}

const char *route_match_type(const struct route *r)
{
    return r->prefix ? "prefix" : "exact";
}

struct str route_literal(const struct route *r)
{
    struct str s = r->incoming_model;

    return r->prefix && str_ends(s, STR("*")) ? str_cut(s, s.len - 1) : s;
}

bool route_matches(const struct route *r, struct str model)
{
    if (!r->prefix)
        return str_eq(r->incoming_model, model);
    return str_ends(r->incoming_model, STR("*")) && str_starts(model, route_literal(r));
}

/* Characters without the stars at the end. */
static size_t literal_chars(struct str s)
{
    size_t n = 0;

    while (str_ends(s, STR("*")))
        s.len--;
    for (size_t i = 0; i < s.len; i++)
        n += (s.ptr[i] & 0xc0) != 0x80;
    return n;
}

int route_compare(const struct route *a, const struct route *b)
{
    size_t have, other;

    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    if (a->prefix != b->prefix)
        return a->prefix ? 1 : -1;
    have = literal_chars(a->incoming_model);
    other = literal_chars(b->incoming_model);
    if (have != other)
        return have > other ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

bool route_is_active(const struct route *r)
{
    const struct failover *f = r->failover;

    if (!r->active || !f || f->count == 0)
        return r->active && r->upstream_url.len > 0;
    for (size_t i = 0; i < f->count; i++)
        if (f->upstreams[i].active && (f->upstreams[i].base_url.ptr || r->upstream_url.len > 0))
            return true;
    return false;
}

struct str route_upstream_model(const struct route *r, struct str to, struct str model,
                                struct arena *arena)
{
    struct str rest;

    if (to.len == 0)
        return model;
    if (!r->prefix || !str_ends(to, STR("*")))
        return to;
    rest = str_from(model, route_literal(r).len);
    return arena_printf(arena, "%.*s%.*s", (int)to.len - 1, to.ptr, STR_ARG(rest));
}

bool route_pattern_ok(struct str incoming_model, bool prefix)
{
    return !prefix || str_chr(incoming_model, '*') == (ptrdiff_t)incoming_model.len - 1;
}
