#include <algorithm>

#include "arguments.h"
#include "cpu_clock.h"

namespace bench {
namespace {

// One peer on its endless way through the input, which wraps around.
struct Runner {
  const Peer *peer;
  std::unique_ptr<Stream> stream;
  size_t position = 0;
  size_t chunks_per_round = 1;
  std::vector<double> seconds_per_chunk;
};

// Returns CPU seconds per chunk.
double run(Runner &runner, const std::vector<int16_t> &input, const StreamFormat &format, size_t chunk,
           size_t chunks, std::vector<int16_t> &output) {
  const size_t samples_per_channel = input.size() / format.channels;
  const double started = cpu_seconds();
  for (size_t i = 0; i < chunks; i++) {
    if (runner.position + chunk > samples_per_channel)
      runner.position = 0;
    runner.stream->process(&input[runner.position * format.channels], chunk, output.data());
    runner.position += chunk;
  }
  return (cpu_seconds() - started) / static_cast<double>(chunks);
}

void print(const Runner &runner, bool first) {
  std::printf("%s{\"name\":\"%s\",\"macsPerOutput\":%.1f,\"secondsPerChunk\":[", first ? "" : ",",
              runner.peer->name.c_str(), runner.stream->macs_per_output());
  for (size_t i = 0; i < runner.seconds_per_chunk.size(); i++)
    std::printf("%s%.9g", i == 0 ? "" : ",", runner.seconds_per_chunk[i]);
  std::printf("]}");
}

} // namespace

// All peers in turn, round after round, so that what the machine does meanwhile meets all of them alike and
// the ratios within a round are paired. A turn takes about `milliseconds`: long enough for caches to be the
// peer's own.
void measure_speed(const Arguments &arguments) {
  const StreamFormat format = arguments.format();
  const std::vector<int16_t> input = read_samples(arguments.text("input"));
  const size_t chunk = arguments.number("chunk");
  const double turn_seconds = 1e-3 * static_cast<double>(arguments.number("milliseconds"));
  std::vector<int16_t> output(max_output(format, chunk));

  std::vector<Runner> runners;
  for (const Peer *peer : arguments.peers()) {
    Runner runner{peer, peer->open(format)};
    if (!runner.stream)
      continue;
    const size_t one_second = std::max<size_t>(1, format.sample_rate_hertz / chunk);
    const double seconds_per_chunk = run(runner, input, format, chunk, one_second, output);
    runner.chunks_per_round = 1 + static_cast<size_t>(turn_seconds / seconds_per_chunk);
    runners.push_back(std::move(runner));
  }
  for (size_t round = 0; round < arguments.number("rounds"); round++) {
    for (Runner &runner : runners)
      runner.seconds_per_chunk.push_back(run(runner, input, format, chunk, runner.chunks_per_round, output));
    std::fprintf(stderr, "round\n");
  }
  std::printf("[");
  for (size_t i = 0; i < runners.size(); i++)
    print(runners[i], i == 0);
  std::printf("]\n");
}

} // namespace bench
