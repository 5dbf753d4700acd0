#include "resampler/filter_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "check.h"

using sttstream::filter_table;
using sttstream::FilterTable;
using sttstream::Kernels;
using sttstream::kScalarKernels;
using sttstream::Quality;
using Shape = sttstream::FilterTable::Shape;

namespace {

constexpr double kPi = 3.141592653589793;

const Quality kQualities[] = {Quality::kHigh, Quality::kFast};
const uint32_t kCustomaryRates[] = {4000,  6000,  8000,  11025, 12000, 22050,  24000,  32000,
                                    44100, 48000, 64000, 88200, 96000, 176400, 192000, 384000};
const uint32_t kOddRates[] = {4001, 15999, 16001, 31987, 44101, 383999};

// A table asks its kernels only how wide their tiles are and whether they double: this stands for those of
// any instruction set.
Kernels with_lanes(size_t lanes) {
  Kernels kernels = kScalarKernels;
  kernels.tile_lanes = lanes;
  return kernels;
}

// Of the polyphase input.
double stage_rate(const FilterTable &table, uint32_t rate) {
  return static_cast<double>(rate) / static_cast<double>(size_t{1} << table.half_bands.size());
}

size_t rows_per_sample(const FilterTable &table) {
  return table.shape == Shape::kInterpolatedRows ? table.intervals : table.up;
}

// Gain of all rows together, that is of the continuous prototype; it is symmetric, so cosines are enough.
double prototype_gain(const FilterTable &table, double hertz, double rate) {
  const size_t rows = rows_per_sample(table);
  const double radians = 2 * kPi * hertz / rate;
  double sum = 0;
  for (size_t r = 0; r < rows; ++r) {
    const double fraction = static_cast<double>(r) / static_cast<double>(rows);
    const double latest = fraction + static_cast<double>(table.taps / 2) - 1;
    for (size_t k = 0; k < table.taps; ++k)
      sum += static_cast<double>(table.row(r)[k]) * std::cos(radians * (latest - static_cast<double>(k)));
  }
  return std::abs(sum) / static_cast<double>(rows);
}

// What the half-bands make of a tone: how loud it leaves them and where it has folded to.
struct Folded {
  double gain;
  double hertz;
};

double half_band_gain(const sttstream::HalfBand &half_band, double hertz, double rate) {
  double gain = 0.5;
  for (size_t k = 0; k < half_band.pairs; ++k)
    gain += 2 * half_band.taps[k] * std::cos(2 * kPi * hertz / rate * static_cast<double>(2 * k + 1));
  return std::abs(gain);
}

Folded through_half_bands(const FilterTable &table, double hertz, double rate) {
  Folded tone = {1, hertz};
  for (const sttstream::HalfBand *half_band : table.half_bands) {
    tone.gain *= half_band_gain(*half_band, tone.hertz, rate);
    rate /= 2;
    tone.hertz = std::min(tone.hertz, rate - tone.hertz);
  }
  return tone;
}

double db(double gain) { return 20 * std::log10(std::max(gain, 1e-12)); }

double passband_db(const FilterTable &table, double hertz, uint32_t rate) {
  const Folded tone = through_half_bands(table, hertz, rate);
  return db(tone.gain * prototype_gain(table, tone.hertz, stage_rate(table, rate)));
}

// The loudest of a tone's images and aliases about the polyphase filter, those below `stop` excepted.
double unwanted_db(const FilterTable &table, double hertz, uint32_t rate, double stop) {
  const Folded tone = through_half_bands(table, hertz, rate);
  const double stage = stage_rate(table, rate);
  double loudest = 0;
  for (int k = -2; k <= 2; ++k) {
    const double at = std::abs(tone.hertz + k * stage);
    // The rows are samples of the prototype: beyond half their rate is nothing that they do not have below.
    if (at > stage * static_cast<double>(rows_per_sample(table)) / 2)
      continue;
    if (at >= stop || (at == tone.hertz && tone.hertz != hertz))
      loudest = std::max(loudest, tone.gain * prototype_gain(table, at, stage));
  }
  return db(loudest);
}

} // namespace

TEST(states_the_ratio_behind_the_half_bands_in_lowest_terms) {
  for (const Quality quality : kQualities)
    for (const uint32_t rate : kCustomaryRates) {
      const auto table = filter_table(rate, quality, kScalarKernels);
      CHECK(std::gcd(table->up, table->down) == 1);
      const size_t halvings = table->half_bands.size();
      CHECK(static_cast<uint64_t>(table->up) * rate == static_cast<uint64_t>(table->down) * 16000
                                                           << halvings);
      CHECK(halvings == 0 || stage_rate(*table, rate) >= 20000);
      CHECK(stage_rate(*table, rate) < 40000);
    }
}

