/* What an answer says, as text for the search. */
#include "llm/conversation.h"
#include "llm/conversation_priv.h"

static int add(struct buf *out, struct str before, struct str text, struct err *err)
{
    if (text.len == 0)
        return 0;
    return out->len > 0 && buf_add(out, before, err) < 0 ? -1 : buf_add(out, text, err);
}

static int add_part(struct buf *out, const struct conv_part *part, struct err *err)
{
    switch (part->type) {
    case CONV_TEXT:
    case CONV_REASONING:
    case CONV_REFUSAL:
    case CONV_AUDIO:
        return add(out, STR("\n\n"), buf_str(&part->text), err);
    case CONV_CALL:
        if (add(out, STR("\n\n"), part->name, err) < 0)
            return -1;
        return add(out, part->name.len > 0 ? STR(" ") : STR("\n\n"), buf_str(&part->text), err);
    case CONV_IMAGE:
    case CONV_FILE:
    case CONV_RESULT: /* its parts follow */
    case CONV_UNKNOWN:
        break;
    }
    return 0;
}

static int add_all(struct buf *out, const struct conv *c, struct err *err)
{
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->messages[i].count; k++)
            if (add_part(out, &c->messages[i].parts[k], err) < 0)
                return -1;
    return c->failed ? add(out, STR("\n\n"), c->error.message, err) : 0;
}

int conversation_events_text(struct str body, bool lines, struct buf *out, struct err *err)
{
    struct conv c = {0};
    int rc;

    conv_read_events(&c, body, lines);
    rc = add_all(out, &c, err);
    conv_clear(&c);
    return rc;
}
