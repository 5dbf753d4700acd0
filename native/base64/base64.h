#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// Base64 of RFC 4648 section 4: the alphabet of "+/", padded with "=", no line breaks.

namespace sttstream {

struct Bytes {
  const uint8_t *data;
  size_t size;
};

// One implementation per instruction set. Encodes the first whole groups of three bytes, at most `groups`,
// and returns how many; it reads nothing beyond them and writes nothing beyond their four characters each.
struct Base64Kernel {
  const char *name;
  size_t (*encode_groups)(const uint8_t *input, size_t groups, uint8_t *output) noexcept;
};

struct Base64Kernels {
  std::array<const Base64Kernel *, 4> best_first{};
  size_t count = 0;
};

// Those that this processor runs; the last is the scalar reference, which leaves no group over.
const Base64Kernels &base64_kernels() noexcept;

constexpr size_t base64_size(size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }

// Writes base64_size(input.size) characters and returns how many.
size_t encode_base64(const Base64Kernel &kernel, Bytes input, uint8_t *output) noexcept;

// Writes `prefix`, the base64 of `input` by the best kernel and `suffix`, and returns the bytes written.
size_t encode_base64_between(Bytes prefix, Bytes input, Bytes suffix, uint8_t *output) noexcept;

} // namespace sttstream
