#include <samplerate.h>

#include "../edges.h"

namespace {

using bench::StreamFormat;

class SamplerateStream : public bench::FloatStream {
public:
  SamplerateStream(const StreamFormat &format, int converter)
      : FloatStream(format, 1.0F),
        ratio_(static_cast<double>(bench::kOutputRate) / format.sample_rate_hertz) {
    int error = 0;
    state_ = src_new(converter, 1, &error);
  }
  ~SamplerateStream() override { src_delete(state_); }

protected:
  size_t resample(float *input, size_t samples, float *output, size_t room) override {
    size_t written = 0;
    for (size_t read = 0; read < samples;) {
      SRC_DATA data = {};
      data.data_in = input + read;
      data.input_frames = static_cast<long>(samples - read);
      data.data_out = output + written;
      data.output_frames = static_cast<long>(room - written);
      data.src_ratio = ratio_;
      if (src_process(state_, &data) != 0 || data.input_frames_used + data.output_frames_gen == 0)
        break;
      read += static_cast<size_t>(data.input_frames_used);
      written += static_cast<size_t>(data.output_frames_gen);
    }
    return written;
  }

private:
  double ratio_;
  SRC_STATE *state_;
};

bench::Peer peer(const char *name, int converter) {
  return {name, src_get_version(), [=](const StreamFormat &format) -> std::unique_ptr<bench::Stream> {
            return std::make_unique<SamplerateStream>(format, converter);
          }};
}

const bench::Registration kRegistration({
    peer("libsamplerate linear", SRC_LINEAR),
    peer("libsamplerate fastest", SRC_SINC_FASTEST),
    peer("libsamplerate medium", SRC_SINC_MEDIUM_QUALITY),
    peer("libsamplerate best", SRC_SINC_BEST_QUALITY),
});

} // namespace
