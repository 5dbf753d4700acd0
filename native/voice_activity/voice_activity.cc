#include "voice_activity/voice_activity.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "voice_activity/rounded.h"

namespace sttstream {
namespace {

constexpr uint64_t kFirstFloorHops = 5;
// The median of the last 7 scores is one of speech when 4 of them are.
constexpr uint32_t kMedianMask = (1 << 7) - 1;
constexpr int kMedianMajority = 4;

int bit_count(uint32_t bits) noexcept {
  int count = 0;
  for (; bits != 0; bits &= bits - 1)
    ++count;
  return count;
}

void read_linear16(const uint8_t *bytes, size_t count, int16_t *samples) noexcept {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  for (size_t i = 0; i < count; ++i)
    samples[i] = static_cast<int16_t>(static_cast<uint16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8));
#else
  std::memcpy(samples, bytes, count * sizeof samples[0]);
#endif
}

// As few sums as make up the band, the longest first.
template <size_t kFirst, size_t kEnd> float band_power(const PowerSums &sums, float power) noexcept {
  if constexpr (kEnd - kFirst >= 8)
    return band_power<kFirst + 8, kEnd>(sums, power + sums.eights[kFirst]);
  else if constexpr (kEnd - kFirst >= 4)
    return band_power<kFirst + 4, kEnd>(sums, power + sums.fours[kFirst]);
  else if constexpr (kEnd - kFirst >= 2)
    return band_power<kFirst + 2, kEnd>(sums, power + sums.twos[kFirst]);
  else if constexpr (kEnd > kFirst)
    return power + sums.ones[kFirst];
  else
    return power;
}

template <size_t... kBand>
void band_powers(const PowerSums &sums, Bands &powers, std::index_sequence<kBand...>) noexcept {
  std::fill(powers + kBands, powers + kPaddedBands, 0.0f);
  ((powers[kBand] = band_power<kBandEdges[kBand], kBandEdges[kBand + 1]>(sums, 0)), ...);
}

} // namespace

VoiceActivity::VoiceActivity(const HopKernel &kernel) noexcept : kernel_(&kernel) {}

VoiceActivity::Report VoiceActivity::process(const uint8_t *pcm, size_t count) noexcept {
  Report report;
  while (count > 0) {
    const size_t taken = std::min(count, kBufferHops * kHop - filled_);
    int16_t *to = samples_ + kPast + filled_;
    read_linear16(pcm, taken, to);
    report.energy += kernel_->energy(to, taken);
    pcm += 2 * taken;
    count -= taken;
    filled_ += taken;

    const size_t hops = filled_ / kHop;
    report.speech_hops += count_speech(hops);
    report.hops += hops;
    filled_ -= hops * kHop;
    std::memmove(samples_, samples_ + hops * kHop, (kPast + filled_) * sizeof samples_[0]);
  }
  return report;
}

// Step by step for all hops and not hop by hop: no spectrum and no score waits for those before it, so the
// processor makes several at a time.
size_t VoiceActivity::count_speech(size_t hops) noexcept {
  alignas(64) Bands powers[kBufferHops];
  for (size_t hop = 0; hop < hops; ++hop) {
    PowerSums sums;
    kernel_->power_sums(samples_ + hop * kHop, sums);
    band_powers(sums, powers[hop], std::make_index_sequence<kBands>{});
  }

  alignas(64) HopRatios ratios[kBands] = {}, scores;
  for (size_t hop = 0; hop < hops; ++hop, ++hops_) {
    if (hops_ < kFirstFloorHops)
      begin(powers[hop]);
    else
      kernel_->track(powers[hop], hops_, floors_);
    alignas(64) Bands of_hop;
    kernel_->ratios(floors_, of_hop);
    for (size_t band = 0; band < kBands; ++band)
      ratios[band][hop] = of_hop[band];
  }
  kernel_->scores(ratios, scores);

  size_t speech_hops = 0;
  for (size_t hop = 0; hop < hops; ++hop) {
    recent_ = (recent_ << 1 | (scores[hop] >= kSpeechScore ? 1 : 0)) & kMedianMask;
    speech_hops += bit_count(recent_) >= kMedianMajority ? 1 : 0;
  }
  return speech_hops;
}

void VoiceActivity::begin(const Bands &powers) noexcept {
  const auto hops = static_cast<float>(hops_);
  for (size_t band = 0; band < kPaddedBands; ++band) {
    const float sum = rounded(floors_.slow[band] * hops) + powers[band];
    const float mean = std::min(kLoudestFirstFloor, sum / (hops + 1));
    floors_.fast[band] = powers[band];
    floors_.slow[band] = floors_.floor[band] = mean;
    for (Bands &minima : floors_.minima)
      minima[band] = mean;
  }
}

} // namespace sttstream
