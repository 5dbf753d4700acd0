// What streams hold and give back. Every allocation of this executable is counted.

#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "check.h"
#include "resampler/resampler.h"
#include "stream.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_LEAK_CHECKER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_LEAK_CHECKER 1
#endif
#endif
#ifdef WITH_LEAK_CHECKER
#include <sanitizer/lsan_interface.h>
#endif

using sttstream::Encoding;
using sttstream::Quality;
using sttstream::Resampler;

namespace {

size_t held_bytes = 0;
size_t allocations = 0;

// In front of every block: its size, and room to keep a cache line's alignment.
constexpr size_t kHeader = 64;

void *allocate(size_t size) {
  // One byte more: a pointer behind a block's end, as that of no bytes would be, is none to the leak checker.
  const size_t rounded = (kHeader + size + 1 + kHeader - 1) / kHeader * kHeader;
  void *const block = std::aligned_alloc(kHeader, rounded);
  if (block == nullptr)
    std::abort();
  *static_cast<size_t *>(block) = size;
  held_bytes += size;
  ++allocations;
  return static_cast<char *>(block) + kHeader;
}

void release(void *pointer) noexcept {
  if (pointer == nullptr)
    return;
  void *const block = static_cast<char *>(pointer) - kHeader;
  held_bytes -= *static_cast<size_t *>(block);
  std::free(block);
}

constexpr size_t kBytesOf8kStream = 4 * 1024;
constexpr size_t kBytesOf48kStream = 16 * 1024;

struct Kind {
  uint32_t sample_rate_hertz;
  Quality quality;
  size_t channels;
};

// No more tables than the process keeps.
const Kind kKinds[] = {{8000, Quality::kHigh, 1},  {8000, Quality::kFast, 1},  {11025, Quality::kHigh, 2},
                       {16000, Quality::kHigh, 1}, {31987, Quality::kHigh, 1}, {44100, Quality::kHigh, 2},
                       {48000, Quality::kHigh, 2}, {48000, Quality::kFast, 8}};
constexpr size_t kKindCount = sizeof kKinds / sizeof kKinds[0];

std::unique_ptr<Resampler> open(const Kind &kind) {
  return std::make_unique<Resampler>(
      sttstream::PcmFormat{Encoding::kS16le, kind.sample_rate_hertz, kind.channels}, kind.quality);
}

} // namespace

void *operator new(size_t size) { return allocate(size); }
void *operator new(size_t size, std::align_val_t) { return allocate(size); }
void operator delete(void *pointer) noexcept { release(pointer); }
void operator delete(void *pointer, size_t) noexcept { release(pointer); }
void operator delete(void *pointer, std::align_val_t) noexcept { release(pointer); }
void operator delete(void *pointer, size_t, std::align_val_t) noexcept { release(pointer); }

TEST(a_stream_holds_little_beyond_the_shared_table) {
  stream::with_each_kernels([](const char *name) {
    for (const Kind &kind : kKinds) {
      check::about("%u Hz, %s", kind.sample_rate_hertz, name);
      const auto first = open(kind);
      const size_t before = held_bytes;
      const auto second = open(kind);
      CHECK(held_bytes - before >= sizeof(Resampler));
      CHECK(held_bytes - before <= (kind.sample_rate_hertz <= 16000 ? kBytesOf8kStream : kBytesOf48kStream));
    }
  });
}

TEST(a_stream_allocates_nothing_while_audio_passes) {
  stream::with_each_kernels([](const char *name) {
    for (const Kind &kind : kKinds) {
      check::about("%u Hz, %s", kind.sample_rate_hertz, name);
      const auto resampler = open(kind);
      const stream::Bytes input = stream::noise(5000 * resampler->block_align(), 1);
      stream::Bytes output(2 * (resampler->max_output(input.size()) + resampler->max_flush()));
      const size_t before = allocations;
      for (int round = 0; round < 2; ++round) {
        for (int chunk = 0; chunk < 5; ++chunk)
          resampler->process(input.data(), input.size(), output.data());
        resampler->flush(output.data());
      }
      CHECK(allocations == before);
    }
  });
}

TEST(ten_thousand_streams_leave_nothing_behind) {
  constexpr size_t kStreams = 10000, kOpenAtOnce = 64;
  std::vector<std::unique_ptr<Resampler>> open_streams(kOpenAtOnce);
  const stream::Bytes input = stream::noise(16 * 960, 1);
  stream::Bytes output(2 * 4096);
  size_t held = 0;
  for (size_t i = 0; i < kStreams + kOpenAtOnce; ++i) {
    const Kind &kind = kKinds[i % kKindCount];
    auto &resampler = open_streams[i % kOpenAtOnce];
    // Some end with audio inside.
    if (resampler != nullptr && i % 3 > 0)
      resampler->flush(output.data());
    resampler.reset();
    if (i < kStreams) {
      resampler = open(kind);
      const size_t bytes = kind.sample_rate_hertz / 50 * resampler->block_align();
      CHECK(resampler->process(input.data(), bytes, output.data()) <= resampler->max_output(bytes));
    }
    // All places are taken for the first time: from here on, every stream takes the place of another.
    if (i == kOpenAtOnce - 1)
      held = held_bytes;
    CHECK(i < kOpenAtOnce || i >= kStreams || held_bytes == held);
  }
  CHECK(held_bytes < held);
#ifdef WITH_LEAK_CHECKER
  CHECK(__lsan_do_recoverable_leak_check() == 0);
#endif
}

TEST(a_leak_would_be_found) {
#ifndef WITH_LEAK_CHECKER
  SKIP("built without the leak checker");
#else
  // Inverted, the only pointer to the stream is none to the checker.
  const auto leak = []() __attribute__((noinline)) {
    return ~reinterpret_cast<uintptr_t>(open(kKinds[0]).release());
  };
  const volatile uintptr_t hidden = leak();
  char trodden[4096];
  for (volatile char &byte : trodden)
    byte = 0;
  CHECK(__lsan_do_recoverable_leak_check() != 0);
  delete reinterpret_cast<Resampler *>(~hidden);
  CHECK(__lsan_do_recoverable_leak_check() == 0);
#endif
}
