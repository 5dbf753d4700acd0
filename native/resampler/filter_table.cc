#include "filter_table.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <deque>
#include <mutex>
#include <numeric>

// A polyphase filter (R. E. Crochiere and L. R. Rabiner, Multirate Digital Signal Processing, 1983) sampled
// from a continuous prototype. Constants and formulas are twins of src/audio/portable/resampler-filter.ts:
// change both or the backends part.

namespace sttstream {
namespace {

// Rates from here on are halved first: a short half-band and a sharp filter at half the rate take about half
// the multiplications of a sharp filter at the full one.
constexpr double kHalvedFromHertz = 40000;

// Rows are exact while they fit in this many taps (1 MiB), as they do at every customary rate; other rates
// interpolate. The count of rows holds the images of linear interpolation, each about
// (0.47 / rows)^2 of the tone, below -117 dB together.
constexpr size_t kMaxExactTaps = 1u << 18;
constexpr double kIntervals = 512;

// Every rate that is a small fraction of 16 kHz: 8, 12, 24, 32, 48, 96 and 192 kHz.
constexpr uint32_t kMaxTilesPerPhase = 4;

// The taps of any output, from its fraction of a sample on.
class Rows {
public:
  Rows(const Prototype &prototype, size_t taps, double bands_per_sample)
      : prototype_(prototype), bands_per_sample_(bands_per_sample), scratch_(taps), row_(taps) {}

