#include "daemon/mock/mock_model.h"

#include <stdio.h>
#include <stdlib.h>

#include "text/format.h"

#define NUMBER_MAX 32 /* characters */

const struct opt mock_options[] = {
    {"host", 0, OPT_TEXT, "HOST", "listen on this name or address", .fallback = "localhost"},
    {"port", 0, OPT_TEXT, "PORT", "listen on this port, 0 for any free one", .fallback = "0"},
    {"model", 0, OPT_LIST, "NAME", "list this model at /v1/models", .fallback = "mock"},
    {"tokens", 0, OPT_TEXT, "N", "tokens of an answer's text", .fallback = "200"},
    {"ttft", 0, OPT_TEXT, "DURATION", "time to the first token", .fallback = "100ms"},
    {"tps", 0, OPT_TEXT, "N", "tokens a second, 0 for no pacing", .fallback = "50"},
    {"cached", 0, OPT_TEXT, "PERCENT", "part of the prompt reported as cached", .fallback = "0"},
    {"reasoning", 0, OPT_TEXT, "N", "tokens of reasoning before the text", .fallback = "0"},
    {"tool", 0, OPT_TEXT, "NAME", "call this tool when the request declares tools"},
    {"status", 0, OPT_TEXT, "N[:SHARE]", "answer all, or a share, with this error status"},
    {"retry-after", 0, OPT_TEXT, "S", "send Retry-After with error answers"},
    {"cut", 0, OPT_TEXT, "SHARE", "close a share of answers in the middle", .fallback = "0"},
    {"stall", 0, OPT_TEXT, "DURATION", "pause in the middle of an answer"},
    {"no-usage", 0, OPT_FLAG, NULL, "report no token usage"},
    {"text", 0, OPT_TEXT, "FILE", "answer with the text of a file"},
    {"qwen-tags", 0, OPT_FLAG, NULL, "write tool calls as tagged text, as Qwen does"},
    {"seed", 0, OPT_TEXT, "N", "equal seeds give equal bytes", .fallback = "1"},
    {"help", 'h', OPT_FLAG, NULL, "print this help"},
    {0},
};

struct mock_options mock_options_default(void)
{
    return (struct mock_options){
        .tokens = UNKNOWN,
        .ttft_ms = 100,
        .tps = 50,
        .retry_after_s = UNKNOWN,
        .seed = 1,
    };
}

bool mock_name_valid(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.'))
            return false;
    }
    return name.len > 0 && name.len <= MOCK_NAME_MAX;
}

static int bad(struct str value, const char *wanted, struct err *err)
{
    return err_set(err, ERR_INVALID, "\"%.*s\" is not %s", STR_ARG(str_cut(value, 100)), wanted);
}

static int read_count(struct str value, int64_t most, int64_t *out, struct err *err)
{
    int64_t n;
    char wanted[64];

    if (!format_parse_count(value, &n) || n < 0 || n > most) {
        snprintf(wanted, sizeof(wanted), "a number from 0 to %lld", (long long)most);
        return bad(value, wanted, err);
    }
    *out = n;
    return 0;
}

/* Digits with at most one point: what people write, and none of strtod's other forms. */
static int read_decimal(struct str value, double most, const char *wanted, double *out,
                        struct err *err)
{
    char text[NUMBER_MAX + 1];
    size_t digits = 0, points = 0;
    double n;

    for (size_t i = 0; i < value.len; i++) {
        digits += value.ptr[i] >= '0' && value.ptr[i] <= '9';
        points += value.ptr[i] == '.';
    }
    if (digits == 0 || points > 1 || digits + points != value.len || value.len > NUMBER_MAX)
        return bad(value, wanted, err);
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    n = strtod(text, NULL);
    if (n > most)
        return bad(value, wanted, err);
    *out = n;
    return 0;
}

static int read_share(struct str value, double *out, struct err *err)
{
    return read_decimal(value, 1, "a share from 0 to 1", out, err);
}

static int read_duration(struct str value, int64_t *out, struct err *err)
{
    int64_t ms;

    if (!format_parse_duration(value, &ms) || ms < 0 || ms > 86400000)
        return bad(value, "a duration such as 250ms or 2s, at most a day", err);
    *out = ms;
    return 0;
}

static int set_tokens(struct mock_options *o, struct str value, struct err *err)
{
    return read_count(value, MOCK_TOKENS_MAX, &o->tokens, err);
}

static int set_ttft(struct mock_options *o, struct str value, struct err *err)
{
    return read_duration(value, &o->ttft_ms, err);
}

static int set_tps(struct mock_options *o, struct str value, struct err *err)
{
    double tps;

    if (read_decimal(value, 1e9, "a number of tokens a second", &tps, err) < 0)
        return -1;
    if (tps > 0 && tps < 0.001)
        return bad(value, "0 or at least 0.001 tokens a second", err);
    o->tps = tps;
    return 0;
}

static int set_cached(struct mock_options *o, struct str value, struct err *err)
{
    if (value.len > 1 && value.ptr[value.len - 1] == '%')
        value.len--;
    return read_count(value, 100, &o->cached, err);
}

static int set_reasoning(struct mock_options *o, struct str value, struct err *err)
{
    return read_count(value, MOCK_TOKENS_MAX, &o->reasoning, err);
}

