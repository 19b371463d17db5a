/* The columns and JSON fields of runs. */
#include "runs_priv.h"

const struct column run_columns[] = {
    {"id", "ID", 5, 20, true, false, 0, KIND_INT, "id", NULL, NULL},
    {"name", "NAME", 16, 60, false, true, 0, KIND_TEXT, "name", NULL, NULL},
    {"status", "STATUS", 8, 8, false, false, 2, KIND_TEXT, "status", NULL, NULL},
    {"started", "STARTED", 7, 27, false, false, 3, KIND_TIME, "started_at", NULL, NULL},
    {"open", "OPEN", 6, 20, true, false, 6, KIND_DURATION, "open_duration_ms", NULL, NULL},
    {"requests", "REQUESTS", 8, 20, true, false, 1, KIND_COUNT, "request_count", NULL, NULL},
    {"errors", "ERRORS", 6, 20, true, false, 4, KIND_COUNT, "signals.errors.value", NULL, NULL},
    {"tokens", "TOKENS", 6, 20, true, false, 5, KIND_COUNT, "total_tokens", NULL, NULL},
    {"cost", "COST", 8, 20, true, false, 1, KIND_MONEY, "total_cost_usd", NULL, NULL},
    {"tps", "TPS", 6, 20, true, false, 7, KIND_RATE, "output_tokens_per_second", NULL, NULL},
    {"wall", "WALL", 6, 20, true, false, 8, KIND_DURATION, "llm_wall_time_ms", NULL, NULL},
    {0},
};

const char *run_columns_for(size_t width)
{
    (void)width;
    return "id,name,status,started,open,requests,errors,tokens,cost,tps,wall";
}

const char run_columns_machine[] =
    "id,name,status,started_at,open_duration_ms,request_count,signals.errors.value,total_tokens,"
    "total_cost_usd,output_tokens_per_second,llm_wall_time_ms";

#define SUMMARY(of)                                                                                \
    of "id", of "name", of "notes", of "started_at", of "started_at_fallback",                     \
        of "started_at_table_fallback", of "ended_at", of "ended_at_fallback", of "paused_at",     \
        of "paused_at_fallback", of "is_active", of "is_paused", of "status", of "status_label",   \
        of "open_duration_ms", of "open_duration_display", of "request_count",                     \
        of "request_count_display", of "budget_usd", of "budget_tokens", of "budget_action",       \
        of "budget_thresholds", of "budget"

#define COUNT(of) of ".value", of ".display"

const char *const run_fields[] = {
    SUMMARY(""),
    "llm_wall_time_ms",
    "llm_wall_time_display",
    "total_tokens",
    "total_tokens_display",
    "total_cost_usd",
    "total_cost_display",
    "output_tokens_per_second",
    "output_tokens_per_second_display",
    "signals",
    COUNT("signals.streams"),
    COUNT("signals.images"),
    COUNT("signals.tools"),
    COUNT("signals.errors"),
    NULL,
};

const char *const run_answer_fields[] = {"run", SUMMARY("run."), NULL};

#define SHOWN(of) of, of "_display"
#define PERCENTILES(of) of, of ".count", of ".p50", of ".p95", of ".p99", of ".max"

const char *const run_stats_fields[] = {
    "run",
    SUMMARY("run."),
    "stats",
    SHOWN("stats.request_count"),
    SHOWN("stats.success_count"),
    SHOWN("stats.error_count"),
    SHOWN("stats.pending_count"),
    SHOWN("stats.success_rate"),
    SHOWN("stats.error_rate"),
    "stats.last_activity",
    "stats.last_activity_fallback",
    "stats.llm_wall_time_ms",
    "stats.llm_wall_time_display",
    "stats.run_open_duration_ms",
    "stats.run_open_duration_display",
    "stats.total_request_duration_ms",
    "stats.total_request_duration_display",
    "stats.tokens",
    COUNT("stats.tokens.input"),
    COUNT("stats.tokens.output"),
    COUNT("stats.tokens.total"),
    "stats.cost_usd",
    "stats.cost_display",
    "stats.throughput",
    COUNT("stats.throughput.output_wall"),
    COUNT("stats.throughput.total_wall"),
    COUNT("stats.throughput.output_observed"),
    "stats.models",
    "stats.endpoints",
    "stats.statuses",
    "stats.signals",
    COUNT("stats.signals.streams"),
    COUNT("stats.signals.images"),
    COUNT("stats.signals.tools"),
    COUNT("stats.signals.errors"),
    "stats.unpriced_request_count",
    "stats.reported_cost_usd",
    "stats.reported_cost_display",
    "stats.reported_cost_request_count",
    "stats.cached_input_tokens",
    "stats.reasoning_tokens",
    PERCENTILES("stats.ttft_ms"),
    PERCENTILES("stats.request_duration_ms"),
    "active_run",
    "upstream_url",
    "poll_interval_ms",
    NULL,
};

const char *const what_if_fields[] = {
    "options",
    "baseline",
    "scenarios",
    "selected_keys",
    "compared_count",
    "message",
    "baseline.label",
    "baseline.provider_name",
    "baseline.model",
    "baseline.total_cost_usd",
    NULL,
};
