# What the binary shows in a browser: pages are put together in the build folder and embedded.
#
# embed_folder(NAME FOLDER DEPENDS...) makes the table assets_NAME (daemon/web/assets.h) of the files
# of a folder, and appends its source to WEB_SRC. DEPENDS: what tells that the folder has changed.
option(WEB "Embed the web pages; needs npm at build time" ON)

set(WEB_SRC "")
function(embed_folder name folder)
  set(out ${GENERATED}/assets_${name}.c)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DFOLDER=${folder} -DOUT=${GENERATED}
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${ARGN} cmake/embed_files.cmake
    VERBATIM)
  set(WEB_SRC ${WEB_SRC} ${out} PARENT_SCOPE)
endfunction()

if(NOT WEB)
  embed_folder(docs ${CMAKE_SOURCE_DIR}/web/off web/off/index.html)
  embed_folder(admin ${CMAKE_SOURCE_DIR}/web/off web/off/index.html)
  return()
endif()

find_program(NPM npm)
if(NOT NPM)
  message(FATAL_ERROR "npm is needed to build the web pages (Debian: apt-get install nodejs npm). "
                      "With -DWEB=OFF the program is built without them.")
endif()

# The packages, in the build folder: the sources stay as they are.
set(WEB_BUILD ${CMAKE_BINARY_DIR}/web)
add_custom_command(
  OUTPUT ${WEB_BUILD}/packages.stamp
  COMMAND ${CMAKE_COMMAND} -E make_directory ${WEB_BUILD}
  COMMAND ${CMAKE_COMMAND} -E copy web/package.json web/package-lock.json web/.npmrc ${WEB_BUILD}
  COMMAND ${CMAKE_COMMAND} -E chdir ${WEB_BUILD} ${NPM} ci --prefer-offline --loglevel=error
  COMMAND ${CMAKE_COMMAND} -E touch ${WEB_BUILD}/packages.stamp
  DEPENDS web/package.json web/package-lock.json web/.npmrc
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
  COMMENT "Installing the packages of the web pages"
  VERBATIM)

# /api/docs
set(SWAGGER ${WEB_BUILD}/node_modules/swagger-ui-dist)
file(GLOB DOCS_FILES CONFIGURE_DEPENDS web/docs/*)
add_custom_command(
  OUTPUT ${WEB_BUILD}/docs.stamp
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${WEB_BUILD}/docs
  COMMAND ${CMAKE_COMMAND} -E make_directory ${WEB_BUILD}/docs
  COMMAND ${CMAKE_COMMAND} -E copy ${DOCS_FILES} ${SWAGGER}/swagger-ui-bundle.js
          ${SWAGGER}/swagger-ui.css ${SWAGGER}/favicon-32x32.png ${SWAGGER}/LICENSE
          ${SWAGGER}/NOTICE ${SWAGGER}/swagger-ui-bundle.js.LICENSE.txt ${WEB_BUILD}/docs
  COMMAND ${CMAKE_COMMAND} -E touch ${WEB_BUILD}/docs.stamp
  DEPENDS ${DOCS_FILES} ${WEB_BUILD}/packages.stamp
  VERBATIM)
embed_folder(docs ${WEB_BUILD}/docs ${WEB_BUILD}/docs.stamp)

# /admin, put together in the build folder, where its packages are
set(ADMIN ${WEB_BUILD}/admin)
file(GLOB_RECURSE ADMIN_FILES CONFIGURE_DEPENDS web/admin/*)
add_custom_command(
  OUTPUT ${WEB_BUILD}/admin.stamp
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${ADMIN}
  COMMAND ${CMAKE_COMMAND} -E copy_directory ${CMAKE_SOURCE_DIR}/web/admin ${ADMIN}
  COMMAND ${CMAKE_COMMAND} -E chdir ${ADMIN} node build.mjs --out ${ADMIN}/dist
  COMMAND ${CMAKE_COMMAND} -E touch ${WEB_BUILD}/admin.stamp
  DEPENDS ${ADMIN_FILES} ${WEB_BUILD}/packages.stamp
  COMMENT "Building the admin's pages"
  VERBATIM)
embed_folder(admin ${ADMIN}/dist ${WEB_BUILD}/admin.stamp)
