#include <soxr.h>

#include "../edges.h"

namespace {

using bench::StreamFormat;

class SoxrStream : public bench::Stream {
public:
  SoxrStream(const StreamFormat &format, unsigned long recipe, bool dither) : format_(format) {
    const soxr_io_spec_t io = {SOXR_FLOAT32_I, SOXR_INT16_I, 1, nullptr,
                               dither ? 0UL : static_cast<unsigned long>(SOXR_NO_DITHER)};
    const soxr_quality_spec_t quality = soxr_quality_spec(recipe, 0);
    const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    soxr_ = soxr_create(format.sample_rate_hertz, bench::kOutputRate, 1, nullptr, &io, &quality, &runtime);
  }
  ~SoxrStream() override { soxr_delete(soxr_); }

  bool ok() const { return soxr_ != nullptr; }

  size_t process(const int16_t *input, size_t samples_per_channel, int16_t *output) override {
    bench::downmix(input, samples_per_channel, format_.channels, 1.0F / 32768.0F, bench::scratch.mono);
    size_t done = 0;
    soxr_process(soxr_, bench::scratch.mono, samples_per_channel, nullptr, output,
                 bench::max_output(format_, samples_per_channel), &done);
    return done;
  }

private:
  StreamFormat format_;
  soxr_t soxr_;
};

bench::Peer peer(const char *name, unsigned long recipe, bool dither = true) {
  return {name, soxr_version(), [=](const StreamFormat &format) -> std::unique_ptr<bench::Stream> {
            auto stream = std::make_unique<SoxrStream>(format, recipe, dither);
            return stream->ok() ? std::move(stream) : nullptr;
          }};
}

const bench::Registration kRegistration({
    peer("libsoxr QQ", SOXR_QQ),
    peer("libsoxr LQ", SOXR_LQ),
    peer("libsoxr MQ", SOXR_MQ),
    peer("libsoxr HQ", SOXR_HQ),
    peer("libsoxr HQ no dither", SOXR_HQ, false),
    peer("libsoxr VHQ", SOXR_VHQ),
});

} // namespace
