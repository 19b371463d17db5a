#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <zstd.h>

#if __has_include(<uv/version.h>)
#include <uv/version.h>
#endif
#if __has_include(<llhttp.h>)
#include <llhttp.h>
#endif

#include "commands.h"
#include "out.h"

#define API_VERSION 1

static const char *const fields[] = {"name",
                                     "version",
                                     "api",
                                     "commit",
                                     "libraries",
                                     "libraries.libuv",
                                     "libraries.libcurl",
                                     "libraries.sqlite",
                                     "libraries.cjson",
                                     "libraries.llhttp",
                                     "libraries.zstd",
                                     NULL};

static void put_library(struct buf *out, const char *name, const char *version)
{
    if (out->ptr[out->len - 1] != '{')
        buf_put(out, STR(","));
    if (version)
        buf_printf(out, "\"%s\":\"%s\"", name, version);
    else
        buf_printf(out, "\"%s\":null", name);
}

static const char *libuv_version(char out[32])
{
#ifdef UV_VERSION_MAJOR
    snprintf(out, 32, "%d.%d.%d", UV_VERSION_MAJOR, UV_VERSION_MINOR, UV_VERSION_PATCH);
    return out;
#else
    (void)out;
    return NULL;
#endif
}

static const char *llhttp_version(char out[32])
{
#ifdef LLHTTP_VERSION_MAJOR
    snprintf(out, 32, "%d.%d.%d", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH);
    return out;
#else
    (void)out;
    return NULL;
#endif
}

static void put_json(struct buf *out)
{
    char text[32];

    buf_printf(out, "{\"name\":\"%s\",\"version\":\"%s\",\"api\":%d,\"commit\":", PROGRAM,
               LOP_VERSION, API_VERSION);
#ifdef LOP_COMMIT
    buf_put(out, STR("\"" LOP_COMMIT "\""));
#else
    buf_put(out, STR("null"));
#endif
    buf_put(out, STR(",\"libraries\":{"));
    put_library(out, "libuv", libuv_version(text));
    put_library(out, "libcurl", curl_version_info(CURLVERSION_NOW)->version);
    put_library(out, "sqlite", sqlite3_libversion());
    put_library(out, "cjson", cJSON_Version());
    put_library(out, "llhttp", llhttp_version(text));
    put_library(out, "zstd", ZSTD_versionString());
    buf_put(out, STR("}}"));
}

static const struct out_spec version_object = {.fields = fields};

static int version(struct cli *cli)
{
    struct out out;
    struct buf json = {0};
    struct err err;
    int rc = out_open(&out, cli, &version_object, &err), status = 0;

    if (rc < 0) {
        status = out_usage(&out, cli, &err);
    } else if (rc == 0) {
        put_json(&json);
        rc = out.form == OUT_JSON ? out_object(&out, buf_str(&json), &err)
                                  : out_text(&out, STR(PROGRAM " " LOP_VERSION "\n"), &err);
        if (rc < 0 || out_end(&out, &err) < 0)
            status = cli_fail(&err);
    }
    buf_clear(&json);
    out_close(&out);
    return status;
}

const struct verb version_verbs[] = {
    {"", "", "print the version; with --json also those of the libraries", NULL, FORM_JSON, NULL,
     version, .out = &version_object},
    {0},
};
