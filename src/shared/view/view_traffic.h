/* view/view_traffic.h - what happened lately as JSON: the members of /api/live that sum up. */
#ifndef VIEW_VIEW_TRAFFIC_H
#define VIEW_VIEW_TRAFFIC_H

#include <cjson/cJSON.h>

#include "core/traffic.h"

/** "rates", "minute", "recent", "series" (of so many seconds), "models", "upstreams", "problems".
 */
void view_put_rates(cJSON *o, const struct traffic_figures *f);
void view_put_minute(cJSON *o, const struct traffic_figures *f);
void view_put_recent(cJSON *o, const struct traffic_figures *f);
void view_put_series(cJSON *o, const struct traffic_figures *f, size_t seconds);
void view_put_models(cJSON *o, const struct traffic_figures *f);
void view_put_upstreams(cJSON *o, const struct traffic_figures *f);
void view_put_problems(cJSON *o, const struct traffic_figures *f);

#endif
