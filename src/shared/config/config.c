#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "core/forward.h"
#include "json/json.h"

static const struct {
    const char *name;
    int64_t value, least, most;
} settings_table[] = {
#define X(name, value, least, most, help) {#name, value, least, most},
    SETTINGS(X)
#undef X
};
#define SETTING_COUNT (sizeof(settings_table) / sizeof(*settings_table))

static int64_t *setting_at(struct config *c, size_t i)
{
    return (int64_t *)(void *)&c->settings + i;
}

/* An empty variable counts as unset. */
static const char *env(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

static void replace(char **text, const char *value)
{
    free(*text);
    *text = xstrdup(value);
}

static int choose(const struct opts *o, const char *flag, const char *variable,
                  const char *fallback, char **out, const char **source)
{
    const char *value = opts_text(o, flag);

    *source = value ? "flag" : "environment";
    if (!value)
        value = env(variable);
    if (!value) {
        value = fallback;
        *source = "default";
    }
    replace(out, value);
    return 0;
}

static int parse_number(const char *what, struct str text, int64_t least, int64_t most,
                        int64_t *out, struct err *err)
{
    int64_t n;

    if (!str_int64(str_trim(text), &n) || n < least || n > most)
        return err_set(err, ERR_INVALID, "%s: \"%.*s\" is not a number from %lld to %lld", what,
                       STR_ARG(str_cut(text, 60)), (long long)least, (long long)most);
    *out = n;
    return 0;
}

static int load_port(struct config *c, const struct opts *o, struct err *err)
{
    const char *flag = opts_text(o, "port"), *variable = env("LLM_OBSERVE_INCOMING_PORT");
    struct err ignored;
    int64_t n = 8080;

    c->port_source = "default";
    if (flag) {
        if (parse_number("--port", str_c(flag), 0, 65535, &n, err) < 0)
            return -1;
        c->port_source = "flag";
    } else if (variable) {
        if (parse_number("LLM_OBSERVE_INCOMING_PORT", str_c(variable), 1, 65535, &n, &ignored) < 0)
            fprintf(stderr, "llm-observe-proxy: %s; using 8080\n", ignored.msg);
        else
            c->port_source = "environment";
    }
    c->port = (int)n;
    return 0;
}

static int load_host(struct config *c, const struct opts *o)
{
    const char *flag = opts_text(o, "host"), *expose = env("LLM_OBSERVE_EXPOSE_ALL_IPS");

    choose(o, "host", "LLM_OBSERVE_INCOMING_HOST", "localhost", &c->host, &c->host_source);
    c->expose_all = opts_flag(o, "expose-all-ips");
    if (c->expose_all) {
        c->host_source = "flag";
    } else if (!flag && expose && str_is_yes(str_c(expose))) {
        c->expose_all = true;
        c->host_source = "environment";
    }
    return 0;
}

static int load_upstream(struct config *c, const struct opts *o, struct err *err)
{
    struct str clean;

    choose(o, "upstream-url", "LLM_OBSERVE_UPSTREAM_URL", "http://localhost:8000/v1",
           &c->upstream_url, &c->upstream_source);
    if (forward_check_base_url(str_c(c->upstream_url), &clean, err) < 0)
        return err_wrap(err, "%s",
                        opts_text(o, "upstream-url") ? "--upstream-url"
                                                     : "LLM_OBSERVE_UPSTREAM_URL");
    {
        char *kept = str_dup(clean);

        free(c->upstream_url);
        c->upstream_url = kept;
    }
    return 0;
}

/* Flag, variable with a path, variable with the text itself. */
static int load_models(struct config *c, const struct opts *o, struct err *err)
{
    const char *flag = opts_text(o, "models-file"), *file = env("LLM_OBSERVE_MODELS_FILE");
    const char *text = env("LLM_OBSERVE_MODELS_JSON");
    const char *fixes = env("LLM_OBSERVE_DEFAULT_FIXES_JSON");
    int rc = 0;

    c->models_source = flag ? "flag" : file || text ? "environment" : "default";
    replace(&c->models_path, flag ? flag : file);
    if (c->models_path)
        rc = models_load(&c->models, c->models_path, err);
    else if (text)
        rc = models_parse(&c->models, str_c(text), "LLM_OBSERVE_MODELS_JSON", err);
    if (rc == 0 && !c->models.fixes_json.ptr && fixes)
        rc = models_default_fixes(&c->models, str_c(fixes), "LLM_OBSERVE_DEFAULT_FIXES_JSON", err);
    return rc;
}

static int load_log(struct config *c, const struct opts *o, struct err *err)
{
    const char *level = opts_text(o, "log-level"), *format = opts_text(o, "log-format");
    const char *where = level ? "--log-level" : "LLM_OBSERVE_LOG_LEVEL";

    c->log_level = LOG_INFO;
    if (!level)
        level = env("LLM_OBSERVE_LOG_LEVEL");
    if (level && !log_level_parse(str_c(level), &c->log_level))
        return err_set(err, ERR_INVALID,
                       "%s: \"%.60s\" is none of critical, error, warning, info, debug, trace",
                       where, level);
    if (format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
        return err_set(err, ERR_INVALID, "--log-format: \"%.60s\" is neither text nor json",
                       format);
    c->log_json = format && strcmp(format, "json") == 0;
    c->quiet = opts_flag(o, "quiet");
    if (c->quiet && c->log_level < LOG_WARNING)
        c->log_level = LOG_WARNING;
    return 0;
}

static void add_name(char ***list, size_t *count, struct str name)
{
    name = str_trim(name);
    if (name.len == 0)
        return;
    *list = xrealloc(*list, *count + 1, sizeof(**list));
    (*list)[(*count)++] = str_dup(name);
}

static void load_names(const struct opts *o, const char *flag, const char *variable, char ***list,
                       size_t *count)
{
    const struct opt_given *given = opts_find(o, flag);
    struct str rest = str_c(env(variable)), name;

    for (size_t i = 0; given && i < given->count; i++)
        add_name(list, count, str_c(given->list[i]));
    while (str_split(&rest, ',', &name))
        add_name(list, count, name);
}

static int set_one(struct config *c, struct str pair, struct err *err)
{
    ptrdiff_t eq = str_chr(pair, '=');
    struct str key = str_cut(pair, eq < 0 ? pair.len : (size_t)eq);
    char what[96];

    if (eq < 0)
        return err_set(err, ERR_INVALID, "--set: \"%.*s\" is not KEY=VALUE",
                       STR_ARG(str_cut(pair, 60)));
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        struct str value = str_from(pair, (size_t)eq + 1);

        if (!str_eq(key, str_c(settings_table[i].name)))
            continue;
        c->setting_sources[i] = "flag";
        if (settings_table[i].most == 1) {
            *setting_at(c, i) = str_is_yes(value);
            return 0;
        }
        snprintf(what, sizeof(what), "--set %s", settings_table[i].name);
        return parse_number(what, value, settings_table[i].least, settings_table[i].most,
                            setting_at(c, i), err);
    }
    return err_set(err, ERR_INVALID, "--set: there is no setting \"%.*s\"",
                   STR_ARG(str_cut(key, 60)));
}

static int load_settings(struct config *c, const struct opts *o, struct err *err)
{
    const struct opt_given *given = opts_find(o, "set");

    for (size_t i = 0; i < SETTING_COUNT; i++) {
        *setting_at(c, i) = settings_table[i].value;
        c->setting_sources[i] = "default";
    }
    for (size_t i = 0; given && i < given->count; i++)
        if (set_one(c, str_c(given->list[i]), err) < 0)
            return -1;
    return 0;
}

static int load_rest(struct config *c, const struct opts *o, struct err *err)
{
    const char *durability = opts_text(o, "durability"), *workers = opts_text(o, "workers");
    int64_t n = 1;

    if (durability && strcmp(durability, "full") != 0 && strcmp(durability, "normal") != 0)
        return err_set(err, ERR_INVALID, "--durability: \"%.60s\" is neither normal nor full",
                       durability);
    if (workers && parse_number("--workers", str_c(workers), 1, 64, &n, err) < 0)
        return -1;
    c->workers = (unsigned)n;
    c->full_sync = durability && strcmp(durability, "full") == 0;
    c->no_backup = opts_flag(o, "no-backup");
    c->allow_link_local = opts_flag(o, "allow-link-local");
    c->check = opts_flag(o, "check");
    c->print_config = opts_flag(o, "print-config");
    c->backfill_cached_costs = opts_flag(o, "backfill-cached-costs");
    c->demo = opts_flag(o, "demo");
    replace(&c->upstream_ca_file, opts_text(o, "upstream-ca-file"));
    if (c->upstream_ca_file && access(c->upstream_ca_file, R_OK) != 0)
        return err_set(err, ERR_INVALID, "--upstream-ca-file: cannot read %.200s: %s",
                       c->upstream_ca_file, strerror(errno));
    load_names(o, "allowed-host", "LLM_OBSERVE_ALLOWED_HOSTS", &c->allowed_hosts,
               &c->allowed_host_count);
    load_names(o, "allowed-origin", "LLM_OBSERVE_ALLOWED_ORIGINS", &c->allowed_origins,
               &c->allowed_origin_count);
    return 0;
}

int config_load(struct config *c, const struct opts *o, struct err *err)
{
    *c = (struct config){0};
    if (o->arg_count > 0)
        return err_set(err, ERR_INVALID, "serve takes no argument \"%.100s\"", o->args[0]);
    if (load_port(c, o, err) < 0 || load_host(c, o) < 0 || load_upstream(c, o, err) < 0 ||
        load_log(c, o, err) < 0 || load_settings(c, o, err) < 0 || load_rest(c, o, err) < 0 ||
        load_models(c, o, err) < 0)
        return -1;
    choose(o, "database-url", "LLM_OBSERVE_DATABASE_URL", "sqlite:///./llm_observe_proxy.sqlite3",
           &c->database_url, &c->database_source);
    if (store_path(str_c(c->database_url), &c->database_path, err) < 0)
        return err_wrap(err, "%s",
                        strcmp(c->database_source, "flag") == 0 ? "--database-url"
                                                                : "LLM_OBSERVE_DATABASE_URL");
    return 0;
}

static int apply_saved_upstream(struct config *c, struct store *store, struct err *err)
{
    char *saved = NULL;
    struct str clean;
    struct err bad;

    if (strcmp(c->upstream_source, "flag") == 0)
        return 0;
    if (store_setting_get(store, STR("upstream_url"), &saved, err) < 0)
        return -1;
    if (saved && saved[0] && forward_check_base_url(str_c(saved), &clean, &bad) == 0) {
        free(c->saved_upstream_url);
        c->saved_upstream_url = str_dup(clean);
        c->upstream_source = "saved";
    }
    free(saved);
    return 0;
}

static int apply_saved_address(struct config *c, struct store *store, struct err *err)
{
    char *port = NULL, *expose = NULL;
    int64_t n;
    int rc = -1;

    if (store_setting_get(store, STR("incoming_port"), &port, err) < 0 ||
        store_setting_get(store, STR("expose_all_ips"), &expose, err) < 0)
        goto out;
    if (port && strcmp(c->port_source, "flag") != 0 && str_int64(str_trim(str_c(port)), &n) &&
        n >= 1 && n <= 65535) {
        c->port = (int)n;
        c->port_source = "saved";
    }
    if (expose && strcmp(c->host_source, "flag") != 0) {
        c->expose_all = str_is_yes(str_c(expose));
        c->host_source = "saved";
    }
    rc = 0;
out:
    free(port);
    free(expose);
    return rc;
}

static int apply_saved_settings(struct config *c, struct store *store, struct err *err)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char *saved = NULL;
        int64_t n;

        if (strcmp(c->setting_sources[i], "flag") == 0)
            continue;
        if (store_setting_get(store, str_c(settings_table[i].name), &saved, err) < 0)
            return -1;
        if (saved && str_int64(str_trim(str_c(saved)), &n) && n >= settings_table[i].least &&
            n <= settings_table[i].most) {
            *setting_at(c, i) = n;
            c->setting_sources[i] = "saved";
        } else if (saved && settings_table[i].most == 1) {
            *setting_at(c, i) = str_is_yes(str_c(saved));
            c->setting_sources[i] = "saved";
        }
        free(saved);
    }
    return 0;
}

