/* The command table, nothing else. */
#include "cli/cmd_db.h"
#include "cli/cmd_requests.h"
#include "cli/cmd_runs.h"
#include "cli/cmd_version.h"
#include "cli/command.h"
#include "daemon/mock/cmd_mock.h"
#include "daemon/serve.h"

int main(int argc, char **argv)
{
    static const struct command commands[] = {
        {"serve", "[options]", "run the proxy (the default)", cmd_serve},
        {"requests", "list|show|tail|grep", "look at captured exchanges", cmd_requests},
        {"runs", "list|start|pause|resume|end|show|what-if|exec", "group requests into runs",
         cmd_runs},
        {"db", "import|search", "look after the database", cmd_db},
        {"mock", "[options]", "run an upstream to try things on", cmd_mock},
        {"version", "", "print the version", cmd_version},
        {0},
    };

    return command_dispatch(commands, argc, argv);
}
