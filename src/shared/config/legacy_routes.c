#include "config/legacy_routes.h"

#include <stdlib.h>

#include "base/log.h"
#include "config/models_file.h"
#include "store/store_routing.h"

#define SETTING "model_routes_json"

static int has_own_routes(struct store *store, bool *found, struct err *err)
{
    struct arena arena = {0};
    struct route *routes;
    size_t count;
    int rc = store_routes(store, &arena, &routes, &count, err);

    *found = false;
    for (size_t i = 0; rc == 0 && i < count; i++)
        *found = *found || !routes[i].managed_by.ptr;
    arena_clear(&arena);
    return rc;
}

/* A generated route of the same name gives way; a provider that is not there is left out. */
static int adopt_one(struct store *store, struct route r, struct err *err)
{
    struct arena arena = {0};
    struct provider provider;
    struct route old;
    int rc = -1;

    r.priority = ROUTE_PRIORITY;
    if (store_route_find(store, r.incoming_model, r.prefix, &arena, &old, err) == 0)
        r.id = old.id;
    else if (err->code != ERR_NOT_FOUND)
        goto out;
    if (r.provider_slug.ptr &&
        store_provider_get(store, r.provider_slug, &arena, &provider, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            goto out;
        r.provider_slug = STR_NONE;
    }
    rc = store_route_put(store, &r, err);
out:
    arena_clear(&arena);
    return rc;
}

static int adopt_all(struct store *store, const struct models *m, struct err *err)
{
    for (size_t i = 0; i < m->route_count; i++)
        if (adopt_one(store, m->routes[i], err) < 0)
            return -1;
    return store_setting_put(store, STR(SETTING), STR_NONE, err);
}

static int adopt(struct store *store, const struct models *m, struct err *err)
{
    if (store_begin(store, err) < 0)
        return -1;
    if (adopt_all(store, m, err) < 0 || store_commit(store, err) < 0) {
        store_rollback(store);
        return -1;
    }
    log_info("routes of the setting " SETTING " are stored routes now count=%zu", m->route_count);
    return 0;
}

/* Whether text is the list that is meant; a warning says why not. */
static bool is_usable(struct models *m, struct str text)
{
    struct err why = {0};

    if (!str_starts(str_trim(text), STR("[")))
        err_set(&why, ERR_INVALID, "it is no JSON array");
    else if (models_parse(m, text, "setting " SETTING, &why) == 0 && m->key_count == 0)
        return true;
    else if (m->key_count > 0)
        err_set(&why, ERR_INVALID,
                "it holds keys, which are not stored: name variables with "
                "api_key_env, or move the routes to a models file");
    log_warning("the setting " SETTING " is left alone: %s", why.msg);
    return false;
}

int legacy_routes_adopt(struct store *store, struct err *err)
{
    struct models models = {0};
    char *text = NULL;
    bool own = false;
    int rc = store_setting_get(store, STR(SETTING), &text, err);

    if (rc == 0 && text)
        rc = has_own_routes(store, &own, err);
    if (rc == 0 && text && !own && is_usable(&models, str_c(text)))
        rc = adopt(store, &models, err);
    models_clear(&models);
    free(text);
    return rc;
}
