#include "terminfo.h"

#include <curses.h>
#include <stdint.h>
#include <term.h>

bool terminfo_setup(int fd)
{
    int status = 0;

    return setupterm(NULL, fd, &status) == OK;
}

const char *terminfo_text(const char *name)
{
    const char *text = tigetstr((char *)(uintptr_t)name);

    return text == (const char *)-1 ? NULL : text;
}

void terminfo_release(void)
{
    if (cur_term)
        del_curterm(cur_term);
}
