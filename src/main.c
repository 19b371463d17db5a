/* The command table, nothing else. */
#include "cli/cmd_db.h"
#include "cli/cmd_pricing.h"
#include "cli/cmd_providers.h"
#include "cli/cmd_requests.h"
#include "cli/cmd_routes.h"
#include "cli/cmd_version.h"
#include "cli/command.h"
#include "daemon/mock/cmd_mock.h"
#include "daemon/serve.h"

int main(int argc, char **argv)
{
    static const struct command commands[] = {
        {"serve", "[options]", "run the proxy (the default)", cmd_serve},
        {"requests", "list|show|tail|grep", "look at captured exchanges", cmd_requests},
        {"routes", "list|recent|add|set|rm|resolve|seed|test", "look after where models go",
         cmd_routes},
        {"providers", "list|set|rm|check", "look after providers", cmd_providers},
        {"pricing", "list|find|set|rm|sync|backfill|estimate", "look after prices", cmd_pricing},
        {"db", "import|search", "look after the database", cmd_db},
        {"mock", "[options]", "run an upstream to try things on", cmd_mock},
        {"version", "", "print the version", cmd_version},
        {0},
    };

    return command_dispatch(commands, argc, argv);
}
