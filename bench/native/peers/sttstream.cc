#include "../peer.h"
#include "resampler/resampler.h"

namespace {

using bench::StreamFormat;

class SttstreamStream : public bench::Stream {
public:
  explicit SttstreamStream(const sttstream::PcmFormat &format) : resampler_(format) {}

  size_t process(const int16_t *input, size_t samples_per_channel, int16_t *output) override {
    return resampler_.process(reinterpret_cast<const uint8_t *>(input),
                              samples_per_channel * resampler_.block_align(),
                              reinterpret_cast<uint8_t *>(output));
  }

private:
  sttstream::Resampler resampler_;
};

bench::Peer peer(const char *name) {
  return {name, "", [](const StreamFormat &format) -> std::unique_ptr<bench::Stream> {
            return std::make_unique<SttstreamStream>(
                sttstream::PcmFormat{sttstream::Encoding::kS16le, format.sample_rate_hertz, format.channels});
          }};
}

const bench::Registration kRegistration({peer("sttstream high")});

} // namespace
