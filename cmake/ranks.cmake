# The tables of the byte-pair encodings: made of an npm package at build time, and embedded.
if(NOT WEB)
  set(RANKS_SRC ${GENERATED}/ranks_all.c)
  file(WRITE ${RANKS_SRC} "#include \"llm/ranks.h\"\n
const struct ranks *const ranks_cl100k = NULL, *const ranks_o200k = NULL;\n")
  return()
endif()

find_program(NODE NAMES node nodejs REQUIRED)
set(RANKS_SRC "")
foreach(name cl100k_base o200k_base)
  add_custom_command(
    OUTPUT ${GENERATED}/ranks_${name}.c
    COMMAND ${NODE} ${CMAKE_SOURCE_DIR}/cmake/ranks.mjs
            ${WEB_BUILD}/node_modules/gpt-tokenizer/data/${name}.tiktoken ${name} ${GENERATED}
    DEPENDS cmake/ranks.mjs ${WEB_BUILD}/packages.stamp
    VERBATIM)
  list(APPEND RANKS_SRC ${GENERATED}/ranks_${name}.c)
endforeach()
