# Two Debian packages: flowcast, and flowcast-learning with what needs libtorch. scripts/package builds them.

# Packaging builds what it packs, not the tests.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

# FILE becomes FILE.gz, the same bytes each time.
function(flowcast_gzip file)
  execute_process(COMMAND gzip --best --no-name --force "${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Copyright and change log, where Debian looks for them.
function(flowcast_package_papers package)
  set(changelog "${CMAKE_BINARY_DIR}/debian/${package}/changelog.Debian")
  string(TIMESTAMP FLOWCAST_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
  configure_file("${CMAKE_SOURCE_DIR}/deploy/debian/changelog.in" "${changelog}" @ONLY)
  flowcast_gzip("${changelog}")
  install(FILES "${changelog}.gz" "${CMAKE_SOURCE_DIR}/deploy/debian/copyright"
          DESTINATION share/doc/${package} COMPONENT ${package})
  install(FILES "${CMAKE_SOURCE_DIR}/deploy/debian/${package}.lintian-overrides"
          DESTINATION share/lintian/overrides RENAME ${package} COMPONENT ${package})
endfunction()

# What dpkg runs when the package of these services comes and goes.
function(flowcast_package_scripts package)
  list(TRANSFORM ARGN REPLACE "(.+)" "flowcast-\\1.service" OUTPUT_VARIABLE FLOWCAST_UNITS)
  list(TRANSFORM ARGN REPLACE "(.+)" "/var/lib/flowcast-\\1" OUTPUT_VARIABLE FLOWCAST_STATE)
  list(JOIN FLOWCAST_UNITS " " FLOWCAST_UNITS)
  list(JOIN FLOWCAST_STATE " " FLOWCAST_STATE)
  foreach(script postinst prerm postrm)
    configure_file("${CMAKE_SOURCE_DIR}/deploy/debian/${script}.in" "${CMAKE_BINARY_DIR}/debian/${package}/${script}" @ONLY
                   FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  endforeach()
endfunction()

# flowcast_packaged(PACKAGE PROGRAMS ... SERVICES ... CONFFILES ...): programs, and for each service its program, unit
# and configuration; other CONFFILES are installed by the caller.
function(flowcast_packaged package)
  cmake_parse_arguments(ARG "" "" "PROGRAMS;SERVICES;CONFFILES" ${ARGN})
  set(conffiles ${ARG_CONFFILES})
  foreach(service ${ARG_SERVICES})
    install(FILES "${CMAKE_SOURCE_DIR}/deploy/systemd/flowcast-${service}.service"
            DESTINATION /lib/systemd/system COMPONENT ${package})
    install(FILES "${CMAKE_SOURCE_DIR}/deploy/systemd/config/${service}.toml"
            DESTINATION /etc/flowcast COMPONENT ${package})
    list(APPEND ARG_PROGRAMS flowcast-${service})
    list(APPEND conffiles /etc/flowcast/${service}.toml)
  endforeach()
  install(TARGETS ${ARG_PROGRAMS} RUNTIME DESTINATION bin COMPONENT ${package})
  flowcast_package_papers(${package})
  flowcast_package_scripts(${package} ${ARG_SERVICES})
  set(folder "${CMAKE_BINARY_DIR}/debian/${package}")
  list(JOIN conffiles "\n" conffiles)
  file(WRITE "${folder}/conffiles" "${conffiles}\n")
  string(TOUPPER ${package} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA
      "${folder}/conffiles;${folder}/postinst;${folder}/prerm;${folder}/postrm" PARENT_SCOPE)
endfunction()

set(FLOWCAST_RELEASE 1)
set(FLOWCAST_MAINTAINER "flowcast maintainers <maintainers@flowcast.local>" CACHE STRING "Who answers for the packages")

flowcast_packaged(flowcast PROGRAMS flowcast SERVICES capture features notifier CONFFILES /etc/default/flowcast)
flowcast_packaged(flowcast-learning PROGRAMS flowcast-lab SERVICES trainer inference)
install(FILES deploy/systemd/flowcast.default DESTINATION /etc/default RENAME flowcast COMPONENT flowcast)
install(FILES deploy/systemd/flowcast.sysusers DESTINATION lib/sysusers.d RENAME flowcast.conf COMPONENT flowcast)
file(GLOB manual CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/docs/*.md")
configure_file(CHANGELOG.md "${CMAKE_BINARY_DIR}/debian/changelog" COPYONLY)
flowcast_gzip("${CMAKE_BINARY_DIR}/debian/changelog")
install(FILES ${manual} "${CMAKE_BINARY_DIR}/debian/changelog.gz" DESTINATION share/doc/flowcast COMPONENT flowcast)
install(DIRECTORY docs/schemas DESTINATION share/doc/flowcast COMPONENT flowcast)
install(FILES deploy/rules.toml DESTINATION share/doc/flowcast/examples COMPONENT flowcast)

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL flowcast flowcast-learning)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)  # for /etc and /lib
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "${FLOWCAST_MAINTAINER}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${FLOWCAST_RELEASE})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(users "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_FLOWCAST_PACKAGE_DEPENDS "${users}")
set(CPACK_DEBIAN_FLOWCAST_PACKAGE_SUGGESTS flowcast-learning)
set(CPACK_DEBIAN_FLOWCAST_DESCRIPTION "forecasts the load of network links over Apache Kafka
Captures packets from files and interfaces, describes each link window by
window, and passes on the alerts that are raised before a load arrives. This
package has the capture, the features, the notifier and the command line; it
needs a Kafka broker. Models and forecasts are in flowcast-learning.")
# libtorch runs on any BLAS, ten times slower on the one that it gets by default.
set(CPACK_DEBIAN_FLOWCAST-LEARNING_PACKAGE_DEPENDS
    "flowcast (= ${PROJECT_VERSION}-${FLOWCAST_RELEASE}), libopenblas0-pthread")
set(CPACK_DEBIAN_FLOWCAST-LEARNING_DESCRIPTION "models, forecasts and alerts for flowcast
Trains an LSTM and boosted trees on the windows of network links, forecasts
their load with them, and raises alerts before it arrives. This package has
the trainer, the inference and the back-tests, and with them libtorch.")
include(CPack)
