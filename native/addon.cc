#include <cassert>
#include <cstring>
#include <initializer_list>
#include <string>

#include <napi.h>

#include "base64/base64.h"
#include "resampler/resampler.h"
#include "voice_activity/voice_activity.h"

namespace {

using sttstream::Resampler;
using sttstream::VoiceActivity;

void Check([[maybe_unused]] napi_status status) { assert(status == napi_ok); }

// What is called for every chunk or frame calls Node-API itself: node-addon-api's wrappers of methods and
// typed arrays would take as long again as the crossing does (100 ns where these take 50).
template <size_t kArguments> struct Call {
  Call(napi_env environment, napi_callback_info info) : env(environment) {
    size_t count = kArguments;
    Check(napi_get_cb_info(env, info, &count, arguments, &self, nullptr));
    assert(count == kArguments);
  }

  template <typename Core> Core &core() const {
    void *wrapped = nullptr;
    Check(napi_unwrap(env, self, &wrapped));
    return *static_cast<Core *>(wrapped);
  }

  sttstream::Bytes bytes(size_t index) const {
    void *data = nullptr;
    size_t length = 0;
    Check(napi_get_typedarray_info(env, arguments[index], nullptr, &length, &data, nullptr, nullptr));
    return {static_cast<const uint8_t *>(data), length};
  }

  uint8_t *output(size_t index) const { return const_cast<uint8_t *>(bytes(index).data); }

  uint32_t uint_at(size_t index) const {
    uint32_t value = 0;
    Check(napi_get_value_uint32(env, arguments[index], &value));
    return value;
  }

  napi_value number(uint64_t value) const {
    napi_value result = nullptr;
    Check(napi_create_int64(env, static_cast<int64_t>(value), &result));
    return result;
  }

  napi_env env;
  napi_value self = nullptr;
  // One more than needed, since there is no array of none.
  napi_value arguments[kArguments + 1];
};

template <typename Core> napi_value Wrap(napi_env env, napi_value self, Core *core) {
  const auto destroy = [](napi_env, void *wrapped, void *) { delete static_cast<Core *>(wrapped); };
  Check(napi_wrap(env, self, core, destroy, nullptr, nullptr));
  return self;
}

napi_property_descriptor Method(const char *name, napi_callback method) {
  return {name, nullptr, method, nullptr, nullptr, nullptr, napi_default_method, nullptr};
}

napi_property_descriptor Getter(const char *name, napi_callback getter) {
  return {name, nullptr, nullptr, getter, nullptr, nullptr, napi_default, nullptr};
}

napi_value Class(napi_env env, const char *name, napi_callback constructor,
                 std::initializer_list<napi_property_descriptor> properties) {
  napi_value result = nullptr;
  Check(napi_define_class(env, name, NAPI_AUTO_LENGTH, constructor, nullptr, properties.size(),
                          properties.begin(), &result));
  return result;
}

// One stream's resampler. src/native.ts has checked every argument; buffers are read and written within the
// call only, since JavaScript may move or drop them afterwards.

// new Resampler(index in PCM_ENCODINGS, sampleRateHertz, channels, gains: Float32Array | undefined,
//               index in RESAMPLER_QUALITIES)
napi_value NewResampler(napi_env env, napi_callback_info info) {
  const Call<5> call(env, info);
  bool is_mixed = false;
  Check(napi_is_typedarray(env, call.arguments[3], &is_mixed));
  const auto *gains = is_mixed ? reinterpret_cast<const float *>(call.bytes(3).data) : nullptr;
  const sttstream::PcmFormat format = {static_cast<sttstream::Encoding>(call.uint_at(0)), call.uint_at(1),
                                       call.uint_at(2)};
  return Wrap(env, call.self, new Resampler(format, static_cast<sttstream::Quality>(call.uint_at(4)), gains));
}

// process(input: Uint8Array, output: Uint8Array) -> samples written
napi_value ProcessResampler(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  auto &core = call.core<Resampler>();
  const auto input = call.bytes(0);
  assert(call.bytes(1).size >= 2 * core.max_output(input.size));
  return call.number(core.process(input.data, input.size, call.output(1)));
}

// flush(output: Uint8Array) -> samples written
napi_value FlushResampler(napi_env env, napi_callback_info info) {
  const Call<1> call(env, info);
  auto &core = call.core<Resampler>();
  assert(call.bytes(0).size >= 2 * core.max_flush());
  return call.number(core.flush(call.output(0)));
}

// nonFinite: samples read as silence so far
napi_value NonFinite(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  return call.number(call.core<Resampler>().non_finite());
}

// One stream's voice activity: new VoiceActivity()
napi_value NewVoiceActivity(napi_env env, napi_callback_info info) {
  const Call<0> call(env, info);
  return Wrap(env, call.self, new VoiceActivity);
}

// process(pcm: Uint8Array of whole samples, report: Float64Array): writes hops, speech hops and energy
napi_value ProcessVoiceActivity(napi_env env, napi_callback_info info) {
  const Call<2> call(env, info);
  const auto pcm = call.bytes(0);
  // Lengths of typed arrays count elements.
  assert(pcm.size % 2 == 0 && call.bytes(1).size == 3);
  const auto [hops, speech_hops, energy] = call.core<VoiceActivity>().process(pcm.data, pcm.size / 2);
  const double report[] = {static_cast<double>(hops), static_cast<double>(speech_hops),
                           static_cast<double>(energy)};
  std::memcpy(call.output(1), report, sizeof report);
  return nullptr;
}

// encodeBase64(prefix, pcm, suffix, output: Uint8Array) -> bytes written
napi_value EncodeBase64(napi_env env, napi_callback_info info) {
  const Call<4> call(env, info);
  const auto prefix = call.bytes(0), pcm = call.bytes(1), suffix = call.bytes(2);
  assert(call.bytes(3).size >= prefix.size + sttstream::base64_size(pcm.size) + suffix.size);
  return call.number(sttstream::encode_base64_between(prefix, pcm, suffix, call.output(3)));
}

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
  exports.Set("Resampler", Class(env, "Resampler", NewResampler,
                                 {Method("process", ProcessResampler), Method("flush", FlushResampler),
                                  Getter("nonFinite", NonFinite)}));
  exports.Set("VoiceActivity",
              Class(env, "VoiceActivity", NewVoiceActivity, {Method("process", ProcessVoiceActivity)}));
  napi_value encode_base64 = nullptr;
  Check(napi_create_function(env, "encodeBase64", NAPI_AUTO_LENGTH, EncodeBase64, nullptr, &encode_base64));
  exports.Set("encodeBase64", encode_base64);
  return exports;
}

} // namespace

NODE_API_MODULE(sttstream, Init)
