/* cli/request_text.h - one request as text: head, bodies, headers, images. */
#ifndef CLI_REQUEST_TEXT_H
#define CLI_REQUEST_TEXT_H

#include "requests_priv.h"

enum {
    REQUEST_PART_HEAD = 1,
    REQUEST_PART_REQUEST = 2,
    REQUEST_PART_RESPONSE = 4,
    REQUEST_PART_UPSTREAM = 8,
    REQUEST_PART_HEADERS = 16,
    REQUEST_PART_TIMING = 32,
    REQUEST_PART_COST = 64,
    REQUEST_PART_IMAGES = 128,
    REQUEST_PART_CONVERSATION = 256, /* alone: another answer tells it */
};
#define REQUEST_PARTS_DEFAULT (REQUEST_PART_HEAD | REQUEST_PART_REQUEST | REQUEST_PART_RESPONSE)

/** Parts of a comma-separated list. ERR_INVALID with near names. */
int request_parts_read(const char *list, unsigned *parts, struct err *err);
/** Print the parts of an answer of GET /api/requests/{id}. Errors go to job->err. */
int request_text(struct job *job, struct str answer, unsigned parts);
/** Print an answer of GET /api/requests/{id}/conversation. */
int request_conversation(struct job *job, struct str answer);
/** Save the images as FOLDER/request-ID-image-N.EXT, and print their names. */
int request_images_save(struct job *job, int64_t id, struct str answer, const char *folder);

#endif
