/* Whatever a request and its answer hold: their conversation is JSON that can be read, with parts
 * of known types. The first byte says which API, and whether a stream; a NUL ends the request. */
#include "fuzz.h"

#include "llm/conversation.h"
#include "json/json.h"
#include "json/json_scan.h"

static const char *const endpoints[] = {"/v1/chat/completions", "/v1/completions", "/v1/responses",
                                        "/v1/messages"};

static void check(const cJSON *o)
{
    const cJSON *message, *part, *choice;
    int count = cJSON_GetArraySize(cJSON_GetObjectItem(o, "messages"));
    int64_t at;

    cJSON_ArrayForEach(message, cJSON_GetObjectItem(o, "messages"))
        cJSON_ArrayForEach(part, cJSON_GetObjectItem(message, "parts"))
            REQUIRE(cJSON_IsString(cJSON_GetObjectItem(part, "type")));
    cJSON_ArrayForEach(choice, cJSON_GetObjectItem(o, "choices"))
        REQUIRE(json_get_int(choice, "message", &at) && at >= 0 && at < count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data + 1, size - 1}, request, value;
    struct conversation_input in = {0};
    struct buf json = {0};
    cJSON *o;

    if (size == 0)
        return 0;
    str_split(&text, '\0', &request);
    in.endpoint = str_c(endpoints[data[0] % 4]);
    in.request_body = request;
    in.response_body = text;
    in.response_content_type = data[0] & 4 ? STR("text/event-stream") : STR("application/json");
    in.response_cut = data[0] & 8;
    o = conversation_build(&in);
    REQUIRE(o);
    check(o);
    REQUIRE(json_print(&json, o));
    REQUIRE(json_scan(buf_str(&json), &value) == JSON_OBJECT);
    cJSON_Delete(o);
    buf_clear(&json);
    return 0;
}
