#include "check.h"
#include "stream.h"

using sttstream::Encoding;
using sttstream::kEncodingCount;
using sttstream::PcmFormat;
using sttstream::Resampler;

namespace {

// Bytes without meaning are every value that an encoding has, NaN, infinities and subnormals among them.
void fuzz(Encoding encoding, uint64_t seed) {
  check::Random random(seed);
  const size_t channels = 1 + random.below(8);
  const auto rate = static_cast<uint32_t>(4000 + random.below(380001));
  const PcmFormat format = {encoding, rate, channels};
  const size_t blocks = random.below(6000);
  const stream::Bytes input = stream::noise(blocks * channels * sttstream::bytes_per_sample(encoding), seed);
  const stream::Bytes expected = stream::run_whole(format, input);
  CHECK(expected.size() == 2 * stream::expected_samples(blocks, rate));

  Resampler resampler(format);
  const size_t longest = 1 + random.below(random.below(2) == 0 ? 10 : 5000);
  const auto next = [&random, longest] { return 1 + random.below(longest); };
  CHECK(stream::run(resampler, input, next) == expected);
  const bool is_float = encoding >= Encoding::kF32le && encoding <= Encoding::kF64be;
  CHECK(is_float || resampler.non_finite() == 0);
}

} // namespace

TEST(survives_any_bytes_in_any_encoding) {
  for (size_t e = 0; e < kEncodingCount; ++e)
    for (uint64_t round = 0; round < 3; ++round)
      fuzz(static_cast<Encoding>(e), e * 1000 + round);
}
