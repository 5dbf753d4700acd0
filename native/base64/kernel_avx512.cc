#include "base64/kernels.h"

#ifdef STTSTREAM_X86_KERNELS
#include <immintrin.h>

// 48 bytes to 64 characters at a time with AVX-512 VBMI. W. Muła, D. Lemire, "Base64 encoding and decoding at
// almost the speed of a memory copy", Software: Practice and Experience 50(2), 2020. Masks make the last
// block, so that no group is left over.

STTSTREAM_BEGIN_TARGET("avx512f,avx512bw,avx512vbmi")

namespace sttstream {
namespace {

constexpr size_t kGroups = 16;

// Bytes b1 b0 b2 b1 of every group.
alignas(64) constexpr uint8_t kSpread[64] = {1,  0,  2,  1,  4,  3,  5,  4,  7,  6,  8,  7,  10, 9,  11, 10,
                                             13, 12, 14, 13, 16, 15, 17, 16, 19, 18, 20, 19, 22, 21, 23, 22,
                                             25, 24, 26, 25, 28, 27, 29, 28, 31, 30, 32, 31, 34, 33, 35, 34,
                                             37, 36, 38, 37, 40, 39, 41, 40, 43, 42, 44, 43, 46, 45, 47, 46};

// From which bit of its 64 each character takes its six: two words of 10, 4, 22 and 16.
constexpr int64_t kSixes = 0x3036242a1016040a;

// All lanes by mask: GCC warns of the undefined register behind the forms without one.
constexpr __mmask64 kAll = ~uint64_t{0};

inline __m512i encode(__m512i bytes) noexcept {
  const __m512i words = _mm512_maskz_permutexvar_epi8(kAll, _mm512_load_si512(kSpread), bytes);
  const __m512i sixes = _mm512_maskz_multishift_epi64_epi8(kAll, _mm512_set1_epi64(kSixes), words);
  // The lookup takes the low six bits of each byte and ignores the rest.
  return _mm512_maskz_permutexvar_epi8(kAll, sixes, _mm512_loadu_si512(kBase64Alphabet));
}

size_t encode_groups(const uint8_t *input, size_t groups, uint8_t *output) noexcept {
  constexpr __mmask64 kWhole = (uint64_t{1} << 48) - 1;
  size_t done = 0;
  for (; groups - done >= kGroups; done += kGroups)
    _mm512_storeu_si512(output + 4 * done, encode(_mm512_maskz_loadu_epi8(kWhole, input + 3 * done)));
  if (const size_t rest = groups - done; rest > 0) {
    const __mmask64 in = (uint64_t{1} << 3 * rest) - 1, out = (uint64_t{1} << 4 * rest) - 1;
    _mm512_mask_storeu_epi8(output + 4 * done, out, encode(_mm512_maskz_loadu_epi8(in, input + 3 * done)));
  }
  return groups;
}

} // namespace

const Base64Kernel kBase64Avx512 = {"avx512", encode_groups};

} // namespace sttstream

STTSTREAM_END_TARGET
#endif
