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
  uint64_t inputs = 0;
  uint64_t outputs = 0;
  std::vector<double> seconds_per_round;
};

void run(Runner &runner, const std::vector<int16_t> &input, const StreamFormat &format, size_t chunk,
         size_t chunks, std::vector<int16_t> &output) {
  const size_t samples_per_channel = input.size() / format.channels;
  for (size_t i = 0; i < chunks; i++) {
    if (runner.position + chunk > samples_per_channel)
      runner.position = 0;
    runner.outputs += runner.stream->process(&input[runner.position * format.channels], chunk, output.data());
    runner.position += chunk;
    runner.inputs += chunk;
  }
}

void print(const Runner &runner, bool first) {
  std::printf(
      "%s{\"name\":\"%s\",\"macsPerOutput\":%.1f,\"inputs\":%llu,\"outputs\":%llu,\"secondsPerRound\":[",
      first ? "" : ",", runner.peer->name.c_str(), runner.stream->macs_per_output(),
      static_cast<unsigned long long>(runner.inputs), static_cast<unsigned long long>(runner.outputs));
  for (size_t i = 0; i < runner.seconds_per_round.size(); i++)
    std::printf("%s%.9g", i == 0 ? "" : ",", runner.seconds_per_round[i]);
  std::printf("]}");
}

} // namespace

// All peers in turn, round after round, so that what the machine does meanwhile meets all of them alike and
// the ratios within a round are paired. chunk = samples per channel per call, chunks = calls per peer and
// round.
void measure_speed(const Arguments &arguments) {
  const StreamFormat format = arguments.format();
  const std::vector<int16_t> input = read_samples(arguments.text("input"));
  const size_t chunk = arguments.number("chunk");
  const size_t chunks = arguments.number("chunks");
  std::vector<int16_t> output(max_output(format, chunk));

  std::vector<Runner> runners;
  for (const Peer *peer : arguments.peers()) {
    Runner runner{peer, peer->open(format)};
    if (!runner.stream)
      continue;
    run(runner, input, format, chunk, std::max<size_t>(1, format.sample_rate_hertz / chunk), output);
    runner.inputs = runner.outputs = 0;
    runners.push_back(std::move(runner));
  }
  for (size_t round = 0; round < arguments.number("rounds"); round++) {
    for (Runner &runner : runners) {
      const double started = cpu_seconds();
      run(runner, input, format, chunk, chunks, output);
      runner.seconds_per_round.push_back(cpu_seconds() - started);
    }
    std::fprintf(stderr, "round\n");
  }
  std::printf("[");
  for (size_t i = 0; i < runners.size(); i++)
    print(runners[i], i == 0);
  std::printf("]\n");
}

} // namespace bench
