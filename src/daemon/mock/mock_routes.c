/* What the mock answers to each path. */
#include "daemon/mock/mock_priv.h"

#include <stdio.h>

#include "llm/multipart.h"
#include "json/json.h"

#define CREATED 1767225600 /* of the models: 2026 */
#define TRANSCRIPT_TOKENS 30
#define BYTES_PER_TOKEN 1000 /* of sound */

static void fail(struct mock_call *call, const struct err *err)
{
    mock_call_error(call, err_http_status(err->code), (struct header){0}, str_c(err->msg));
}

/* True for the given share of requests; which of them depends on seed and order only. */
static bool draw(struct mock_call *call, double share, uint64_t what)
{
    uint64_t seed = call->answer.request.options.seed;
    double point;

    if (share <= 0 || share >= 1)
        return share >= 1;
    point = (double)(mock_mix(mock_mix(seed, what), call->shared->count) >> 11) / 0x1p53;
    return point < share;
}

/* The error that the options ask for. True: it was sent. */
static bool send_wanted_error(struct mock_call *call)
{
    const struct mock_options *o = &call->answer.request.options;
    struct header retry = {0};
    char seconds[24];

    if (o->status == 0 || !draw(call, o->status_share, 1))
        return false;
    if (o->retry_after_s != UNKNOWN) {
        snprintf(seconds, sizeof(seconds), "%lld", (long long)o->retry_after_s);
        retry = (struct header){STR("Retry-After"), str_c(seconds)};
    }
    mock_call_error(call, o->status, retry, str_c(mock_error_text(o->status)));
    return true;
}

static int header_options(struct mock_call *call, const struct request *r, struct err *err)
{
    struct str list = headers_get(&r->headers, STR("x-mock-options"));

    return list.ptr ? mock_options_from_list(&call->answer.request.options, list, err) : 0;
}

/* Model, options and the errors they want. False: it was answered. */
static bool begin(struct mock_call *call, const struct request *r, struct str *body)
{
    struct mock_answer *a = &call->answer;
    struct err err;

    a->key = mock_hash(call->shared->config.options.seed, *body);
    if (header_options(call, r, &err) < 0 ||
        mock_request_model(&a->request, body, &a->arena, &err) < 0) {
        fail(call, &err);
        return false;
    }
    return !send_wanted_error(call);
}

static void complete(struct mock_call *call, enum mock_api api, struct str body)
{
    struct mock_answer *a = &call->answer;
    struct err err;

    a->api = api;
    if (mock_request_read(&a->request, api, body, &err) < 0 ||
        mock_answer_plan(a, &call->shared->text, body, &err) < 0 ||
        (!a->request.stream && mock_form(api)->json(a, &call->json, &err) < 0)) {
        buf_clear(&call->json);
        fail(call, &err);
        return;
    }
    call->cut = draw(call, a->request.options.cut_share, 2);
    mock_call_paced(call);
}

static void on_chat(struct mock_call *call, struct request *r, struct str body)
{
    if (begin(call, r, &body))
        complete(call, MOCK_CHAT, body);
}

static void on_completions(struct mock_call *call, struct request *r, struct str body)
{
    if (begin(call, r, &body))
        complete(call, MOCK_COMPLETIONS, body);
}

static void on_responses(struct mock_call *call, struct request *r, struct str body)
{
    if (begin(call, r, &body))
        complete(call, MOCK_RESPONSES, body);
}

static void on_messages(struct mock_call *call, struct request *r, struct str body)
{
    if (begin(call, r, &body))
        complete(call, MOCK_MESSAGES, body);
}

static void on_count_tokens(struct mock_call *call, struct request *r, struct str body)
{
    struct mock_request *q = &call->answer.request;
    char text[64];
    struct err err;
    int n;

    if (!begin(call, r, &body))
        return;
    if (mock_request_read(q, MOCK_MESSAGES, body, &err) < 0) {
        fail(call, &err);
        return;
    }
    n = snprintf(text, sizeof(text), "{\"input_tokens\":%lld}", (long long)q->prompt_tokens);
    mock_call_json(call, 200, (struct str){text, (size_t)n});
}

static void on_embeddings(struct mock_call *call, struct request *r, struct str body)
{
    struct err err;

    if (!begin(call, r, &body))
        return;
    if (mock_embeddings(&call->json, &call->answer.request, body, &err) < 0) {
        buf_clear(&call->json);
        fail(call, &err);
        return;
    }
    call->cut = draw(call, call->answer.request.options.cut_share, 2);
    mock_call_paced(call);
}

/* ---- audio ---- */

static bool has_file(const struct multipart *form, struct str *content)
{
    for (size_t i = 0; i < form->count; i++) {
        if (!str_eq(form->parts[i].name, STR("file")))
            continue;
        *content = form->parts[i].content;
        return true;
    }
    return false;
}

static int plan_transcript(struct mock_call *call, struct str sound, struct err *err)
{
    struct mock_answer *a = &call->answer;
    struct mock_options *o = &a->request.options;

    if (o->tokens == UNKNOWN && !call->shared->text.in_order)
        o->tokens = TRANSCRIPT_TOKENS;
    o->reasoning = 0;
    a->request.limit = UNKNOWN;
    a->request.prompt_tokens = (int64_t)(sound.len / BYTES_PER_TOKEN) + 1;
    return mock_answer_plan(a, &call->shared->text, sound, err);
}

