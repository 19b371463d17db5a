/* "requests curl": the command that sends a request again. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mask.h"
#include "output_file.h"
#include "requests_priv.h"
#include "shell.h"
#include "json/json_scan.h"

#define INLINE_MAX ((size_t)128 * 1024 - 1) /* a word of a command line may have no more */
#define BODY_MAX ((size_t)1 << 30)
#define SECRET STR("***")

const struct opt curl_options[] = {
    {"upstream", 0, OPT_FLAG, NULL, "straight to the upstream, not through the proxy"},
    {"body-file", 0, OPT_TEXT, "FILE", "save the body there, and send it from there"},
    LIST_END,
};

const char curl_more[] =
    "Keys are written as variables such as $OPENAI_API_KEY, never as values. Control\n"
    "characters are written as $'\\x1b', which bash, zsh and ksh understand. A body\n"
    "above 128 KiB, or with NUL in it, needs --body-file.\n"
    "\n"
    "Example\n"
    "  llm-observe-proxy requests curl last-error | sh\n"
    "\n"
    "Exit status: 3 no such request, or its body was not kept; 8 its body is cut.\n";

struct curl {
    struct job job;
    int64_t id;
    bool upstream, truncated;
    const char *body_file;
    struct row record;
    struct buf answer, body, out;
    struct buf key_env, auth_style; /* of the provider, with --upstream */
};

/* ---- what is sent ---- */

static int keep_bytes(void *ctx, struct str bytes, struct err *err)
{
    return buf_add(ctx, bytes, err);
}

static int get_body(struct curl *c)
{
    struct err *err = &c->job.err;
    int rc;

    c->body.limit = BODY_MAX;
    if (row_int(&c->record, "request_bytes") <= 0)
        return 0;
    rc = source_body(&c->job.source, c->id, BODY_REQUEST, keep_bytes, &c->body, &c->truncated, err);
    if (rc < 0)
        return -1;
    if (c->body_file)
        return 0;
    if (c->body.len > INLINE_MAX)
        return err_set(err, ERR_INVALID,
                       "the body of request %" PRId64 " is above 128 KiB; use --body-file FILE",
                       c->id);
    if (str_chr(buf_str(&c->body), '\0') >= 0)
        return err_set(err, ERR_INVALID,
                       "the body of request %" PRId64 " has NUL in it; use --body-file FILE",
                       c->id);
    return 0;
}

/* The upstream gets the model that it knows. */
static int replace_model(struct curl *c)
{
    struct str json, model, wanted;
    struct buf changed = {0};
    struct err *err = &c->job.err;
    int rc;

    if (!c->upstream || !row_get(&c->record, "upstream_model", &wanted) ||
        json_scan(buf_str(&c->body), &json) != JSON_OBJECT ||
        !json_member(json, STR("model"), &model) || str_eq(model, wanted))
        return 0;
    rc = buf_add(&changed, str_cut(buf_str(&c->body), (size_t)(model.ptr - c->body.ptr)), err);
    if (rc == 0)
        rc = buf_add(&changed, wanted, err);
    if (rc == 0)
        rc = buf_add(&changed,
                     str_from(buf_str(&c->body), (size_t)(model.ptr - c->body.ptr) + model.len),
                     err);
    buf_clear(&c->body);
    c->body = changed;
    return rc;
}

static int get_provider(struct curl *c)
{
    struct buf path = {0}, slug = {0}, text = {0};
    struct row row = {0};
    struct str answer;
    int rc = 0;

    if (c->upstream && row_text(&c->record, "provider_slug", &slug)) {
        buf_printf(&path, "/admin/api/providers/%s", slug.ptr ? slug.ptr : "");
        rc = source_get(&c->job.source, "provider", path.ptr, "", &text, &answer, &c->job.err);
        if (rc == 0 && row_read(&row, answer)) {
            row_text(&row, "api_key_env", &c->key_env);
            row_text(&row, "auth_style", &c->auth_style);
        }
        if (rc < 0 && c->job.err.code == ERR_NOT_FOUND)
            rc = 0; /* deleted since */
    }
    row_clear(&row);
    buf_clear(&text);
    buf_clear(&slug);
    buf_clear(&path);
    return rc;
}

/* ---- the command ---- */

static int put(struct curl *c, const char *own)
{
    return buf_add(&c->out, str_c(own), &c->job.err);
}

static bool is_messages(const struct curl *c)
{
    struct str path;

    return row_get(&c->record, "path", &path) && str_find(path, STR("/messages")) >= 0;
}

