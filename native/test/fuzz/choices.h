#pragma once

#include <cstddef>
#include <cstdint>

namespace fuzz {

// A fuzzer's bytes as a row of decisions; when they have run out, all are 0.
class Choices {
public:
  Choices(const uint8_t *data, size_t size) : data_(data), size_(size) {}

  uint8_t byte() {
    if (size_ == 0)
      return 0;
    --size_;
    return *data_++;
  }

  // From 0 up to and without `end`, which is at most 2^24.
  uint32_t below(uint32_t end) {
    uint32_t value = 0;
    for (uint32_t width = end - 1; width > 0; width >>= 8)
      value = value << 8 | byte();
    return value % end;
  }

  // What has not been decided with.
  const uint8_t *data() const { return data_; }
  size_t size() const { return size_; }

private:
  const uint8_t *data_;
  size_t size_;
};

} // namespace fuzz
