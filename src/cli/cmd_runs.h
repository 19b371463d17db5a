/* cli/cmd_runs.h - "runs": named spans of traffic. */
#ifndef CLI_CMD_RUNS_H
#define CLI_CMD_RUNS_H

int cmd_runs(int argc, char **argv);

#endif
