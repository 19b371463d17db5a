#include "otlp/otlp_call.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/forward.h"
#include "otlp/otlp_json.h"

/* ---- the operation ---- */

static const struct {
    struct str endpoint;
    const char *operation;
} operations[] = {
    {STR("/v1/chat/completions"), "chat"},
    {STR("/v1/messages"), "chat"},
    {STR("/v1/responses"), "chat"},
    {STR("/v1/completions"), "text_completion"},
    {STR("/v1/embeddings"), "embeddings"},
    {STR("/v1/images/generations"), "generate_content"},
    {STR("/v1/images/edits"), "generate_content"},
    {STR("/v1/images/variations"), "generate_content"},
    {STR("/v1/audio/speech"), "generate_content"},
    {STR("/v1/audio/transcriptions"), "generate_content"},
    {STR("/v1/audio/translations"), "generate_content"},
    {STR("/v1/moderations"), "moderation"},
    {STR("/v1/rerank"), "rerank"},
};

static const char *operation_of(const struct record *r)
{
    if (!str_eq(r->method, STR("POST")))
        return NULL;
    for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
        if (forward_endpoint_is(r->endpoint, operations[i].endpoint))
            return operations[i].operation;
    return NULL;
}

/* ---- the server ---- */

static void read_address(struct str url, struct otlp_call *out)
{
    bool tls = str_istarts(url, STR("https://"));
    ptrdiff_t at = str_find(url, STR("://"));
    struct str host, port = STR_NONE;
    ptrdiff_t end, colon;

    out->port = UNKNOWN;
    if (at < 0)
        return;
    host = str_from(url, (size_t)at + 3);
    for (end = 0; end < (ptrdiff_t)host.len && !strchr("/?#", host.ptr[end]); end++)
        ;
    host = str_cut(host, (size_t)end);
    at = str_chr(host, '@');
    host = str_from(host, at < 0 ? 0 : (size_t)at + 1);
    end = str_starts(host, STR("[")) ? str_chr(host, ']') : 0;
    colon = end < 0 ? -1 : str_chr(str_from(host, (size_t)end), ':');
    if (colon >= 0) {
        port = str_from(host, (size_t)(end + colon) + 1);
        host = str_cut(host, (size_t)(end + colon));
    }
    if (host.len > 2 && host.ptr[0] == '[')
        host = str_cut(str_from(host, 1), host.len - 2);
    if (host.len == 0)
        return;
    out->address = host;
    if (!str_int64(port, &out->port))
        out->port = tls ? 443 : 80;
}

/* A host of these, or below them. */
static const struct {
    struct str host;
    const char *provider;
} hosts[] = {
    {STR("api.openai.com"), "openai"},
    {STR("api.anthropic.com"), "anthropic"},
    {STR("openai.azure.com"), "azure.ai.openai"},
    {STR("services.ai.azure.com"), "azure.ai.inference"},
    {STR("models.ai.azure.com"), "azure.ai.inference"},
    {STR("generativelanguage.googleapis.com"), "gcp.gemini"},
    {STR("aiplatform.googleapis.com"), "gcp.vertex_ai"},
    {STR("amazonaws.com"), "aws.bedrock"},
    {STR("ml.cloud.ibm.com"), "ibm.watsonx.ai"},
    {STR("api.cohere.com"), "cohere"},
    {STR("api.cohere.ai"), "cohere"},
    {STR("api.deepseek.com"), "deepseek"},
    {STR("api.groq.com"), "groq"},
    {STR("api.mistral.ai"), "mistral_ai"},
    {STR("api.moonshot.ai"), "moonshot_ai"},
    {STR("api.moonshot.cn"), "moonshot_ai"},
    {STR("api.perplexity.ai"), "perplexity"},
    {STR("api.x.ai"), "x_ai"},
};

static bool is_below(struct str host, struct str domain)
{
    struct str tail;

    if (host.len < domain.len)
        return false;
    tail = str_from(host, host.len - domain.len);
    if (!str_ieq(tail, domain))
        return false;
    return host.len == domain.len || host.ptr[host.len - domain.len - 1] == '.' ||
           host.ptr[host.len - domain.len - 1] == '-';
}

/* Which provider is best known by its host, then by the name it has here, then by its dialect. */
static struct str provider_of(const struct record *r, struct str host)
{
    struct str slug =
        r->billing_provider_slug.len > 0 ? r->billing_provider_slug : r->provider_slug;

    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
        if (is_below(host, hosts[i].host))
            return str_c(hosts[i].provider);
    if (slug.len > 0)
        return slug;
    return forward_endpoint_is(r->endpoint, STR("/v1/messages")) ? STR("anthropic") : STR("openai");
}

/* ---- how it went ---- */

static struct str error_of(const struct record *r, char storage[24])
{
    const char *outcome = record_outcome(r);
    bool refused = str_eq(r->terminated_by, STR(TERMINATED_REFUSED));

    if (!outcome || strcmp(outcome, "ok") == 0 || strcmp(outcome, "rewritten") == 0)
        return STR_NONE;
    if (r->response_status != UNKNOWN && (refused || strcmp(outcome, "http_error") == 0))
        snprintf(storage, 24, "%" PRId64, r->response_status);
    else
        snprintf(storage, 24, "%s", outcome);
    return str_c(storage);
}

void otlp_call_read(const struct record *r, struct otlp_call *out)
{
    *out = (struct otlp_call){.operation = operation_of(r)};
    out->model = r->upstream_model.len > 0 ? r->upstream_model : r->model;
    read_address(r->upstream_url, out);
    out->provider = provider_of(r, out->address);
    out->error_type = error_of(r, out->error_storage);
}

void otlp_put_call(struct buf *out, const struct otlp_call *call, const struct record *r)
{
    if (call->operation) {
        otlp_put_text(out, "gen_ai.operation.name", str_c(call->operation));
        otlp_put_text(out, "gen_ai.provider.name", call->provider);
        otlp_put_text(out, "gen_ai.request.model", call->model);
        otlp_put_text(out, "gen_ai.response.model", r->response_model);
    }
    otlp_put_text(out, "server.address", call->address);
    otlp_put_int(out, "server.port", call->port);
}
