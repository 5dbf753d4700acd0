#include "prototype.h"

#include <array>
#include <cmath>
#include <vector>

namespace sttstream {
namespace {

#include "prototypes.inc"

constexpr double kPi = 3.141592653589793;

// Where the outputs' aliases must be gone, in units of the output rate; native/design/ has the reasons.
constexpr double kStopEdge[] = {0.502, 0.55};

constexpr size_t kHalfBandCount = sizeof kHalfBands / sizeof kHalfBands[0];

// The designs with their taps as floats.
class HalfBandList {
public:
  HalfBandList() noexcept {
    for (size_t i = 0; i < kHalfBandCount; ++i) {
      const HalfBandDesign &design = kHalfBands[i];
      taps_[i].assign(design.taps, design.taps + design.pairs);
      list_[i] = {design.pairs, design.pass_edge, taps_[i].data()};
    }
  }

  const HalfBand *begin() const noexcept { return list_.data(); }
  const HalfBand *end() const noexcept { return list_.data() + kHalfBandCount; }

private:
  std::array<HalfBand, kHalfBandCount> list_;
  std::array<std::vector<float>, kHalfBandCount> taps_;
};

} // namespace

Prototype::Prototype(Quality quality) noexcept {
  const bool high = quality == Quality::kHigh;
  span_ = high ? kHighSpan : kFastSpan;
  cosines_ = high ? kHighCosines : kFastCosines;
  count_ = high ? sizeof kHighCosines / sizeof kHighCosines[0] : sizeof kFastCosines / sizeof kFastCosines[0];
}

double Prototype::at(double time) const noexcept {
  if (std::abs(time) >= span_ / 2)
    return 0;
  // C. W. Clenshaw's recurrence (1955): one cosine instead of one per term.
  const double cosine = std::cos(2 * kPi * time / span_);
  double later = 0, latest = 0;
  for (size_t k = count_ - 1; k > 0; --k) {
    const double sum = cosines_[k] + 2 * cosine * latest - later;
    later = latest;
    latest = sum;
  }
  return cosines_[0] + cosine * latest - later;
}

const HalfBand *half_band_for(double sample_rate_hertz, Quality quality) noexcept {
  static const HalfBandList designs;
  const double wanted = kStopEdge[static_cast<size_t>(quality)] * kOutputRateHertz / sample_rate_hertz;
  for (const HalfBand &design : designs)
    if (design.pass_edge >= wanted)
      return &design;
  return nullptr;
}

} // namespace sttstream
