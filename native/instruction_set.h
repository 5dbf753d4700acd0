#pragma once

// Turns an instruction set on for the functions between BEGIN and END: gyp knows no flags per file.

// Vector types whose lanes can be shuffled: GCC 12 or Clang. Anything else, MSVC too, gets the scalar
// kernels.
#if defined(__GNUC__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#if defined(__x86_64__)
#define STTSTREAM_X86_KERNELS 1
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define STTSTREAM_NEON_KERNELS 1
#endif
#endif
#endif

#define STTSTREAM_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
#define STTSTREAM_BEGIN_TARGET(set)                                                                          \
  STTSTREAM_PRAGMA(clang attribute push(__attribute__((target(set))), apply_to = function))
#define STTSTREAM_END_TARGET STTSTREAM_PRAGMA(clang attribute pop)
#else
#define STTSTREAM_BEGIN_TARGET(set) STTSTREAM_PRAGMA(GCC push_options) STTSTREAM_PRAGMA(GCC target(set))
#define STTSTREAM_END_TARGET STTSTREAM_PRAGMA(GCC pop_options)
#endif

// Makes the compiler hold a vector in a register from here on.
#if defined(__x86_64__)
#define STTSTREAM_KEEP(vector) asm("" : "+v"(vector))
#else
#define STTSTREAM_KEEP(vector) asm("" : "+w"(vector))
#endif
