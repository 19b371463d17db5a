#ifndef CLI_CMD_REQUESTS_H
#define CLI_CMD_REQUESTS_H

int cmd_requests(int argc, char **argv);

#endif
