/* The OpenAPI documents, made from the dispatch tables, their operations and the shapes. */
#include <ctype.h>
#include <stdlib.h>

#include "daemon/dispatch.h"
#include "ops/operations.h"
#include "shapes.h"
#include "json/json.h"
#include "json/shape.h"

#define MEDIA_JSON "application/json"
#define ADMIN "/admin/api/"

/* ---- parameters ---- */

static void put_choices(cJSON *schema, struct str choices)
{
    cJSON *list = cJSON_AddArrayToObject(schema, "enum");
    struct str one;

    while (str_split(&choices, '|', &one))
        json_add_str(list, one);
}

static cJSON *schema_of(const struct param *p)
{
    bool number = p->type == PARAM_INT || p->type == PARAM_FILTER;
    cJSON *schema = cJSON_CreateObject();
    struct str choices = p->choices ? str_c(p->choices) : STR_NONE, first = choices;

    json_put_text(schema, "type", number ? "integer" : "string");
    if (p->type == PARAM_TIME)
        json_put_text(schema, "format", "date-time");
    if (p->type == PARAM_INT) {
        json_put_int(schema, "default", p->fallback);
        if (p->least != INT64_MIN)
            json_put_int(schema, "minimum", p->least);
        if (p->most != INT64_MAX)
            json_put_int(schema, "maximum", p->most);
    }
    if (p->required)
        json_put_int(schema, "minLength", 1);
    if (p->choices)
        put_choices(schema, choices);
    if (p->standard)
        json_put_text(schema, "default", p->standard);
    else if (p->choices && !p->required && str_split(&choices, '|', &first))
        json_put_str(schema, "default", first);
    else if (p->type == PARAM_TEXT && !p->required && !p->repeats)
        json_put_text(schema, "default", "");
    return schema;
}

static cJSON *list_of(cJSON *items)
{
    cJSON *o = cJSON_CreateObject();

    json_put_text(o, "type", "array");
    cJSON_AddItemToObject(o, "items", items);
    return o;
}

static void add_query(cJSON *list, const struct param *p)
{
    cJSON *o = cJSON_CreateObject(), *schema = schema_of(p);

    json_put_text(o, "name", p->name);
    json_put_text(o, "in", "query");
    json_put_bool(o, "required", p->required);
    if (p->about)
        json_put_text(o, "description", p->about);
    cJSON_AddItemToObject(o, "schema", p->repeats ? list_of(schema) : schema);
    cJSON_AddItemToArray(list, o);
}

static void add_path(cJSON *list, struct str name)
{
    cJSON *o = cJSON_CreateObject(), *schema;
    bool slug = str_eq(name, STR("slug"));

    json_put_str(o, "name", name);
    json_put_text(o, "in", "path");
    json_put_bool(o, "required", true);
    schema = cJSON_AddObjectToObject(o, "schema");
    json_put_text(schema, "type", slug ? "string" : "integer");
    if (!slug)
        json_put_text(schema, "format", "int64");
    cJSON_AddItemToArray(list, o);
}

/* "{record_id}" and the like. False: there is none. */
static bool next_name(struct str *pattern, struct str *name)
{
    struct str part;

    while (str_split(pattern, '/', &part)) {
        if (!str_starts(part, STR("{")))
            continue;
        *name = str_from(str_cut(part, part.len - 1), 1);
        return true;
    }
    return false;
}

static void put_parameters(cJSON *o, const struct call_route *route, const struct operation *op)
{
    cJSON *list = cJSON_AddArrayToObject(o, "parameters");
    struct str pattern = str_c(route->pattern), name;

    while (next_name(&pattern, &name))
        add_path(list, name);
    for (const struct param *p = op->params; p && p->name; p++)
        add_query(list, p);
}

/* ---- bodies ---- */

static void put_content(cJSON *o, const char *media, const char *type)
{
    cJSON *content = cJSON_AddObjectToObject(o, "content");

    cJSON_AddItemToObject(cJSON_AddObjectToObject(content, media), "schema",
                          shape_schema(str_c(type)));
}

static void put_response(cJSON *responses, const char *status, const char *description,
                         const char *media, const char *type)
{
    cJSON *o = cJSON_AddObjectToObject(responses, status);

    json_put_text(o, "description", description);
    put_content(o, media, type);
}

static void put_body(cJSON *o, const struct operation *op)
{
    cJSON *body = cJSON_AddObjectToObject(o, "requestBody");

    json_put_bool(body, "required", !op->body_optional);
    put_content(body, MEDIA_JSON, op->body);
}

static void put_responses(cJSON *o, const struct call_route *route, const struct operation *op)
{
    cJSON *responses = cJSON_AddObjectToObject(o, "responses");
    struct str pattern = str_c(route->pattern), name;
    bool named = next_name(&pattern, &name);

    put_response(responses, "200", "The answer", op->media ? op->media : MEDIA_JSON, op->answer);
    if (named)
        put_response(responses, "404", "There is no such thing", MEDIA_JSON, "Detail");
    if (named || op->params || op->body)
        put_response(responses, "422", "A parameter or the body does not fit", MEDIA_JSON,
                     "HTTPValidationError");
    put_response(responses, "default", "What went wrong", MEDIA_JSON, "Detail");
}

/* ---- operations ---- */

