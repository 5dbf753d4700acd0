#include <cstdlib>

// An addon built on a new system must load wherever Node 20 itself does: glibc 2.28 and the libstdc++ of
// gcc 8. The headers of newer compilers call for two symbols that those libraries lack. Defined here, they
// are found before a library is asked. scripts/prebuild/linux-floor.mjs fails when there is a third.

#if defined(__GLIBC__) && defined(__GLIBCXX__)

// Weak, for a program linked with a static libstdc++ has them already.
#define LOCAL __attribute__((visibility("hidden"), weak))

extern "C" {

// Of glibc 2.32, read by std::shared_ptr. Zero, "perhaps many threads", makes it count atomically, as it has
// to in a process where worker threads may start at any time.
LOCAL char __libc_single_threaded = 0;

// Of gcc 11, called for new T[n] where n is absurd. Ends the process, as every throw does without exceptions.
[[noreturn]] LOCAL void throw_bad_array_new_length() noexcept __asm__("_ZSt28__throw_bad_array_new_lengthv");
void throw_bad_array_new_length() noexcept { std::abort(); }
}

#endif
