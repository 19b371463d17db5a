#include "mask.h"

#include <stdlib.h>

#include "utf8.h"
#include "json/json.h"
#include "json/json_scan.h"

#define MASK STR("***")

static bool is_any(struct str s, const struct str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_ieq(s, list[i]))
            return true;
    return false;
}

#define IS_ANY(s, list) is_any(s, list, sizeof(list) / sizeof(*(list)))

static bool has_scheme(struct str name)
{
    return str_ieq(name, STR("authorization")) || str_ieq(name, STR("proxy-authorization"));
}

/* name is word, or ends with "-word" or "_word". */
static bool last_word_is(struct str name, struct str word)
{
    char before;

    if (name.len <= word.len)
        return str_ieq(name, word);
    before = name.ptr[name.len - word.len - 1];
    return (before == '-' || before == '_') && str_ieq(str_from(name, name.len - word.len), word);
}

bool mask_is_secret_header(struct str name)
{
    const struct str names[] = {STR("x-api-key"), STR("api-key"),    STR("x-goog-api-key"),
                                STR("cookie"),    STR("set-cookie"), STR("x-amz-security-token")};
    const struct str words[] = {STR("token"),  STR("secret"),  STR("password"),
                                STR("apikey"), STR("api-key"), STR("api_key")};

    if (has_scheme(name) || IS_ANY(name, names))
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (last_word_is(name, words[i]))
            return true;
    return false;
}

/* "Bearer" of "Bearer abc"; empty when value is not a known scheme followed by something. */
static struct str scheme_of(struct str name, struct str value)
{
    const struct str schemes[] = {STR("bearer"), STR("basic"), STR("token"), STR("digest")};
    ptrdiff_t blank;
    struct str word;

    value = str_trim(value);
    blank = has_scheme(name) ? str_chr(value, ' ') : -1;
    if (blank < 0)
        return STR("");
    word = str_cut(value, (size_t)blank);
    return IS_ANY(word, schemes) ? word : STR("");
}

void mask_header_value(struct buf *out, struct str name, struct str value)
{
    struct str scheme = scheme_of(name, value);

    if (scheme.len > 0) {
        buf_put(out, scheme);
        buf_put(out, STR(" "));
    }
    buf_put(out, MASK);
}

static int by_name(const void *a, const void *b)
{
    const struct header *left = *(const struct header *const *)a;
    const struct header *right = *(const struct header *const *)b;
    size_t len = left->name.len < right->name.len ? left->name.len : right->name.len;

    for (size_t i = 0; i < len; i++) {
        int order = (int)str_lower(left->name.ptr[i]) - (int)str_lower(right->name.ptr[i]);

        if (order != 0)
            return order;
    }
    if (left->name.len != right->name.len)
        return left->name.len < right->name.len ? -1 : 1;
    return (left > right) - (left < right); /* repeats stay in the order they came */
}

static int add_name(struct buf *out, struct str name, struct err *err)
{
    struct buf lower = {0}, text = {0};
    int rc = -1;

    if (buf_add(&lower, name, err) < 0)
        goto out;
    for (size_t i = 0; i < lower.len; i++)
        lower.ptr[i] = (char)str_lower(lower.ptr[i]);
    if (utf8_from_latin1(&text, buf_str(&lower), err) < 0)
        goto out;
    rc = json_quote(out, buf_str(&text)) ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for headers");
out:
    buf_clear(&lower);
    buf_clear(&text);
    return rc;
}

/* The values of count headers of one name as one JSON string. */
static int add_values(struct buf *out, const struct header *const *same, size_t count, bool masked,
                      struct err *err)
{
    struct buf text = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (i > 0)
            rc = buf_add(&text, STR(", "), err);
        if (rc == 0 && masked)
            mask_header_value(&text, same[i]->name, same[i]->value);
        else if (rc == 0)
            rc = utf8_from_latin1(&text, same[i]->value, err);
    }
    if (rc == 0 && !json_quote(out, buf_str(&text)))
        rc = err_set(err, ERR_NO_MEMORY, "no memory for headers");
    buf_clear(&text);
    return rc;
}

