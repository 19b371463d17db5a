/* All prices, and the search for one. Names and aliases are in one sorted list, folded, so that a
 * lookup is a binary search whatever step of the rule finds the price. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "core/price.h"
#include "core/provider.h"

struct name {
    struct str slug, text; /* text as written; order is without case */
    const struct price *price;
    bool alias;
};

struct price_book {
    _Atomic int refs;
    int64_t generation;
    struct arena arena;
    struct price *prices;
    size_t count, cap;
    struct price_provider *providers;
    size_t provider_count, provider_cap;
    struct name *names;
    size_t name_count;
};

struct price_book *price_book_new(int64_t generation)
{
    struct price_book *book = xcalloc(1, sizeof(*book));

    atomic_init(&book->refs, 1);
    book->generation = generation;
    return book;
}

struct price_book *price_book_ref(struct price_book *book)
{
    atomic_fetch_add_explicit(&book->refs, 1, memory_order_relaxed);
    return book;
}

void price_book_unref(struct price_book *book)
{
    if (!book || atomic_fetch_sub_explicit(&book->refs, 1, memory_order_acq_rel) > 1)
        return;
    arena_clear(&book->arena);
    free(book->prices);
    free(book->providers);
    free(book->names);
    free(book);
}

/* Room for one more element. */
static int grow(void **array, size_t count, size_t *cap, size_t size, struct err *err)
{
    size_t more = *cap ? *cap * 2 : 64;
    void *bigger;

    if (count < *cap)
        return 0;
    bigger = realloc(*array, more * size);
    if (!bigger)
        return err_set(err, ERR_NO_MEMORY, "no memory for prices");
    *array = bigger;
    *cap = more;
    return 0;
}

int price_book_add_provider(struct price_book *book, const struct price_provider *p,
                            struct err *err)
{
    struct price_provider *to;
    void *array = book->providers;

    if (grow(&array, book->provider_count, &book->provider_cap, sizeof(*to), err) < 0)
        return -1;
    book->providers = array;
    to = &book->providers[book->provider_count];
    *to = (struct price_provider){
        .slug = arena_dup(&book->arena, p->slug),
        .name = arena_dup(&book->arena, p->name),
        .currency = arena_dup(&book->arena, p->currency),
        .base_url = arena_dup(&book->arena, p->base_url),
    };
    if (!to->slug.ptr)
        return err_set(err, ERR_NO_MEMORY, "no memory for a provider");
    book->provider_count++;
    return 0;
}

int price_book_add(struct price_book *book, const struct price *p, struct err *err)
{
    void *array = book->prices;

    if (grow(&array, book->count, &book->cap, sizeof(*book->prices), err) < 0)
        return -1;
    book->prices = array;
    if (price_copy(&book->arena, p, &book->prices[book->count], err) < 0)
        return -1;
    book->count++;
    return 0;
}

/* ---- order ---- */

