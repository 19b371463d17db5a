#ifndef CLI_CMD_VERSION_H
#define CLI_CMD_VERSION_H

int cmd_version(int argc, char **argv);

#endif
