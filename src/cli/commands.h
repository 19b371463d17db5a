/* cli/commands.h - the verbs of each command, for the table in src/main.c. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli.h"

extern const struct verb complete_verbs[], completion_verbs[], config_verbs[], db_verbs[],
    doctor_verbs[], help_verbs[], pricing_verbs[], providers_verbs[], requests_verbs[],
    routes_verbs[], runs_verbs[], tables_verbs[], version_verbs[];

#endif
