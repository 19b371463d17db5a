/* daemon/api/api_form.h - what forms answer: a redirect, or a page that says what is wrong. */
#ifndef API_API_FORM_H
#define API_API_FORM_H

#include "daemon/api/api.h"

/** 303 to location, a path of our own. */
void form_redirect(struct call *call, const char *location);
/** An HTML page with the message and a link back. */
void form_error(struct call *call, const struct err *err, const char *back);
/** One of the two: a redirect to page when rc is 0. What is wrong with a form is always 400. */
void form_finish(struct call *call, int rc, struct err *err, const char *page);
/** An HTML page. html is its content, as it stands. */
void form_page(struct call *call, int status, struct str html);
/** Append text for HTML. */
void form_escape(struct buf *out, struct str text);

#endif
