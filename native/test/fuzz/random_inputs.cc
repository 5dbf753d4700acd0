// Stands in for libFuzzer: gives a fuzz target random inputs, the same ones in every run.

#include <memory>

#include "../check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main() {
  constexpr uint64_t kInputs = 300;
  for (uint64_t seed = 0; seed < kInputs; ++seed) {
    check::Random random(seed);
    const size_t size = random.below(600);
    // Exactly as long, so that a sanitizer sees a byte read too many.
    const std::unique_ptr<uint8_t[]> input(new uint8_t[size]);
    for (size_t i = 0; i < size; ++i)
      input[i] = static_cast<uint8_t>(random.next() >> 56);
    LLVMFuzzerTestOneInput(input.get(), size);
  }
}
