#include "resampler.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace sttstream {
namespace {

// Input samples taken between two looks at the outputs, beyond the filter's own span: large enough that
// moving the span to the front is rare, small enough to stay in the first-level cache.
constexpr size_t kSliceSamples = 2048;

// Outputs between two roundings.
constexpr size_t kOutputSlice = 512;

constexpr size_t kBytesPerOutput = 2;

// Little-endian on every host, to the nearest step and, halfway, to the even one.
void write_linear16(const float *samples, size_t count, uint8_t *output) noexcept {
  for (size_t i = 0; i < count; ++i) {
    const auto value = static_cast<int32_t>(std::lrint(std::clamp(samples[i], -32768.0f, 32767.0f)));
    output[kBytesPerOutput * i] = static_cast<uint8_t>(value);
    output[kBytesPerOutput * i + 1] = static_cast<uint8_t>(value >> 8);
  }
}

} // namespace

Resampler::Resampler(const PcmFormat &format, const float *gains) noexcept
    : downmix_(format.encoding, format.channels, gains), table_(filter_table(format.sample_rate_hertz)),
      kernels_(kernels()), window_(table_->taps + kSliceSamples) {
  reset();
}

void Resampler::reset() noexcept {
  cursor_ = {};
  // Silence before the first sample, as much as the first output's taps reach back.
  filled_ = table_->taps == 0 ? 0 : table_->taps / 2 - 1;
  std::fill_n(window_.begin(), filled_, 0.0f);
}

size_t Resampler::process(const uint8_t *input, size_t bytes, uint8_t *output) noexcept {
  assert(bytes % block_align() == 0);
  size_t written = 0;
  for (size_t blocks = bytes / block_align(); blocks > 0;) {
    const size_t count = std::min(blocks, room());
    downmix_.read(input, count, window_.data() + filled_, non_finite_);
    filled_ += count;
    input += count * block_align();
    blocks -= count;
    written += drain(output + written * kBytesPerOutput);
  }
  return written;
}

size_t Resampler::flush(uint8_t *output) noexcept {
  size_t written = 0;
  for (size_t silence = table_->taps / 2; silence > 0;) {
    const size_t count = std::min(silence, room());
    std::fill_n(window_.data() + filled_, count, 0.0f);
    filled_ += count;
    silence -= count;
    written += drain(output + written * kBytesPerOutput);
  }
  reset();
  return written;
}

size_t Resampler::max_output(size_t bytes) const noexcept { return outputs_of(bytes / block_align()); }

size_t Resampler::max_flush() const noexcept { return outputs_of(table_->taps / 2); }

// Frees the window's front when its end is reached; returns how many samples fit.
size_t Resampler::room() noexcept {
  if (filled_ == window_.size()) {
    std::copy(window_.begin() + static_cast<std::ptrdiff_t>(cursor_.index), window_.end(), window_.begin());
    filled_ -= cursor_.index;
    cursor_.index = 0;
  }
  return window_.size() - filled_;
}

// Writes every output whose taps lie within the window.
size_t Resampler::drain(uint8_t *output) noexcept {
  if (table_->taps == 0) {
    const size_t count = filled_;
    write_linear16(window_.data(), count, output);
    filled_ = 0;
    return count;
  }
  const size_t end = cursor_.index + table_->taps;
  if (filled_ < end)
    return 0;
  const uint64_t reach = static_cast<uint64_t>(filled_ - end + 1) * table_->up - cursor_.phase;
  const auto available = static_cast<size_t>((reach + table_->down - 1) / table_->down);

  float slice[kOutputSlice];
  for (size_t done = 0; done < available;) {
    const size_t count = std::min(available - done, kOutputSlice);
    kernels_.convolve(*table_, window_.data(), cursor_, count, slice);
    write_linear16(slice, count, output + done * kBytesPerOutput);
    done += count;
  }
  return available;
}

size_t Resampler::outputs_of(size_t samples) const noexcept {
  return static_cast<size_t>((static_cast<uint64_t>(samples) * table_->up + table_->down - 1) / table_->down);
}

} // namespace sttstream
