#include "resampler.h"

#include <algorithm>
#include <cassert>

namespace sttstream {
namespace {

constexpr size_t kBytesPerOutput = 2;

// Input blocks between two looks at the outputs: their samples stay in the first-level cache.
constexpr size_t kMaxSlice = 2048;

// Blocks of silence at the end.
constexpr size_t kFlushSlice = 256;

// The longest memory of a stage: what the polyphase filter's taps span just below the rate that is halved.
constexpr size_t kMaxKept = 512;

} // namespace

// Two windows, the input of one stage and of the next in turn; a half-band's input, split; and the outputs.
struct Resampler::Buffers {
  alignas(64) float windows[2][kMargin + kMaxKept + kMaxSlice + kMargin];
  alignas(64) float even[(kMaxKept + kMaxSlice) / 2 + kMargin];
  alignas(64) float odd[(kMaxKept + kMaxSlice) / 2 + kMargin];
  alignas(64) float outputs[kMargin + Polyphase::kMaxOutputs + kMargin];

  float *window(size_t stage) noexcept { return windows[stage % 2] + kMargin; }
  float *output() noexcept { return outputs + kMargin; }
};

Resampler::Resampler(const PcmFormat &format, Quality quality, const float *gains) noexcept
    : downmix_(format.encoding, format.channels, gains), kernels_(sttstream::kernels()),
      table_(filter_table(format.sample_rate_hertz, quality, kernels_)), polyphase_(*table_, kernels_) {
  // Little-endian 16-bit audio, mono or the mean of two channels, is what most streams bring.
  if (format.encoding == Encoding::kS16le && downmix_.is_plain_mean() && format.channels <= 2)
    read_s16_ = format.channels == 1 ? kernels_.read_s16 : kernels_.read_s16_pairs;

  const uint64_t outputs_at_once = Polyphase::kMaxOutputs - 2;
  slice_ = static_cast<size_t>(
      std::min<uint64_t>(kMaxSlice, outputs_at_once * format.sample_rate_hertz / kOutputRateHertz));

  size_t kept = 0;
  for (const HalfBand *half_band : table_->half_bands) {
    histories_.push_back({kept, 0});
    kept += 4 * half_band->pairs;
    assert(4 * half_band->pairs <= kMaxKept);
  }
  assert(table_->taps <= kMaxKept);
  histories_.push_back({kept, 0});
  kept_.resize(kept + table_->taps);
  reset();
}

void Resampler::reset() noexcept {
  blocks_in_ = samples_out_ = 0;
  polyphase_.reset();
  // Silence before the first sample, as much as the first output's taps reach back.
  std::fill(kept_.begin(), kept_.end(), 0.0f);
  for (size_t stage = 0; stage < table_->half_bands.size(); ++stage)
    histories_[stage].count = 2 * table_->half_bands[stage]->pairs;
  histories_.back().count = table_->taps == 0 ? 0 : table_->taps / 2 - 1;
}

size_t Resampler::process(const uint8_t *input, size_t bytes, uint8_t *output) noexcept {
  assert(bytes % block_align() == 0);
  Buffers buffers;
  size_t written = 0;
  for (size_t blocks = bytes / block_align(); blocks > 0;) {
    const size_t count = std::min(blocks, slice_);
    float *const window = buffers.window(0);
    const size_t kept = recall(0, window);
    if (read_s16_ != nullptr)
      read_s16_(input, count, window + kept);
    else
      downmix_.read(input, count, window + kept, non_finite_);
    written += filter(buffers, kept + count, Polyphase::kMaxOutputs, output + written * kBytesPerOutput);
    input += count * block_align();
    blocks -= count;
    blocks_in_ += count;
  }
  samples_out_ += written;
  return written;
}

size_t Resampler::flush(uint8_t *output) noexcept {
  Buffers buffers;
  const uint64_t due = outputs_of(blocks_in_) - samples_out_;
  size_t written = 0;
  while (written < due) {
    float *const window = buffers.window(0);
    const size_t kept = recall(0, window);
    std::fill_n(window + kept, kFlushSlice, 0.0f);
    written += filter(buffers, kept + kFlushSlice, static_cast<size_t>(due - written),
                      output + written * kBytesPerOutput);
  }
  reset();
  return written;
}

size_t Resampler::max_output(size_t bytes) const noexcept {
  uint64_t samples = bytes / block_align();
  for (size_t stage = 0; stage < table_->half_bands.size(); ++stage)
    samples = (samples + 1) / 2;
  return static_cast<size_t>((samples * table_->up + table_->down - 1) / table_->down);
}

size_t Resampler::max_flush() const noexcept {
  uint64_t reach = table_->taps / 2;
  for (size_t stage = table_->half_bands.size(); stage > 0; --stage)
    reach = 2 * (reach + table_->half_bands[stage - 1]->pairs);
  return static_cast<size_t>(outputs_of(reach)) + 1;
}

// ceil(samples * 16000 / rate)
uint64_t Resampler::outputs_of(uint64_t samples) const noexcept {
  const uint64_t down = static_cast<uint64_t>(table_->down) << table_->half_bands.size();
  return (samples * table_->up + down - 1) / down;
}

// Copies what a stage has kept to the front of its window; returns how much.
size_t Resampler::recall(size_t stage, float *window) const noexcept {
  const History &history = histories_[stage];
  std::copy_n(kept_.data() + history.begin, history.count, window);
  return history.count;
}

void Resampler::keep(size_t stage, const float *samples, size_t count) noexcept {
  History &history = histories_[stage];
  history.count = count;
  std::copy_n(samples, count, kept_.data() + history.begin);
}

// Takes `filled` samples in window 0 through all stages; writes at most `limit` outputs, returns how many.
size_t Resampler::filter(Buffers &buffers, size_t filled, size_t limit, uint8_t *output) noexcept {
  size_t stage = 0;
  for (const HalfBand *half_band : table_->half_bands) {
    const float *const window = buffers.window(stage);
    const size_t pairs = half_band->pairs;
    const size_t count = filled < 4 * pairs ? 0 : (filled - 4 * pairs) / 2 + 1;
    float *const next = buffers.window(stage + 1);
    const size_t kept = recall(stage + 1, next);
    kernels_.split(window, (filled + 1) / 2, buffers.even, buffers.odd);
    kernels_.half_band(buffers.even, buffers.odd, half_band->taps, pairs, count, next + kept);
    keep(stage, window + 2 * count, filled - 2 * count);
    filled = kept + count;
    ++stage;
  }

  float *const window = buffers.window(stage);
  if (table_->taps == 0) {
    kernels_.write_linear16(window, filled, output);
    return filled;
  }
  const size_t count = polyphase_.ready(filled), written = std::min(count, limit);
  std::fill_n(window - kMargin, kMargin, 0.0f);
  std::fill_n(window + filled, kMargin, 0.0f);
  polyphase_.run(window, count, buffers.output());
  kernels_.write_linear16(buffers.output(), written, output);
  const size_t spent = polyphase_.spent();
  keep(stage, window + spent, filled - spent);
  polyphase_.drop(spent);
  return written;
}

} // namespace sttstream
