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
if(FLOWCAST_SANITIZE)
  target_compile_options(flowcast_options INTERFACE -fsanitize=${FLOWCAST_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(flowcast_options INTERFACE -fsanitize=${FLOWCAST_SANITIZE})
endif()
