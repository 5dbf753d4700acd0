// Part of kernels_simd.h: filters whose taps come in pairs, each pair of samples added before it is weighed.

// Samples one after the other, a vector from each on. Where the set can pick lanes from two registers, that
// takes less time than a load that touches two cache lines.
template <typename V> class SlidingVector {
public:
  inline __attribute__((always_inline)) void begin(const float *from) {
    from_ = from;
    if constexpr (kPicksLanes) {
      low_ = load(from);
      high_ = load(from + kLanes);
    }
  }

  // The vector that begins at sample k; to be called for k = 0, 1, 2 and so on.
  inline __attribute__((always_inline)) V at(size_t k) {
    if constexpr (kPicksLanes) {
      const size_t lane = k % kLanes;
      if (lane == 0 && k > 0) {
        low_ = high_;
        high_ = load(from_ + k + kLanes);
      }
      return pick_from(low_, high_, lane);
    } else {
      return load(from_ + k);
    }
  }

private:
  const float *from_;
  V low_;
  V high_;
};

template <size_t kFirst, size_t... kLane>
STTSTREAM_INLINE Vector in_turn(Vector a, Vector b, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(a, b, (kFirst + kLane / 2 + kLane % 2 * kLanes)...);
}

static void half_band(const float *even, const float *odd, const float *taps, size_t pairs, size_t count,
                      float *output) noexcept {
  for (size_t n = 0; n < count; n += 2 * kLanes) {
    const float *const right = odd + pairs + n, *const left = right - 1;
    SlidingVector<Vector> behind, next_behind;
    behind.begin(right);
    next_behind.begin(right + kLanes);
    Vector sum = load(even + pairs + n) * 0.5f, next = load(even + pairs + n + kLanes) * 0.5f;
    for (size_t k = 0; k < pairs; ++k) {
      const Vector tap = broadcast(taps[k]);
      sum = multiply_add(load(left - k) + behind.at(k), tap, sum);
      next = multiply_add(load(left - k + kLanes) + next_behind.at(k), tap, next);
    }
    store(output + n, sum);
    store(output + n + kLanes, next);
  }
}

// Some vectors of samples, each doubled.
template <size_t kBlocks>
STTSTREAM_INLINE void double_rate_block(const float *samples, const float *taps, size_t pairs,
                                        float *output) {
  Vector whole[kBlocks], half[kBlocks] = {}, before[kBlocks];
  SlidingVector<Vector> after[kBlocks];
  for (size_t b = 0; b < kBlocks; ++b) {
    after[b].begin(samples + 1 + b * kLanes);
    before[b] = load(samples + b * kLanes);
    whole[b] = before[b] * broadcast(taps[0]);
  }
  for (size_t k = 0; k < pairs; ++k) {
    const Vector whole_tap = broadcast(taps[2 * k + 2]), half_tap = broadcast(taps[2 * k + 1]);
    for (size_t b = 0; b < kBlocks; ++b) {
      const Vector right = after[b].at(k), left = load(samples + b * kLanes - 1 - k);
      half[b] = multiply_add(right + before[b], half_tap, half[b]);
      whole[b] = multiply_add(right + left, whole_tap, whole[b]);
      before[b] = left;
    }
  }
  for (size_t b = 0; b < kBlocks; ++b) {
    store(output + 2 * b * kLanes, in_turn<0>(whole[b], half[b], Lanes{}));
    store(output + (2 * b + 1) * kLanes, in_turn<kLanes / 2>(whole[b], half[b], Lanes{}));
  }
}

template <size_t kBlocks>
STTSTREAM_INLINE void double_rate_at_most(const float *samples, const float *taps, size_t pairs,
                                          size_t blocks, float *output) {
  if constexpr (kBlocks > 0) {
    if (blocks == kBlocks)
      double_rate_block<kBlocks>(samples, taps, pairs, output);
    else
      double_rate_at_most<kBlocks - 1>(samples, taps, pairs, blocks, output);
  }
}

[[maybe_unused]] static void double_rate(const float *samples, const float *taps, size_t pairs, size_t count,
                                         float *output) noexcept {
  constexpr size_t kMaxBlocks = 5;
  size_t left = (count + kLanes - 1) / kLanes;
  for (size_t parts = (left + kMaxBlocks - 1) / kMaxBlocks; parts > 0; --parts) {
    const size_t blocks = (left + parts - 1) / parts;
    double_rate_at_most<kMaxBlocks>(samples, taps, pairs, blocks, output);
    samples += blocks * kLanes;
    output += 2 * blocks * kLanes;
    left -= blocks;
  }
}
