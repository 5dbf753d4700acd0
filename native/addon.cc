#include <cassert>
#include <string>

#include <napi.h>

#include "resampler/resampler.h"

namespace {

using sttstream::Encoding;
using sttstream::Quality;
using sttstream::Resampler;

// One stream's resampler. src/native.ts has checked every argument; buffers are read and written within the
// call only, since JavaScript may move or drop them afterwards.
class ResamplerWrap : public Napi::ObjectWrap<ResamplerWrap> {
public:
  static Napi::Function Init(Napi::Env env) {
    return DefineClass(env, "Resampler",
                       {InstanceMethod<&ResamplerWrap::Process>("process"),
                        InstanceMethod<&ResamplerWrap::Flush>("flush"),
                        InstanceMethod<&ResamplerWrap::MaxOutput>("maxOutput"),
                        InstanceAccessor<&ResamplerWrap::MaxFlush>("maxFlush"),
                        InstanceAccessor<&ResamplerWrap::NonFinite>("nonFinite")});
  }

  // constructor(index in PCM_ENCODINGS, sampleRateHertz, channels, gains: Float32Array | undefined,
  //             index in RESAMPLER_QUALITIES)
  explicit ResamplerWrap(const Napi::CallbackInfo &info)
      : Napi::ObjectWrap<ResamplerWrap>(info),
        core_({static_cast<Encoding>(UintAt(info, 0)), UintAt(info, 1), UintAt(info, 2)},
              static_cast<Quality>(UintAt(info, 4)), GainsAt(info, 3)) {}

private:
  static uint32_t UintAt(const Napi::CallbackInfo &info, size_t index) {
    return info[index].As<Napi::Number>().Uint32Value();
  }

  // One for each channel, or nullptr.
  static const float *GainsAt(const Napi::CallbackInfo &info, size_t index) {
    return info[index].IsUndefined() ? nullptr : info[index].As<Napi::Float32Array>().Data();
  }

  static Napi::Value Count(const Napi::CallbackInfo &info, uint64_t count) {
    return Napi::Number::New(info.Env(), static_cast<double>(count));
  }

  // process(input: Uint8Array, output: Uint8Array) -> samples written
  Napi::Value Process(const Napi::CallbackInfo &info) {
    const auto input = info[0].As<Napi::Uint8Array>();
    auto output = info[1].As<Napi::Uint8Array>();
    const size_t bytes = input.ByteLength();
    assert(output.ByteLength() >= 2 * core_.max_output(bytes));
    return Count(info, core_.process(input.Data(), bytes, output.Data()));
  }

  // flush(output: Uint8Array) -> samples written
  Napi::Value Flush(const Napi::CallbackInfo &info) {
    auto output = info[0].As<Napi::Uint8Array>();
    assert(output.ByteLength() >= 2 * core_.max_flush());
    return Count(info, core_.flush(output.Data()));
  }

  // maxOutput(bytes) -> the most samples that process() makes of so many bytes
  Napi::Value MaxOutput(const Napi::CallbackInfo &info) {
    const auto bytes = static_cast<size_t>(info[0].As<Napi::Number>().Int64Value());
    return Count(info, core_.max_output(bytes));
  }

  Napi::Value MaxFlush(const Napi::CallbackInfo &info) { return Count(info, core_.max_flush()); }

  Napi::Value NonFinite(const Napi::CallbackInfo &info) { return Count(info, core_.non_finite()); }

  Resampler core_;
};

// Names of the kernels that this processor can run, scalar first and the best last.
Napi::Value KernelNames(Napi::Env env) {
  auto names = Napi::Array::New(env);
  for (uint32_t i = 0; i < sttstream::kernels_count(); ++i)
    names.Set(i, sttstream::kernels_at(i).name);
  return names;
}

// useKernels(name) -> whether there are such; new streams of the whole process run them from now on.
Napi::Value UseKernels(const Napi::CallbackInfo &info) {
  const std::string name = info[0].As<Napi::String>();
  return Napi::Boolean::New(info.Env(), sttstream::use_kernels(name.c_str()));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("kernels", KernelNames(env));
  exports.Set("useKernels", Napi::Function::New<UseKernels>(env, "useKernels"));
  exports.Set("Resampler", ResamplerWrap::Init(env));
  return exports;
}

} // namespace

NODE_API_MODULE(sttstream, Init)
