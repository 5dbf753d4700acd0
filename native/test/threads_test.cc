// Streams on several threads share the filter tables and the choice of kernels, and nothing else.

#include <thread>
#include <vector>

#include "check.h"
#include "resampler/resampler.h"
#include "stream.h"

using stream::Bytes;
using sttstream::Encoding;
using sttstream::Quality;

namespace {

struct Kind {
  uint32_t sample_rate_hertz;
  Quality quality;
};

// More than the tables that the process keeps: they come and go while others are in use.
std::vector<Kind> kinds() {
  std::vector<Kind> all;
  for (const uint32_t rate : {4000u, 8000u, 11025u, 12000u, 22050u, 24000u, 31987u, 44100u, 48000u})
    for (const Quality quality : stream::kQualities)
      all.push_back({rate, quality});
  return all;
}

Bytes bytes_of(const Kind &kind) {
  const Bytes input = stream::noise(2 * (kind.sample_rate_hertz / 10), kind.sample_rate_hertz);
  sttstream::Resampler resampler({Encoding::kS16le, kind.sample_rate_hertz, 1}, kind.quality);
  return stream::run(resampler, input, [] { return size_t{160}; });
}

} // namespace

TEST(streams_on_two_threads_make_the_bytes_of_one) {
  constexpr size_t kThreads = 2, kRounds = 4;
  const std::vector<Kind> all = kinds();
  std::vector<Bytes> made[kThreads];
  std::vector<std::thread> threads;
  for (std::vector<Bytes> &mine : made)
    threads.emplace_back([&all, &mine, is_first = &mine == made] {
      for (size_t i = 0; i < kRounds * all.size(); ++i)
        mine.push_back(bytes_of(all[(is_first ? i : kRounds * all.size() - 1 - i) % all.size()]));
    });
  for (std::thread &thread : threads)
    thread.join();

  std::vector<Bytes> expected;
  for (const Kind &kind : all)
    expected.push_back(bytes_of(kind));
  for (size_t i = 0; i < kRounds * all.size(); ++i) {
    check::about("stream %zu", i);
    CHECK(made[0][i] == expected[i % all.size()]);
    CHECK(made[1][kRounds * all.size() - 1 - i] == expected[i % all.size()]);
  }
}
