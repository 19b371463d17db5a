/* What it costs to understand one exchange, in CPU time of one thread. A streamed chat of 1 MB in
 * 4000 events, as OpenAI sends it, and a prompt of 10 KB; the best of some rounds, so that other
 * programs count for little. Build: ninja -C build/release bench_understand. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/search.h"
#include "llm/answer.h"
#include "llm/conversation.h"
#include "llm/fix.h"
#include "llm/tokens.h"
#include "llm/watch.h"
#include "json/json.h"

#define EVENTS 4000
#define ROUNDS 30
#define ENDPOINT STR("/v1/chat/completions")
#define ALL_FIXES STR("[\"" FIX_THINK "\",\"" FIX_QWEN "\",\"" FIX_ARGUMENTS "\"]")

static const char *const words[] = {"the ",  "model", " writes",   " an answer", " of ", "ordinary",
                                    " text", ", ",    "caf\u00e9", "\\n\\n",     "##",   " code"};

static const char *only; /* the argument: a part of a name */
static struct buf request, stream;
static size_t starts[EVENTS + 3]; /* of the events */
static size_t events;

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void add_event(const char *delta, const char *finish, const char *usage)
{
    starts[events++] = stream.len;
    buf_printf(&stream,
               "data: {\"id\":\"chatcmpl-CkVPG3GyEhPULXT9pXzkKbBQWNzRn\",\"object\":"
               "\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"gpt-5.1-2025-11-13\","
               "\"service_tier\":\"default\",\"system_fingerprint\":null,\"choices\":[{\"index\":0,"
               "\"delta\":{%s},\"finish_reason\":%s}],\"usage\":%s}\n\n",
               delta, finish, usage);
}

/* first: the text of the first event. */
static void make_stream(const char *member, const char *first)
{
    char delta[100];

    events = 0;
    buf_cut(&stream, 0);
    for (size_t i = 0; i < EVENTS; i++) {
        const char *word = words[i * 7 % (sizeof(words) / sizeof(*words))];

        snprintf(delta, sizeof(delta), "\"%s\":\"%s\"", member, i == 0 ? first : word);
        add_event(delta, "null", "null");
    }
    add_event("", "\"stop\"",
              "{\"prompt_tokens\":2310,\"completion_tokens\":4000,\"total_tokens\":6310}");
    starts[events++] = stream.len;
    buf_put(&stream, STR("data: [DONE]\n\n"));
    starts[events] = stream.len;
}

static void make_request(void)
{
    buf_put(&request,
            STR("{\"model\":\"gpt-5.1\",\"stream\":true,\"tools\":[{\"type\":\"function\","
                "\"function\":{\"name\":\"now\",\"parameters\":{\"type\":\"object\"}}}],"
                "\"messages\":[{\"role\":\"user\",\"content\":\""));
    for (size_t i = 0; request.len < 10240; i++)
        buf_put(&request, i % 9 ? STR("Say more about what this function does. ")
                                : STR("if (count > max_count) return -1;\\n"));
    buf_put(&request, STR("\"}]}"));
}

/* ---- what is measured --------------------------------------------------------------------- */

static struct str event_at(size_t i)
{
    return (struct str){stream.ptr + starts[i], starts[i + 1] - starts[i]};
}

static void run_watch(void)
{
    struct watch w;

    watch_init(&w);
    for (size_t i = 0; i < events; i++)
        watch_feed(&w, event_at(i), (int64_t)i);
    watch_finish(&w, (int64_t)events);
    watch_clear(&w);
}

static void run_fixes(void)
{
    struct fix_plan *plan = fix_plan_new(ALL_FIXES, ENDPOINT, buf_str(&request), STR("7"));
    struct fix_run *run = fix_run_new(plan);
    struct buf out = {0};

    for (size_t i = 0; i < events; i++) {
        if (fix_feed(run, event_at(i), &out) < 0)
            abort();
        buf_cut(&out, 0);
    }
    fix_finish(run, false, &out);
    buf_clear(&out);
    fix_run_free(run);
    fix_plan_free(plan);
}

static void run_answer(void)
{
    struct arena arena = {0};
    struct answer a;

    answer_read(buf_str(&stream), true, &arena, &a);
    arena_clear(&arena);
}

static void run_tokens(void)
{
    if (tokens_estimate(buf_str(&request), ENDPOINT, STR("gpt-5.1"), false).tokens < 1)
        abort();
}

static void run_search(void)
{
    struct buf text = {0}, clean = {0};
    struct err err;

    if (search_answer_text(buf_str(&stream), STR("text/event-stream"), &text, &err) < 0 ||
        search_clean(buf_str(&text), &clean, &err) < 0)
        abort();
    buf_clear(&text);
    buf_clear(&clean);
}

static void run_conversation(void)
{
    struct conversation_input in = {.endpoint = ENDPOINT,
                                    .request_body = buf_str(&request),
                                    .response_body = buf_str(&stream),
                                    .response_content_type = STR("text/event-stream")};

    cJSON_Delete(conversation_build(&in));
}

static void measure(const char *name, void (*run)(void), double divisor)
{
    double best = 0;

    if (only && !strstr(name, only))
        return;
    for (int i = 0; i < ROUNDS; i++) {
        double begun = now_us(), took;

        run();
        took = now_us() - begun;
        best = i == 0 || took < best ? took : best;
    }
    printf("%-46s %9.2f us\n", name, best / divisor);
}

int main(int argc, char **argv)
{
    only = argc > 1 ? argv[1] : NULL;
    make_request();
    make_stream("content", "The");
    printf("stream of %zu bytes in %zu events\n", stream.len, events);
    measure("loop, an event: watching", run_watch, (double)events);
    measure("loop, an event of content: three fixes", run_fixes, (double)events);
    measure("writer: usage and facts of the stream", run_answer, 1);
    measure("writer: text of the stream for the search", run_search, 1);
    measure("reader: conversation of the stream", run_conversation, 1);
    measure("writer: tokens of a prompt of 10 KB", run_tokens, 1);
    make_stream("reasoning_content", "The");
    measure("loop, an event of reasoning: three fixes", run_fixes, (double)events);
    make_stream("content", "<think>");
    measure("loop, an event that is rewritten: three fixes", run_fixes, (double)events);
    buf_clear(&request);
    buf_clear(&stream);
    return 0;
}