TEST(filters_nothing_at_16_khz) {
  for (const size_t lanes : {0u, 8u, 32u}) {
    const auto table = filter_table(16000, Quality::kHigh, with_lanes(lanes));
    CHECK(table->taps == 0 && table->up == 1 && table->down == 1 && table->half_bands.empty());
    CHECK(table->rows.size() == 0 && table->tiles.size() == 0);
  }
}

TEST(holds_rows_without_tiles_and_interpolates_what_would_be_too_many) {
  for (const Quality quality : kQualities) {
    for (const uint32_t rate : kCustomaryRates) {
      const auto table = filter_table(rate, quality, kScalarKernels);
      CHECK(table->shape == Shape::kRows && table->rows.size() == table->up * table->row_stride);
      CHECK(table->tiles.size() == 0);
    }
    for (const uint32_t rate : kOddRates) {
      const auto table = filter_table(rate, quality, with_lanes(16));
      CHECK(table->shape == Shape::kInterpolatedRows);
      CHECK(table->rows.size() == (table->intervals + 1) * table->row_stride);
      CHECK(table->rows.size() <= 1u << 18 && table->tiles.size() == 0);
    }
  }
}

TEST(chooses_tiles_where_they_fit) {
  const auto shape = [](uint32_t rate, size_t lanes) {
    return filter_table(rate, Quality::kHigh, with_lanes(lanes))->shape;
  };
  for (const size_t lanes : {8u, 16u, 32u}) {
    for (const uint32_t rate : {4000u, 8000u, 24000u, 32000u, 48000u, 64000u, 96000u, 192000u, 384000u})
      CHECK(shape(rate, lanes) == Shape::kTilePerPhase);
    for (const uint32_t rate : {11025u, 22050u, 44100u, 88200u, 176400u})
      CHECK(shape(rate, lanes) == Shape::kMirroredTiles);
  }
}

TEST(doubles_8_khz_by_symmetric_halves_where_the_kernels_can) {
  Kernels kernels = with_lanes(32);
  kernels.double_rate = [](const float *, const float *, size_t, size_t, float *) noexcept {};
  for (const Quality quality : kQualities) {
    const auto table = filter_table(8000, quality, kernels);
    const auto exact = filter_table(8000, quality, kScalarKernels);
    CHECK(table->shape == Shape::kDoubled && table->rows.size() == table->taps + 1);
    CHECK(filter_table(24000, quality, kernels)->shape == Shape::kTilePerPhase);
    const size_t pairs = table->taps / 2;
    const float *const held = table->rows.data();
    for (size_t k = 0; k < pairs; ++k) {
      CHECK(held[2 * k] == exact->row(0)[pairs - 1 - k] && held[2 * k] == exact->row(0)[pairs - 1 + k]);
      CHECK(held[2 * k + 1] == exact->row(1)[pairs - 1 - k] && held[2 * k + 1] == exact->row(1)[pairs + k]);
    }
    CHECK(held[2 * pairs] == 0 && exact->row(0)[2 * pairs - 1] == 0);
  }
}

TEST(rows_sum_to_one) {
  for (const Quality quality : kQualities)
    for (const uint32_t rate : {4000u, 11025u, 31987u, 44100u, 384000u}) {
      const auto table = filter_table(rate, quality, kScalarKernels);
      CHECK(table->taps % 2 == 0 && table->row_stride >= table->taps);
      CHECK(table->row_stride % sttstream::kDotGranule == 0);
      for (size_t r = 0; r < table->rows.size() / table->row_stride; ++r) {
        double sum = 0;
        for (size_t k = 0; k < table->taps; ++k)
          sum += table->row(r)[k];
        CHECK(std::abs(sum - 1) < 1e-6);
        for (size_t k = table->taps; k < table->row_stride; ++k)
          CHECK(table->row(r)[k] == 0);
      }
    }
}

TEST(tiles_hold_the_taps_of_the_rows) {
  for (const size_t lanes : {8u, 16u, 32u})
    for (const uint32_t rate : kCustomaryRates) {
      check::about("%u Hz, %zu lanes", rate, lanes);
      const auto table = filter_table(rate, Quality::kHigh, with_lanes(lanes));
      const auto exact = filter_table(rate, Quality::kHigh, kScalarKernels);
      CHECK(table->tile_count > 0 || table->shape == Shape::kRows);
      CHECK(table->tile_rows % 2 == 0 && table->tile_edge <= table->tile_rows / 2);
      for (size_t g = 0; g < table->tile_count; ++g)
        for (size_t lane = 0; lane < lanes; ++lane) {
          const uint64_t first = table->first_of_tile(g), output = first + lane;
          const auto shift = static_cast<size_t>(table->whole(output) - table->whole(first));
          const float *row = exact->row(output * table->down % table->up);
          for (size_t k = 0; k < table->tile_rows; ++k) {
            const float held = table->tile(g).taps[k * lanes + lane];
            CHECK(held == (k < shift || k >= shift + table->taps ? 0 : row[k - shift]));
            // What the kernels leave out.
            const bool left_out =
                lane < lanes / 2 ? k >= table->tile_rows - table->tile_edge : k < table->tile_edge;
            CHECK(!left_out || held == 0);
          }
        }
    }
}