/* The variable that holds what a header names: OPENAI_API_KEY, or the name of the header. */
static void put_variable(const struct curl *c, struct str name, char *out, size_t size)
{
    bool anthropic = is_messages(c);
    size_t n = 0;

    if (str_ieq(name, STR("authorization"))) {
        snprintf(out, size, "%s", anthropic ? "ANTHROPIC_AUTH_TOKEN" : "OPENAI_API_KEY");
    } else if (str_ieq(name, STR("x-api-key"))) {
        snprintf(out, size, "ANTHROPIC_API_KEY");
    } else if (str_ieq(name, STR("api-key"))) {
        snprintf(out, size, "AZURE_OPENAI_API_KEY");
    } else if (str_ieq(name, STR("x-goog-api-key")) || str_ieq(name, STR("key"))) {
        snprintf(out, size, "GEMINI_API_KEY");
    } else {
        for (; n < name.len && n + 1 < size; n++)
            out[n] = isalnum((unsigned char)name.ptr[n]) ? (char)toupper((unsigned char)name.ptr[n])
                                                         : '_';
        out[n] = '\0';
    }
}

/* A text in which a secret was masked. */
static int put_secret(struct curl *c, struct str text, struct str name)
{
    char variable[80];

    put_variable(c, name, variable, sizeof(variable));
    return shell_quote_variable(&c->out, text, variable, &c->job.err);
}

/* Where it went, or the address of the proxy that it came to. */
static int put_url(struct curl *c)
{
    struct buf url = {0}, headers = {0};
    struct str json, host;
    int rc;

    if (c->upstream) {
        row_text(&c->record, "upstream_url", &url);
    } else {
        if (c->job.source.client) {
            buf_put(&url, str_c(api_client_url(c->job.source.client)));
        } else if (row_text(&c->record, "request_headers_json", &headers) &&
                   json_scan(buf_str(&headers), &json) == JSON_OBJECT &&
                   json_member(json, STR("host"), &host)) {
            buf_put(&url, STR("http://"));
            value_text(host, &url);
        } else {
            buf_put(&url, STR("http://localhost:8080"));
        }
        row_text(&c->record, "path", &url);
        headers.len = 0;
        if (row_text(&c->record, "query_string", &headers) && headers.len > 0) {
            buf_put(&url, STR("?"));
            buf_add(&url, buf_str(&headers), &c->job.err);
        }
    }
    if (url.len == 0)
        rc = err_set(&c->job.err, ERR_NOT_FOUND, "request %" PRId64 " went to no upstream", c->id);
    else if (str_find(buf_str(&url), SECRET) >= 0)
        rc = put_secret(c, buf_str(&url), STR("key"));
    else
        rc = shell_quote(&c->out, buf_str(&url), &c->job.err);
    buf_clear(&headers);
    buf_clear(&url);
    return rc;
}

static bool is_auth(struct str name)
{
    return str_ieq(name, STR("authorization")) || str_ieq(name, STR("x-api-key")) ||
           str_ieq(name, STR("api-key"));
}

/* What curl says itself, what names this hop only, and a key that another one stands in for. */
static bool is_left_out(const struct curl *c, struct str name)
{
    static const char *const names[] = {
        "host",    "content-length", "connection",       "keep-alive", "transfer-encoding", "te",
        "trailer", "upgrade",        "proxy-connection", "expect",     "content-encoding"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_ieq(name, str_c(names[i])))
            return true;
    return c->upstream &&
           (str_istarts(name, STR("x-llm-observe-")) || (c->key_env.len > 0 && is_auth(name)));
}

static int put_header(struct curl *c, struct str name, struct str value)
{
    struct buf line = {0}, masked = {0};
    bool secret = mask_is_secret_header(name);
    int rc = put(c, " \\\n  -H ");

    buf_put(&line, name);
    buf_put(&line,
            secret || value.len > 0 ? STR(": ") : STR(";")); /* ; is a header without value */
    if (secret) {
        mask_header_value(&masked, name, value);
        buf_put(&line, buf_str(&masked));
        if (rc == 0)
            rc = put_secret(c, buf_str(&line), name);
    } else {
        if (rc == 0 && value.len > 0)
            rc = buf_add(&line, value, &c->job.err);
        if (rc == 0)
            rc = shell_quote(&c->out, buf_str(&line), &c->job.err);
    }
    buf_clear(&masked);
    buf_clear(&line);
    return rc;
}

/* The key that the proxy puts in for this provider. */
static int put_provider_key(struct curl *c)
{
    struct str style = buf_str(&c->auth_style);
    const char *name =
        str_eq(style, STR("api-key")) ? "api-key"
        : str_eq(style, STR("x-api-key")) || (!str_eq(style, STR("bearer")) && is_messages(c))
            ? "x-api-key"
            : "authorization";
    struct buf line = {0};
    int rc = 0;

    if (c->key_env.len == 0 || str_eq(style, STR("none")))
        return 0;
    buf_printf(&line, "%s: %s***", name, strcmp(name, "authorization") == 0 ? "Bearer " : "");
    rc = put(c, " \\\n  -H ");
    if (rc == 0)
        rc = shell_quote_variable(&c->out, buf_str(&line), c->key_env.ptr, &c->job.err);
    buf_clear(&line);
    return rc;
}

