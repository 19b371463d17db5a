/* llm/fix_priv.h - what the files of the fixes share: fix.c runs them one after the other,
 * fix_event.c cuts and reads events, fix_write.c writes JSON, fix_tools.c reads declared tools,
 * fix_block.c a tagged block; fix_qwen.c, fix_think.c and fix_arguments.c are the fixes. */
#ifndef LLM_FIX_PRIV_H
#define LLM_FIX_PRIV_H

#include "base/arena.h"
#include "llm/fix.h"
#include "json/json_scan.h"

#define FIX_COUNT 3
/** Raw bytes of events that are held back: their frames take more than their text. */
#define FIX_HELD_MAX ((size_t)8 * 1024 * 1024)

/* ---- writing JSON ---- */

/** A member of an object in another form: text is JSON without blanks; STR_NONE takes it away. */
struct fix_patch {
    struct str key, text;
    struct str at; /* private: the value that counts */
};
/** Append value without blanks. */
int fix_compact(struct buf *out, struct str value, struct err *err);
/** The same, characters unescaped where JSON allows it. */
int fix_clean(struct buf *out, struct str value, struct err *err);
/** Append object without blanks and with patches; members that it does not have come last. */
int fix_patch(struct buf *out, struct str object, struct fix_patch *patches, size_t count,
              struct err *err);
/** buf_add() of a JSON string with quotes. */
int fix_quote(struct buf *out, struct str text, struct err *err);
/** The first string that is not empty, else the first string; STR_NONE: neither is a string. */
struct str fix_choose(struct str first, struct str second);
/** Of the members reasoning_content and reasoning. */
struct str fix_reasoning(struct str object);
/** Not null, false, 0, "", [], {}. */
bool fix_truthy(struct str value);
/** A JSON string with something else than blanks. */
bool fix_has_text(struct str value);
/** Content that counts: text, a list with elements, anything else but null. */
bool fix_has_content(struct str value);

static inline bool fix_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
struct str fix_trim(struct str s);

/* ---- declared tools ---- */

struct fix_property {
    struct str name, schema;
};
struct fix_tool {
    struct str name, schema; /* of its parameters; empty: none */
    bool read, has_properties;
    struct fix_property *properties; /* sorted by name */
    size_t property_count;
    struct str *required;
    size_t required_count;
};
struct fix_tools {
    struct arena arena;
    struct fix_tool *list; /* sorted by name */
    size_t count;
};
/** Keep what a request declares in tools (a JSON value). -1 without memory. */
int fix_tools_read(struct fix_tools *out, struct str tools);
void fix_tools_clear(struct fix_tools *tools);
/** NULL when not declared, or without memory (*failed). */
struct fix_tool *fix_tools_find(struct fix_tools *tools, struct str name, bool *failed);
/** NULL when it has none of that name. */
const struct fix_property *fix_tool_property(const struct fix_tool *tool, struct str name);
int fix_str_compare(struct str a, struct str b);

/* ---- a tagged block ---- */

enum fix_verdict { FIX_NONE, FIX_PENDING, FIX_REJECTED, FIX_MATCHED, FIX_FAILED };
struct fix_block {
    struct str before, name; /* in the text */
    struct buf arguments;    /* owned */
    struct buf why;          /* owned; when rejected */
};
/** Look for the one block in text. may_go_on: more may follow. Release with fix_block_clear(). */
enum fix_verdict fix_block(struct str text, struct fix_tools *tools, bool may_go_on,
                           struct fix_block *out);
void fix_block_clear(struct fix_block *block);
/** The JSON value of a parameter. 1: why says what is wrong with it; -1 without memory. */
int fix_value(struct buf *out, struct str name, struct str schema, struct str value,
              struct buf *why);

/** Append text as JSON, repaired. cut_off: the answer is too short, brackets are not closed. False
 *  when it cannot be repaired; out may then hold a part. */
bool fix_repair(struct buf *out, struct str text, bool cut_off);

/* ---- events ---- */

