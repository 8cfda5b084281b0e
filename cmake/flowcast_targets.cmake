# How targets are declared: one folder, one target, explicit sources.

# flowcast_library(NAME SOURCES ... DEPENDS ...): libs/NAME becomes the target flowcast::NAME.
# A library of headers only has no SOURCES.
function(flowcast_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(ARG_SOURCES)
    add_library(flowcast_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(flowcast_${name} PUBLIC flowcast_options ${ARG_DEPENDS})
    target_compile_options(flowcast_${name} PRIVATE ${FLOWCAST_HARDENING})
  else()
    add_library(flowcast_${name} INTERFACE)
    target_link_libraries(flowcast_${name} INTERFACE flowcast_options ${ARG_DEPENDS})
  endif()
  add_library(flowcast::${name} ALIAS flowcast_${name})
endfunction()

# flowcast_service(NAME SOURCES ... DEPENDS ... PROGRAM ... ADAPTERS ...): the service's classes as
# flowcast::NAME_service, without adapters, and the program flowcast-NAME out of PROGRAM with them
# where the adapters are built.
function(flowcast_service name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PROGRAM;ADAPTERS" ${ARGN})
  flowcast_library(${name}_service SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS})
  if(FLOWCAST_WITH_ADAPTERS)
    add_executable(flowcast-${name} ${ARG_PROGRAM})
    target_link_libraries(flowcast-${name} PRIVATE flowcast::${name}_service ${ARG_ADAPTERS})
    target_compile_options(flowcast-${name} PRIVATE ${FLOWCAST_HARDENING})
  endif()
endfunction()

# flowcast_test(NAME RING SOURCES ... DEPENDS ...): a GoogleTest program whose cases ctest lists
# one by one, labelled with its ring (unit, service, contract, integration).
function(flowcast_test name ring)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  # Mocks and matchers take the compiler several times as long when it optimizes them; what they test is.
  target_compile_options(${name} PRIVATE -O0)
  target_link_libraries(${name} PRIVATE flowcast_options ${ARG_DEPENDS} GTest::gmock GTest::gtest_main)
  # libtorch comes from a cold disk in more than the five seconds that are the default.
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120 PROPERTIES LABELS ${ring} TIMEOUT 300)
endfunction()

# flowcast_fuzzer(NAME SOURCES ... DEPENDS ...): a libFuzzer program, built with clang only.
function(flowcast_fuzzer name)
  if(NOT FLOWCAST_WITH_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE flowcast_options ${ARG_DEPENDS})
endfunction()

# flowcast_page(VARIABLE PAGE NAME): compiles a page (a template beside the caller, with the parts of tools/page in
# it) in as NAME, so that a program needs no file beside it; VARIABLE is the source file to build.
function(flowcast_page variable page name)
  set(folder "${CMAKE_SOURCE_DIR}/tools/page")
  set(parts page.css page.js chart.js)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp")
  list(TRANSFORM parts PREPEND "${folder}/" OUTPUT_VARIABLE files)
  add_custom_command(
    OUTPUT "${output}"
    COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_CURRENT_SOURCE_DIR}/${page} -DOUTPUT=${output} -DNAME=${name}
            -DPARTS_FOLDER=${folder} "-DPARTS=${parts}" -P ${CMAKE_SOURCE_DIR}/cmake/embed_text.cmake
    DEPENDS ${page} ${files} "${CMAKE_SOURCE_DIR}/cmake/embed_text.cmake"
    VERBATIM)
  set(${variable} "${output}" PARENT_SCOPE)
endfunction()
