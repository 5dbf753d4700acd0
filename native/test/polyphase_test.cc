#include "resampler/polyphase.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "check.h"

using sttstream::FilterTable;
using sttstream::Kernels;
using sttstream::kMargin;
using sttstream::kScalarKernels;
using sttstream::Polyphase;
using sttstream::Quality;

namespace {

// A position without sound: the ratio and the length of a rate's filter, but no tiles, and sums of nothing.
// So a day of audio takes a second.
FilterTable silent_table(uint32_t rate) {
  const auto real = sttstream::filter_table(rate, Quality::kHigh, kScalarKernels);
  FilterTable table;
  table.half_bands = real->half_bands;
  table.up = real->up;
  table.down = real->down;
  table.taps = real->taps;
  table.shape = FilterTable::Shape::kMirroredTiles;
  return table;
}

Kernels silent_kernels() {
  Kernels kernels = kScalarKernels;
  kernels.dot = [](const float *, const float *, size_t) noexcept { return 0.0f; };
  return kernels;
}

// Samples that must have come for an output, counted from the start of a stream.
uint64_t samples_for(const FilterTable &table, uint64_t output) {
  return output * table.down / table.up + table.taps;
}

// Whether `outputs` is as many as so many samples allow.
bool is_all_of(const FilterTable &table, uint64_t outputs, uint64_t samples) {
  return samples_for(table, outputs) > samples &&
         (outputs == 0 || samples_for(table, outputs - 1) <= samples);
}

using Floats = std::vector<float>;

// Samples that must lie in the window for so many outputs.
size_t filled_for(const Polyphase &polyphase, size_t outputs) {
  size_t enough = 1;
  while (polyphase.ready(enough) < outputs)
    enough *= 2;
  size_t few = enough / 2;
  while (enough - few > 1) {
    const size_t middle = few + (enough - few) / 2;
    (polyphase.ready(middle) < outputs ? few : enough) = middle;
  }
  return enough;
}

// The outputs of runs of these lengths, one after the other. Each run's window and output are allocations
// that hold its samples, the margins and no float more: a sanitizer sees what passes them, a sum what reads
// them.
Floats outputs_of_runs(const FilterTable &table, const Kernels &kernels, const Floats &signal,
                       const std::vector<size_t> &runs) {
  constexpr float kLoud = 1e6f;
  Polyphase polyphase(table, kernels);
  polyphase.reset();
  Floats all;
  const float *oldest = signal.data();
  for (const size_t count : runs) {
    const size_t filled = filled_for(polyphase, count);
    CHECK(oldest + filled <= signal.data() + signal.size());
    Floats window(kMargin + filled + kMargin, kLoud), output(kMargin + count + kMargin);
    std::copy(oldest, oldest + filled, window.data() + kMargin);
    polyphase.run(window.data() + kMargin, count, output.data() + kMargin);
    all.insert(all.end(), output.data() + kMargin, output.data() + kMargin + count);
    oldest += polyphase.spent();
    polyphase.drop(polyphase.spent());
  }
  return all;
}

} // namespace

TEST(stands_where_it_should_after_a_day_of_chunks) {
  constexpr uint64_t kChunksOfADay = 24 * 3600 * 50;
  const Kernels kernels = silent_kernels();
  std::vector<float> window(kMargin + 4096 + kMargin), output(kMargin + Polyphase::kMaxOutputs + kMargin);
  for (const uint32_t rate : {44100u, 31987u, 11025u}) {
    check::about("%u Hz", rate);
    const FilterTable table = silent_table(rate);
    const uint64_t halvings = table.half_bands.size();
    Polyphase polyphase(table, kernels);
    polyphase.reset();
    uint64_t fed = 0, dropped = 0, made = 0;
    size_t filled = 0;
    for (uint64_t chunk = 1; chunk <= kChunksOfADay; ++chunk) {
      // 20 ms, which is no whole number of samples at most rates, behind the half-bands.
      const uint64_t now = (chunk * rate / 50) >> halvings;
      filled += static_cast<size_t>(now - fed);
      fed = now;
      const size_t count = polyphase.ready(filled);
      polyphase.run(window.data() + kMargin, count, output.data() + kMargin);
      made += count;
      const size_t spent = polyphase.spent();
      CHECK(spent <= filled && filled - spent < table.taps);
      polyphase.drop(spent);
      dropped += spent;
      filled -= spent;
      // The next output's oldest tap stands at floor(made * down / up): nothing was ever rounded.
      CHECK(dropped == made * table.down / table.up);
    }
    CHECK(fed == (uint64_t{24 * 3600} * rate) >> halvings);
    CHECK(is_all_of(table, made, fed));
    // All of a day's outputs but those that wait for the half of a filter's taps still to come.
    CHECK(made <= uint64_t{24 * 3600} * 16000 && made + 2 * table.taps > uint64_t{24 * 3600} * 16000);
  }
}

TEST(is_ready_for_exactly_the_outputs_whose_samples_are_there) {
  const Kernels kernels = silent_kernels();
  for (const uint32_t rate : {4000u, 8000u, 15999u, 22050u, 31987u, 39999u, 48000u, 383999u}) {
    check::about("%u Hz", rate);
    const FilterTable table = silent_table(rate);
    Polyphase polyphase(table, kernels);
    polyphase.reset();
    for (size_t filled = 0; filled < 1200; ++filled)
      CHECK(is_all_of(table, polyphase.ready(filled), filled));
  }
}

TEST(runs_of_any_length_keep_to_the_margins_at_any_ratio) {
  constexpr size_t kEveryLengthTo = 70, kRandomLengths = 20;
  check::Random random(1);
  // Each run begins at the place in the cycle where the last one has ended.
  std::vector<size_t> runs = {Polyphase::kMaxOutputs};
  for (size_t count = 1; count <= kEveryLengthTo; ++count)
    runs.push_back(count);
  for (size_t i = 0; i < kRandomLengths; ++i)
    runs.push_back(1 + random.below(Polyphase::kMaxOutputs));
  runs.push_back(Polyphase::kMaxOutputs);
  const size_t outputs = std::accumulate(runs.begin(), runs.end(), size_t{0});

  for (const uint32_t rate : {4000u, 8000u, 12000u, 22050u, 32000u, 36000u, 39375u, 39999u})
    for (const Quality quality : {Quality::kHigh, Quality::kFast}) {
      const auto rows = sttstream::filter_table(rate, quality, kScalarKernels);
      Floats signal(samples_for(*rows, outputs) + 1);
      for (float &sample : signal)
        sample = static_cast<float>(static_cast<int32_t>(random.next() >> 32)) / 2147483648.0f;
      const Floats expected = outputs_of_runs(*rows, kScalarKernels, signal, runs);
      for (size_t i = 0; i < sttstream::kernels_count(); ++i) {
        const Kernels &kernels = sttstream::kernels_at(i);
        check::about("%u Hz, quality %d, %s", rate, static_cast<int>(quality), kernels.name);
        const auto table = sttstream::filter_table(rate, quality, kernels);
        const Floats actual = outputs_of_runs(*table, kernels, signal, runs);
        for (size_t j = 0; j < outputs; ++j)
          CHECK(std::abs(actual[j] - expected[j]) < 1e-5f);
      }
    }
}