static int set_tool(struct mock_options *o, struct str value, struct err *err)
{
    if (!mock_name_valid(value))
        return bad(value, "a tool's name", err);
    o->tool = value;
    return 0;
}

static int set_status(struct mock_options *o, struct str value, struct err *err)
{
    ptrdiff_t colon = str_chr(value, ':');
    struct str number = colon < 0 ? value : str_cut(value, (size_t)colon);
    double share = 1;
    int64_t status;

    if (number.len != 3 || !str_int64(number, &status) || status < 400 || status > 599)
        return bad(value, "an error status from 400 to 599, or STATUS:SHARE", err);
    if (colon >= 0 && read_share(str_from(value, (size_t)colon + 1), &share, err) < 0)
        return -1;
    o->status = (int)status;
    o->status_share = share;
    return 0;
}

static int set_retry_after(struct mock_options *o, struct str value, struct err *err)
{
    return read_count(value, 86400, &o->retry_after_s, err);
}

static int set_cut(struct mock_options *o, struct str value, struct err *err)
{
    if (!value.ptr) {
        o->cut_share = 1;
        return 0;
    }
    return read_share(value, &o->cut_share, err);
}

static int set_stall(struct mock_options *o, struct str value, struct err *err)
{
    return read_duration(value, &o->stall_ms, err);
}

static int set_no_usage(struct mock_options *o, struct str value, struct err *err)
{
    if (value.ptr)
        return err_set(err, ERR_INVALID, "takes no value");
    o->no_usage = true;
    return 0;
}

static int set_qwen(struct mock_options *o, struct str value, struct err *err)
{
    if (value.ptr)
        return err_set(err, ERR_INVALID, "takes no value");
    o->qwen = true;
    return 0;
}

static int set_seed(struct mock_options *o, struct str value, struct err *err)
{
    int64_t seed;

    if (!str_int64(value, &seed))
        return bad(value, "a whole number", err);
    o->seed = (uint64_t)seed;
    return 0;
}

static const struct field {
    const char *flag;
    const char *form; /* in a model name */
    bool bare;        /* may stand without a value there */
    int (*set)(struct mock_options *o, struct str value, struct err *err);
} fields[] = {
    {"tokens", "tokens", false, set_tokens},
    {"ttft", "ttft", false, set_ttft},
    {"tps", "tps", false, set_tps},
    {"cached", "cached", false, set_cached},
    {"reasoning", "reasoning", false, set_reasoning},
    {"tool", "tool", false, set_tool},
    {"status", "status", false, set_status},
    {"retry-after", "retry-after", false, set_retry_after},
    {"cut", "cut", true, set_cut},
    {"stall", "stall", false, set_stall},
    {"no-usage", "nousage", true, set_no_usage},
    {"qwen-tags", "qwen", true, set_qwen},
    {"seed", "seed", false, set_seed},
};
#define FIELDS (sizeof(fields) / sizeof(*fields))

int mock_options_from_flags(struct mock_options *out, const struct opts *opts, struct err *err)
{
    struct mock_options o = *out;

    for (size_t i = 0; i < FIELDS; i++) {
        const struct opt_given *given = opts_find(opts, fields[i].flag);

        if (given->given && fields[i].set(&o, str_c(given->value), err) < 0)
            return err_wrap(err, "--%s", fields[i].flag);
    }
    *out = o;
    return 0;
}

static int unknown(struct str name, struct err *err)
{
    const char *forms[FIELDS];
    struct buf near = {0};

    for (size_t i = 0; i < FIELDS; i++)
        forms[i] = fields[i].form;
    opts_suggest(&near, name, forms, FIELDS);
    err_set(err, ERR_INVALID, "unknown option \"%.*s\" in the model name%.*s",
            STR_ARG(str_cut(name, 100)), STR_ARG(buf_str(&near)));
    buf_clear(&near);
    return -1;
}

static int set_form(struct mock_options *o, struct str option, struct err *err)
{
    ptrdiff_t eq = str_chr(option, '=');
    struct str name = eq < 0 ? option : str_cut(option, (size_t)eq);
    struct str value = eq < 0 ? STR_NONE : str_from(option, (size_t)eq + 1);

    for (size_t i = 0; i < FIELDS; i++) {
        if (!str_eq(name, str_c(fields[i].form)))
            continue;
        if (!value.ptr && !fields[i].bare)
            return err_set(err, ERR_INVALID, "option \"%s\" in the model name needs a value",
                           fields[i].form);
        if (fields[i].set(o, value, err) < 0)
            return err_wrap(err, "option \"%s\" in the model name", fields[i].form);
        return 0;
    }
    return unknown(name, err);
}

int mock_options_from_list(struct mock_options *out, struct str list, struct err *err)
{
    struct mock_options o = *out;
    struct str option;

    if (list.len == 0)
        return unknown(list, err);
    while (str_split(&list, ',', &option))
        if (set_form(&o, option, err) < 0)
            return -1;
    *out = o;
    return 0;
}

int mock_options_from_model(struct mock_options *out, struct str model, struct err *err)
{
    ptrdiff_t comma = str_chr(model, ',');

    return comma < 0 ? 0 : mock_options_from_list(out, str_from(model, (size_t)comma + 1), err);
}
