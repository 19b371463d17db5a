# cmake -DOUT=DIR -DFILES=a.sql;b.sql -DMIGRATIONS=0001_x.sql;... -P embed_sql.cmake
#
# Turns "-- name: run_get" blocks into `enum sql_id { SQL_RUN_GET, ... }` (sql.h) and the table
# `sql_text[]` (sql.c), and numbered migration files into `sql_migrations[]`.
function(c_string out text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
  set(${out} "\"${text}\"" PARENT_SCOPE)
endfunction()

set(enum "")
set(table "")
set(names "")
foreach(file IN LISTS FILES)
  file(READ ${file} text)
  string(REPLACE ";" "\x01" text "${text}")
  string(REPLACE "[" "\x02" text "${text}")
  string(REPLACE "]" "\x03" text "${text}")
  string(REGEX REPLACE "(^|\n)-- name: " "\\1;" text "${text}")
  list(POP_FRONT text preamble)
  foreach(block IN LISTS text)
    string(REGEX MATCH "^[a-z0-9_]+" name "${block}")
    string(REGEX REPLACE "^[a-z0-9_]+[^\n]*\n" "" body "${block}")
    string(STRIP "${body}" body)
    string(REPLACE "\x01" ";" body "${body}")
    string(REPLACE "\x02" "[" body "${body}")
    string(REPLACE "\x03" "]" body "${body}")
    string(TOUPPER ${name} upper)
    c_string(body "${body}")
    string(APPEND enum "    SQL_${upper},\n")
    string(APPEND table "    [SQL_${upper}] = ${body},\n")
    string(APPEND names "    [SQL_${upper}] = \"${name}\",\n")
  endforeach()
endforeach()

set(migrations "")
set(count 0)
foreach(file IN LISTS MIGRATIONS)
  file(READ ${file} body)
  math(EXPR count "${count} + 1")
  c_string(body "${body}")
  string(APPEND migrations "    ${body},\n")
endforeach()

file(WRITE ${OUT}/sql.h.new "/* Made from schema/ by cmake/embed_sql.cmake. */
#ifndef SQL_H
#define SQL_H

enum sql_id {
${enum}    SQL_COUNT
};

/* The text and the name of each statement, by sql_id. */
extern const char *const sql_text[SQL_COUNT];
extern const char *const sql_name[SQL_COUNT];

/* sql_migrations[n] leads from schema version n to n + 1. */
#define SQL_SCHEMA_VERSION ${count}
extern const char *const sql_migrations[SQL_SCHEMA_VERSION];

#endif
")
file(WRITE ${OUT}/sql.c.new "/* Made from schema/ by cmake/embed_sql.cmake. */
#include \"sql.h\"

const char *const sql_text[SQL_COUNT] = {
${table}};

const char *const sql_name[SQL_COUNT] = {
${names}};

const char *const sql_migrations[SQL_SCHEMA_VERSION] = {
${migrations}};
")
foreach(name sql.h sql.c)
  execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${OUT}/${name}.new ${OUT}/${name})
endforeach()
