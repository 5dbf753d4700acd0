#include "resampler/kernels.h"

#include <cmath>
#include <vector>

#include "check.h"

using sttstream::Kernels;
using sttstream::kMargin;
using sttstream::kScalarKernels;
using sttstream::Tile;
using sttstream::TileRows;

namespace {

using Bytes = std::vector<uint8_t>;
using Floats = std::vector<float>;

// Vectors are at most so wide; beyond, alignments and counts repeat.
constexpr size_t kMostLanes = 16;

// `count` samples at `offset` from an allocation's start, with the margins that kernels may use and no float
// more: a sanitizer sees what passes them.
class Window {
public:
  Window(size_t count, size_t offset, uint64_t seed, float margin = 0)
      : floats_(offset + kMargin + count + kMargin, margin), begin_(offset + kMargin), count_(count) {
    check::Random random(seed);
    for (size_t i = 0; i < count; ++i)
      data()[i] = static_cast<float>(static_cast<int32_t>(random.next() >> 32)) / 65536;
  }

  float *data() { return floats_.data() + begin_; }
  Floats contents() const {
    const auto begin = floats_.begin() + static_cast<std::ptrdiff_t>(begin_);
    return {begin, begin + static_cast<std::ptrdiff_t>(count_)};
  }

private:
  Floats floats_;
  size_t begin_;
  size_t count_;
};

template <typename Body> void with_each(Body body) {
  for (size_t i = 0; i < sttstream::kernels_count(); ++i) {
    check::about("%s", sttstream::kernels_at(i).name);
    body(sttstream::kernels_at(i));
  }
}

Bytes random_bytes(size_t count, uint64_t seed) {
  check::Random random(seed);
  Bytes bytes(count);
  for (auto &byte : bytes)
    byte = static_cast<uint8_t>(random.next() >> 56);
  return bytes;
}

// Coefficients of `rows` rows whose outer `edge` ones are zero in half of the lanes, as a table's are.
Floats random_taps(size_t rows, size_t edge, size_t lanes, uint64_t seed) {
  check::Random random(seed);
  Floats taps(rows * lanes);
  for (size_t k = 0; k < rows; ++k)
    for (size_t lane = 0; lane < lanes; ++lane) {
      const bool is_zero = lane < lanes / 2 ? k >= rows - edge : k < edge;
      taps[k * lanes + lane] =
          is_zero ? 0 : static_cast<float>(static_cast<int32_t>(random.next() >> 32)) / 2147483648.0f;
    }
  return taps;
}

// What float sums of these terms may lose.
bool is_close(double actual, double expected, double sum_of_magnitudes) {
  return std::abs(actual - expected) <= 1e-6 * sum_of_magnitudes;
}

// Each tile has samples and an output of its own, at alignments of their own.
void check_convolve(const Kernels &kernels, size_t rows, size_t edge, size_t forward_count,
                    size_t mirrored_count) {
  const size_t lanes = kernels.tile_lanes;
  const Floats taps = random_taps(rows, edge, lanes, rows);
  const TileRows tile_rows = {taps.data(), rows, edge};
  std::vector<Window> samples, outputs;
  std::vector<Tile> tiles;
  const size_t count = forward_count + mirrored_count;
  for (size_t t = 0; t < count; ++t) {
    samples.emplace_back(rows, t % kMostLanes, t + 1);
    outputs.emplace_back(lanes, (3 * t) % kMostLanes, 0);
  }
  for (size_t t = 0; t < count; ++t)
    tiles.push_back({samples[t].data() + (t < forward_count ? 0 : rows - 1), outputs[t].data()});

  const Tile *const mirrored = tiles.data() + forward_count;
  if (mirrored_count == 0)
    kernels.convolve(tile_rows, tiles.data(), forward_count);
  const std::vector<Window> plain = outputs;
  kernels.convolve_mirrored(tile_rows, tiles.data(), forward_count, mirrored, mirrored_count);

  for (size_t t = 0; t < count; ++t) {
    const bool is_mirrored = t >= forward_count;
    Window alone(lanes, 0, 7);
    const Tile tile = {tiles[t].samples, alone.data()};
    kernels.convolve_mirrored(tile_rows, &tile, is_mirrored ? 0 : 1, &tile, is_mirrored ? 1 : 0);
    CHECK(alone.contents() == outputs[t].contents());
    for (size_t lane = 0; lane < lanes; ++lane) {
      double sum = 0, magnitudes = 0;
      for (size_t k = 0; k < rows; ++k) {
        const double sample = samples[t].data()[is_mirrored ? rows - 1 - k : k];
        const double term = taps[k * lanes + lane] * sample;
        sum += term;
        magnitudes += std::abs(term);
      }
      CHECK(is_close(outputs[t].contents()[is_mirrored ? lanes - 1 - lane : lane], sum, magnitudes));
      if (mirrored_count == 0)
        CHECK(is_close(plain[t].contents()[lane], sum, magnitudes));
    }
    if (mirrored_count == 0) {
      kernels.convolve(tile_rows, &tile, 1);
      CHECK(alone.contents() == plain[t].contents());
    }
  }
}

// What `count` tiles, as many mirrored ones and as many that are convolved without these become.
std::vector<Floats> convolved(const Kernels &kernels, size_t count, float margin) {
  constexpr size_t kRows = 46, kEdge = 12;
  const Floats taps = random_taps(kRows, kEdge, kernels.tile_lanes, 11);
  const TileRows rows = {taps.data(), kRows, kEdge};
  std::vector<Window> samples, outputs;
  std::vector<Tile> tiles;
  for (size_t t = 0; t < 3 * count; ++t) {
    samples.emplace_back(kRows, t % kMostLanes, t + 1, margin);
    outputs.emplace_back(kernels.tile_lanes, (3 * t) % kMostLanes, 0, margin);
  }
  for (size_t t = 0; t < 3 * count; ++t) {
    const bool is_mirrored = t >= count && t < 2 * count;
    tiles.push_back({samples[t].data() + (is_mirrored ? kRows - 1 : 0), outputs[t].data()});
  }
  kernels.convolve_mirrored(rows, tiles.data(), count, tiles.data() + count, count);
  kernels.convolve(rows, tiles.data() + 2 * count, count);
  std::vector<Floats> contents;
  for (const Window &output : outputs)
    contents.push_back(output.contents());
  return contents;
}

} // namespace

