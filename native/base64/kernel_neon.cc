#include "base64/kernels.h"

#ifdef STTSTREAM_NEON_KERNELS
#include <arm_neon.h>

// 48 bytes to 64 characters at a time: the loads and stores of threes and fours do the spreading, a table of
// 64 bytes fits in four registers.

namespace sttstream {
namespace {

constexpr size_t kGroups = 16;

size_t encode_groups(const uint8_t *input, size_t groups, uint8_t *output) noexcept {
  const auto *table = reinterpret_cast<const uint8_t *>(kBase64Alphabet);
  const uint8x16x4_t alphabet = {
      {vld1q_u8(table), vld1q_u8(table + 16), vld1q_u8(table + 32), vld1q_u8(table + 48)}};
  const uint8x16_t low_six = vdupq_n_u8(63);
  size_t done = 0;
  for (; groups - done >= kGroups; done += kGroups) {
    const uint8x16x3_t bytes = vld3q_u8(input + 3 * done);
    // vsliq keeps the low bits of its first operand below the second, shifted.
    const uint8x16_t second = vsliq_n_u8(vshrq_n_u8(bytes.val[1], 4), bytes.val[0], 4);
    const uint8x16_t third = vsliq_n_u8(vshrq_n_u8(bytes.val[2], 6), bytes.val[1], 2);
    const uint8x16x4_t characters = {{
        vqtbl4q_u8(alphabet, vshrq_n_u8(bytes.val[0], 2)),
        vqtbl4q_u8(alphabet, vandq_u8(second, low_six)),
        vqtbl4q_u8(alphabet, vandq_u8(third, low_six)),
        vqtbl4q_u8(alphabet, vandq_u8(bytes.val[2], low_six)),
    }};
    vst4q_u8(output + 4 * done, characters);
  }
  return done;
}

} // namespace

const Base64Kernel kBase64Neon = {"neon", encode_groups};

} // namespace sttstream
#endif
