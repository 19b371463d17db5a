/* /api/docs: the API's documentation as a page. */
#include "daemon/web/assets.h"

static void run_page(struct api_call *call, struct store *store)
{
    (void)store;
    asset_answer(call, asset_find(assets_docs, STR("index.html")));
}

static void run_file(struct api_call *call, struct store *store)
{
    (void)store;
    asset_answer(call, asset_find(assets_docs, call->slug));
}

const struct api_route web_docs_routes[] = {
    {"GET", "/api/docs", .run = run_page},
    {"GET", "/api/docs/{slug}", .run = run_file},
    {0},
};
