/* Whatever the text: its tokens are no more than its bytes, counting them gives the same as listing
 * them, and a request body never fails an estimate. */
#include "fuzz.h"

#include "llm/bpe.h"
#include "llm/tokens.h"
#include "utf8.h"

static void check_text(const struct encoding *e, struct str text)
{
    struct buf ids = {0};
    struct err err;
    int64_t listed, counted;

    if (!e)
        return;
    REQUIRE(encoding_count(e, text, &listed, &ids, &err) == 0);
    REQUIRE(encoding_count(e, text, &counted, NULL, &err) == 0);
    REQUIRE(listed == counted && counted <= (int64_t)text.len);
    REQUIRE((counted == 0) == (text.len == 0));
    REQUIRE(ids.len == (size_t)counted * sizeof(uint32_t));
    buf_clear(&ids);
}

static void check_body(struct str body, const char *endpoint)
{
    struct token_estimate exact = tokens_estimate(body, str_c(endpoint), STR_NONE, false);
    struct token_estimate quick = tokens_estimate(body, str_c(endpoint), STR("gpt-4"), true);

    REQUIRE((exact.tokens == UNKNOWN) == (quick.tokens == UNKNOWN));
    REQUIRE(exact.tokens == UNKNOWN || (exact.tokens > 0 && quick.tokens > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {(const char *)data, size};
    struct buf text = {0};
    struct err err;

    REQUIRE(utf8_repair(&text, body, &err) == 0);
    check_text(encoding_cl100k(), buf_str(&text));
    check_text(encoding_o200k(), buf_str(&text));
    REQUIRE((tokens_approximate(buf_str(&text)) > 0) == (text.len > 0));
    check_body(body, "/v1/chat/completions");
    check_body(body, "/v1/messages");
    buf_clear(&text);
    return 0;
}
