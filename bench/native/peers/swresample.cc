extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
}

#include <utility>

#include "../peer.h"

namespace {

using bench::StreamFormat;
using Settings = std::vector<std::pair<const char *, const char *>>;

// It takes int16 and downmixes itself.
class SwresampleStream : public bench::Stream {
public:
  SwresampleStream(const StreamFormat &format, const Settings &settings) : format_(format) {
    AVChannelLayout input;
    AVChannelLayout output;
    av_channel_layout_default(&input, static_cast<int>(format.channels));
    av_channel_layout_default(&output, 1);
    swr_alloc_set_opts2(&swr_, &output, AV_SAMPLE_FMT_S16, bench::kOutputRate, &input, AV_SAMPLE_FMT_S16,
                        static_cast<int>(format.sample_rate_hertz), 0, nullptr);
    bool set = true;
    for (const auto &[name, value] : settings)
      set = av_opt_set(swr_, name, value, 0) >= 0 && set;
    ok_ = set && swr_init(swr_) >= 0;
  }
  ~SwresampleStream() override { swr_free(&swr_); }

  bool ok() const { return ok_; }

  size_t process(const int16_t *input, size_t samples_per_channel, int16_t *output) override {
    const auto *in = reinterpret_cast<const uint8_t *>(input);
    auto *out = reinterpret_cast<uint8_t *>(output);
    const int room = static_cast<int>(bench::max_output(format_, samples_per_channel));
    const int written = swr_convert(swr_, &out, room, &in, static_cast<int>(samples_per_channel));
    return written > 0 ? static_cast<size_t>(written) : 0;
  }

private:
  StreamFormat format_;
  SwrContext *swr_ = nullptr;
  bool ok_;
};

bench::Peer peer(const char *name, Settings settings) {
  const unsigned version = swresample_version();
  return {name,
          std::to_string(AV_VERSION_MAJOR(version)) + "." + std::to_string(AV_VERSION_MINOR(version)) + "." +
              std::to_string(AV_VERSION_MICRO(version)),
          [settings = std::move(settings)](const StreamFormat &format) -> std::unique_ptr<bench::Stream> {
            auto stream = std::make_unique<SwresampleStream>(format, settings);
            return stream->ok() ? std::move(stream) : nullptr;
          }};
}

const bench::Registration kRegistration({
    peer("swresample default", {}),
    // The one setting of its own engine that is clean.
    peer("swresample 128 taps", {{"filter_size", "128"},
                                 {"filter_type", "kaiser"},
                                 {"kaiser_beta", "10"},
                                 {"cutoff", "0.95"},
                                 {"internal_sample_fmt", "fltp"}}),
    peer("swresample soxr", {{"resampler", "soxr"}}),
});

} // namespace
