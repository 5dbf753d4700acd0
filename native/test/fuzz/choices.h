#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

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

  // As many bytes as wanted, for data: those that are left, over and over, each time changed, so that a few
  // make much that has no period.
  std::vector<uint8_t> stretched(size_t size) const {
    std::vector<uint8_t> bytes(size);
    uint8_t change = 0;
    for (size_t i = 0; i < size && size_ > 0; ++i) {
      if (i > 0 && i % size_ == 0)
        change = static_cast<uint8_t>(change * 5 + 1);
      bytes[i] = data_[i % size_] ^ change;
    }
    return bytes;
  }

private:
  const uint8_t *data_;
  size_t size_;
};

} // namespace fuzz
