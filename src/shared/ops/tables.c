#include "ops/tables.h"

#include "ops/operations.h"
#include "json/json.h"

enum match { NO_MATCH, MATCH, BAD_ID };

/* Compare a percent-decoded path with a pattern; {slug} takes one segment, any other {name} an
 * integer. */
static enum match match_path(struct str path, struct str pattern, struct found *out)
{
    struct str have, want;

    *out = (struct found){.literal = true};
    while (str_split(&pattern, '/', &want)) {
        if (!str_split(&path, '/', &have))
            return NO_MATCH;
        if (!str_starts(want, STR("{"))) {
            if (!str_eq(want, have))
                return NO_MATCH;
            continue;
        }
        out->literal = false;
        if (have.len == 0)
            return NO_MATCH;
        if (str_eq(want, STR("{slug}")))
            out->slug = have;
        else if (!str_int64(have, &out->id))
            out->bad_id = have;
        out->id_name = str_cut(str_from(want, 1), want.len - 2);
    }
    if (path.ptr)
        return NO_MATCH;
    return out->bad_id.ptr ? BAD_ID : MATCH;
}

static bool method_fits(const struct call_route *route, struct str method)
{
    return str_eq(method, str_c(route->method)) ||
           (str_eq(method, STR("HEAD")) && str_eq(str_c(route->method), STR("GET")));
}

static void take(struct found *f, const struct found *one, const struct call_route *route,
                 struct str method)
{
    if (one->literal && !f->literal) { /* what parameters matched does not count */
        buf_clear(&f->allow);
        *f = (struct found){.literal = true};
    }
    if (method_fits(route, method) && !f->route) {
        f->route = route;
        f->id = one->id;
        f->slug = one->slug;
        f->id_name = one->id_name;
        f->bad_id = one->bad_id;
    }
    buf_printf(&f->allow, "%s%s", f->allow.len ? ", " : "", route->method);
}

void tables_find(const struct call_route *const *tables, struct str method, struct str path,
                 struct found *f)
{
    *f = (struct found){0};
    for (size_t t = 0; tables[t]; t++) {
        for (const struct call_route *route = tables[t]; route->method; route++) {
            struct found one;

            if (match_path(path, str_c(route->pattern), &one) == NO_MATCH ||
                (f->literal && !one.literal))
                continue;
            take(f, &one, route, method);
        }
    }
}

/* What is wrong with the path, and then with the query. */
void found_refuse_id(const struct found *f, struct str query, struct buf *out)
{
    const struct operation *op = operation_of(f->route);
    const struct str start = STR("{\"detail\":["), end = STR("]}");
    struct buf more = {0};

    buf_put(out, start);
    buf_printf(out,
               "{\"type\":\"int_parsing\",\"loc\":[\"path\",\"%.*s\"],"
               "\"msg\":\"must be an integer\",\"input\":",
               STR_ARG(f->id_name));
    if (!json_quote(out, str_cut(f->bad_id, 200)))
        buf_put(out, STR("null"));
    buf_put(out, STR("}"));
    if (op && !params_check(op->params, query, &more)) {
        buf_put(out, STR(","));
        buf_put(out, str_from(buf_str(&more), start.len));
    } else {
        buf_put(out, end);
    }
    buf_clear(&more);
}
