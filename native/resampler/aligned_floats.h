#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace sttstream {

// Zeros to begin with, on a cache line's boundary: a vector load never touches two lines.
class AlignedFloats {
public:
  AlignedFloats() = default;
  explicit AlignedFloats(size_t size)
      : floats_(static_cast<float *>(::operator new(size * sizeof(float), kAlignment))), size_(size) {
    std::fill_n(floats_.get(), size, 0.0f);
  }

  float *data() noexcept { return floats_.get(); }
  const float *data() const noexcept { return floats_.get(); }
  size_t size() const noexcept { return size_; }

private:
  static constexpr std::align_val_t kAlignment{64};
  struct Release {
    void operator()(float *floats) const noexcept { ::operator delete(floats, kAlignment); }
  };
  std::unique_ptr<float[], Release> floats_;
  size_t size_ = 0;
};

} // namespace sttstream
