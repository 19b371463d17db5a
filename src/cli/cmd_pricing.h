/* cli/cmd_pricing.h - the command "pricing". */
#ifndef CLI_CMD_PRICING_H
#define CLI_CMD_PRICING_H

/** argv[0] is the command; returns the exit status. */
int cmd_pricing(int argc, char **argv);

#endif
