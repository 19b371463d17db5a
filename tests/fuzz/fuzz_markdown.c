/* Whatever text: its HTML has elements of ours only, all closed, and links where they may lead. */
#include "fuzz.h"

#include "llm/markdown.h"
#include "utf8.h"

static const struct str links[] = {STR("a href=\"http://"), STR("a href=\"https://"),
                                   STR("a href=\"mailto:")};

static bool is_element(struct str tag)
{
    static const char *const names[] = {"p",  "h1", "h2",     "h3",  "h4",         "h5",    "h6",
                                        "em", "ul", "strong", "del", "blockquote", "pre",   "code",
                                        "ol", "li", "table",  "a",   "thead",      "tbody", "tr",
                                        "th", "td", "br",     "hr"};
    struct str name = str_starts(tag, STR("/")) ? str_from(tag, 1) : tag;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (str_eq(name, str_c(names[i])))
            return true;
    for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
        if (str_istarts(tag, links[i]))
            return str_ends(tag, STR("\" rel=\"noopener noreferrer\""));
    return str_starts(tag, STR("ol start=\""));
}

static void check(struct str html)
{
    ptrdiff_t at, end;
    int64_t open = 0;

    while ((at = str_chr(html, '<')) >= 0) {
        struct str tag = str_from(html, (size_t)at + 1);

        end = str_chr(tag, '>');
        REQUIRE(end >= 0);
        html = str_from(tag, (size_t)end);
        tag = str_cut(tag, (size_t)end);
        REQUIRE(is_element(tag));
        if (!str_eq(tag, STR("br")) && !str_eq(tag, STR("hr")))
            open += str_starts(tag, STR("/")) ? -1 : 1;
        REQUIRE(open >= 0);
    }
    REQUIRE(open == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str raw = {(const char *)data, size};
    struct buf text = {0}, html = {0};
    struct err err;

    if (utf8_repair(&text, raw, &err) == 0 && markdown_html(&html, buf_str(&text), &err) == 0) {
        REQUIRE(utf8_valid(buf_str(&html)));
        check(buf_str(&html));
    }
    buf_clear(&text);
    buf_clear(&html);
    return 0;
}
