#include "core/budget.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "core/money.h"
#include "llm/usage.h"
#include "json/json.h"
#include "json/json_number.h"

__extension__ typedef __int128 wide;

const char *const budget_scope_names[BUDGET_SCOPES] = {
    [BUDGET_RUN] = "run",
    [BUDGET_DAY] = "day",
    [BUDGET_MONTH] = "month",
    [BUDGET_PROVIDER] = "provider",
};

const char *const budget_kind_names[BUDGET_KINDS] = {
    [BUDGET_USD] = "usd",
    [BUDGET_TOKENS] = "tokens",
};

/* ---- how far it is used ---- */

static void default_thresholds(struct budget *b)
{
    static const unsigned percents[] = {50, 80, 100};

    b->count = sizeof(percents) / sizeof(*percents);
    memcpy(b->thresholds, percents, sizeof(percents));
}

void budget_init(struct budget *b)
{
    *b = (struct budget){0};
    default_thresholds(b);
}

bool budget_is_set(const struct budget *b)
{
    return b->limit[BUDGET_USD] > 0 || b->limit[BUDGET_TOKENS] > 0;
}

bool budget_reached(int64_t spent, int64_t limit, unsigned percent)
{
    return limit > 0 && (wide)spent * 100 >= (wide)limit * percent;
}

bool budget_exceeded(const struct budget *b, const struct budget_spent *spent)
{
    for (int kind = 0; kind < BUDGET_KINDS; kind++)
        if (budget_reached(spent->amount[kind], b->limit[kind], 100))
            return true;
    return false;
}

bool budget_closed(const struct budget *b, const struct budget_spent *spent)
{
    return b->blocks && budget_exceeded(b, spent);
}

int64_t budget_percent(const struct budget *b, const struct budget_spent *spent)
{
    int64_t most = UNKNOWN;

    for (int kind = 0; kind < BUDGET_KINDS; kind++) {
        wide percent;

        if (b->limit[kind] <= 0)
            continue;
        percent = (wide)spent->amount[kind] * 100 / b->limit[kind];
        if (percent > JSON_MAX_EXACT)
            percent = JSON_MAX_EXACT;
        if (percent > most)
            most = (int64_t)percent;
    }
    return most;
}

const char *budget_state_name(const struct budget *b, const struct budget_spent *spent)
{
    if (!budget_is_set(b))
        return "none";
    if (budget_exceeded(b, spent))
        return "exceeded";
    for (int kind = 0; b->count > 0 && kind < BUDGET_KINDS; kind++)
        if (budget_reached(spent->amount[kind], b->limit[kind], b->thresholds[0]))
            return "warning";
    return "ok";
}

/* ---- what counts ---- */

void budget_spent_of(const struct record *r, struct budget_spent *out)
{
    int64_t cost = r->billing_total_cost_pusd, tokens = r->billing_total_tokens;

    *out = (struct budget_spent){
        .amount = {cost > 0 ? cost : 0, tokens > 0 ? tokens : 0},
        .unpriced = r->completed_us != UNKNOWN && cost == UNKNOWN && r->response_status >= 200 &&
                    r->response_status < 400 && usage_is_consumption(r->method, r->endpoint),
    };
}

int64_t budget_sum(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? -INT64_MAX : INT64_MAX;
    return sum;
}

char *budget_day(int64_t wall_us, char out[BUDGET_DAY_SIZE])
{
    char iso[CLOCK_ISO_SIZE];

    snprintf(out, BUDGET_DAY_SIZE, "%.10s", clock_iso(wall_us, iso));
    return out;
}

/* ---- fields ---- */

static struct str text_of(const cJSON *value)
{
    return cJSON_IsString(value) ? str_trim(str_c(value->valuestring)) : STR_NONE;
}

static bool is_blank(const cJSON *value)
{
    return !value || cJSON_IsNull(value) || (cJSON_IsString(value) && text_of(value).len == 0);
}

/* The digits of a number or a text; STR_NONE: neither. */
static struct str digits_of(const cJSON *value, char room[32])
{
    if (cJSON_IsString(value))
        return text_of(value);
    if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble))
        return STR_NONE;
    snprintf(room, 32, "%.15g", value->valuedouble);
    return str_c(room);
}

static bool read_amount(const cJSON *value, int64_t *out)
{
    char room[32];
    struct str digits = digits_of(value, room);
    int64_t amount;

    if (!digits.ptr || !money_amount(digits, &amount) || amount <= 0)
        return false;
    *out = amount;
    return true;
}

static bool read_integer(const cJSON *value, int64_t least, int64_t most, int64_t *out)
{
    int64_t n;

    if (cJSON_IsString(value)) {
        if (!str_int64(text_of(value), &n))
            return false;
    } else if (cJSON_IsNumber(value) && fabs(value->valuedouble) <= (double)JSON_MAX_EXACT &&
               trunc(value->valuedouble) == value->valuedouble) {
        n = (int64_t)value->valuedouble;
    } else {
        return false;
    }
    if (n < least || n > most)
        return false;
    *out = n;
    return true;
}

