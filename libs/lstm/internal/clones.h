// One copy of a function for each generation of processors; the loader picks.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FLOWCAST_CLONED
#define FLOWCAST_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FLOWCAST_CLONES
#endif

// Becomes part of each copy.
#define FLOWCAST_INLINE inline __attribute__((always_inline))
