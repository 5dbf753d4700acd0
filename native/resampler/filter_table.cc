#include "filter_table.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <mutex>
#include <numeric>

// A Kaiser-windowed sinc (J. F. Kaiser, 1974), evaluated in double at each phase. Constants and formulas are
// twins of src/audio/portable/resampler-filter.ts: change both or the backends part.

namespace sttstream {
namespace {

// Edges in units of min(input rate, 16 kHz): 0.45 keeps 7.2 kHz of wideband and 3.6 kHz of telephone speech.
// The stop edge lies beyond half the rate because what folds back between the edges, 0.4875 to 0.5, is
// inaudible to recognisers; stopping at 0.5 instead would cost a quarter more taps.
constexpr double kPassEdge = 0.45;
constexpr double kStopEdge = 0.5125;

// Rejection of the window in dB, 40 and up. Costs one tap per 14.36 * transition width; 8 dB above what the
// tests demand, since float taps and linear interpolation add their own lines near -120 dB.
constexpr double kStopbandDb = 103;

// Rows are exact while they fit in this many taps (512 KiB), as they do at every customary rate; other rates
// interpolate. The count of rows holds the strongest image of linear interpolation, (pass edge / rows)^2,
// below -120 dB.
constexpr size_t kMaxExactTaps = 1u << 17;
constexpr double kInterpolatedRows = 512;

// Vector kernels may read a row in blocks of 16.
constexpr size_t kTapsGranule = 16;

constexpr double kPi = 3.141592653589793;

// Modified Bessel function of the first kind, order zero, by its power series.
double bessel_i0(double x) noexcept {
  const double quarter = x * x / 4;
  double term = 1, sum = 1;
  for (int k = 1; term > sum * 1e-17; ++k) {
    term *= quarter / (static_cast<double>(k) * k);
    sum += term;
  }
  return sum;
}

class Prototype {
public:
  explicit Prototype(uint32_t sample_rate_hertz) noexcept {
    const double band =
        std::min(sample_rate_hertz, kOutputRateHertz) / static_cast<double>(sample_rate_hertz);
    const double taps = (kStopbandDb - 7.95) / (14.36 * (kStopEdge - kPassEdge) * band) + 1;
    taps_ = static_cast<size_t>(std::ceil(taps / kTapsGranule)) * kTapsGranule;
    cutoff_ = (kPassEdge + kStopEdge) / 2 * band;
    rows_ = static_cast<uint32_t>(std::ceil(kInterpolatedRows * band));
  }

  size_t taps() const noexcept { return taps_; }
  uint32_t interpolated_rows() const noexcept { return rows_; }

  // Writes the row of one fraction, 0 to 1, scaled so that a constant passes unchanged in every phase.
  void write_row(double fraction, float *row) noexcept {
    scratch_.resize(taps_);
    double sum = 0;
    for (size_t k = 0; k < taps_; ++k) {
      scratch_[k] = at(fraction + static_cast<double>(taps_ / 2) - 1 - static_cast<double>(k));
      sum += scratch_[k];
    }
    for (size_t k = 0; k < taps_; ++k)
      row[k] = static_cast<float>(scratch_[k] / sum);
  }

private:
  // The impulse response at a distance in input samples.
  double at(double distance) const noexcept {
    const double edge = 2 * distance / static_cast<double>(taps_);
    const double window = bessel_i0(kBeta * std::sqrt(std::max(0.0, 1 - edge * edge)));
    const double angle = 2 * kPi * cutoff_ * distance;
    return window * (angle == 0 ? 1 : std::sin(angle) / angle);
  }

  static constexpr double kBeta = 0.1102 * (kStopbandDb - 8.7);
  size_t taps_;
  double cutoff_;
  uint32_t rows_;
  std::vector<double> scratch_;
};

std::shared_ptr<const FilterTable> make_table(uint32_t sample_rate_hertz) noexcept {
  auto table = std::make_shared<FilterTable>();
  const uint32_t divisor = std::gcd(sample_rate_hertz, kOutputRateHertz);
  table->up = kOutputRateHertz / divisor;
  table->down = sample_rate_hertz / divisor;
  if (sample_rate_hertz == kOutputRateHertz)
    return table;

  Prototype prototype(sample_rate_hertz);
  table->taps = prototype.taps();
  size_t rows = table->up;
  double step = 1.0 / table->up;
  if (rows * table->taps > kMaxExactTaps) {
    table->interpolated_rows = prototype.interpolated_rows();
    rows = table->interpolated_rows + 1;
    step = 1.0 / table->interpolated_rows;
  }
  table->rows.resize(rows * table->taps);
  for (size_t r = 0; r < rows; ++r)
    prototype.write_row(static_cast<double>(r) * step, table->rows.data() + r * table->taps);
  return table;
}

} // namespace

std::shared_ptr<const FilterTable> filter_table(uint32_t sample_rate_hertz) noexcept {
  struct Entry {
    uint32_t sample_rate_hertz;
    std::shared_ptr<const FilterTable> table;
  };
  // A call centre opens thousands of streams of one rate; a table costs a few ms. Bounded, since rates come
  // from outside: the table least recently made leaves first, its streams keep it alive.
  constexpr size_t kCapacity = 8;
  static std::mutex mutex;
  static std::deque<Entry> recent;

  const std::lock_guard<std::mutex> lock(mutex);
  for (const Entry &entry : recent)
    if (entry.sample_rate_hertz == sample_rate_hertz)
      return entry.table;
  if (recent.size() == kCapacity)
    recent.pop_front();
  recent.push_back({sample_rate_hertz, make_table(sample_rate_hertz)});
  return recent.back().table;
}

} // namespace sttstream
