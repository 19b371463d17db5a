/* cli/db_priv.h - what the verbs of "db" share. */
#ifndef CLI_DB_PRIV_H
#define CLI_DB_PRIV_H

#include "out.h"
#include "store/store.h"

/** The path of the database that options and environment name, owned. ERR_INVALID for one in
 *  memory. */
int db_path(const struct cli *cli, char **out, struct err *err);
/** Print the result of a verb: an object in the JSON form, else text. Returns the exit status. */
int db_print(struct cli *cli, struct str json, struct str text);

extern const struct opt db_import_options[];
extern const char db_import_more[];
int db_import(struct cli *cli);

extern const struct opt db_search_options[];
extern const char db_search_more[];
int db_search(struct cli *cli);

/* Verbs that ask the API, so a running server when there is one. */
#define STORAGE "/admin/api/storage"

extern const struct out_spec db_stats_object, db_check_object, db_trim_object, db_vacuum_object,
    db_backup_object;
extern const struct opt db_stats_options[], db_check_options[], db_trim_options[];
extern const char db_stats_more[], db_check_more[], db_path_more[], db_trim_more[],
    db_vacuum_more[], db_backup_more[];
int db_stats(struct cli *cli);
int db_check(struct cli *cli);
int db_where(struct cli *cli);
int db_trim(struct cli *cli);
int db_vacuum(struct cli *cli);
int db_copy(struct cli *cli);

#endif