int config_apply_saved(struct config *c, struct store *store, struct err *err)
{
    if (apply_saved_upstream(c, store, err) < 0 || apply_saved_address(c, store, err) < 0)
        return -1;
    return apply_saved_settings(c, store, err);
}

static void json_entry(struct buf *out, const char *key, const char *value, const char *source)
{
    buf_printf(out, "%s{\"key\":\"%s\",\"value\":", out->len > 1 ? "," : "", key);
    if (value)
        json_quote(out, str_c(value));
    else
        buf_put(out, STR("null"));
    buf_printf(out, ",\"source\":\"%s\"}", source);
}

const char *config_upstream_url(const struct config *c)
{
    return c->saved_upstream_url ? c->saved_upstream_url : c->upstream_url;
}

struct startup config_startup(const struct config *c)
{
    return (struct startup){
        .base_url = str_c(c->upstream_url),
        .base_url_fixed = strcmp(c->upstream_source, "flag") == 0,
        .routes = c->models.routes,
        .route_count = c->models.route_count,
        .fixes_json = c->models.fixes_json,
    };
}

void config_json(const struct config *c, struct buf *out)
{
    char number[32];

    buf_put(out, STR("["));
    json_entry(out, "database_url", c->database_url, c->database_source);
    json_entry(out, "incoming_host", c->expose_all ? "0.0.0.0" : c->host, c->host_source);
    snprintf(number, sizeof(number), "%d", c->port);
    json_entry(out, "incoming_port", number, c->port_source);
    json_entry(out, "upstream_url", config_upstream_url(c), c->upstream_source);
    json_entry(out, "models_file", c->models_path, c->models_source);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        snprintf(number, sizeof(number), "%lld",
                 (long long)((const int64_t *)(const void *)&c->settings)[i]);
        json_entry(out, settings_table[i].name, number, c->setting_sources[i]);
    }
    buf_put(out, STR("]\n"));
}

static void free_list(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

void config_clear(struct config *c)
{
    free(c->database_path);
    free(c->database_url);
    free(c->host);
    free(c->upstream_url);
    free(c->saved_upstream_url);
    free(c->models_path);
    models_clear(&c->models);
    free(c->upstream_ca_file);
    free_list(c->allowed_hosts, c->allowed_host_count);
    free_list(c->allowed_origins, c->allowed_origin_count);
    *c = (struct config){0};
}