TEST(read_pcm_as_scalar_does_and_not_a_byte_more) {
  with_each([](const Kernels &kernels) {
    for (size_t count = 0; count <= 3 * kMostLanes; ++count)
      for (size_t offset = 0; offset < 4; ++offset) {
        const Bytes mono = random_bytes(2 * count + offset, count),
                    pairs = random_bytes(4 * count + offset, count);
        Window expected(count, 0, 1), actual(count, offset, 2);
        kScalarKernels.read_s16(mono.data() + offset, count, expected.data());
        kernels.read_s16(mono.data() + offset, count, actual.data());
        CHECK(actual.contents() == expected.contents());
        kScalarKernels.read_s16_pairs(pairs.data() + offset, count, expected.data());
        kernels.read_s16_pairs(pairs.data() + offset, count, actual.data());
        CHECK(actual.contents() == expected.contents());
      }
  });
}

TEST(write_linear16_as_scalar_does_and_not_a_byte_more) {
  with_each([](const Kernels &kernels) {
    for (size_t count = 0; count <= 3 * kMostLanes; ++count)
      for (size_t offset = 0; offset < kMostLanes; ++offset) {
        Window samples(count, offset, count);
        Bytes expected(2 * count), actual(2 * count);
        kScalarKernels.write_linear16(samples.data(), count, expected.data());
        kernels.write_linear16(samples.data(), count, actual.data());
        CHECK(actual == expected);
      }
    const Floats special = {0.5f,     1.5f,     -0.5f,    -1.5f,     2.5f,      0.49999997f, -0.0f,
                            32766.5f, 32767.5f, 32768.0f, -32767.5f, -32768.5f, -32769.0f,   1e9f,
                            -1e9f,    3.4e38f,  -3.4e38f, 1e-40f,    -1e-40f,   32766.498f,  -32768.0f};
    Window samples(special.size(), 3, 1);
    std::copy(special.begin(), special.end(), samples.data());
    Bytes expected(2 * special.size()), actual(2 * special.size());
    kScalarKernels.write_linear16(samples.data(), special.size(), expected.data());
    kernels.write_linear16(samples.data(), special.size(), actual.data());
    CHECK(actual == expected);
    const int values[] = {0, 2, 0, -2, 2, 0, 0, 32766, 32767, 32767, -32768};
    for (size_t i = 0; i < 11; ++i)
      CHECK(static_cast<int16_t>(expected[2 * i] | expected[2 * i + 1] << 8) == values[i]);
  });
}

