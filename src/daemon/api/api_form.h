/* daemon/api/api_form.h - how form posts are answered: a redirect, or a page with what is wrong. */
#ifndef API_API_FORM_H
#define API_API_FORM_H

#include "daemon/api/api.h"

/** Answer 303. */
void form_redirect(struct api_call *call, const char *location);
/** Answer a page that shows the message and leads back. */
void form_error(struct api_call *call, const struct err *err, const char *back);

#endif
