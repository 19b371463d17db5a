# cmake -DOUT=DIR -DFILES=a.shapes;b.shapes -P embed_shapes.cmake
#
# Turns the files into one text of C, api_shapes, one literal a line.
cmake_minimum_required(VERSION 3.25)

set(body "")
foreach(file IN LISTS FILES)
  file(READ ${file} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
  string(APPEND body "\n    \"${text}\"")
endforeach()

file(WRITE ${OUT}/shapes.h.new "/* Made from schema/api/ by cmake/embed_shapes.cmake. */
#ifndef SHAPES_H
#define SHAPES_H

extern const char api_shapes[];

#endif
")
file(WRITE ${OUT}/shapes.c.new "/* Made from schema/api/ by cmake/embed_shapes.cmake. */
#include \"shapes.h\"

const char api_shapes[] =${body};
")
foreach(name shapes.h shapes.c)
  execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${OUT}/${name}.new ${OUT}/${name})
endforeach()