static int put_headers(struct curl *c)
{
    struct buf headers = {0}, name = {0}, value = {0};
    struct str json;
    struct json_iter it;
    bool typed = false;
    int rc = 0;

    if (row_text(&c->record, "request_headers_json", &headers) &&
        json_scan(buf_str(&headers), &json) == JSON_OBJECT)
        for (it = json_iter(json); rc == 0 && json_next(&it);) {
            name.len = value.len = 0;
            rc = buf_add(&name, it.key, &c->job.err);
            value_text(it.value, &value);
            if (rc < 0 || is_left_out(c, buf_str(&name)))
                continue;
            typed = typed || str_ieq(buf_str(&name), STR("content-type"));
            rc = put_header(c, buf_str(&name), buf_str(&value));
        }
    if (rc == 0 && c->body.len > 0 && !typed)
        rc = put(c, " \\\n  -H 'content-type:'");
    if (rc == 0)
        rc = put_provider_key(c);
    buf_clear(&value);
    buf_clear(&name);
    buf_clear(&headers);
    return rc;
}

static int put_body(struct curl *c)
{
    struct buf word = {0};
    int rc;

    if (c->body.len == 0 && !c->body_file)
        return 0;
    if (!c->body_file) {
        rc = put(c, " \\\n  --data-raw ");
        return rc == 0 ? shell_quote(&c->out, buf_str(&c->body), &c->job.err) : -1;
    }
    buf_printf(&word, "@%s", c->body_file);
    rc = put(c, " \\\n  --data-binary ");
    if (rc == 0)
        rc = shell_quote(&c->out, buf_str(&word), &c->job.err);
    buf_clear(&word);
    return rc;
}

static int put_command(struct curl *c)
{
    struct buf method = {0};
    int rc;

    row_text(&c->record, "method", &method);
    rc = put(c, row_true(&c->record, "is_stream") ? "curl -N -X " : "curl -X ");
    if (rc == 0)
        rc = shell_quote(&c->out, buf_str(&method), &c->job.err);
    if (rc == 0)
        rc = put(c, " ");
    buf_clear(&method);
    if (rc < 0 || put_url(c) < 0 || put_headers(c) < 0 || put_body(c) < 0)
        return -1;
    return put(c, "\n");
}

/* ---- the verb ---- */

static int get_request(struct curl *c)
{
    char path[64], what[48];
    struct str answer, record;

    if (request_id_read(&c->job.source, c->job.cli->opts.args[0], &c->id, &c->job.err) < 0)
        return -1;
    snprintf(path, sizeof(path), "/api/requests/%" PRId64, c->id);
    snprintf(what, sizeof(what), "request %" PRId64, c->id);
    if (source_get(&c->job.source, what, path, "mode=json", &c->answer, &answer, &c->job.err) < 0)
        return -1;
    if (!json_member(answer, STR("record"), &record) || !row_read(&c->record, record))
        return err_set(&c->job.err, ERR_FAILED, "the answer has no record");
    return 0;
}

static int make(struct curl *c)
{
    if (get_request(c) < 0 || get_body(c) < 0 || replace_model(c) < 0 || get_provider(c) < 0 ||
        put_command(c) < 0)
        return -1;
    if (c->body_file && output_save(c->body_file, buf_str(&c->body), &c->job.err) < 0)
        return -1;
    if (out_text(&c->job.out, buf_str(&c->out), &c->job.err) < 0)
        return -1;
    if (c->truncated) {
        cli_note(&(struct cli){0}, "request %" PRId64 " was cut when it was stored", c->id);
        if (out_end(&c->job.out, &c->job.err) < 0)
            return -1;
        c->job.status = err_exit_status(ERR_PARTIAL);
    }
    return 0;
}

int requests_curl(struct cli *cli)
{
    static const struct out_spec spec = {.pager = false};
    struct curl c = {.job = {.status = -1}};
    int rc = -1;

    if (request_id_check(cli->opts.args[0], &c.job.err) < 0)
        return cli_usage(cli->name, &c.job.err);
    c.upstream = opts_flag(&cli->opts, "upstream");
    c.body_file = opts_text(&cli->opts, "body-file");
    if (job_start(&c.job, cli, &spec))
        rc = make(&c);
    row_clear(&c.record);
    buf_clear(&c.answer);
    buf_clear(&c.body);
    buf_clear(&c.out);
    buf_clear(&c.key_env);
    buf_clear(&c.auth_style);
    return job_end(&c.job, rc);
}