  // Scaled so that a constant passes unchanged in every phase.
  const std::vector<float> &at(double fraction) {
    const double latest = fraction + static_cast<double>(row_.size() / 2) - 1;
    double sum = 0;
    for (size_t k = 0; k < row_.size(); ++k) {
      scratch_[k] = prototype_.at((latest - static_cast<double>(k)) * bands_per_sample_);
      sum += scratch_[k];
    }
    for (size_t k = 0; k < row_.size(); ++k)
      row_[k] = static_cast<float>(scratch_[k] / sum);
    return row_;
  }

private:
  const Prototype &prototype_;
  double bands_per_sample_;
  std::vector<double> scratch_;
  std::vector<float> row_;
};

double fraction_of(const FilterTable &table, uint64_t output) {
  return static_cast<double>(output * table.down % table.up) / table.up;
}

void make_rows(FilterTable &table, Rows &rows, const std::vector<double> &fractions) {
  table.row_stride = (table.taps + kDotGranule - 1) / kDotGranule * kDotGranule;
  table.rows = AlignedFloats(fractions.size() * table.row_stride);
  float *to = table.rows.data();
  for (const double fraction : fractions) {
    const std::vector<float> &row = rows.at(fraction);
    std::copy(row.begin(), row.end(), to);
    to += table.row_stride;
  }
}

void make_tiles(FilterTable &table, Rows &rows, size_t lanes, size_t count) {
  table.lanes = lanes;
  table.tile_count = count;
  const auto shift = [&table](size_t tile, size_t lane) {
    const uint64_t first = table.first_of_tile(tile);
    return static_cast<size_t>(table.whole(first + lane) - table.whole(first));
  };
  size_t widest = 0;
  for (size_t g = 0; g < count; ++g)
    widest = std::max(widest, shift(g, lanes - 1));
  // What a tile that is only partly wanted reads beyond the samples there are.
  assert(widest + 2 <= kMargin);
  table.tile_rows = (table.taps + widest + 1) / 2 * 2;
  table.tile_edge = table.tile_rows / 2;
  for (size_t g = 0; g < count; ++g) {
    const size_t lower_end = shift(g, lanes / 2 - 1) + table.taps, upper_begin = shift(g, lanes / 2);
    table.tile_edge = std::min({table.tile_edge, upper_begin, table.tile_rows - lower_end});
  }
  table.tiles = AlignedFloats(count * table.tile_rows * lanes);
  for (size_t g = 0; g < count; ++g)
    for (size_t lane = 0; lane < lanes; ++lane) {
      const std::vector<float> &row = rows.at(fraction_of(table, table.first_of_tile(g) + lane));
      float *to = table.tiles.data() + (g * table.tile_rows + shift(g, lane)) * lanes + lane;
      for (const float tap : row) {
        *to = tap;
        to += lanes;
      }
    }
}

// Of the output on a sample and of the one half a sample later, both symmetric, one half each, in turn.
void make_doubled(FilterTable &table, Rows &rows) {
  const size_t pairs = table.taps / 2;
  table.rows = AlignedFloats(2 * pairs + 1);
  float *const to = table.rows.data();
  const std::vector<float> whole = rows.at(0), half = rows.at(0.5);
  for (size_t k = 0; k < pairs; ++k) {
    to[2 * k] = whole[pairs - 1 - k];
    to[2 * k + 1] = half[pairs - 1 - k];
  }
  // The last weighs a sample half a span away, where the prototype is zero.
  to[2 * pairs] = 0;
}

FilterTable::Shape shape_of(const FilterTable &table, const Kernels &kernels) {
  const size_t lanes = kernels.tile_lanes;
  if (table.up * table.taps > kMaxExactTaps)
    return FilterTable::Shape::kInterpolatedRows;
  if (kernels.double_rate != nullptr && table.up == 2 && table.down == 1)
    return FilterTable::Shape::kDoubled;
  if (lanes > 0 && table.up <= kMaxTilesPerPhase && lanes % table.up == 0)
    return FilterTable::Shape::kTilePerPhase;
  if (lanes > 0 && table.up % (2 * lanes) == 0)
    return FilterTable::Shape::kMirroredTiles;
  return FilterTable::Shape::kRows;
}

std::shared_ptr<const FilterTable> make_table(uint32_t sample_rate_hertz, Quality quality,
                                              const Kernels &kernels) {
  auto table = std::make_shared<FilterTable>();
  double rate = sample_rate_hertz;
  uint32_t halvings = 1;
  while (const HalfBand *half_band = rate < kHalvedFromHertz ? nullptr : half_band_for(rate, quality)) {
    table->half_bands.push_back(half_band);
    rate /= 2;
    halvings *= 2;
  }
  const uint32_t divisor = std::gcd(sample_rate_hertz, kOutputRateHertz * halvings);
  table->up = kOutputRateHertz * halvings / divisor;
  table->down = sample_rate_hertz / divisor;
  if (table->up == table->down)
    return table;

  const Prototype prototype(quality);
  const double bands_per_sample = std::min(rate, static_cast<double>(kOutputRateHertz)) / rate;
  table->taps = 2 * static_cast<size_t>(std::ceil(prototype.span() / 2 / bands_per_sample));
  table->shape = shape_of(*table, kernels);
  const size_t lanes = kernels.tile_lanes;
  Rows rows(prototype, table->taps, bands_per_sample);
  std::vector<double> fractions;
  switch (table->shape) {
  case FilterTable::Shape::kRows:
    for (uint32_t phase = 0; phase < table->up; ++phase)
      fractions.push_back(static_cast<double>(phase) / table->up);
    break;
  case FilterTable::Shape::kInterpolatedRows:
    table->intervals = static_cast<uint32_t>(std::ceil(kIntervals * bands_per_sample));
    for (uint32_t r = 0; r <= table->intervals; ++r)
      fractions.push_back(static_cast<double>(r) / table->intervals);
    break;
  case FilterTable::Shape::kDoubled:
    make_doubled(*table, rows);
    return table;
  case FilterTable::Shape::kTilePerPhase:
    make_tiles(*table, rows, lanes, table->up);
    break;
  case FilterTable::Shape::kMirroredTiles:
    make_tiles(*table, rows, lanes, table->up / (2 * lanes));
    // `up` being even, `down` is odd.
    fractions = {0, 0.5};
    break;
  }
  make_rows(*table, rows, fractions);
  return table;
}

} // namespace

std::shared_ptr<const FilterTable> filter_table(uint32_t sample_rate_hertz, Quality quality,
                                                const Kernels &kernels) noexcept {
  struct Entry {
    uint32_t sample_rate_hertz;
    Quality quality;
    size_t lanes;
    bool doubles;
    std::shared_ptr<const FilterTable> table;
  };
  // A call centre opens thousands of streams of one rate; a table costs a few ms. Bounded, since rates come
  // from outside: the table least recently made leaves first, its streams keep it alive.
  constexpr size_t kCapacity = 8;
  static std::mutex mutex;
  static std::deque<Entry> recent;

  const size_t lanes = kernels.tile_lanes;
  const bool doubles = kernels.double_rate != nullptr;
  const std::lock_guard<std::mutex> lock(mutex);
  for (const Entry &entry : recent)
    if (entry.sample_rate_hertz == sample_rate_hertz && entry.quality == quality && entry.lanes == lanes &&
        entry.doubles == doubles)
      return entry.table;
  if (recent.size() == kCapacity)
    recent.pop_front();
  recent.push_back(
      {sample_rate_hertz, quality, lanes, doubles, make_table(sample_rate_hertz, quality, kernels)});
  return recent.back().table;
}

} // namespace sttstream