static int add_sorted(struct buf *out, const struct header *const *sorted, size_t count,
                      bool store_secrets, struct err *err)
{
    for (size_t i = 0, same; i < count; i += same) {
        struct str name = sorted[i]->name;

        for (same = 1; i + same < count && str_ieq(sorted[i + same]->name, name); same++)
            ;
        if ((i > 0 && buf_add(out, STR(","), err) < 0) || add_name(out, name, err) < 0 ||
            buf_add(out, STR(":"), err) < 0 ||
            add_values(out, sorted + i, same, !store_secrets && mask_is_secret_header(name), err) <
                0)
            return -1;
    }
    return 0;
}

int mask_headers_json(struct buf *out, const struct headers *headers, bool store_secrets,
                      struct err *err)
{
    size_t before = out->len, count = headers->count;
    const struct header **sorted = calloc(count ? count : 1, sizeof(*sorted));
    int rc = -1;

    if (!sorted)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu headers", count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &headers->items[i];
    qsort(sorted, count, sizeof(*sorted), by_name);
    if (buf_add(out, STR("{"), err) == 0 &&
        add_sorted(out, sorted, count, store_secrets, err) == 0 && buf_add(out, STR("}"), err) == 0)
        rc = 0;
    if (rc < 0)
        buf_cut(out, before);
    free(sorted);
    return rc;
}

/* True for "***", "Bearer ***" and lists of them: what the functions above have made. */
static bool is_masked(struct str name, struct str value)
{
    while (value.len > 0) {
        ptrdiff_t comma = str_find(value, STR(", "));
        struct str part = comma < 0 ? value : str_cut(value, (size_t)comma);
        struct str scheme = scheme_of(name, part);

        if (!str_eq(scheme.len ? str_from(part, scheme.len + 1) : part, MASK))
            return false;
        if (comma < 0)
            return true;
        value = str_from(value, (size_t)comma + 2);
    }
    return false;
}

static bool add_masked_member(struct buf *out, struct str name, struct str value)
{
    struct buf text = {0}, masked = {0};
    struct err err;
    bool ok;

    ok = json_type_of(value) != JSON_STRING || json_string(value, &text, &err) == 0;
    if (is_masked(name, buf_str(&text)))
        ok = ok && buf_add(&masked, buf_str(&text), &err) == 0;
    else
        mask_header_value(&masked, name, buf_str(&text));
    ok = ok && json_quote(out, buf_str(&masked));
    buf_clear(&text);
    buf_clear(&masked);
    return ok;
}

static bool add_member(struct buf *out, struct str raw_key, struct str value)
{
    struct buf name = {0};
    struct err err;
    struct str quoted = {raw_key.ptr - 1, raw_key.len + 2};
    bool ok = json_string(quoted, &name, &err) == 0 && buf_add(out, quoted, &err) == 0 &&
              buf_add(out, STR(":"), &err) == 0;

    if (ok && mask_is_secret_header(buf_str(&name)))
        ok = add_masked_member(out, buf_str(&name), value);
    else
        ok = ok && buf_add(out, value, &err) == 0;
    buf_clear(&name);
    return ok;
}

bool mask_stored_json(struct buf *out, struct str headers_json)
{
    size_t before = out->len;
    struct str object;
    struct json_iter it;
    struct err err;
    bool ok, first = true;

    if (!headers_json.ptr)
        return true;
    if (json_scan(headers_json, &object) != JSON_OBJECT)
        return buf_add(out, STR("{}"), &err) == 0;
    it = json_iter(object);
    ok = buf_add(out, STR("{"), &err) == 0;
    while (ok && json_next(&it)) {
        ok = (first || buf_add(out, STR(","), &err) == 0) && add_member(out, it.key, it.value);
        first = false;
    }
    ok = ok && buf_add(out, STR("}"), &err) == 0;
    if (!ok)
        buf_cut(out, before);
    return ok;
}

