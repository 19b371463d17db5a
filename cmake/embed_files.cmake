# cmake -DNAME=docs -DFOLDER=DIR -DOUT=DIR -P embed_files.cmake
#
# Makes OUT/assets_NAME.c: the files of FOLDER, each compressed, with its media type and ETag. The
# bytes are taken in by the assembler: as numbers in C they would take long to compile. They lie in a
# section of their own, so that no page of them is in memory because of a neighbour that is used.
cmake_minimum_required(VERSION 3.25)

set(type_css "text/css; charset=utf-8")
set(type_html "text/html; charset=utf-8")
set(type_ico "image/x-icon")
set(type_js "text/javascript; charset=utf-8")
set(type_json "application/json")
set(type_map "application/json")
set(type_png "image/png")
set(type_svg "image/svg+xml")
set(type_woff2 "font/woff2")
set(type_other "text/plain; charset=utf-8")

file(GLOB files LIST_DIRECTORIES false ${FOLDER}/*)
list(SORT files)
set(packed ${OUT}/assets_${NAME})
file(REMOVE_RECURSE ${packed})
file(MAKE_DIRECTORY ${packed})

set(bytes "")
set(table "")
set(count 0)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  get_filename_component(ending ${file} LAST_EXT)
  string(REPLACE "." "" ending "${ending}")
  if(NOT DEFINED type_${ending})
    set(ending other)
  endif()
  execute_process(COMMAND gzip -9 -n -c ${file} OUTPUT_FILE ${packed}/${name}.gz
                  COMMAND_ERROR_IS_FATAL ANY)
  file(SIZE ${file} length)
  file(SIZE ${packed}/${name}.gz gz_length)
  file(SHA256 ${file} etag)
  string(SUBSTRING ${etag} 0 20 etag)
  set(symbol asset_${NAME}_${count})
  string(APPEND bytes "__asm__(\".pushsection .embedded,\\\"a\\\"\\n${symbol}:\\n"
                      ".incbin \\\"${packed}/${name}.gz\\\"\\n.popsection\\n\");\n"
                      "extern const unsigned char ${symbol}[] "
                      "__attribute__((visibility(\"hidden\")));\n")
  string(APPEND table "    {\"${name}\", \"${type_${ending}}\", \"\\\"${etag}\\\"\", ${symbol}, "
                      "${gz_length}, ${length}},\n")
  math(EXPR count "${count} + 1")
endforeach()
if(count EQUAL 0)
  message(FATAL_ERROR "${FOLDER} holds no files")
endif()

file(WRITE ${OUT}/assets_${NAME}.c "/* Made from a folder by cmake/embed_files.cmake. */
#include \"daemon/web/assets.h\"

${bytes}
const struct asset assets_${NAME}[] = {
${table}    {0},
};
")
