/* llm/fix.h - compatibility fixes: what a server wrote in the wrong place of a chat completion, put
 * where clients look for it. Bytes in, bytes out, no I/O.
 *
 * A plan is made of the request, a run of the plan for one answer. Fixes run in the order of the
 * list, each on what the one before gave. What a fix does not change passes byte for byte; what is
 * doubtful passes unchanged with a warning. Linear; what is held back is bounded. */
#ifndef LLM_FIX_H
#define LLM_FIX_H

#include "base/buf.h"

#define FIX_QWEN "qwen-tagged-tool-call-rewrite"
#define FIX_THINK "reasoning-tags-to-reasoning-content"
#define FIX_ARGUMENTS "tool-arguments-json-repair"

/** The one endpoint whose answers they look at. */
#define FIX_ENDPOINT "/v1/chat/completions"
/** The largest body that is not a stream, and the most that is held of a stream's text. */
#define FIX_BODY_MAX ((size_t)1024 * 1024)
#define FIX_TEXT_MAX ((size_t)262144)

struct fix_plan;
struct fix_run;

/** Borrows its arguments for the call. fixes_json: array of ids. id goes into the ids of calls
 *  (STR_NONE: they stay bare). NULL when no fix has anything to do for this request, or without
 *  memory. Returns owned. */
struct fix_plan *fix_plan_new(struct str fixes_json, struct str endpoint, struct str body,
                              struct str id);
void fix_plan_free(struct fix_plan *plan);

enum fix_mode { FIX_NOTHING, FIX_PLAIN, FIX_STREAM };
/** How the answer with this content type (STR_NONE: absent) is treated. */
enum fix_mode fix_mode(const struct fix_plan *plan, bool is_stream, struct str content_type);

/** For one answer; borrows plan until fix_run_free(). NULL without memory. Returns owned. */
struct fix_run *fix_run_new(struct fix_plan *plan);
void fix_run_free(struct fix_run *run);

/** The whole body of an answer. True when out has another one now. */
bool fix_plain(struct fix_run *run, struct str body, struct buf *out);
/** The body is larger than FIX_BODY_MAX: nothing but a warning. */
void fix_too_large(struct fix_run *run);

/** A piece of a stream: append to out what the client gets now. -1 without memory: bytes are
 *  missing from then on. */
int fix_feed(struct fix_run *run, struct str bytes, struct buf *out);
/** The end of the stream. broken: the upstream failed, what is held passes unchanged. */
int fix_finish(struct fix_run *run, bool broken, struct buf *out);

/** What is to be told of the run. */
bool fix_rewritten(const struct fix_run *run);
bool fix_warned(const struct fix_run *run);
/** Bytes are held back; after fix_finish(): the stream broke off while bytes were held back. */
bool fix_holds(const struct fix_run *run);
/** Append {"applied":[...],"configured":fixes_json}; run may be NULL. */
void fix_audit(const struct fix_run *run, struct str fixes_json, struct buf *out);
/** Append {"warnings":[...]}. */
void fix_warnings(const struct fix_run *run, struct buf *out);

#endif
