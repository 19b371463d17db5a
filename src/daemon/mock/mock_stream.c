#include "daemon/mock/mock_priv.h"

const struct mock_form *mock_form(enum mock_api api)
{
    static const struct mock_form *const forms[] = {
        [MOCK_CHAT] = &mock_chat,
        [MOCK_COMPLETIONS] = &mock_completions,
        [MOCK_RESPONSES] = &mock_responses,
        [MOCK_MESSAGES] = &mock_messages,
    };

    return forms[api];
}

static void begin(struct mock_stream *s, const struct mock_form *form, struct buf *out)
{
    s->begun = true;
    s->pieces = s->answer->parts[s->part].pieces;
    form->begin(s, out);
}

static int end(struct mock_stream *s, const struct mock_form *form, struct buf *out,
               struct err *err)
{
    if (form->end(s, out, err) < 0)
        return -1;
    s->begun = false;
    s->part++;
    return 0;
}

int mock_stream_beat(struct mock_stream *s, struct buf *out, struct err *err)
{
    const struct mock_form *form = mock_form(s->answer->api);
    struct str piece;

    if (!s->started)
        form->start(s, out);
    s->started = true;
    while (s->part < s->answer->part_count) {
        if (!s->begun)
            begin(s, form, out);
        if (mock_piece(&s->pieces, &piece)) {
            form->delta(s, piece, out);
            if (++s->sent < s->answer->total)
                return 0;
        } else if (end(s, form, out, err) < 0) {
            return -1;
        }
    }
    s->done = true;
    return form->finish(s, out, err);
}
