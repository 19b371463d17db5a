# cmake -DOUT=DIR -DFILES=a.sql;b.sql -DMIGRATIONS=0001_x.sql;... -P embed_sql.cmake
#
# Turns "-- name: run_get" blocks into `enum sql_id { SQL_RUN_GET, ... }` (sql.h) and the table
# `sql_text[]` (sql.c), and numbered migration files into `sql_migrations[]`. A "-- text: columns"
# block is no statement: {{columns}} in the statements of all files stands for it. A "-- part: open"
# block is a piece of statements that the store puts together: PART_OPEN in `sql_part[]`.
cmake_minimum_required(VERSION 3.25)

string(ASCII 1 SEMICOLON)
string(ASCII 2 OPEN)
string(ASCII 3 CLOSE)

# What follows the first line of a block, without blanks around.
function(block_body out block)
  string(FIND "${block}" "\n" end)
  math(EXPR end "${end} + 1")
  string(SUBSTRING "${block}" ${end} -1 body)
  string(STRIP "${body}" body)
  set(${out} "${body}" PARENT_SCOPE)
endfunction()

function(c_string out text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
  set(${out} "\"${text}\"" PARENT_SCOPE)
endfunction()

set(blocks "")
foreach(file IN LISTS FILES)
  file(READ ${file} text)
  string(REPLACE ";" "${SEMICOLON}" text "${text}")
  string(REPLACE "[" "${OPEN}" text "${text}")
  string(REPLACE "]" "${CLOSE}" text "${text}")
  string(REGEX REPLACE "(^|\n)-- (name|text|part): " "\\1;\\2 " text "${text}")
  list(POP_FRONT text preamble)
  list(APPEND blocks ${text})
endforeach()

set(parts "")
foreach(block IN LISTS blocks)
  if(block MATCHES "^text ([a-z0-9_]+)")
    set(part ${CMAKE_MATCH_1})
    block_body(part_${part} "${block}")
    list(APPEND parts ${part})
  endif()
endforeach()

set(enum "")
set(part_enum "")
set(part_table "")
set(table "")
set(names "")
set(seen "")
foreach(block IN LISTS blocks)
  if(NOT block MATCHES "^(name|part) ([a-z0-9_]+)")
    continue()
  endif()
  set(kind ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_2})
  if("${kind} ${name}" IN_LIST seen)
    message(FATAL_ERROR "two statements are named ${name}")
  endif()
  list(APPEND seen "${kind} ${name}")
  block_body(body "${block}")
  foreach(part IN LISTS parts parts) # twice, so that a text may hold others
    string(REPLACE "{{${part}}}" "${part_${part}}" body "${body}")
  endforeach()
  if(body MATCHES "{{([^}]*)}}")
    message(FATAL_ERROR "statement ${name}: no text is named ${CMAKE_MATCH_1}")
  endif()
  string(REPLACE "${SEMICOLON}" ";" body "${body}")
  string(REPLACE "${OPEN}" "[" body "${body}")
  string(REPLACE "${CLOSE}" "]" body "${body}")
  string(TOUPPER ${name} upper)
  c_string(body "${body}")
  if("${kind}" STREQUAL "part")
    string(APPEND part_enum "    PART_${upper},\n")
    string(APPEND part_table "    [PART_${upper}] =\n    ${body},\n")
    continue()
  endif()
  string(APPEND enum "    SQL_${upper},\n")
  string(APPEND table "    [SQL_${upper}] =\n    ${body},\n")
  string(APPEND names "    [SQL_${upper}] = \"${name}\",\n")
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

/* Pieces of statements, by sql_part_id. */
enum sql_part_id {
${part_enum}    PART_COUNT
};
extern const char *const sql_part[PART_COUNT];

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

const char *const sql_part[PART_COUNT] = {
${part_table}};

const char *const sql_migrations[SQL_SCHEMA_VERSION] = {
${migrations}};
")
foreach(name sql.h sql.c)
  execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${OUT}/${name}.new ${OUT}/${name})
endforeach()