TEST(split_parts_even_from_odd) {
  with_each([](const Kernels &kernels) {
    for (size_t count = 0; count <= 3 * kMostLanes; ++count)
      for (size_t offset = 0; offset < kMostLanes; ++offset) {
        Window samples(2 * count, offset, count), even(count, offset / 2, 1), odd(count, offset / 3, 2);
        kernels.split(samples.data(), count, even.data(), odd.data());
        for (size_t i = 0; i < count; ++i)
          CHECK(even.data()[i] == samples.data()[2 * i] && odd.data()[i] == samples.data()[2 * i + 1]);
      }
  });
}

TEST(half_bands_agree_with_a_sum_in_double_wherever_they_begin) {
  with_each([](const Kernels &kernels) {
    for (const size_t pairs : {1u, 3u, 4u, 5u, 12u, 28u})
      for (size_t count = 0; count <= 3 * kMostLanes + 1; count += count < 4 ? 1 : 5)
        for (size_t offset = 0; offset < kMostLanes; offset += 3) {
          Window even(count + pairs, offset, 1), odd(count + 2 * pairs, offset / 2, 2), taps(pairs, 0, 3);
          Window whole(count, offset / 3, 4), single(1, 0, 5);
          const auto filter = [&](size_t first, size_t outputs, float *output) {
            kernels.half_band(even.data() + first, odd.data() + first, taps.data(), pairs, outputs, output);
          };
          filter(0, count, whole.data());
          for (size_t n = 0; n < count; ++n) {
            double sum = even.data()[n + pairs] / 2, magnitudes = std::abs(sum);
            for (size_t k = 0; k < pairs; ++k) {
              const double left = odd.data()[n + pairs - 1 - k], right = odd.data()[n + pairs + k];
              const double tap = taps.data()[k];
              sum += tap * (left + right);
              magnitudes += std::abs(tap) * (std::abs(left) + std::abs(right));
            }
            CHECK(is_close(whole.data()[n], sum, magnitudes));
            filter(n, 1, single.data());
            CHECK(single.data()[0] == whole.data()[n]);
          }
        }
  });
}

TEST(doubling_agrees_with_a_sum_in_double_wherever_it_begins) {
  with_each([](const Kernels &kernels) {
    if (kernels.double_rate == nullptr)
      return;
    for (const size_t pairs : {1u, 2u, 22u, 67u})
      for (size_t count = 0; count <= 12 * kMostLanes; count += count < 4 ? 1 : 13)
        for (size_t offset = 0; offset < kMostLanes; offset += 5) {
          // `pairs` samples before the first and behind the last.
          Window samples(count + 2 * pairs, offset, 1), taps(2 * pairs + 1, 0, 2);
          Window whole(2 * count, offset / 2, 3), single(2, 0, 4);
          const float *const first = samples.data() + pairs;
          kernels.double_rate(first, taps.data(), pairs, count, whole.data());
          for (size_t n = 0; n < count; ++n) {
            double on = static_cast<double>(taps.data()[0]) * first[n], between = 0;
            double magnitudes = std::abs(on);
            for (size_t k = 0; k < pairs; ++k) {
              const double next = first[n + k + 1], previous = *(first + n - k - 1), same = *(first + n - k);
              on += taps.data()[2 * k + 2] * (next + previous);
              between += taps.data()[2 * k + 1] * (next + same);
              magnitudes += (std::abs(taps.data()[2 * k + 2]) + std::abs(taps.data()[2 * k + 1])) *
                            (std::abs(next) + std::abs(previous) + std::abs(same));
            }
            CHECK(is_close(whole.data()[2 * n], on, magnitudes));
            CHECK(is_close(whole.data()[2 * n + 1], between, magnitudes));
            kernels.double_rate(first + n, taps.data(), pairs, 1, single.data());
            CHECK(single.data()[0] == whole.data()[2 * n] && single.data()[1] == whole.data()[2 * n + 1]);
          }
        }
  });
}