/* ---- queries and URLs --------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)str_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Compare a percent-encoded name with lower-case text, without regard to case. */
static bool encoded_is(struct str raw, struct str text)
{
    size_t at = 0;

    for (size_t i = 0; i < raw.len; i++, at++) {
        char c = raw.ptr[i];

        if (c == '%' && i + 2 < raw.len && hex_digit(raw.ptr[i + 1]) >= 0 &&
            hex_digit(raw.ptr[i + 2]) >= 0) {
            c = (char)(hex_digit(raw.ptr[i + 1]) * 16 + hex_digit(raw.ptr[i + 2]));
            i += 2;
        }
        if (at == text.len || str_lower(c) != (unsigned char)text.ptr[at])
            return false;
    }
    return at == text.len;
}

static bool is_secret_parameter(struct str raw)
{
    const struct str names[] = {STR("key"), STR("api_key"), STR("apikey"), STR("access_token"),
                                STR("token")};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (encoded_is(raw, names[i]))
            return true;
    return false;
}

static int add_pair(struct buf *out, struct str pair, struct err *err)
{
    ptrdiff_t equals = str_chr(pair, '=');

    if (equals < 0 || !is_secret_parameter(str_cut(pair, (size_t)equals)))
        return buf_add(out, pair, err);
    if (buf_add(out, str_cut(pair, (size_t)equals + 1), err) < 0)
        return -1;
    return buf_add(out, MASK, err);
}

int mask_query(struct buf *out, struct str query, struct err *err)
{
    size_t before = out->len;
    struct str pair;
    bool first = true;

    while (str_split(&query, '&', &pair)) {
        if ((!first && buf_add(out, STR("&"), err) < 0) || add_pair(out, pair, err) < 0) {
            buf_cut(out, before);
            return -1;
        }
        first = false;
    }
    return 0;
}

/* Where the part of url that any of stops ends: at one of them, or at the end. */
static size_t span_until(struct str url, size_t from, const char *stops)
{
    while (from < url.len && (!url.ptr[from] || !strchr(stops, url.ptr[from])))
        from++;
    return from;
}

/* Append scheme and authority of url without user information; the result is where they end. */
static int add_authority(struct buf *out, struct str url, size_t *end, struct err *err)
{
    ptrdiff_t slashes = str_find(url, STR("://"));
    size_t start, stop, host;

    *end = 0;
    if (slashes < 0 || span_until(url, 0, "/?#") < (size_t)slashes)
        return 0;
    start = host = (size_t)slashes + 3;
    stop = span_until(url, start, "/?#");
    for (size_t i = start; i < stop; i++)
        if (url.ptr[i] == '@')
            host = i + 1;
    *end = stop;
    if (buf_add(out, str_cut(url, start), err) < 0)
        return -1;
    return buf_add(out, str_from(str_cut(url, stop), host), err);
}

int mask_url(struct buf *out, struct str url, struct err *err)
{
    size_t before = out->len, authority, query, fragment;

    if (add_authority(out, url, &authority, err) < 0)
        goto fail;
    query = span_until(url, authority, "?#");
    fragment = query < url.len && url.ptr[query] == '?' ? span_until(url, query, "#") : query;
    if (buf_add(out, str_from(str_cut(url, query), authority), err) < 0)
        goto fail;
    if (fragment > query && (buf_add(out, STR("?"), err) < 0 ||
                             mask_query(out, str_from(str_cut(url, fragment), query + 1), err) < 0))
        goto fail;
    if (buf_add(out, str_from(url, fragment), err) < 0)
        goto fail;
    return 0;
fail:
    buf_cut(out, before);
    return -1;
}
