/* Whatever is typed as a filter: a tree within its limits that can be asked of a row, or a message
 * that points into the text. The first line is the filter, the rest a row. */
#include "fuzz.h"

#include "base/utf8.h"
#include "filter/filter_tree.h"
#include "json/json_scan.h"

#define NOW INT64_C(1900000000000000)

static void count(const struct filter_node *node, size_t *terms, size_t depth)
{
    REQUIRE(depth <= 3 * (FILTER_DEPTH_MAX + 1));
    *terms += node->kind >= FILTER_TERM;
    REQUIRE((node->kind >= FILTER_TERM) == (node->value_count > 0));
    for (const struct filter_node *child = node->first; child; child = child->next)
        count(child, terms, depth + 1);
}

static void check(struct str text, enum filter_scope scope, struct str row)
{
    struct filter_error error;
    struct filter *f = filter_parse(text, scope, NOW, &error);
    size_t terms = 0;

    if (!f) {
        REQUIRE(error.msg[0] && utf8_valid(str_c(error.msg)));
        REQUIRE(error.position + error.length <= utf8_chars(text));
        return;
    }
    if (filter_root(f))
        count(filter_root(f), &terms, 0);
    REQUIRE(terms <= FILTER_TERMS_MAX);
    (void)filter_matches_json(f, row, 1);
    filter_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, text = STR_NONE, row;

    str_split(&rest, '\n', &text);
    if (json_scan(rest, &row) == JSON_INVALID)
        row = STR("{}");
    check(text, FILTER_LIVE, row);
    check(text, FILTER_STORED, row);
    return 0;
}
