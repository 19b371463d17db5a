# cmake -DOUT=DIR -DFILES=providers.json;prices.json -P embed_seed.cmake
#
# Turns each file into a text of C named seed_<name>, one literal a line.
cmake_minimum_required(VERSION 3.25)

set(head "")
set(body "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
  string(APPEND head "extern const char seed_${name}[];\n")
  string(APPEND body "\nconst char seed_${name}[] =\n    \"${text}\";\n")
endforeach()

file(WRITE ${OUT}/seed.h.new "/* Made from schema/seed/ by cmake/embed_seed.cmake. */
#ifndef SEED_H
#define SEED_H

${head}
#endif
")
file(WRITE ${OUT}/seed.c.new "/* Made from schema/seed/ by cmake/embed_seed.cmake. */
#include \"seed.h\"
${body}")
foreach(name seed.h seed.c)
  execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${OUT}/${name}.new ${OUT}/${name})
endforeach()
