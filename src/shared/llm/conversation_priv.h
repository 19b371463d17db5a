/* llm/conversation_priv.h - a conversation while it is read: what the files of llm/conversation*.c
 * share. */
#ifndef LLM_CONVERSATION_PRIV_H
#define LLM_CONVERSATION_PRIV_H

#include <cjson/cJSON.h>

#include "base/arena.h"
#include "llm/facts.h"
#include "json/json_index.h"

/** Messages and parts together; more are counted only. */
#define CONV_MAX 65536
/** Parts of a message, and answers, that the events of a stream can name. */
#define CONV_MAX_KEYS 512
#define CONV_NO_KEY (-1)

enum conv_type {
    CONV_TEXT,
    CONV_REASONING,
    CONV_IMAGE,
    CONV_AUDIO,
    CONV_FILE,
    CONV_CALL,
    CONV_RESULT,
    CONV_REFUSAL,
    CONV_UNKNOWN
};

/** Names are in the arena, STR_NONE when absent. */
struct conv_part {
    enum conv_type type;
    bool inside; /* belongs to the result before it */
    bool summary, encrypted;
    int64_t key;     /* how events name it, or CONV_NO_KEY */
    struct buf text; /* text; arguments of a call; raw JSON of what is unknown */
    struct str id, name, kind, url, mime_type, detail;
    int64_t bytes; /* of data that is left out, or UNKNOWN */
};

struct conv_message {
    struct str role, name, finish_reason;
    bool response;
    int64_t choice; /* of responses: its number */
    struct conv_part *parts;
    size_t count, cap;
};

struct conv {
    const struct json_index *json; /* the value at hand */
    struct arena arena;
    struct str model, notice;
    cJSON *params, *tools;
    struct conv_message *messages;
    size_t count, cap, responses;
    size_t parts, omitted;
    struct upstream_error error;
    bool failed; /* the answer reports an error */
    /* of a stream */
    bool is_stream, done, cut_event;
    int64_t events, broken, unknown;
    size_t unknown_bytes;
    cJSON *unknown_events;
    size_t last; /* the message that got the last piece, from 1; 0: none yet */
    enum conv_type last_type;
};

/** An API. The functions read c->json; event is false for what it does not know. */
struct conv_dialect {
    const char *name, *suffix;
    const char *const *content; /* members of a request that are no parameters; NULL ends */
    void (*request)(struct conv *c);
    void (*answer)(struct conv *c);
    bool (*event)(struct conv *c);
};
extern const struct conv_dialect conv_chat, conv_completions, conv_responses, conv_messages;

/* ---- reading c->json; node 0 is no node ---- */

#define CONV_EACH(c, i, list)                                                                      \
    for (size_t i = (list) + 1; (list) > 0 && i < (c)->json->nodes[list].next;                     \
         i = (c)->json->nodes[i].next)

/** A member of node, 0 when there is none. */
size_t conv_member(const struct conv *c, size_t node, const char *name);
/** The member when it is a value that begins so, else 0. */
size_t conv_object(const struct conv *c, size_t node, const char *name);
size_t conv_array(const struct conv *c, size_t node, const char *name);
size_t conv_string(const struct conv *c, size_t node, const char *name);
/** STR_NONE for node 0. */
struct str conv_value(const struct conv *c, size_t node);
bool conv_is(const struct conv *c, size_t node, const char *member, const char *text);
/** A string member in the arena, cut to a sensible length; STR_NONE when absent or empty. */
struct str conv_name(struct conv *c, size_t node, const char *member);
/** A count member, or otherwise. */
int64_t conv_number(const struct conv *c, size_t node, const char *member, int64_t otherwise);

/* ---- building; NULL when there is no room: it is counted then ---- */

struct conv_message *conv_add_message(struct conv *c, struct str role, bool response);
/** Pointers to parts of m end. */
struct conv_part *conv_add(struct conv *c, struct conv_message *m, enum conv_type type);
/** Append the text of a string node, or the raw JSON of any other. */
void conv_put_text(const struct conv *c, struct conv_part *part, size_t node);
void conv_put_raw(const struct conv *c, struct conv_part *part, size_t node);
/** A part with the text of a string node that is not empty. */
void conv_add_text(struct conv *c, struct conv_message *m, enum conv_type type, size_t node);
void conv_add_unknown(struct conv *c, struct conv_message *m, size_t node);
/** arguments: a string node or a value. */
void conv_add_call(struct conv *c, struct conv_message *m, struct str id, struct str name,
                   struct str kind, size_t arguments);
void conv_add_result(struct conv *c, struct conv_message *m, struct str id, size_t content);
/** The content of a message: a string, or a list of blocks of any API. */
void conv_add_content(struct conv *c, struct conv_message *m, size_t content);
/** {name, description, parameters} for each. */
void conv_add_tool(struct conv *c, struct str type, size_t tool, size_t schema);

/** The answer with that number, made when it is new; NULL when there are too many. */
struct conv_message *conv_choice(struct conv *c, int64_t number);
/** The part that events name so, NULL when there is none. */
struct conv_part *conv_find(struct conv_message *m, int64_t key);
/** Append a piece of a stream to the last part when it is of that type, else to a new one. */
void conv_append(struct conv *c, struct conv_message *m, enum conv_type type, size_t node);
/** Note where the last piece went. */
void conv_touch(struct conv *c, const struct conv_message *m, enum conv_type type);

/** Read the events of a stream, or of a JSON value a line, whatever the API. */
void conv_read_events(struct conv *c, struct str body, bool lines);
void conv_clear(struct conv *c);

/** The whole of it. */
cJSON *conv_json(struct conv *c, const struct conv_dialect *dialect, bool response_cut);
/** JSON text as a value; as a text when it is nested too deeply for common readers. */
void conv_put_json(cJSON *o, const char *key, struct str json);

#endif
