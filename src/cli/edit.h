/* cli/edit.h - changing a row of the API: read it, change what is given, write it whole.
 *
 * The body of the write is made member by member. What no option names is taken over from the row
 * as it was read, digit by digit, with its time of change, so that the server can refuse to
 * overwrite somebody else's edit. */
#ifndef CLI_EDIT_H
#define CLI_EDIT_H

#include "cli.h"
#include "row.h"

enum edit_kind {
    EDIT_TEXT,
    EDIT_NUMBER,  /* a whole number, also as 10k */
    EDIT_DECIMAL, /* written as text, so that no digit is lost on the way */
    EDIT_LIST,    /* of texts, from a repeatable option */
    EDIT_AS_IS,   /* no option: as it was */
};

/** A member of the body; a list ends with a NULL key. */
struct edit_field {
    const char *key;
    const char *option; /* NULL: as it was */
    enum edit_kind kind;
};

struct edit {
    const struct row *old; /* NULL: the row is new */
    struct buf json, changes;
    bool changed;
};

/** Release with edit_clear(). Borrows old. */
void edit_start(struct edit *e, const struct row *old);
/** Add the members of a table. ERR_INVALID for a number that is none. */
int edit_fields(struct edit *e, const struct cli *cli, const struct edit_field *fields,
                struct err *err);
/** Add a member with a JSON value; value.ptr NULL: as it was, if it was. */
void edit_put(struct edit *e, const char *key, struct str value);
void edit_text(struct edit *e, const char *key, const char *text);
/** A flag by the one of two options (NULL: there is none) that was given; else as it was. */
int edit_flag(struct edit *e, const struct cli *cli, const char *key, const char *yes,
              const char *no, struct err *err);
/** The body; borrowed. */
struct str edit_end(struct edit *e);
void edit_clear(struct edit *e);
/** Say what differs, "  priority: 50 -> 10", a line each. */
void edit_tell(const struct edit *e, const struct cli *cli);

#endif
