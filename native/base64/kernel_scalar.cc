#include "base64/kernels.h"

// The reference that other kernels are tested against, and the end of what they leave over.

namespace sttstream {
namespace {

size_t encode_groups(const uint8_t *input, size_t groups, uint8_t *output) noexcept {
  for (size_t i = 0; i < groups; ++i, input += 3, output += 4) {
    const uint32_t bits =
        static_cast<uint32_t>(input[0]) << 16 | static_cast<uint32_t>(input[1]) << 8 | input[2];
    output[0] = static_cast<uint8_t>(kBase64Alphabet[bits >> 18]);
    output[1] = static_cast<uint8_t>(kBase64Alphabet[bits >> 12 & 63]);
    output[2] = static_cast<uint8_t>(kBase64Alphabet[bits >> 6 & 63]);
    output[3] = static_cast<uint8_t>(kBase64Alphabet[bits & 63]);
  }
  return groups;
}

} // namespace

const Base64Kernel kBase64Scalar = {"scalar", encode_groups};

} // namespace sttstream
