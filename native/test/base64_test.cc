#include "base64/base64.h"

#include <cstring>
#include <string>

#include "base64/kernels.h"
#include "check.h"

namespace {

using sttstream::base64_kernels;
using sttstream::base64_size;
using sttstream::Base64Kernel;
using sttstream::Bytes;
using sttstream::encode_base64;

constexpr uint8_t kGuard = 0xa5;
constexpr size_t kGuardBytes = 64;

// The characters, after proof that nothing around them was touched. The input ends where its allocation does,
// so that the address sanitizer sees a read beyond it.
std::string encode(const Base64Kernel &kernel, const std::vector<uint8_t> &input, size_t offset = 0) {
  const size_t size = base64_size(input.size());
  std::vector<uint8_t> output(offset + size + kGuardBytes, kGuard);
  CHECK(encode_base64(kernel, {input.data(), input.size()}, output.data() + offset) == size);
  for (size_t i = 0; i < output.size(); ++i)
    CHECK(output[i] == kGuard || (i >= offset && i < offset + size));
  return {output.begin() + static_cast<ptrdiff_t>(offset), output.end() - kGuardBytes};
}

std::vector<uint8_t> random_bytes(check::Random &random, size_t size) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t &byte : bytes)
    byte = static_cast<uint8_t>(random.next() >> 40);
  return bytes;
}

template <typename Run> void with_every_kernel(Run run) {
  const auto &kernels = base64_kernels();
  CHECK(kernels.count > 0);
  for (size_t i = 0; i < kernels.count; ++i)
    run(*kernels.best_first[i]);
}

TEST(writes_the_examples_of_the_rfc) {
  const char *examples[][2] = {{"", ""},
                               {"f", "Zg=="},
                               {"fo", "Zm8="},
                               {"foo", "Zm9v"},
                               {"foob", "Zm9vYg=="},
                               {"fooba", "Zm9vYmE="},
                               {"foobar", "Zm9vYmFy"}};
  with_every_kernel([&](const Base64Kernel &kernel) {
    for (const auto &[text, expected] : examples)
      CHECK(encode(kernel, {text, text + std::strlen(text)}) == expected);
  });
}

TEST(every_kernel_writes_every_character_of_the_alphabet) {
  // 48 bytes whose sixes count from 0 to 63, twice, so that whole registers and rests see them.
  std::vector<uint8_t> input;
  for (unsigned i = 0; i < 128; i += 4) {
    const unsigned bits = (i & 63) << 18 | ((i + 1) & 63) << 12 | ((i + 2) & 63) << 6 | ((i + 3) & 63);
    for (int shift = 16; shift >= 0; shift -= 8)
      input.push_back(static_cast<uint8_t>(bits >> shift));
  }
  const std::string alphabet = sttstream::kBase64Alphabet;
  with_every_kernel([&](const Base64Kernel &kernel) { CHECK(encode(kernel, input) == alphabet + alphabet); });
}

TEST(every_kernel_agrees_with_the_scalar_one_at_every_length) {
  check::Random random(1);
  with_every_kernel([&](const Base64Kernel &kernel) {
    for (size_t size = 0; size <= 200; ++size)
      for (size_t offset = 0; offset < 4; ++offset) {
        const auto input = random_bytes(random, size);
        CHECK(encode(kernel, input, offset) == encode(sttstream::kBase64Scalar, input));
      }
    for (const size_t size : {640u, 3200u, 31999u, 32000u}) {
      const auto input = random_bytes(random, size);
      CHECK(encode(kernel, input) == encode(sttstream::kBase64Scalar, input));
    }
  });
}

TEST(the_scalar_kernel_is_the_last_resort) {
  const auto &kernels = base64_kernels();
  CHECK(kernels.best_first[kernels.count - 1] == &sttstream::kBase64Scalar);
#ifdef STTSTREAM_X86_KERNELS
  if (__builtin_cpu_supports("avx512vbmi"))
    CHECK(kernels.best_first[0] == &sttstream::kBase64Avx512);
  CHECK((__builtin_cpu_supports("avx2") != 0) == (kernels.count >= 3));
#endif
}

TEST(stands_between_prefix_and_suffix) {
  const char prefix[] = "{\"content\":\"", suffix[] = "\"}";
  const std::vector<uint8_t> input = {1, 2, 3, 4};
  const auto bytes = [](const char *text) {
    return Bytes{reinterpret_cast<const uint8_t *>(text), std::strlen(text)};
  };
  std::vector<uint8_t> output(64, kGuard);
  const std::string expected = "{\"content\":\"AQIDBA==\"}";
  const size_t written = sttstream::encode_base64_between(bytes(prefix), {input.data(), input.size()},
                                                          bytes(suffix), output.data());
  CHECK(written == expected.size());
  CHECK(std::memcmp(output.data(), expected.data(), written) == 0);
  for (size_t i = written; i < output.size(); ++i)
    CHECK(output[i] == kGuard);
  CHECK(sttstream::encode_base64_between({nullptr, 0}, {nullptr, 0}, {nullptr, 0}, output.data()) == 0);
}

} // namespace
