#include "resampler/filter_table.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numeric>

#include "check.h"

using sttstream::filter_table;
using sttstream::FilterTable;

namespace {

constexpr double kPi = 3.141592653589793;

const uint32_t kCustomaryRates[] = {4000,  6000,  8000,  11025, 12000, 22050,  24000,  32000,
                                    44100, 48000, 64000, 88200, 96000, 176400, 192000, 384000};

// Response in dB of all exact rows together, that is of the prototype, at a frequency in Hz.
double response_db(const FilterTable &table, double hertz, uint32_t sample_rate_hertz) {
  const double radians = 2 * kPi * hertz / sample_rate_hertz;
  std::complex<double> sum = 0;
  for (size_t p = 0; p < table.up; ++p) {
    const double latest = static_cast<double>(p) / table.up + static_cast<double>(table.taps / 2) - 1;
    for (size_t k = 0; k < table.taps; ++k)
      sum += std::polar(static_cast<double>(table.row(p)[k]), -radians * (latest - static_cast<double>(k)));
  }
  return 20 * std::log10(std::abs(sum) / table.up);
}

} // namespace

TEST(states_the_ratio_in_lowest_terms) {
  for (const uint32_t rate : kCustomaryRates) {
    const auto table = filter_table(rate);
    CHECK(std::gcd(table->up, table->down) == 1);
    CHECK(static_cast<uint64_t>(table->up) * rate == static_cast<uint64_t>(table->down) * 16000);
  }
}

TEST(filters_nothing_at_16_khz) {
  const auto table = filter_table(16000);
  CHECK(table->taps == 0 && table->up == 1 && table->down == 1 && table->rows.empty());
}

TEST(holds_exact_rows_for_customary_rates_and_interpolates_others) {
  for (const uint32_t rate : kCustomaryRates) {
    const auto table = filter_table(rate);
    CHECK(table->interpolated_rows == 0 && table->rows.size() == table->up * table->taps);
  }
  for (const uint32_t rate : {4001u, 15999u, 16001u, 31987u, 44101u, 383999u}) {
    const auto table = filter_table(rate);
    CHECK(table->interpolated_rows > 0);
    CHECK(table->rows.size() == (table->interpolated_rows + 1) * table->taps);
    CHECK(table->rows.size() <= 1u << 17);
  }
}

TEST(sums_every_row_to_one) {
  for (const uint32_t rate : {4000u, 11025u, 31987u, 44100u, 384000u}) {
    const auto table = filter_table(rate);
    CHECK(table->taps % 16 == 0);
    for (size_t r = 0; r < table->rows.size() / table->taps; ++r) {
      double sum = 0;
      for (size_t k = 0; k < table->taps; ++k)
        sum += table->row(r)[k];
      CHECK(std::abs(sum - 1) < 1e-6);
    }
  }
}

TEST(meets_its_edges_at_rates_above_and_below_16_khz) {
  for (const uint32_t rate : {8000u, 12000u, 22050u, 24000u, 44100u, 48000u, 96000u}) {
    const auto table = filter_table(rate);
    const double band = std::min(rate, 16000u);
    for (int i = 0; i <= 20; ++i)
      CHECK(std::abs(response_db(*table, 0.45 * band * i / 20, rate)) < 0.001);
    for (int i = 0; i < 40; ++i)
      CHECK(response_db(*table, (0.5125 + 0.012 * i) * band, rate) < -100);
  }
}

TEST(shares_a_recent_table_and_keeps_no_more_than_it_may) {
  const auto first = filter_table(8000);
  CHECK(filter_table(8000) == first);
  std::weak_ptr<const FilterTable> watched = filter_table(4800);
  for (uint32_t rate = 9000; rate < 9008; ++rate)
    filter_table(rate);
  CHECK(watched.expired());
  CHECK(filter_table(8000) != first && filter_table(8000)->rows == first->rows);
}
