#include <zita-resampler/resampler.h>

#include "../edges.h"

namespace {

using bench::StreamFormat;

class ZitaStream : public bench::FloatStream {
public:
  ZitaStream(const StreamFormat &format, unsigned half_length) : FloatStream(format, 1.0F) {
    ok_ = resampler_.setup(format.sample_rate_hertz, bench::kOutputRate, 1, half_length) == 0;
  }

  bool ok() const { return ok_; }

protected:
  size_t resample(float *input, size_t samples, float *output, size_t room) override {
    resampler_.inp_count = static_cast<unsigned>(samples);
    resampler_.inp_data = input;
    resampler_.out_count = static_cast<unsigned>(room);
    resampler_.out_data = output;
    resampler_.process();
    return room - resampler_.out_count;
  }

private:
  Resampler resampler_;
  bool ok_;
};

std::string version() {
  return std::to_string(zita_resampler_major_version()) + "." +
         std::to_string(zita_resampler_minor_version());
}

bench::Peer peer(const char *name, unsigned half_length) {
  return {name, version(), [=](const StreamFormat &format) -> std::unique_ptr<bench::Stream> {
            auto stream = std::make_unique<ZitaStream>(format, half_length);
            return stream->ok() ? std::move(stream) : nullptr;
          }};
}

const bench::Registration kRegistration({
    peer("zita-resampler 32", 32),
    peer("zita-resampler 48", 48),
    peer("zita-resampler 96", 96),
});

} // namespace
