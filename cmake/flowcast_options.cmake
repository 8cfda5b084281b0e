# Compiler settings that every flowcast target shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

add_library(flowcast_options INTERFACE)
target_include_directories(flowcast_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(flowcast_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
                       -Wno-missing-field-initializers)  # designated initializers leave defaults alone
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 takes the temporaries of nested designated initializers for uninitialized at -O3.
  target_compile_options(flowcast_options INTERFACE -Wno-maybe-uninitialized)
endif()
target_compile_definitions(flowcast_options INTERFACE FLOWCAST_VERSION="${PROJECT_VERSION}")
# What a program that reads foreign bytes owes its host: tests/e2e/test_hardening.py looks for it in what was built.
set(FLOWCAST_HARDENING "")
if(NOT FLOWCAST_SANITIZE)
  target_compile_options(flowcast_options INTERFACE -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  target_link_options(flowcast_options INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
  # Needs an optimizing compiler, which tests do without: flowcast_library and _service add it.
  set(FLOWCAST_HARDENING $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
endif()
if(FLOWCAST_SANITIZE)
  target_compile_options(flowcast_options INTERFACE -fsanitize=${FLOWCAST_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(flowcast_options INTERFACE -fsanitize=${FLOWCAST_SANITIZE})
endif()
