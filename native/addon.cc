#include <cassert>
#include <string>

#include <napi.h>

#include "base64/base64.h"
#include "resampler/resampler.h"
#include "voice_activity/voice_activity.h"

namespace {

using sttstream::Encoding;
using sttstream::Quality;
using sttstream::Resampler;
using sttstream::VoiceActivity;

// One stream's resampler. src/native.ts has checked every argument; buffers are read and written within the
// call only, since JavaScript may move or drop them afterwards.
class ResamplerWrap : public Napi::ObjectWrap<ResamplerWrap> {
public:
  static Napi::Function Init(Napi::Env env) {
    return DefineClass(env, "Resampler",
                       {InstanceMethod<&ResamplerWrap::Process>("process"),
                        InstanceMethod<&ResamplerWrap::Flush>("flush"),
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

  Napi::Value NonFinite(const Napi::CallbackInfo &info) { return Count(info, core_.non_finite()); }

  Resampler core_;
};

// One stream's voice activity.
class VoiceActivityWrap : public Napi::ObjectWrap<VoiceActivityWrap> {
public:
  static Napi::Function Init(Napi::Env env) {
    return DefineClass(env, "VoiceActivity", {InstanceMethod<&VoiceActivityWrap::Process>("process")});
  }

  explicit VoiceActivityWrap(const Napi::CallbackInfo &info) : Napi::ObjectWrap<VoiceActivityWrap>(info) {}

private:
  // process(pcm: Uint8Array of whole samples, report: Float64Array): writes hops, speech hops and energy
  void Process(const Napi::CallbackInfo &info) {
    const auto pcm = info[0].As<Napi::Uint8Array>();
    auto report = info[1].As<Napi::Float64Array>();
    assert(pcm.ByteLength() % 2 == 0 && report.ElementLength() == 3);
    const auto [hops, speech_hops, energy] = core_.process(pcm.Data(), pcm.ByteLength() / 2);
    report[0] = static_cast<double>(hops);
    report[1] = static_cast<double>(speech_hops);
    report[2] = static_cast<double>(energy);
  }

  VoiceActivity core_;
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

// Encoding a frame takes as long as crossing the border, so this calls Node-API itself: node-addon-api's
// wrappers of four typed arrays would double the time.

void Check([[maybe_unused]] napi_status status) { assert(status == napi_ok); }

sttstream::Bytes BytesOf(napi_env env, napi_value typed_array) {
  void *data = nullptr;
  size_t length = 0;
  Check(napi_get_typedarray_info(env, typed_array, nullptr, &length, &data, nullptr, nullptr));
  return {static_cast<const uint8_t *>(data), length};
}

// encodeBase64(prefix, pcm, suffix, output: Uint8Array) -> bytes written
napi_value EncodeBase64(napi_env env, napi_callback_info info) {
  napi_value arguments[4], result = nullptr;
  size_t count = 4;
  Check(napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr));
  const auto prefix = BytesOf(env, arguments[0]), pcm = BytesOf(env, arguments[1]);
  const auto suffix = BytesOf(env, arguments[2]), output = BytesOf(env, arguments[3]);
  assert(output.size >= prefix.size + sttstream::base64_size(pcm.size) + suffix.size);
  const size_t written =
      sttstream::encode_base64_between(prefix, pcm, suffix, const_cast<uint8_t *>(output.data));
  Check(napi_create_int64(env, static_cast<int64_t>(written), &result));
  return result;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("kernels", KernelNames(env));
  exports.Set("useKernels", Napi::Function::New<UseKernels>(env, "useKernels"));
  exports.Set("Resampler", ResamplerWrap::Init(env));
  exports.Set("VoiceActivity", VoiceActivityWrap::Init(env));
  napi_value encode_base64 = nullptr;
  Check(napi_create_function(env, "encodeBase64", NAPI_AUTO_LENGTH, EncodeBase64, nullptr, &encode_base64));
  exports.Set("encodeBase64", encode_base64);
  return exports;
}

} // namespace

NODE_API_MODULE(sttstream, Init)
