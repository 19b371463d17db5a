/* The command table, nothing else. */
#include "cli/command.h"
#include "cli/commands.h"
#include "daemon/mock/cmd_mock.h"
#include "daemon/mock/mock_model.h"
#include "daemon/serve.h"
#include "tui/keys.h"
#include "tui/top.h"

#define WATCH "Run and watch"
#define KEEP "Set up and look after"
#define HELP "Help"

int main(int argc, char **argv)
{
    static const struct command commands[] = {
        {"serve", "[options]", "run the proxy (the default)", cmd_serve, .options = serve_options,
         .group = WATCH},
        {"top", NULL, "watch requests as they happen", .verbs = top_verbs, .keys = top_keys,
         .group = WATCH},
        {"requests", NULL, "look at captured requests", .verbs = requests_verbs, .group = WATCH},
        {"runs", NULL, "group requests into runs", .verbs = runs_verbs, .group = WATCH},
        {"routes", NULL, "look after where models go", .verbs = routes_verbs, .group = KEEP},
        {"providers", NULL, "look after providers", .verbs = providers_verbs, .group = KEEP},
        {"pricing", NULL, "look after prices", .verbs = pricing_verbs, .group = KEEP},
        {"db", NULL, "look after the database", .verbs = db_verbs, .group = KEEP},
        {"doctor", NULL, "look for what may be wrong", .verbs = doctor_verbs, .group = KEEP},
        {"config", NULL, "look at and change saved settings", .verbs = config_verbs, .group = KEEP},
        {"mock", "[options]", "run an upstream to try things on", cmd_mock, .options = mock_options,
         .group = KEEP},
        {"completion", NULL, "complete words in a shell", .verbs = completion_verbs, .group = HELP},
        {"help", NULL, "explain a command, a verb or a topic", .verbs = help_verbs, .group = HELP},
        {"version", NULL, "print the version", .verbs = version_verbs, .group = HELP},
        {"__complete", NULL, "print what may stand for a word", .verbs = complete_verbs},
        {"__tables", NULL, "print the tables of the command line", .verbs = tables_verbs},
        {0},
    };

    return command_dispatch(commands, argc, argv);
}
