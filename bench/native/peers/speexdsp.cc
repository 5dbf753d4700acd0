#include <speex/speex_resampler.h>

#include "../edges.h"

namespace {

using bench::StreamFormat;

// The float calls: Debian's build is floating point inside, and its int16 calls are slower.
class SpeexStream : public bench::FloatStream {
public:
  SpeexStream(const StreamFormat &format, int quality) : FloatStream(format, 32768.0F) {
    state_ = speex_resampler_init(1, format.sample_rate_hertz, bench::kOutputRate, quality, nullptr);
  }
  ~SpeexStream() override { speex_resampler_destroy(state_); }

protected:
  size_t resample(float *input, size_t samples, float *output, size_t room) override {
    auto in = static_cast<spx_uint32_t>(samples);
    auto out = static_cast<spx_uint32_t>(room);
    speex_resampler_process_float(state_, 0, input, &in, output, &out);
    return out;
  }

private:
  SpeexResamplerState *state_;
};

bench::Peer peer(const char *name, int quality) {
  return {name, SPEEXDSP_VERSION, [=](const StreamFormat &format) -> std::unique_ptr<bench::Stream> {
            return std::make_unique<SpeexStream>(format, quality);
          }};
}

const bench::Registration kRegistration({
    peer("speexdsp q3", 3),
    peer("speexdsp q5", 5),
    peer("speexdsp q8", 8),
    peer("speexdsp q10", 10),
});

} // namespace
