#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <zstd.h>

#if __has_include(<uv/version.h>)
#include <uv/version.h>
#endif

#include "commands.h"
#include "out.h"
#include "store/store.h"
#include "version.h"
#include "json/json.h"

#define API_VERSION 1

static const char *const fields[] = {"name",
                                     "version",
                                     "api",
                                     "schema_version",
                                     "commit",
                                     "libraries",
                                     "libraries.libuv",
                                     "libraries.libcurl",
                                     "libraries.sqlite",
                                     "libraries.cjson",
                                     "libraries.llhttp",
                                     "libraries.zstd",
                                     "libraries.ncurses",
                                     NULL};

static void put_member(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "\"%s\":", name);
    if (text)
        json_quote(out, str_c(text));
    else
        buf_put(out, STR("null"));
}

static void put_library(struct buf *out, const char *name, const char *version)
{
    if (out->ptr[out->len - 1] != '{')
        buf_put(out, STR(","));
    put_member(out, name, version);
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

/* Of libraries that only headers tell: from the build. */
#ifndef LOP_LLHTTP
#define LOP_LLHTTP NULL
#endif
#ifndef LOP_NCURSES
#define LOP_NCURSES NULL
#endif
#ifndef LOP_COMMIT
#define LOP_COMMIT NULL
#endif

void version_put_json(struct buf *out)
{
    char text[32];

    buf_printf(out, "{\"name\":\"%s\",\"version\":\"%s\",\"api\":%d,\"schema_version\":%d,",
               PROGRAM, LOP_VERSION, API_VERSION, store_schema_version());
    put_member(out, "commit", LOP_COMMIT);
    buf_put(out, STR(",\"libraries\":{"));
    put_library(out, "libuv", libuv_version(text));
    put_library(out, "libcurl", curl_version_info(CURLVERSION_NOW)->version);
    put_library(out, "sqlite", sqlite3_libversion());
    put_library(out, "cjson", cJSON_Version());
    put_library(out, "llhttp", LOP_LLHTTP);
    put_library(out, "zstd", ZSTD_versionString());
    put_library(out, "ncurses", LOP_NCURSES);
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
        version_put_json(&json);
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
