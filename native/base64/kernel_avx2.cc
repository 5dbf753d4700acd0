#include "base64/kernels.h"

#ifdef STTSTREAM_X86_KERNELS
#include <immintrin.h>

// 24 bytes to 32 characters at a time: kernel_ssse3.cc, which explains it, in both halves of a register.

STTSTREAM_BEGIN_TARGET("avx2")

namespace sttstream {
namespace {

constexpr size_t kGroups = 8;
// Two loads of 16 bytes, 12 bytes apart.
constexpr size_t kBytesRead = 28;

inline __m256i both(__m128i half) noexcept { return _mm256_broadcastsi128_si256(half); }

size_t encode_groups(const uint8_t *input, size_t groups, uint8_t *output) noexcept {
  const __m256i spread = both(_mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
  const __m256i offsets =
      both(_mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                         '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0));
  size_t done = 0;
  for (; 3 * (groups - done) >= kBytesRead; done += kGroups) {
    const auto *from = reinterpret_cast<const __m128i *>(input + 3 * done);
    const auto *second = reinterpret_cast<const __m128i *>(input + 3 * done + 12);
    const __m256i bytes = _mm256_set_m128i(_mm_loadu_si128(second), _mm_loadu_si128(from));
    const __m256i words = _mm256_shuffle_epi8(bytes, spread);
    const __m256i high = _mm256_mulhi_epu16(_mm256_and_si256(words, _mm256_set1_epi32(0x0fc0fc00)),
                                            _mm256_set1_epi32(0x04000040));
    const __m256i low = _mm256_mullo_epi16(_mm256_and_si256(words, _mm256_set1_epi32(0x003f03f0)),
                                           _mm256_set1_epi32(0x01000010));
    const __m256i sixes = _mm256_or_si256(high, low);
    const __m256i above = _mm256_subs_epu8(sixes, _mm256_set1_epi8(51));
    const __m256i upper =
        _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), sixes), _mm256_set1_epi8(13));
    const __m256i characters =
        _mm256_add_epi8(sixes, _mm256_shuffle_epi8(offsets, _mm256_or_si256(above, upper)));
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(output + 4 * done), characters);
  }
  return done;
}

} // namespace

const Base64Kernel kBase64Avx2 = {"avx2", encode_groups};

} // namespace sttstream

STTSTREAM_END_TARGET
#endif
