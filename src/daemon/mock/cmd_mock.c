#include "daemon/mock/cmd_mock.h"
int cmd_mock(int argc, char **argv){(void)argc;(void)argv;return 1;}