/* Keep them ascending, each once. */
static bool add_threshold(struct budget *b, int64_t percent)
{
    unsigned at = 0;

    while (at < b->count && b->thresholds[at] < percent)
        at++;
    if (at < b->count && b->thresholds[at] == percent)
        return true;
    if (b->count == BUDGET_THRESHOLDS_MAX)
        return false;
    memmove(&b->thresholds[at + 1], &b->thresholds[at], (b->count - at) * sizeof(*b->thresholds));
    b->thresholds[at] = (unsigned)percent;
    b->count++;
    return true;
}

static bool read_list(const cJSON *list, struct budget *b)
{
    const cJSON *item;
    int64_t percent;

    b->count = 0;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsNumber(item) || !read_integer(item, 1, BUDGET_PERCENT_MAX, &percent) ||
            !add_threshold(b, percent))
            return false;
    }
    return true;
}

/* "50, 80, 100" */
static bool read_commas(struct str text, struct budget *b)
{
    struct str part;
    int64_t percent;

    b->count = 0;
    while (str_split(&text, ',', &part)) {
        if (!str_int64(str_trim(part), &percent) || percent < 1 || percent > BUDGET_PERCENT_MAX ||
            !add_threshold(b, percent))
            return false;
    }
    return true;
}

static bool read_thresholds(const cJSON *value, struct budget *b)
{
    struct str text = text_of(value);
    cJSON *list;
    bool ok;

    if (cJSON_IsArray(value))
        return read_list(value, b);
    if (!text.ptr)
        return false;
    if (!str_starts(text, STR("[")))
        return read_commas(text, b);
    list = json_parse(text);
    ok = cJSON_IsArray(list) && read_list(list, b);
    cJSON_Delete(list);
    return ok;
}

static bool read_tokens(const cJSON *value, int64_t *out)
{
    return read_integer(value, 1, JSON_MAX_EXACT, out);
}

static int set_usd(struct budget *b, const cJSON *value, const char *prefix, struct err *err)
{
    if (is_blank(value))
        b->limit[BUDGET_USD] = 0;
    else if (!read_amount(value, &b->limit[BUDGET_USD]))
        return err_set(err, ERR_INVALID,
                       "%susd must be an amount in dollars above 0, or null for no limit.", prefix);
    return 1;
}

static int set_tokens(struct budget *b, const cJSON *value, const char *prefix, struct err *err)
{
    if (is_blank(value))
        b->limit[BUDGET_TOKENS] = 0;
    else if (!read_tokens(value, &b->limit[BUDGET_TOKENS]))
        return err_set(err, ERR_INVALID,
                       "%stokens must be a whole number above 0, or null for no limit.", prefix);
    return 1;
}

static int set_action(struct budget *b, const cJSON *value, const char *prefix, struct err *err)
{
    struct str text = text_of(value);

    if (!is_blank(value) && !str_eq(text, STR("alert")) && !str_eq(text, STR("block")))
        return err_set(err, ERR_INVALID, "%saction must be alert or block.", prefix);
    b->blocks = str_eq(text, STR("block"));
    return 1;
}

static int set_thresholds(struct budget *b, const cJSON *value, const char *prefix, struct err *err)
{
    struct budget made = *b;

    if (is_blank(value))
        default_thresholds(&made);
    else if (!read_thresholds(value, &made))
        return err_set(err, ERR_INVALID,
                       "%sthresholds must be a list of at most %d whole percents from 1 to %d.",
                       prefix, BUDGET_THRESHOLDS_MAX, BUDGET_PERCENT_MAX);
    *b = made;
    return 1;
}

int budget_set(struct budget *b, const char *prefix, struct str name, const cJSON *value,
               struct err *err)
{
    if (str_eq(name, STR("usd")))
        return set_usd(b, value, prefix, err);
    if (str_eq(name, STR("tokens")))
        return set_tokens(b, value, prefix, err);
    if (str_eq(name, STR("action")))
        return set_action(b, value, prefix, err);
    return str_eq(name, STR("thresholds")) ? set_thresholds(b, value, prefix, err) : 0;
}

int budget_set_all(struct budget *b, const cJSON *fields, struct err *err)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, fields)
    {
        struct str key = str_c(item->string);

        if (str_starts(key, STR("budget_")) &&
            budget_set(b, "budget_", str_from(key, sizeof("budget_") - 1), item, err) < 0)
            return -1;
    }
    return 0;
}

void budget_thresholds_json(const struct budget *b, struct buf *out)
{
    buf_put(out, STR("["));
    for (unsigned i = 0; i < b->count; i++)
        buf_printf(out, "%s%u", i ? "," : "", b->thresholds[i]);
    buf_put(out, STR("]"));
}

void budget_field_text(const struct budget *b, struct str name, struct buf *out)
{
    char amount[MONEY_SIZE];

    if (str_eq(name, STR("usd"))) {
        if (b->limit[BUDGET_USD] > 0)
            buf_put(out, str_c(money_print(b->limit[BUDGET_USD], amount)));
    } else if (str_eq(name, STR("tokens"))) {
        if (b->limit[BUDGET_TOKENS] > 0)
            buf_printf(out, "%lld", (long long)b->limit[BUDGET_TOKENS]);
    } else if (str_eq(name, STR("action"))) {
        buf_put(out, b->blocks ? STR("block") : STR("alert"));
    } else {
        budget_thresholds_json(b, out);
    }
}
