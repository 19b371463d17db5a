# What is installed, and "cpack -G DEB" makes of it.
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON) # tests are no part of it: build first, then install
set(PACKAGER "llm-observe-proxy developers <llm-observe-proxy@example.org>"
    CACHE STRING "Maintainer of the package: Name <address>")

install(TARGETS llm-observe-proxy RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(section 1 5 7)
  file(GLOB MAN_PAGES CONFIGURE_DEPENDS man/*.${section})
  if(MAN_PAGES)
    install(FILES ${MAN_PAGES} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endif()
endforeach()
install(FILES package/llm-observe-proxy.service DESTINATION lib/systemd/system)

# The program prints its completion scripts.
set(COMPLETIONS ${CMAKE_BINARY_DIR}/completions)
install(CODE "file(MAKE_DIRECTORY ${COMPLETIONS})
foreach(shell bash zsh fish)
  execute_process(COMMAND $<TARGET_FILE:llm-observe-proxy> completion \${shell}
                  OUTPUT_FILE ${COMPLETIONS}/\${shell} COMMAND_ERROR_IS_FATAL ANY)
endforeach()")
set(ZSH_FUNCTIONS site-functions)
if(EXISTS /etc/debian_version)
  set(ZSH_FUNCTIONS vendor-completions)
endif()
install(FILES ${COMPLETIONS}/bash RENAME llm-observe-proxy
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${COMPLETIONS}/zsh RENAME _llm-observe-proxy
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/${ZSH_FUNCTIONS})
install(FILES ${COMPLETIONS}/fish RENAME llm-observe-proxy.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

configure_file(package/changelog.in changelog @ONLY)
install(FILES package/copyright ${CMAKE_BINARY_DIR}/changelog CHANGELOG.md README.md
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/llm-observe-proxy)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# A policy of Debian: man pages and changelogs are compressed.
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/package_compress.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${PACKAGER})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS less)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "proxy that captures what clients and LLM APIs say
It stands between programs and an OpenAI- or Anthropic-compatible API, passes
everything on unchanged, and keeps each exchange in an SQLite file: request,
answer, timing, tokens, cost, errors. Commands show and measure what was
captured, in a terminal and in scripts.")
include(CPack)
