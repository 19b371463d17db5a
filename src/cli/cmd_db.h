/* cli/cmd_db.h - "db": the database as a whole. */
#ifndef CLI_CMD_DB_H
#define CLI_CMD_DB_H

int cmd_db(int argc, char **argv);

#endif
