/* daemon/serve.h - the command "serve": start, run, orderly stop. */
#ifndef DAEMON_SERVE_H
#define DAEMON_SERVE_H

#include "config/serve_options.h"

int cmd_serve(int argc, char **argv);

#endif
