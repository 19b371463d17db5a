#ifndef MOCK_CMD_MOCK_H
#define MOCK_CMD_MOCK_H

int cmd_mock(int argc, char **argv);

#endif
