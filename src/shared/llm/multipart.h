/* llm/multipart.h - multipart/form-data bodies, read for capture only; forwarding is byte-exact. */
#ifndef LLM_MULTIPART_H
#define LLM_MULTIPART_H

#include "base/buf.h"

struct part {
    struct str name, filename, content_type; /* borrowed from the body; STR_NONE when absent */
    struct str content;                      /* borrowed from the body */
};

#define MULTIPART_MAX_PARTS 64

struct multipart {
    struct part parts[MULTIPART_MAX_PARTS]; /* the first ones */
    size_t count;
};

/** The boundary of a multipart/form-data Content-Type, quoted or not. STR_NONE for other types. */
struct str multipart_boundary(struct str content_type);
/** False when the body is malformed. Borrows body: the parts point into it. */
bool multipart_parse(struct str body, struct str boundary, struct multipart *out);
/** The text field of that name (a part without filename); false when there is none. */
bool multipart_field(const struct multipart *m, struct str name, struct str *out);
/** Append [{"name":…,"filename":…,"content_type":…,"size":…}]. */
void multipart_json(const struct multipart *m, struct buf *out);

#endif
