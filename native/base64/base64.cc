#include "base64/base64.h"

#include <cstring>

#include "base64/kernels.h"

namespace sttstream {
namespace {

Base64Kernels find_kernels() noexcept {
  Base64Kernels found;
  const auto add = [&found](const Base64Kernel &kernel) { found.best_first[found.count++] = &kernel; };
#ifdef STTSTREAM_X86_KERNELS
  if (__builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw"))
    add(kBase64Avx512);
  if (__builtin_cpu_supports("avx2"))
    add(kBase64Avx2);
  if (__builtin_cpu_supports("ssse3"))
    add(kBase64Ssse3);
#endif
#ifdef STTSTREAM_NEON_KERNELS
  add(kBase64Neon);
#endif
  add(kBase64Scalar);
  return found;
}

uint8_t *append(uint8_t *output, Bytes bytes) noexcept {
  // An empty view's address may be null, which memcpy must not see.
  if (bytes.size > 0)
    std::memcpy(output, bytes.data, bytes.size);
  return output + bytes.size;
}

} // namespace

const Base64Kernels &base64_kernels() noexcept {
  static const Base64Kernels found = find_kernels();
  return found;
}

size_t encode_base64(const Base64Kernel &kernel, Bytes input, uint8_t *output) noexcept {
  const size_t groups = input.size / 3, rest = input.size % 3;
  const size_t done = kernel.encode_groups(input.data, groups, output);
  kBase64Scalar.encode_groups(input.data + 3 * done, groups - done, output + 4 * done);
  if (rest > 0) {
    uint8_t last[3] = {};
    std::memcpy(last, input.data + 3 * groups, rest);
    uint8_t *end = output + 4 * groups;
    kBase64Scalar.encode_groups(last, 1, end);
    end[3] = '=';
    if (rest == 1)
      end[2] = '=';
  }
  return base64_size(input.size);
}

size_t encode_base64_between(Bytes prefix, Bytes input, Bytes suffix, uint8_t *output) noexcept {
  uint8_t *end = append(output, prefix);
  end += encode_base64(*base64_kernels().best_first[0], input, end);
  return static_cast<size_t>(append(end, suffix) - output);
}

} // namespace sttstream