TEST(mirrored_tiles_reach_every_output_of_the_cycle) {
  for (const size_t lanes : {8u, 16u, 32u})
    for (const uint32_t rate : {11025u, 22050u, 44100u}) {
      const auto table = filter_table(rate, Quality::kHigh, with_lanes(lanes));
      const auto exact = filter_table(rate, Quality::kHigh, kScalarKernels);
      CHECK(2 * table->tile_count * lanes == table->up);
      for (uint32_t output = 1; output < table->up; ++output) {
        const float *row = exact->row(static_cast<size_t>(output) * table->down % table->up);
        const float *mirror = exact->row(static_cast<size_t>(table->up - output) * table->down % table->up);
        for (size_t k = 0; k < table->taps; ++k)
          CHECK(std::abs(row[k] - mirror[table->taps - 1 - k]) < 1e-7f);
      }
      // The two that mirror themselves.
      for (size_t k = 0; k < table->taps; ++k) {
        CHECK(table->row(0)[k] == exact->row(0)[k]);
        CHECK(table->row(1)[k] == exact->row(table->up / 2)[k]);
      }
    }
}

TEST(meets_the_edges_of_both_qualities) {
  // In units of the band and dB; `ripple` is what the band may deviate up to five sixths of its edge.
  struct Edges {
    Quality quality;
    double pass, ripple, three_db, stop, stop_db;
  };
  for (const Edges &edges : {Edges{Quality::kHigh, 0.468, 0.01, 0.477, 0.502, -100},
                             Edges{Quality::kFast, 0.45, 0.1, 0.45, 0.55, -99}})
    for (const uint32_t rate : {8000u, 12000u, 24000u, 31987u, 44100u, 48000u, 96000u, 192000u}) {
      const auto table = filter_table(rate, edges.quality, kScalarKernels);
      const double band = std::min(rate, 16000u), stop = edges.stop * band;
      for (int i = 0; i <= 12; ++i) {
        check::about("%u Hz, quality %d, step %d", rate, static_cast<int>(edges.quality), i);
        const double level = passband_db(*table, edges.pass * band * i / 12, rate);
        CHECK(std::abs(level) < (i > 10 ? 0.1 : edges.ripple));
      }
      CHECK(passband_db(*table, edges.three_db * band, rate) > -3);
      for (int i = 0; i <= 24; ++i) {
        check::about("%u Hz, quality %d, step %d", rate, static_cast<int>(edges.quality), i);
        CHECK(unwanted_db(*table, (1 - edges.stop) * band * i / 24, rate, stop) < edges.stop_db);
        if (stop < rate / 2.0)
          CHECK(unwanted_db(*table, stop + (rate / 2.0 - stop) * i / 24, rate, stop) < edges.stop_db);
      }
    }
}

TEST(half_bands_let_nothing_fold_below_the_stop_edge) {
  for (const Quality quality : kQualities)
    for (double rate = 40000; rate <= 384000; rate += rate / 500) {
      check::about("%.0f Hz, quality %d", rate, static_cast<int>(quality));
      const sttstream::HalfBand *const half_band = sttstream::half_band_for(rate, quality);
      CHECK(half_band != nullptr);
      const double stop = (quality == Quality::kHigh ? 0.502 : 0.55) * 16000;
      for (int i = 0; i <= 100; ++i) {
        CHECK(db(half_band_gain(*half_band, rate / 2 - stop * i / 100, rate)) < -100);
        CHECK(std::abs(db(half_band_gain(*half_band, stop * i / 100, rate))) < 0.001);
      }
    }
}

TEST(shares_a_recent_table_and_keeps_no_more_than_it_may) {
  const auto first = filter_table(8000, Quality::kHigh, kScalarKernels);
  CHECK(filter_table(8000, Quality::kHigh, kScalarKernels) == first);
  CHECK(filter_table(8000, Quality::kFast, kScalarKernels) != first);
  CHECK(filter_table(8000, Quality::kHigh, with_lanes(16)) != first);
  std::weak_ptr<const FilterTable> watched = filter_table(4800, Quality::kHigh, kScalarKernels);
  for (uint32_t rate = 9000; rate < 9008; ++rate)
    filter_table(rate, Quality::kFast, kScalarKernels);
  CHECK(watched.expired());
  const auto again = filter_table(8000, Quality::kHigh, kScalarKernels);
  CHECK(again != first && again->rows.size() == first->rows.size());
  CHECK(std::equal(again->rows.data(), again->rows.data() + again->rows.size(), first->rows.data()));
}