/* get_api_requests_record_id */
static void put_operation_id(cJSON *o, const struct call_route *route)
{
    struct buf id = {0};

    buf_printf(&id, "%s%s", route->method, route->pattern);
    for (size_t i = 0, n = id.len, len = 0; i <= n; i++) {
        char c = (char)tolower((unsigned char)id.ptr[i]);

        if (c == '{' || c == '}')
            continue;
        id.ptr[len++] = isalnum((unsigned char)c) || c == '\0' ? c : '_';
    }
    json_put_text(o, "operationId", id.ptr);
    buf_clear(&id);
}

static void put_tags(cJSON *o, struct str pattern, bool is_public)
{
    cJSON *tags = cJSON_AddArrayToObject(o, "tags");
    struct str tag;

    if (is_public && str_starts(pattern, STR("/api/"))) {
        json_add_str(tags, STR("public api"));
        return;
    }
    if (str_starts(pattern, STR("/admin")))
        pattern = str_from(pattern, strlen("/admin"));
    if (str_starts(pattern, STR("/api/")))
        pattern = str_from(pattern, strlen("/api"));
    pattern = str_from(pattern, 1);
    if (str_split(&pattern, '/', &tag))
        json_add_str(tags, tag);
}

static void add_operation(cJSON *paths, const struct call_route *route, const struct operation *op,
                          bool is_public)
{
    cJSON *path = cJSON_GetObjectItemCaseSensitive(paths, route->pattern), *o;
    char method[16] = "";

    for (size_t i = 0; route->method[i] && i + 1 < sizeof(method); i++)
        method[i] = (char)tolower((unsigned char)route->method[i]);
    if (!path)
        path = cJSON_AddObjectToObject(paths, route->pattern);
    o = cJSON_AddObjectToObject(path, method);
    put_tags(o, str_c(route->pattern), is_public);
    json_put_text(o, "summary", op->summary);
    put_operation_id(o, route);
    put_parameters(o, route, op);
    if (op->body)
        put_body(o, op);
    put_responses(o, route, op);
}

static void put_paths(cJSON *document, bool is_public)
{
    cJSON *paths = cJSON_AddObjectToObject(document, "paths");

    for (size_t t = 0; dispatch_tables[t]; t++) {
        for (const struct call_route *route = dispatch_tables[t]; route->method; route++) {
            const struct operation *op = operation_of(route);

            if (op &&
                is_public == (op->is_public && !str_starts(str_c(route->pattern), STR(ADMIN))))
                add_operation(paths, route, op, is_public);
        }
    }
}

/* ---- shapes ---- */

static bool mentions(struct str text, const char *name)
{
    struct buf reference = {0};
    bool found;

    buf_printf(&reference, "\"#/components/schemas/%s\"", name);
    found = str_find(text, buf_str(&reference)) >= 0;
    buf_clear(&reference);
    return found;
}

/* cJSON frees the name that it replaces before it copies the new one: they must not be the same. */
static void add_shape(cJSON *schemas, cJSON *shape)
{
    char *name = str_dup(str_c(shape->string));

    cJSON_AddItemToObject(schemas, name, shape);
    free(name);
}

/* The shapes that what is in the document refers to, and those that these refer to. */
static int put_components(cJSON *document, struct err *err)
{
    cJSON *all = cJSON_CreateObject(), *shape, *next;
    cJSON *schemas =
        cJSON_AddObjectToObject(cJSON_AddObjectToObject(document, "components"), "schemas");
    struct buf text = {0};
    bool more = true;
    int rc = shapes_add(all, str_c(api_shapes), err);

    if (rc == 0 && !json_print(&text, document))
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the document");
    while (rc == 0 && more) { /* what was passed over may be named by what came after it */
        more = false;
        for (shape = all->child; shape; shape = next) {
            next = shape->next;
            if (!mentions(buf_str(&text), shape->string))
                continue;
            cJSON_DetachItemViaPointer(all, shape);
            json_print(&text, shape);
            add_shape(schemas, shape);
            more = true;
        }
    }
    buf_clear(&text);
    cJSON_Delete(all);
    return rc;
}

static void answer(struct call *call, bool is_public)
{
    cJSON *o = cJSON_CreateObject(), *info;
    struct err err;

    json_put_text(o, "openapi", "3.1.0");
    info = cJSON_AddObjectToObject(o, "info");
    json_put_text(info, "title",
                  is_public ? "LLM Observe Proxy" : "LLM Observe Proxy: administration");
    json_put_text(info, "summary",
                  is_public ? "Captured LLM traffic, runs and models, for programs."
                            : "Configuration, prices, live traffic and storage. No promise is "
                              "made that these calls stay as they are.");
    json_put_text(info, "version", LOP_VERSION);
    put_paths(o, is_public);
    if (put_components(o, &err) == 0) {
        call_json(call, 200, o);
    } else {
        call_error(call, &err);
        cJSON_Delete(o);
    }
}

static void run_public(struct call *call, struct store *store)
{
    (void)store;
    answer(call, true);
}

static void run_admin(struct call *call, struct store *store)
{
    (void)store;
    answer(call, false);
}

const struct call_route api_openapi_routes[] = {
    {"GET", "/api/openapi.json", .run = run_public},
    {"GET", "/admin/api/openapi.json", .run = run_admin},
    {0},
};
