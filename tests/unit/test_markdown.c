#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <time.h>

#include "llm/markdown.h"

#define REL "\" rel=\"noopener noreferrer\">"

static void becomes(const char *text, const char *html)
{
    struct buf out = {0};
    struct err err;

    assert_int_equal(markdown_html(&out, str_c(text), &err), 0);
    assert_string_equal(buf_str(&out).ptr, html);
    buf_clear(&out);
}

static void blocks_and_spans_become_elements(void **state)
{
    (void)state;
    becomes("", "");
    becomes("## A *b* **c** `d<` ~~e~~",
            "<h2>A <em>b</em> <strong>c</strong> <code>d&lt;</code> <del>e</del></h2>\n");
    becomes("- a\n- b\n\n3. c", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"
                                "<ol start=\"3\">\n<li>c</li>\n</ol>\n");
    becomes("> q\n\n---\n\n```js\" onload=x\na & b\n```",
            "<blockquote>\n<p>q</p>\n</blockquote>\n<hr>\n<pre><code>a &amp; b\n</code></pre>\n");
    becomes("|a|b|\n|---|:--|\n|1|2|",
            "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n"
            "<tbody>\n<tr>\n<td>1</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>\n");
    becomes("a  \nb\nc &copy; &#60;", "<p>a<br>\nb\nc &copy; &#60;</p>\n");
}

static void raw_html_is_text(void **state)
{
    (void)state;
    becomes("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n");
    becomes("a <img src=x onerror='y'>", "<p>a &lt;img src=x onerror=&#39;y&#39;&gt;</p>\n");
    becomes("<!-- --> <?x ?>", "<p>&lt;!-- --&gt; &lt;?x ?&gt;</p>\n");
}

static void links_lead_only_where_they_may(void **state)
{
    static const char *const refused[] = {"javascript:alert(1)",
                                          "JaVaScRiPt:x",
                                          "data:text/html,x",
                                          "vbscript:x",
                                          "/local",
                                          "#top",
                                          "//host/x",
                                          "file:///etc/hosts",
                                          "ftp://x/",
                                          "http:x",
                                          "&#106;avascript:x",
                                          "&#104;ttp://x/",
                                          "<java\\script:x>",
                                          "about:blank"};

    (void)state;
    becomes("[a](https://x.test/?b=1&c=2 \"t\")",
            "<p><a href=\"https://x.test/?b=1&amp;c=2" REL "a</a></p>\n");
    becomes("<HTTP://x.test/> <me@x.test>", "<p><a href=\"HTTP://x.test/" REL "HTTP://x.test/</a> "
                                            "<a href=\"mailto:me@x.test" REL "me@x.test</a></p>\n");
    becomes("[a](<http://x.test/ \"'>)",
            "<p><a href=\"http://x.test/%20&quot;&#39;" REL "a</a></p>\n");
    becomes("[a](http://x.test/&quot;&amp;)",
            "<p><a href=\"http://x.test/&quot;&amp;" REL "a</a></p>\n");
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct buf text = {0};

        buf_printf(&text, "[a](%s)", refused[i]);
        becomes(text.ptr, "<p>a</p>\n");
        buf_clear(&text);
    }
}

static void what_is_not_nested_is_made_so(void **state)
{
    (void)state;
    becomes("[b](http://x.test/a*b) c* d", /* the parser ends what it did not begin */
            "<p><a href=\"http://x.test/a*b" REL "b</a> c d</p>\n");
    becomes("[b](java*x:y) [c](java*x", "<p>b [c](javax</p>\n");
}

static void images_are_links(void **state)
{
    (void)state;
    becomes("![a](http://x.test/i.png)", "<p><a href=\"http://x.test/i.png" REL "a</a></p>\n");
    becomes("![a](data:image/png;base64,AA)", "<p>a</p>\n");
    becomes("[![a](http://x.test/i)](http://x.test/)",
            "<p><a href=\"http://x.test/" REL "a</a></p>\n");
    becomes("[![a](http://x.test/i)](/x) [b](http://y.test/)",
            "<p><a href=\"http://x.test/i" REL "a</a> <a href=\"http://y.test/" REL "b</a></p>\n");
}

static void hostile_text_ends_in_time(void **state)
{
    static const char *const units[] = {
        "[",     "![",    "*a ",   "_*",  "`a``", "> ",        "- ", "<",     "[a](",
        "[a][",  "|a",    "&#1;",  "\\[", "a\n-", "[a]:b\n",   "~~", "<a:b",  "*a_ ",
        "\n> -", "(((](", "[a]\n", "1. ", "\t",   "[[a]](b\n", "#",  "```\n", "|a|\n|---|\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        struct buf text = {0}, out = {0};
        struct err err;
        clock_t start = clock();

        while (text.len + strlen(units[i]) <= MARKDOWN_MAX_BYTES)
            buf_put(&text, str_c(units[i]));
        (void)markdown_html(&out, buf_str(&text), &err);
        assert_true(out.len <= 17 * MARKDOWN_MAX_BYTES);
        assert_true(clock() - start < 10 * CLOCKS_PER_SEC); /* quadratic would be minutes */
        buf_clear(&out);
        buf_clear(&text);
    }
}

static void long_texts_are_refused(void **state)
{
    struct buf text = {0}, out = {0};
    struct err err;

    (void)state;
    while (text.len <= MARKDOWN_MAX_BYTES)
        buf_put(&text, STR("words "));
    assert_int_equal(markdown_html(&out, buf_str(&text), &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_and_spans_become_elements),
        cmocka_unit_test(raw_html_is_text),
        cmocka_unit_test(links_lead_only_where_they_may),
        cmocka_unit_test(what_is_not_nested_is_made_so),
        cmocka_unit_test(images_are_links),
        cmocka_unit_test(hostile_text_ends_in_time),
        cmocka_unit_test(long_texts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
