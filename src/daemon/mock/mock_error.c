#include "daemon/mock/mock_priv.h"

#include "daemon/http/response.h"
#include "json/json.h"

static const struct kind {
    int status;
    const char *type, *code; /* OpenAI's; code NULL: null */
    const char *anthropic;
    const char *text;
} kinds[] = {
    {400, "invalid_request_error", NULL, "invalid_request_error", "The request is not valid."},
    {401, "invalid_request_error", "invalid_api_key", "authentication_error",
     "Incorrect API key provided."},
    {402, "insufficient_quota", "insufficient_quota", "billing_error",
     "You exceeded your current quota."},
    {403, "invalid_request_error", "unsupported_country_region_territory", "permission_error",
     "You may not use this model."},
    {404, "invalid_request_error", "model_not_found", "not_found_error", "There is no such model."},
    {413, "invalid_request_error", "request_too_large", "request_too_large",
     "The request is too large."},
    {429, "requests", "rate_limit_exceeded", "rate_limit_error",
     "Rate limit reached. Please try again later."},
    {500, "server_error", NULL, "api_error", "The server had an error."},
    {503, "server_error", "service_unavailable", "overloaded_error", "The engine is overloaded."},
    {504, "server_error", "timeout", "timeout_error", "The request timed out."},
    {529, "server_error", "overloaded", "overloaded_error", "Overloaded"},
};

static const struct kind *find(int status)
{
    size_t n = sizeof(kinds) / sizeof(*kinds);
    size_t other = status < 500 ? 0 : 7;

    for (size_t i = 0; i < n; i++)
        if (kinds[i].status == status)
            return &kinds[i];
    return &kinds[other];
}

const char *mock_error_text(int status)
{
    const struct kind *kind = find(status);

    return kind->status == status ? kind->text : response_reason(status);
}

void mock_error_body(struct buf *out, bool messages, int status, struct str message,
                     const char *request_id)
{
    const struct kind *kind = find(status);

    if (messages) {
        buf_printf(out,
                   "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":", kind->anthropic);
        mock_put_quoted(out, message);
        buf_printf(out, "},\"request_id\":\"%s\"}", request_id);
        return;
    }
    buf_put(out, STR("{\"error\":{\"message\":"));
    mock_put_quoted(out, message);
    buf_printf(out, ",\"type\":\"%s\",\"param\":null,\"code\":", kind->type);
    if (kind->code)
        buf_printf(out, "\"%s\"}}", kind->code);
    else
        buf_put(out, STR("null}}"));
}
