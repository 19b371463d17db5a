/* core/budget.h - what a run, a day, a month or a provider may spend, and when to say so. */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "core/record.h"

enum budget_scope { BUDGET_RUN, BUDGET_DAY, BUDGET_MONTH, BUDGET_PROVIDER, BUDGET_SCOPES };
enum budget_kind { BUDGET_USD, BUDGET_TOKENS, BUDGET_KINDS };
/** As they are stored and shown: "run", "usd". */
extern const char *const budget_scope_names[BUDGET_SCOPES];
extern const char *const budget_kind_names[BUDGET_KINDS];

#define BUDGET_THRESHOLDS_MAX 20
#define BUDGET_PERCENT_MAX 1000
#define BUDGET_DAY_SIZE 16

/** Limits and what happens at them. {0} is none, without thresholds. */
struct budget {
    int64_t limit[BUDGET_KINDS]; /* pico-dollars, tokens; 0: none */
    bool blocks;                 /* at 100 %; else alerts only */
    unsigned count;
    unsigned thresholds[BUDGET_THRESHOLDS_MAX]; /* percent, ascending */
};

/** What a scope has come to. */
struct budget_spent {
    int64_t amount[BUDGET_KINDS];
    int64_t unpriced; /* answered requests whose cost is not known */
};

/** One threshold that was passed; texts are borrowed from whoever has it. */
struct budget_alert {
    int64_t id;
    enum budget_scope scope;
    struct str scope_key; /* id of the run, 2031-04-05, 2031-04, slug of the provider */
    enum budget_kind kind;
    int64_t percent, limit, spent;
    int64_t created_us, acknowledged_us; /* UNKNOWN: not yet */
};

/** A budget and how far it is used; texts are borrowed. */
struct budget_state {
    enum budget_scope scope;
    struct str key;
    struct str name; /* of the run; STR_NONE */
    struct budget budget;
    struct budget_spent spent;
};

/** No limits, alerts at 50, 80 and 100 %. */
void budget_init(struct budget *b);
/** It has a limit. */
bool budget_is_set(const struct budget *b);
/** spent * 100 >= percent * limit, without overflow. False without a limit. */
bool budget_reached(int64_t spent, int64_t limit, unsigned percent);
/** A limit is used up. */
bool budget_exceeded(const struct budget *b, const struct budget_spent *spent);
/** It is, and requests are refused for it. */
bool budget_closed(const struct budget *b, const struct budget_spent *spent);
/** Whole percent of the limit that is used most; UNKNOWN without a limit. */
int64_t budget_percent(const struct budget *b, const struct budget_spent *spent);
/** "none" (no limit), "ok", "warning" (a threshold was passed), "exceeded". */
const char *budget_state_name(const struct budget *b, const struct budget_spent *spent);

/** What one request adds to its scopes: it counts by what is recorded of it. */
void budget_spent_of(const struct record *r, struct budget_spent *out);
/** a + b; INT64_MAX or its negative when it does not fit. */
int64_t budget_sum(int64_t a, int64_t b);

/** The UTC day (2031-04-05) of a time; its first seven bytes are the month. Returns out. */
char *budget_day(int64_t wall_us, char out[BUDGET_DAY_SIZE]);

/** Change the field of b that is called name (usd, tokens, action, thresholds) to value: JSON, or
 *  the text of a form or a setting. null and "" give the default. prefix stands before the name in
 *  messages. 1: done, 0: no such field, -1: ERR_INVALID, b is as it was. */
int budget_set(struct budget *b, const char *prefix, struct str name, const cJSON *value,
               struct err *err);
/** Change all fields that are there: budget_usd, budget_tokens and so on. ERR_INVALID. */
int budget_set_all(struct budget *b, const cJSON *fields, struct err *err);
/** Append the thresholds as a JSON list. */
void budget_thresholds_json(const struct budget *b, struct buf *out);
/** Append the field called name as the text of a setting; nothing for no limit. */
void budget_field_text(const struct budget *b, struct str name, struct buf *out);

#endif