TEST(dots_agree_with_a_sum_in_double_at_any_alignment) {
  with_each([](const Kernels &kernels) {
    for (size_t count = 0; count <= 12 * sttstream::kDotGranule; count += sttstream::kDotGranule) {
      Window taps(count, 0, 1), aligned(count, 0, 2);
      double sum = 0, magnitudes = 0;
      for (size_t k = 0; k < count; ++k) {
        const double term = static_cast<double>(taps.data()[k]) * aligned.data()[k];
        sum += term;
        magnitudes += std::abs(term);
      }
      const float expected = kernels.dot(taps.data(), aligned.data(), count);
      CHECK(is_close(expected, sum, magnitudes));
      for (size_t offset = 1; offset < kMostLanes; ++offset) {
        Window shifted(count, offset, 2);
        CHECK(kernels.dot(taps.data(), shifted.data(), count) == expected);
      }
    }
  });
}

TEST(tiles_agree_with_a_sum_in_double_alone_and_in_company) {
  with_each([](const Kernels &kernels) {
    if (kernels.tile_lanes == 0)
      return;
    for (const size_t rows : {2u, 4u, 46u, 178u})
      for (const size_t edge : {size_t{0}, rows / 4, rows / 2}) {
        for (size_t count = 0; count <= 23; ++count)
          check_convolve(kernels, rows, edge, count, 0);
        for (size_t forward = 0; forward <= 5; ++forward)
          for (size_t mirrored = 1; mirrored <= 5; ++mirrored)
            check_convolve(kernels, rows, edge, forward, mirrored);
      }
  });
}

TEST(margins_do_not_show_in_results) {
  with_each([](const Kernels &kernels) {
    for (const size_t count : {1u, 7u, 31u, 33u}) {
      const size_t pairs = 5;
      Floats results[2];
      for (const size_t run : {0u, 1u}) {
        const float margin = run == 0 ? 0 : -3e7f;
        Window samples(2 * count, 1, 1, margin), even(count + pairs, 2, 2, margin);
        Window odd(count + 2 * pairs, 3, 3, margin), taps(pairs, 0, 4), output(count, 0, 5, margin);
        const auto keep = [&](Window &window) {
          const Floats contents = window.contents();
          results[run].insert(results[run].end(), contents.begin(), contents.end());
        };
        kernels.half_band(even.data(), odd.data(), taps.data(), pairs, count, output.data());
        keep(output);
        Window first(count, 0, 6, margin), second(count, 0, 7, margin);
        kernels.split(samples.data(), count, first.data(), second.data());
        keep(first);
        keep(second);
        if (kernels.double_rate != nullptr) {
          Window input(count + 2 * pairs, 1, 8, margin), double_taps(2 * pairs + 1, 0, 9);
          Window doubled(2 * count, 2, 10, margin);
          kernels.double_rate(input.data() + pairs, double_taps.data(), pairs, count, doubled.data());
          keep(doubled);
        }
        if (kernels.tile_lanes > 0)
          for (const Floats &tile : convolved(kernels, count, margin))
            results[run].insert(results[run].end(), tile.begin(), tile.end());
        Bytes linear16(2 * count);
        kernels.write_linear16(samples.data(), count, linear16.data());
        results[run].insert(results[run].end(), linear16.begin(), linear16.end());
      }
      CHECK(results[0] == results[1]);
    }
  });
}
