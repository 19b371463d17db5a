#include "core/run.h"

#include "base/utf8.h"

/* Of one character; what is no UTF-8 may have many bytes and no character. */
#define CHAR_BYTES_MAX 4

enum run_state run_state(const struct run *run)
{
    if (run->ended_us != UNKNOWN)
        return RUN_COMPLETE;
    return run->paused_us != UNKNOWN ? RUN_PAUSED : RUN_ACTIVE;
}

const char *run_state_name(const struct run *run)
{
    static const char *const names[] = {
        [RUN_ACTIVE] = "active",
        [RUN_PAUSED] = "paused",
        [RUN_COMPLETE] = "complete",
    };

    return names[run_state(run)];
}

int64_t run_open_ms(const struct run *run, int64_t now_wall_us)
{
    int64_t end_us = run->ended_us != UNKNOWN ? run->ended_us : now_wall_us;

    return end_us > run->started_us ? (end_us - run->started_us) / 1000 : 0;
}

int run_check(struct str *name, struct str *notes, struct err *err)
{
    *name = str_trim(*name);
    *notes = str_trim(*notes);
    if (name->len == 0)
        return err_set(err, ERR_INVALID, "Run name is required.");
    if (utf8_chars(*name) > RUN_NAME_MAX || name->len > RUN_NAME_MAX * CHAR_BYTES_MAX)
        return err_set(err, ERR_INVALID, "Run name must have at most %zu characters.",
                       RUN_NAME_MAX);
    if (notes->len == 0)
        *notes = STR_NONE;
    return 0;
}

int64_t run_wall_ms(const struct run_sums *sums)
{
    if (sums->completed_us == UNKNOWN || sums->first_created_us == UNKNOWN)
        return UNKNOWN;
    if (sums->completed_us <= sums->first_created_us)
        return 0;
    return (sums->completed_us - sums->first_created_us) / 1000;
}

static int64_t money_of(int64_t sum, int64_t known)
{
    return sum >= RUN_SUM_MAX ? UNKNOWN : run_known(sum, known);
}

int64_t run_cost(const struct run_sums *sums)
{
    return money_of(sums->cost_pusd, sums->costs);
}

int64_t run_reported_cost(const struct run_sums *sums)
{
    return money_of(sums->reported_cost_pusd, sums->reported_costs);
}

int64_t run_known(int64_t sum, int64_t known)
{
    return known > 0 ? sum : UNKNOWN;
}

int64_t run_rank(int64_t count, int64_t percent)
{
    return (count * percent + 99) / 100 - 1;
}