enum fix_class { FIX_COMMENT, FIX_DONE, FIX_BROKEN, FIX_CONTROL, FIX_CHUNK };
struct fix_event {
    struct str raw;
    enum fix_class class;
    struct str data, choices, choice, delta; /* choice: the first; STR_NONE where not an object */
    struct str finish;                       /* JSON string of the first choice, or STR_NONE */
    struct str content, tool_calls;          /* of delta, STR_NONE when absent */
    struct str reasoning;                    /* likewise, a string */
    bool calls, text;                        /* of any choice */
    struct buf joined;                       /* data of several lines */
};
/** False without memory. Release with fix_event_clear(). */
bool fix_event_read(struct fix_event *out, struct str raw);
void fix_event_clear(struct fix_event *event);
/** Append the event with its first choice's delta and finish_reason as given; STR_NONE keeps
 *  finish_reason. */
int fix_event_write(struct buf *out, const struct fix_event *event, struct str delta,
                    struct str finish, struct err *err);

/** Events in order, with their borders. */
struct fix_queue {
    struct buf bytes;
};
int fix_queue_add(struct fix_queue *q, struct str raw);
/** Walk: *at starts at 0. */
bool fix_queue_next(const struct fix_queue *q, size_t *at, struct str *raw);
void fix_queue_clear(struct fix_queue *q);

/** Cuts bytes into raw events: each ends with its blank line. */
struct fix_cutter {
    struct buf part;
    enum { CUT_NONE, CUT_LF, CUT_CR, CUT_CRLF } last; /* how the last line ended */
    bool after_cr;                                    /* an LF would belong to the same line end */
    bool filled;                                      /* the line has something else than blanks */
    bool wants_lf; /* complete, but for the second half of a CRLF */
    bool large;
};

/* ---- the fixes ---- */

struct fix_run;
struct fix_step {
    const struct fix_kind *kind;
    struct fix_run *run;
    void *state; /* of the kind, of its size, zeroed */
    size_t place;
};
struct fix_kind {
    const char *id;
    bool (*wanted)(const struct fix_plan *plan, bool stream);
    /** Of a body: 1 out has the new one, 0 nothing to change, -1 no memory. */
    int (*plain)(struct fix_step *step, struct str body, struct buf *out);
    void (*event)(struct fix_step *step, const struct fix_event *event);
    /** An event too large to be looked at comes: let go of what is held. */
    void (*large)(struct fix_step *step);
    void (*finish)(struct fix_step *step, bool broken);
    bool (*holds)(const struct fix_step *step);
    void (*clear)(struct fix_step *step);
    size_t size;
};
extern const struct fix_kind fix_qwen, fix_think, fix_arguments;

struct fix_plan {
    const struct fix_kind *kinds[FIX_COUNT];
    size_t count;
    struct fix_tools tools;
    bool tools_off; /* tool_choice is "none" */
    bool several;   /* n is above 1: choices interleave */
    char id[32];    /* "" or "<id>_" */
};

struct fix_run {
    struct fix_plan *plan;
    struct fix_step steps[FIX_COUNT];
    size_t count;
    struct fix_cutter cutter;
    struct buf *out; /* of the call */
    struct buf applied, warnings;
    size_t noted;
    bool rewritten, failed, broke_off;
    bool ending; /* the last event is being taken */
};

/** Append the choice number i in its new form and give 1; 0: it stays; -1 without memory. */
typedef int fix_choice_fn(struct fix_step *step, struct str choice, size_t i, struct buf *out);
/** Give each choice of a body to take; the result is that of plain(). */
int fix_choices(struct fix_step *step, struct str body, fix_choice_fn *take, struct buf *out);
/** Hand an event on to the next step as it came. */
void fix_pass(struct fix_step *step, const struct fix_event *event);
/** The same of an event that is another one now, or was held. */
void fix_emit(struct fix_step *step, struct str raw);
void fix_emit_all(struct fix_step *step, const struct fix_queue *q);
/** An action of the audit; function STR_NONE: none. */
void fix_note(struct fix_step *step, const char *action, struct str function);
void fix_warn(struct fix_step *step, struct str text);

#endif
