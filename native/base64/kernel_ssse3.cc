#include "base64/kernels.h"

#ifdef STTSTREAM_X86_KERNELS
#include <immintrin.h>

// 12 bytes to 16 characters at a time. W. Muła, D. Lemire, "Faster Base64 Encoding and Decoding Using AVX2
// Instructions", ACM Transactions on the Web 12(3), 2018; here with the half-width registers.

STTSTREAM_BEGIN_TARGET("ssse3")

namespace sttstream {
namespace {

constexpr size_t kGroups = 4;
constexpr size_t kRegisterBytes = 16;

size_t encode_groups(const uint8_t *input, size_t groups, uint8_t *output) noexcept {
  // Each group's three bytes become a 32-bit word of b1 b0 b2 b1, where two multiplications reach all sixes.
  const __m128i spread = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  // What is added to a value of each range makes its character: a-z, ten times 0-9, +, /, A-Z.
  const __m128i offsets =
      _mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                    '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
  size_t done = 0;
  // A load takes four bytes more than it uses: they must be the caller's.
  for (; 3 * (groups - done) >= kRegisterBytes; done += kGroups) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i *>(input + 3 * done));
    const __m128i words = _mm_shuffle_epi8(bytes, spread);
    const __m128i high =
        _mm_mulhi_epu16(_mm_and_si128(words, _mm_set1_epi32(0x0fc0fc00)), _mm_set1_epi32(0x04000040));
    const __m128i low =
        _mm_mullo_epi16(_mm_and_si128(words, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
    const __m128i sixes = _mm_or_si128(high, low);
    // 0 for a-z and A-Z, 1 to 12 for the rest; 13 tells A-Z from a-z.
    const __m128i above = _mm_subs_epu8(sixes, _mm_set1_epi8(51));
    const __m128i upper = _mm_and_si128(_mm_cmpgt_epi8(_mm_set1_epi8(26), sixes), _mm_set1_epi8(13));
    const __m128i characters = _mm_add_epi8(sixes, _mm_shuffle_epi8(offsets, _mm_or_si128(above, upper)));
    _mm_storeu_si128(reinterpret_cast<__m128i *>(output + 4 * done), characters);
  }
  return done;
}

} // namespace

const Base64Kernel kBase64Ssse3 = {"ssse3", encode_groups};

} // namespace sttstream

STTSTREAM_END_TARGET
#endif
