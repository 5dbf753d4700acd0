#include "check.h"

int main(int argc, char **argv) {
  size_t ran = 0;
  for (const check::Test &test : check::tests()) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; ++i)
      wanted = wanted || std::strcmp(argv[i], test.name) == 0;
    if (!wanted)
      continue;
    test.run();
    ++ran;
  }
  std::printf("%zu ran\n", ran);
  // A name that no test has is a failure, not a pass.
  return ran > 0 ? 0 : 1;
}