static int put_transcript(struct mock_call *call, struct err *err)
{
    const struct mock_answer *a = &call->answer;
    struct buf *out = &call->json;

    buf_put(out, STR("{\"text\":"));
    if (mock_put_part(out, &a->parts[0], err) < 0)
        return -1;
    if (!a->request.options.no_usage)
        buf_printf(out,
                   ",\"usage\":{\"type\":\"tokens\",\"input_tokens\":%lld,\"input_token_details\":{"
                   "\"text_tokens\":0,\"audio_tokens\":%lld},\"output_tokens\":%lld,"
                   "\"total_tokens\":%lld}",
                   (long long)a->prompt, (long long)a->prompt, (long long)a->output,
                   (long long)(a->prompt + a->output));
    buf_put(out, STR("}"));
    return 0;
}

static int read_form(struct mock_call *call, struct request *r, struct str body, struct str *sound,
                     struct err *err)
{
    struct mock_request *q = &call->answer.request;
    struct str type = headers_get(&r->headers, STR("content-type"));
    struct str boundary = multipart_boundary(type), model;
    struct multipart form;

    if (!boundary.ptr || !multipart_parse(body, boundary, &form))
        return err_set(err, ERR_INVALID, "We could not parse the form of your request.");
    if (!has_file(&form, sound))
        return err_set(err, ERR_INVALID, "you must provide a file");
    if (!multipart_field(&form, STR("model"), &model) || model.len == 0)
        return err_set(err, ERR_INVALID, "you must provide a model parameter");
    if (model.len > MOCK_MODEL_MAX)
        return err_set(err, ERR_INVALID, "the model name is too long");
    q->model = arena_dup(&call->answer.arena, model);
    if (!q->model.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    if (header_options(call, r, err) < 0)
        return -1;
    return mock_options_from_model(&q->options, q->model, err);
}

static void on_transcriptions(struct mock_call *call, struct request *r, struct str body)
{
    struct str sound = STR_NONE;
    struct err err;

    if (read_form(call, r, body, &sound, &err) < 0) {
        fail(call, &err);
        return;
    }
    if (send_wanted_error(call))
        return;
    if (plan_transcript(call, sound, &err) < 0 || put_transcript(call, &err) < 0) {
        buf_clear(&call->json);
        fail(call, &err);
        return;
    }
    call->cut = draw(call, call->answer.request.options.cut_share, 2);
    mock_call_paced(call);
}

/* ---- models ---- */

static void put_model(struct buf *out, struct str name)
{
    buf_put(out, STR("{\"id\":"));
    mock_put_quoted(out, name);
    buf_printf(out, ",\"object\":\"model\",\"created\":%d,\"owned_by\":\"llm-observe-proxy\"}",
               CREATED);
}

static void on_models(struct mock_call *call, struct request *r, struct str body)
{
    const struct mock_config *config = &call->shared->config;
    struct buf out = {0};

    (void)r;
    (void)body;
    buf_put(&out, STR("{\"object\":\"list\",\"data\":["));
    for (size_t i = 0; i < config->model_count; i++) {
        if (i > 0)
            buf_put(&out, STR(","));
        put_model(&out, str_c(config->models[i]));
    }
    buf_put(&out, STR("]}"));
    mock_call_json(call, 200, buf_str(&out));
    buf_clear(&out);
}

/* Any name is served, so each of them is there. */
static void on_model(struct mock_call *call, struct request *r, struct str body)
{
    struct str name = str_from(r->path, sizeof("/v1/models/") - 1);
    struct buf out = {0};

    (void)body;
    put_model(&out, name);
    mock_call_json(call, 200, buf_str(&out));
    buf_clear(&out);
}

/* ---- the table ---- */

struct route {
    const char *path;
    const char *method;
    void (*answer)(struct mock_call *call, struct request *r, struct str body);
    bool prefix; /* more may follow the path */
};

static const struct route routes[] = {
    {"/v1/chat/completions", "POST", on_chat, false},
    {"/v1/completions", "POST", on_completions, false},
    {"/v1/responses", "POST", on_responses, false},
    {"/v1/messages", "POST", on_messages, false},
    {"/v1/messages/count_tokens", "POST", on_count_tokens, false},
    {"/v1/embeddings", "POST", on_embeddings, false},
    {"/v1/audio/transcriptions", "POST", on_transcriptions, false},
    {"/v1/models", "GET", on_models, false},
    {"/v1/models/", "GET", on_model, true},
};

static const struct route *find(struct str path)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
        struct str own = str_c(routes[i].path);

        if (routes[i].prefix ? str_starts(path, own) && path.len > own.len : str_eq(path, own))
            return &routes[i];
    }
    return NULL;
}

static bool method_fits(const struct route *route, struct str method)
{
    return str_eq(method, str_c(route->method)) ||
           (str_eq(method, STR("HEAD")) && strcmp(route->method, "GET") == 0);
}

static void refuse_path(struct mock_call *call, struct request *r)
{
    struct str path = str_cut(r->path, 200);
    char text[320];

    snprintf(text, sizeof(text), "Invalid URL (%.*s %.*s)", STR_ARG(r->method), STR_ARG(path));
    mock_call_error(call, 404, (struct header){0}, str_c(text));
}

void mock_route(struct mock_call *call, struct request *r)
{
    const struct route *route = find(r->path);

    call->answer.request.options = call->shared->config.options;
    call->answer.key = mock_hash(call->shared->config.options.seed, r->path);
    call->messages = str_starts(r->path, STR("/v1/messages"));
    if (!route) {
        refuse_path(call, r);
    } else if (!method_fits(route, r->method)) {
        mock_call_error(call, 405, (struct header){STR("Allow"), str_c(route->method)},
                        STR("Method not allowed."));
    } else {
        call->shared->count += strcmp(route->method, "POST") == 0;
        route->answer(call, r, blob_str(&r->body));
    }
}
