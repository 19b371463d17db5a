/* daemon/mock/mock_priv.h - what the files of the mock share.
 *
 * A request becomes an answer: the parts it consists of and their numbers of tokens. The answer is
 * written by a form, one per API, either whole or as a stream that gives beat after beat. A call
 * puts it on a connection at its pace. */
#ifndef MOCK_PRIV_H
#define MOCK_PRIV_H

#include "base/arena.h"
#include "daemon/http/conn.h"
#include "daemon/mock/mock.h"

#define MOCK_MODEL_MAX 1024 /* bytes of a model name */

/* ---- mock_words.c: text, numbers and names that look random ---- */

struct mock_text {
    const struct str *items;
    size_t count;
    bool in_order; /* one after another, else by key */
};
extern const struct mock_text mock_sentences;

uint64_t mock_mix(uint64_t a, uint64_t b);
uint64_t mock_hash(uint64_t key, struct str bytes);
#define MOCK_ID_SIZE 40
/** "chatcmpl-" and 24 characters; salt tells the ids of one answer apart. Returns out. */
char *mock_id(char out[MOCK_ID_SIZE], const char *prefix, uint64_t key, uint64_t salt);

/** A walk over the tokens of a text. */
struct mock_pieces {
    const struct mock_text *text; /* NULL: rest is all, cut into small pieces */
    struct str rest;
    uint64_t key, n;
    int64_t left;
};
/** The next token, borrowed from the text; false at the end. */
bool mock_piece(struct mock_pieces *p, struct str *out);

/* ---- mock_request.c ---- */

enum mock_api { MOCK_CHAT, MOCK_COMPLETIONS, MOCK_RESPONSES, MOCK_MESSAGES };

struct mock_tool {
    struct str name, schema; /* schema: a JSON object as text, or STR_NONE */
};

/** What a body asks for. Texts are borrowed from the body but for model. */
struct mock_request {
    struct str model;
    struct str model_json; /* as it was written, with quotes */
    bool stream, include_usage;
    int64_t limit;         /* tokens the client allows; UNKNOWN: any number */
    int64_t prompt_tokens; /* about a token for four bytes of text */
    struct mock_tool tool; /* the one that options name, else the first; no name: none declared */
    bool tool_done;        /* tools are not wanted, or the last message is the result of one */
    struct mock_options options;
};

/** Tokens of all texts in a JSON value. */
int64_t mock_count_tokens(struct str value);
/** Check body and read its model, with the options that the name holds, into r->options. *body
 *  becomes the object without blanks. ERR_INVALID. */
int mock_request_model(struct mock_request *r, struct str *body, struct arena *arena,
                       struct err *err);
/** Read the rest of a checked body. ERR_INVALID. */
int mock_request_read(struct mock_request *r, enum mock_api api, struct str body, struct err *err);

/* ---- mock_tool.c: arguments for a call, after the schema of the tool ---- */

/** A JSON object with a value for each property. */
void mock_arguments(struct buf *out, struct str schema, uint64_t key);
/** A call as Qwen models write it into their text. ERR_NO_MEMORY. */
int mock_qwen_call(struct buf *out, struct mock_tool tool, uint64_t key, struct err *err);

/* ---- mock_answer.c ---- */

enum mock_part_kind { MOCK_REASONING, MOCK_TEXT, MOCK_TOOL };

struct mock_part {
    enum mock_part_kind kind;
    int64_t tokens;
    struct mock_pieces pieces; /* at its start */
};

struct mock_answer {
    enum mock_api api;
    struct arena arena;                 /* model, arguments and the text of options live here */
    struct mock_request request;        /* tool is empty once the answer is planned */
    const struct mock_options *options; /* of request */
    uint64_t key;
    int64_t created; /* seconds */
    struct mock_part parts[3];
    size_t part_count;
    int64_t total; /* tokens of all parts */
    int64_t prompt, cached, output, reasoning;
    bool cut_short;  /* the client's limit ended the text */
    struct str tool; /* the name of the tool that is called, or STR_NONE */
};

/** Plan the answer to a->request; body is used for this call only. ERR_NO_MEMORY. */
int mock_answer_plan(struct mock_answer *a, const struct mock_text *text, struct str body,
                     struct err *err);
void mock_answer_clear(struct mock_answer *a);
/** Append the whole text of a part as a JSON string. ERR_NO_MEMORY. */
int mock_put_part(struct buf *out, const struct mock_part *part, struct err *err);
/** Append s as a JSON string; s is small. */
void mock_put_quoted(struct buf *out, struct str s);

/* ---- mock_stream.c, and a form in mock_chat.c, mock_completions.c, ... ---- */

struct mock_stream {
    const struct mock_answer *answer;
    size_t part;
    struct mock_pieces pieces;
    int64_t sent; /* tokens */
    uint64_t sequence;
    bool started, begun, done;
};

/** How one API writes an answer. All append to out. */
struct mock_form {
    int (*json)(const struct mock_answer *a, struct buf *out, struct err *err);
    void (*start)(struct mock_stream *s, struct buf *out);
    void (*begin)(struct mock_stream *s, struct buf *out);
    void (*delta)(struct mock_stream *s, struct str piece, struct buf *out);
    int (*end)(struct mock_stream *s, struct buf *out, struct err *err);
    int (*finish)(struct mock_stream *s, struct buf *out, struct err *err);
};
extern const struct mock_form mock_chat, mock_completions, mock_responses, mock_messages;

const struct mock_form *mock_form(enum mock_api api);
/** Append the events up to the next token, or up to the end after the last one. */
int mock_stream_beat(struct mock_stream *s, struct buf *out, struct err *err);

/* ---- mock_embeddings.c, mock_error.c ---- */

/** ERR_INVALID, ERR_NO_MEMORY */
int mock_embeddings(struct buf *out, const struct mock_request *r, struct str body,
                    struct err *err);
/** The body of an error in the API's own shape; messages: Anthropic's. */
void mock_error_body(struct buf *out, bool messages, int status, struct str message,
                     const char *request_id);
/** What a status says without further reason. */
const char *mock_error_text(int status);

/* ---- mock_call.c: one request and its answer on a connection ---- */

/** One loop and all it owns; the rest of struct mock is in mock_server.c. */
struct mock_shared {
    struct conn_host host;
    struct mock_config config;
    struct mock_text text;
    struct str file; /* of text */
    uint64_t count;  /* requests so far, for shares */
};

struct mock_call {
    struct mock_shared *shared;
    struct conn *conn;
    struct mock_answer answer;
    struct mock_stream stream;
    struct buf json; /* the whole answer, when it is no stream */
    size_t json_sent;
    uv_timer_t timer;
    int64_t start_us;
    bool messages; /* errors and headers are Anthropic's */
    bool cut;      /* end it in the middle */
    bool has_timer, head_sent, pumping;
    bool ended; /* the answer is complete */
    bool over;  /* the connection is done with it */
};

/** The head callback of the host, whose ctx is a struct mock_shared. */
void mock_call_head(void *ctx, struct conn *c, struct request *r);
/** Answer with these bytes of JSON, now. */
void mock_call_json(struct mock_call *call, int status, struct str body);
/** Answer with an error, now. header: a further one, or STR_NONE. */
void mock_call_error(struct mock_call *call, int status, struct header header, struct str message);
/** Answer with call->json, or with the stream of call->answer, at the pace of its options. */
void mock_call_paced(struct mock_call *call);

/* ---- mock_routes.c ---- */

/** Begin the answer to a complete request. */
void mock_route(struct mock_call *call, struct request *r);

#endif
