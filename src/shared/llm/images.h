/* llm/images.h - the images that a request carries: in JSON of any of the APIs, or as uploads. */
#ifndef LLM_IMAGES_H
#define LLM_IMAGES_H

#include "base/arena.h"
#include "base/buf.h"
#include "llm/multipart.h"

/** Larger ones (counted as base64 text) are named without their data. */
#define IMAGES_MAX_BYTES ((size_t)20971520)
/** More than these are not looked for. */
#define IMAGES_MAX 1024

#define IMAGE_DATA_URL "data_url"
#define IMAGE_URL "url"
#define IMAGE_UPLOAD "upload"

/** The source of a data URL is head followed by data_base64, that of all others is head. Texts are
 *  borrowed from the body, or in the arena. */
struct image {
    struct str kind;        /* one of the above */
    struct str mime_type;   /* STR_NONE for links */
    struct str head;        /* a data URL up to and with its comma, a link, "multipart:name:file" */
    struct str data_base64; /* STR_NONE for links, and when it is too large */
};

struct images {
    struct image *items; /* in the arena */
    size_t count;
};

/** Find the images of a request body, in the order of the text, each one once, at most max (no more
 *  than IMAGES_MAX). What cannot be read has none; neither do images without memory. */
void images_find(struct str body, struct str content_type, size_t max, struct arena *arena,
                 struct images *out);
/** False when images_find() is sure to find none in a JSON body: much cheaper. Keys written with
 *  escapes are not seen. */
bool images_may_be_in(struct str json);
/** True for a part of a form that is an image. */
bool images_is_upload(const struct part *part);

#endif
