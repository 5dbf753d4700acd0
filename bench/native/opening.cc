#include <algorithm>
#include <chrono>

#include "arguments.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point started) {
  return std::chrono::duration<double, std::micro>(Clock::now() - started).count();
}

// Bytes in use on the heap, mapped blocks included; 0 where the C library does not tell.
size_t heap_bytes() {
#ifdef __GLIBC__
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
#else
  return 0;
#endif
}

} // namespace

// What it takes to open a stream and hand it its first chunk, without which some libraries allocate nothing:
// the first stream of the process, and those after it while others of the same rate are open.
void measure_opening(const Arguments &arguments) {
  const StreamFormat format = arguments.format();
  const Peer &peer = arguments.peer();
  const size_t count = arguments.number("streams");
  const size_t chunk = arguments.number("chunk");
  const std::vector<int16_t> silence(chunk * format.channels);
  std::vector<int16_t> output(max_output(format, chunk));
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<double> each;
  streams.reserve(count + 1);
  each.reserve(count);

  const size_t empty = heap_bytes();
  auto started = Clock::now();
  streams.push_back(peer.open(format));
  if (!streams.front())
    Arguments::fail(peer.name + " refuses this format");
  streams.front()->process(silence.data(), chunk, output.data());
  const double first = microseconds_since(started);
  const size_t one = heap_bytes();
  for (size_t i = 0; i < count; i++) {
    started = Clock::now();
    streams.push_back(peer.open(format));
    streams.back()->process(silence.data(), chunk, output.data());
    each.push_back(microseconds_since(started));
  }
  const size_t all = heap_bytes();
  std::nth_element(each.begin(), each.begin() + static_cast<std::ptrdiff_t>(count / 2), each.end());
  std::printf("{\"firstUs\":%.2f,\"nextUs\":%.2f,\"firstBytes\":%zu,\"nextBytes\":%zu}\n", first,
              each[count / 2], one - empty, (all - one) / count);
}

} // namespace bench
