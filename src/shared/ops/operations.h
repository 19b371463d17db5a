/* ops/operations.h - what each call takes and answers, for the calls themselves and for
 * the OpenAPI documents.
 *
 * A call that the dispatch tables offer as JSON has a line here; a test fails when one has none.
 * The names of shapes are those of schema/api/. */
#ifndef OPS_OPERATIONS_H
#define OPS_OPERATIONS_H

#include "ops/call.h"
#include "view/params.h"

struct operation {
    const char *method, *pattern; /* as in the dispatch table; the twin of "/api/x" at
                                   * "/admin/api/x" is described by the same line */
    const char *summary;
    const char *answer;         /* type of the 200 answer: "Run", "[Run]" */
    const char *body;           /* type of the JSON body; NULL: it takes none */
    const struct param *params; /* of the query; NULL: none */
    const char *media;          /* of the answer; NULL: JSON */
    bool is_public;             /* part of /api/openapi.json, in its place below /api */
    bool without_store;         /* answered while the database cannot be opened, too */
    bool body_optional;
};

/** All of them; ends with a NULL method. */
extern const struct operation operations[];
/** The description of a route; NULL when there is none: pages, forms. */
const struct operation *operation_of(const struct call_route *route);

#endif
