/* /api/docs: the API's documentation as a page. */
#include "daemon/web/assets.h"

static void run_page(struct call *call, struct store *store)
{
    (void)store;
    asset_answer(call, asset_find(assets_docs, STR("index.html")));
}

static void run_file(struct call *call, struct store *store)
{
    (void)store;
    asset_answer(call, asset_find(assets_docs, call->slug));
}

const struct call_route web_docs_routes[] = {
    {"GET", "/api/docs", .run = run_page},
    {"GET", "/api/docs/{slug}", .run = run_file},
    {0},
};
