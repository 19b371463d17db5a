/* What lies over the rest: help. */
#include "keys.h"
#include "screen_priv.h"

void overlay_draw(struct drawing *d)
{
    (void)d;
}
