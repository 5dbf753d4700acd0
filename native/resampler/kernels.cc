#include "kernels.h"

#include <array>
#include <atomic>
#include <cstring>

#include "instruction_set.h"

namespace sttstream {
namespace {

// Best last.
struct Available {
  std::array<const Kernels *, 4> list{};
  size_t count = 0;

  Available() noexcept {
    add(kScalarKernels);
#ifdef STTSTREAM_X86_KERNELS
    __builtin_cpu_init();
    add(kSse2Kernels);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      add(kAvx2Kernels);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
      add(kAvx512Kernels);
#endif
#ifdef STTSTREAM_NEON_KERNELS
    add(kNeonKernels);
#endif
  }

  void add(const Kernels &kernels) noexcept { list[count++] = &kernels; }
};

const Available &available() noexcept {
  static const Available found;
  return found;
}

std::atomic<const Kernels *> &chosen() noexcept {
  static std::atomic<const Kernels *> kernels{available().list[available().count - 1]};
  return kernels;
}

} // namespace

size_t kernels_count() noexcept { return available().count; }

const Kernels &kernels_at(size_t index) noexcept { return *available().list[index]; }

const Kernels &kernels() noexcept { return *chosen(); }

bool use_kernels(const char *name) noexcept {
  for (size_t i = 0; i < available().count; ++i)
    if (std::strcmp(available().list[i]->name, name) == 0) {
      chosen() = available().list[i];
      return true;
    }
  return false;
}

} // namespace sttstream
