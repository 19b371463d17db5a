#include "view/view_run.h"

#include "base/clock.h"
#include "view/display.h"
#include "view/view_priv.h"
#include "json/json.h"

void view_put_iso(cJSON *o, const char *key, int64_t wall_us)
{
    char iso[CLOCK_ISO_SIZE];

    json_put_text(o, key, wall_us == UNKNOWN ? NULL : clock_iso(wall_us, iso));
}

void view_put_time(cJSON *o, const char *key, int64_t wall_us)
{
    char text[DISPLAY_SIZE];

    json_put_text(o, key, wall_us == UNKNOWN ? NULL : display_time(wall_us, text));
}

void view_put_compact(cJSON *o, const char *key, int64_t n)
{
    char text[DISPLAY_SIZE];

    json_put_text(o, key, display_compact(n, text));
}

cJSON *view_run_summary(const struct run *run, int64_t now_wall_us)
{
    cJSON *o = cJSON_CreateObject();
    bool open = run->ended_us == UNKNOWN, paused = open && run->paused_us != UNKNOWN;
    const char *status = !open ? "complete" : paused ? "paused" : "active";
    int64_t span_ms = ((open ? now_wall_us : run->ended_us) - run->started_us) / 1000;
    char text[DISPLAY_SIZE];

    if (span_ms < 0)
        span_ms = 0;
    json_put_int(o, "id", run->id);
    json_put_str(o, "name", run->name);
    json_put_str(o, "notes", run->notes);
    view_put_iso(o, "started_at", run->started_us);
    view_put_time(o, "started_at_fallback", run->started_us);
    view_put_time(o, "started_at_table_fallback", run->started_us);
    view_put_iso(o, "ended_at", run->ended_us);
    view_put_time(o, "ended_at_fallback", run->ended_us);
    view_put_iso(o, "paused_at", run->paused_us);
    view_put_time(o, "paused_at_fallback", run->paused_us);
    json_put_bool(o, "is_active", open && !paused);
    json_put_bool(o, "is_paused", paused);
    json_put_text(o, "status", status);
    json_put_text(o, "status_label", status);
    json_put_int(o, "open_duration_ms", span_ms);
    json_put_text(o, "open_duration_display", display_duration(span_ms, text));
    json_put_int(o, "request_count", run->request_count);
    view_put_compact(o, "request_count_display", run->request_count);
    return o;
}
