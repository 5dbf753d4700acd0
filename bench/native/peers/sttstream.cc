#include <utility>

#include "../peer.h"
#include "resampler/filter_table.h"
#include "resampler/kernels.h"
#include "resampler/prototype.h"
#include "resampler/resampler.h"

namespace {

using bench::StreamFormat;
using sttstream::Quality;

class SttstreamStream : public bench::Stream {
public:
  SttstreamStream(const StreamFormat &format, Quality quality)
      : resampler_({sttstream::Encoding::kS16le, format.sample_rate_hertz, format.channels}, quality),
        sample_rate_hertz_(format.sample_rate_hertz), quality_(quality) {}

  size_t process(const int16_t *input, size_t samples_per_channel, int16_t *output) override {
    return resampler_.process(reinterpret_cast<const uint8_t *>(input),
                              samples_per_channel * resampler_.block_align(),
                              reinterpret_cast<uint8_t *>(output));
  }

  // What the filters ask for, not what the kernels add in zeros: a half-band's taps come in pairs that share
  // one multiplication.
  double macs_per_output() const override {
    const auto table = sttstream::filter_table(sample_rate_hertz_, quality_, sttstream::kernels());
    auto macs = static_cast<double>(table->taps);
    double rate = sample_rate_hertz_;
    for (const sttstream::HalfBand *half_band : table->half_bands) {
      rate /= 2;
      macs += static_cast<double>(half_band->pairs) * rate / bench::kOutputRate;
    }
    return macs;
  }

private:
  sttstream::Resampler resampler_;
  uint32_t sample_rate_hertz_;
  Quality quality_;
};

// kernels: null for the best of this processor.
bench::Peer peer(const std::string &name, Quality quality, const char *kernels) {
  return {name, "", [=](const StreamFormat &format) -> std::unique_ptr<bench::Stream> {
            const char *best = sttstream::kernels().name;
            if (kernels != nullptr)
              sttstream::use_kernels(kernels);
            auto stream = std::make_unique<SttstreamStream>(format, quality);
            sttstream::use_kernels(best);
            return stream;
          }};
}

std::vector<bench::Peer> all() {
  const std::pair<const char *, Quality> qualities[] = {{"high", Quality::kHigh}, {"fast", Quality::kFast}};
  std::vector<bench::Peer> peers;
  for (const auto &[name, quality] : qualities)
    peers.push_back(peer(std::string("sttstream ") + name, quality, nullptr));
  for (const auto &[name, quality] : qualities)
    for (size_t i = 0; i < sttstream::kernels_count(); i++) {
      const char *kernels = sttstream::kernels_at(i).name;
      peers.push_back(peer(std::string("sttstream ") + name + " " + kernels, quality, kernels));
    }
  return peers;
}

const bench::Registration kRegistration(all());

} // namespace
