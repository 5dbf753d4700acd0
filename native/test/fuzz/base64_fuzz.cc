// Any bytes between any prefix and suffix: every kernel writes what decodes to them, and nothing beyond its
// end.

#include <cstring>
#include <memory>
#include <string>

#include "../check.h"
#include "base64/base64.h"
#include "base64/kernels.h"
#include "choices.h"

namespace {

using Data = std::vector<uint8_t>;

constexpr uint32_t kMostBytes = 5000;

sttstream::Bytes view(const Data &data) { return {data.data(), data.size()}; }

// One bit after the other, as RFC 4648 section 4 says it.
Data decoded(const Data &text) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  CHECK(text.size() % 4 == 0);
  Data data;
  uint32_t bits = 0;
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '=') {
      // Only the last two can be padding, and what they would have held is zero.
      CHECK(i + 2 >= text.size() && text.back() == '=' && (bits & ((1u << count) - 1)) == 0);
      continue;
    }
    const size_t value = alphabet.find(static_cast<char>(text[i]));
    CHECK(value != std::string::npos);
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      data.push_back(static_cast<uint8_t>(bits >> count));
    }
  }
  return data;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  fuzz::Choices choices(bytes, size);
  const size_t offset = choices.below(64);
  const Data prefix = choices.stretched(choices.below(100)), suffix = choices.stretched(choices.below(100));
  const Data input = choices.stretched(choices.below(choices.below(2) == 0 ? 200 : kMostBytes));

  // At any alignment, and where an allocation ends.
  Data shifted(offset);
  shifted.insert(shifted.end(), input.begin(), input.end());
  const size_t length = sttstream::base64_size(input.size());
  const auto &kernels = sttstream::base64_kernels();
  for (size_t k = 0; k < kernels.count; ++k) {
    check::about("%s, %zu bytes at %zu", kernels.best_first[k]->name, input.size(), offset);
    Data text(length);
    CHECK(sttstream::encode_base64(*kernels.best_first[k], {shifted.data() + offset, input.size()},
                                   text.data()) == length);
    CHECK(decoded(text) == input);
  }

  Data message(prefix.size() + length + suffix.size());
  CHECK(sttstream::encode_base64_between(view(prefix), view(input), view(suffix), message.data()) ==
        message.size());
  const auto begin = message.begin() + static_cast<std::ptrdiff_t>(prefix.size());
  const auto end = begin + static_cast<std::ptrdiff_t>(length);
  CHECK(Data(message.begin(), begin) == prefix && Data(end, message.end()) == suffix);
  CHECK(decoded(Data(begin, end)) == input);
  return 0;
}
