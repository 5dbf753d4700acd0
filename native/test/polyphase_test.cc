#include "resampler/polyphase.h"

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
