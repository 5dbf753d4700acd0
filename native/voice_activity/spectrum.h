#pragma once

#include <cstddef>

namespace sttstream {

constexpr size_t kWindow = 256;
// The bins that voice activity reads, in whole vectors of 16.
constexpr size_t kBins = 112;

} // namespace sttstream
