#include "check.h"

int main(int argc, char **argv) {
  // CMakeLists.txt knows it as SKIP_RETURN_CODE.
  constexpr int kAllSkipped = 77;
  size_t ran = 0, skipped = 0;
  for (const check::Test &test : check::tests()) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; ++i)
      wanted = wanted || std::strcmp(argv[i], test.name) == 0;
    if (!wanted)
      continue;
    check::is_skipped() = false;
    test.run();
    ++(check::is_skipped() ? skipped : ran);
  }
  std::printf("%zu ran, %zu skipped\n", ran, skipped);
  if (ran == 0 && skipped > 0)
    return kAllSkipped;
  // A name that no test has is a failure, not a pass.
  return ran > 0 ? 0 : 1;
}
