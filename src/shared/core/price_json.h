/* core/price_json.h - prices from JSON: the catalogue the program comes with, bodies of the API and
 * forms. One set of keys and one set of limits for all of them. */
#ifndef CORE_PRICE_JSON_H
#define CORE_PRICE_JSON_H

#include <cjson/cJSON.h>

#include "core/price.h"

#define PRICE_TEXT_MAX 256 /* characters of a model, a display name */
#define PRICE_URL_MAX 2048
#define PRICE_DATE_MAX 32

/** A rate in USD per million tokens, text or number. 1 read, 0 null, blank or missing, -1 none. */
int price_read_rate(const cJSON *value, int64_t *out);
/** Change *p by the members that are there: provider_slug (or provider), model, aliases,
 *  display_name, rates, context_length, active, source_url, checked_at (or checked), release_date
 *  (or released), notes, tiers and variants; null empties a member. Texts are borrowed from o or
 *  in arena. ERR_INVALID says which member is wrong; *p is undefined then. */
int price_read(const cJSON *o, struct arena *arena, struct price *p, struct err *err);
/** The same for a tier. */
int price_tier_read(const cJSON *o, struct arena *arena, struct price_tier *t, struct err *err);
/** Whether p has all a price needs: provider, model, input and output rates, no tiers that
 *  overlap. ERR_INVALID. */
int price_check(const struct price *p, struct err *err);
/** Whether t has rates and a range that no other tier of p shares; t itself may be among them.
 *  ERR_INVALID. */
int price_tier_check(const struct price *p, const struct price_tier *t, struct err *err);
/** Whether a person changed p since the catalogue or a sync wrote it. */
bool price_edited(const struct price *p);
/** A digest of what a catalogue says about a price: equal as long as nobody changed it. */
#define PRICE_DIGEST_SIZE 17
char *price_digest(const struct price *p, char out[PRICE_DIGEST_SIZE]);

#endif
