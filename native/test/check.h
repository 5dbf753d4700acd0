#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

// A test is TEST(name) { CHECK(...); } and nothing to register elsewhere: CMakeLists.txt finds the names in
// the source. An executable runs the tests named on its command line, or all; the first failure ends it.

namespace check {

struct Test {
  const char *name;
  void (*run)();
};

inline std::vector<Test> &tests() {
  static std::vector<Test> all;
  return all;
}

struct Registration {
  Registration(const char *name, void (*run)()) { tests().push_back({name, run}); }
};

// Set by SKIP.
inline bool &is_skipped() {
  static bool skipped = false;
  return skipped;
}

inline char *situation() {
  static char text[200] = "";
  return text;
}

// What the checks to come are about, in printf's words: a failure shows it.
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
inline void
about(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(situation(), 200, format, arguments);
  va_end(arguments);
}

inline void fail(const char *file, int line, const char *what) {
  std::fprintf(stderr, "%s:%d: not true: %s (%s)\n", file, line, what, situation());
  std::abort();
}

// xorshift64*: the same numbers on every machine, so a failure can be repeated.
class Random {
public:
  explicit Random(uint64_t seed) : state_(seed * 2654435769u + 88172645463325252u) {}

  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 2685821657736338717u;
  }

  // From 0 up to and without `end`.
  size_t below(size_t end) { return static_cast<size_t>((next() >> 33) % end); }

private:
  uint64_t state_;
};

} // namespace check

#define TEST(name)                                                                                           \
  static void test_##name();                                                                                 \
  static const check::Registration registration_##name(#name, test_##name);                                  \
  static void test_##name()

// Ends a test that cannot be run here; ctest tells it as skipped.
#define SKIP(reason)                                                                                         \
  do {                                                                                                       \
    check::is_skipped() = true;                                                                              \
    std::printf("skipped: %s\n", reason);                                                                    \
    return;                                                                                                  \
  } while (false)

#define CHECK(condition)                                                                                     \
  do {                                                                                                       \
    if (!(condition))                                                                                        \
      check::fail(__FILE__, __LINE__, #condition);                                                           \
  } while (false)