static int compare_bytes(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_folded(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < len; i++) {
        int order = (int)str_lower(a.ptr[i]) - (int)str_lower(b.ptr[i]);

        if (order)
            return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int compare_key(const struct name *n, struct str slug, struct str text)
{
    int order = compare_bytes(n->slug, slug);

    return order ? order : compare_folded(n->text, text);
}

/* Among equal keys: models before aliases, older prices first. */
static int compare_names(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    int order = compare_key(x, y->slug, y->text);

    if (order)
        return order;
    if (x->alias != y->alias)
        return x->alias ? 1 : -1;
    return (x->price->id > y->price->id) - (x->price->id < y->price->id);
}

int price_book_seal(struct price_book *book, struct err *err)
{
    size_t count = 0, n = 0;

    for (size_t i = 0; i < book->count; i++)
        count += 1 + book->prices[i].alias_count;
    book->names = calloc(count ? count : 1, sizeof(*book->names));
    if (!book->names)
        return err_set(err, ERR_NO_MEMORY, "no memory for prices");
    for (size_t i = 0; i < book->count; i++) {
        const struct price *p = &book->prices[i];

        book->names[n++] = (struct name){p->provider_slug, p->model, p, false};
        for (size_t k = 0; k < p->alias_count; k++)
            book->names[n++] = (struct name){p->provider_slug, p->aliases[k], p, true};
    }
    book->name_count = n;
    qsort(book->names, n, sizeof(*book->names), compare_names);
    return 0;
}

/* ---- reading ---- */

int64_t price_book_generation(const struct price_book *book)
{
    return book->generation;
}

size_t price_book_count(const struct price_book *book)
{
    return book->count;
}

const struct price *price_book_at(const struct price_book *book, size_t i)
{
    return &book->prices[i];
}

const struct price *price_book_by_id(const struct price_book *book, int64_t id)
{
    for (size_t i = 0; i < book->count; i++) {
        if (book->prices[i].id == id)
            return &book->prices[i];
    }
    return NULL;
}

const struct price *price_book_of_tier(const struct price_book *book, int64_t tier_id)
{
    for (size_t i = 0; i < book->count; i++) {
        for (size_t t = 0; t < book->prices[i].tier_count; t++) {
            if (book->prices[i].tiers[t].id == tier_id)
                return &book->prices[i];
        }
    }
    return NULL;
}

const struct price_provider *price_book_provider(const struct price_book *book, struct str slug)
{
    for (size_t i = 0; slug.ptr && i < book->provider_count; i++) {
        if (str_eq(book->providers[i].slug, slug))
            return &book->providers[i];
    }
    return NULL;
}

const struct price_provider *price_book_provider_at(const struct price_book *book, struct str base)
{
    base = provider_bare_url(base);
    for (size_t i = 0; base.len > 0 && i < book->provider_count; i++) {
        const struct price_provider *p = &book->providers[i];

        if (p->base_url.ptr && provider_same_url(provider_bare_url(p->base_url), base))
            return p;
    }
    return NULL;
}

const struct price_provider *price_book_provider_over(const struct price_book *book, struct str url)
{
    const struct price_provider *found = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < book->provider_count; i++) {
        struct str base = provider_bare_url(book->providers[i].base_url);

        if (base.len <= longest || url.len < base.len ||
            (url.len > base.len && url.ptr[base.len] != '/') ||
            !provider_same_url(base, str_cut(url, base.len)))
            continue;
        found = &book->providers[i];
        longest = base.len;
    }
    return found;
}

/* ---- the search ---- */

static size_t first_name(const struct price_book *book, struct str slug, struct str text)
{
    size_t low = 0, high = book->name_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_key(&book->names[middle], slug, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Steps 1 to 3: equal model, equal alias, either without case. */
static const struct price *find_name(const struct price_book *book, struct str slug,
                                     struct str text, enum price_match *match)
{
    const struct name *alias = NULL, *folded = NULL;

    for (size_t i = first_name(book, slug, text);
         i < book->name_count && compare_key(&book->names[i], slug, text) == 0; i++) {
        const struct name *n = &book->names[i];

        if (!n->price->active)
            continue;
        if (str_eq(n->text, text) && !n->alias) {
            *match = MATCH_EXACT;
            return n->price;
        }
        if (str_eq(n->text, text) && !alias)
            alias = n;
        if (!folded)
            folded = n;
    }
    *match = alias ? MATCH_ALIAS : folded ? MATCH_NORMALIZED : MATCH_NONE;
    return alias ? alias->price : folded ? folded->price : NULL;
}

/* Whether s has the form of pattern, where 0 stands for any digit. */
static bool has_form(struct str s, struct str pattern)
{
    if (s.len != pattern.len)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool is_digit = s.ptr[i] >= '0' && s.ptr[i] <= '9';

        if (pattern.ptr[i] == '0' ? !is_digit : s.ptr[i] != pattern.ptr[i])
            return false;
    }
    return true;
}

/* The text before a date at the end; STR_NONE. */
static struct str before_date(struct str model)
{
    static const char *const forms[] = {"-0000-00-00", "-00000000", "@0000-00-00", "@00000000"};

    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        struct str form = str_c(forms[i]);

        if (model.len > form.len && has_form(str_from(model, model.len - form.len), form))
            return str_cut(model, model.len - form.len);
    }
    return STR_NONE;
}

static ptrdiff_t last_colon(struct str s)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.ptr[i - 1] == ':')
            return (ptrdiff_t)i - 1;
    }
    return -1;
}

/* Variants of OpenRouter that have prices of their own. */
static bool is_priced_variant(struct str tag)
{
    return str_eq(tag, STR("free")) || str_eq(tag, STR("batch")) || str_eq(tag, STR("thinking")) ||
           str_eq(tag, STR("extended"));
}

/* The model behind a router's endpoint; STR_NONE. */
static struct str router_base(struct str slug, struct str model)
{
    bool openrouter = str_eq(slug, STR("openrouter"));
    ptrdiff_t at = openrouter ? str_chr(model, '@') : -1;

    if (!openrouter && !str_eq(slug, STR("huggingface-router")))
        return STR_NONE;
    if (at < 0) {
        at = last_colon(model);
        if (at >= 0 && openrouter && is_priced_variant(str_from(model, (size_t)at + 1)))
            return STR_NONE;
    }
    return at > 0 ? str_cut(model, (size_t)at) : STR_NONE;
}

const struct price *price_book_find(const struct price_book *book, struct str provider_slug,
                                    struct str model, enum price_match *match)
{
    struct str slug = provider_slug, text = str_trim(model), shorter;
    const struct price *found;

    *match = MATCH_NONE;
    if (!slug.ptr || text.len == 0)
        return NULL;
    found = find_name(book, slug, text, match);
    shorter = found ? STR_NONE : before_date(text);
    if (shorter.ptr && (found = find_name(book, slug, shorter, match)))
        *match = MATCH_DATED;
    shorter = found ? STR_NONE : router_base(slug, text);
    if (shorter.ptr && (found = find_name(book, slug, shorter, match)))
        *match = MATCH_BASE;
    return found;
}

const struct price *price_book_get(const struct price_book *book, struct str provider_slug,
                                   struct str model)
{
    for (size_t i = first_name(book, provider_slug, model);
         i < book->name_count && compare_key(&book->names[i], provider_slug, model) == 0; i++) {
        if (!book->names[i].alias && str_eq(book->names[i].text, model))
            return book->names[i].price;
    }
    return NULL;
}
