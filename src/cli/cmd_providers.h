/* cli/cmd_providers.h - the command "providers". */
#ifndef CLI_CMD_PROVIDERS_H
#define CLI_CMD_PROVIDERS_H

/** argv[0] is the command; returns the exit status. */
int cmd_providers(int argc, char **argv);

#endif
