/* cli/cmd_routes.h - the command "routes". */
#ifndef CLI_CMD_ROUTES_H
#define CLI_CMD_ROUTES_H

/** argv[0] is the command; returns the exit status. */
int cmd_routes(int argc, char **argv);

#endif
