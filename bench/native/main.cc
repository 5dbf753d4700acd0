// What bench/run.mjs runs: the C and C++ resamplers behind one interface. Usage: resampler-bench COMMAND
// name=value...

#include "arguments.h"

namespace bench {

std::vector<Peer> &all_peers() {
  static std::vector<Peer> peers;
  return peers;
}

std::vector<int16_t> read_samples(const std::string &path) {
  std::FILE *file = std::fopen(path.c_str(), "rb");
  if (file == nullptr)
    Arguments::fail("cannot read " + path);
  std::fseek(file, 0, SEEK_END);
  std::vector<int16_t> samples(static_cast<size_t>(std::ftell(file)) / sizeof(int16_t));
  std::rewind(file);
  if (std::fread(samples.data(), sizeof(int16_t), samples.size(), file) != samples.size())
    Arguments::fail("cannot read all of " + path);
  std::fclose(file);
  return samples;
}

void list_peers() {
  std::printf("[");
  for (size_t i = 0; i < all_peers().size(); i++)
    std::printf("%s{\"name\":\"%s\",\"version\":\"%s\"}", i == 0 ? "" : ",", all_peers()[i].name.c_str(),
                all_peers()[i].version.c_str());
  std::printf("]\n");
}

} // namespace bench

int main(int argc, char **argv) {
  const bench::Arguments arguments(argc, argv);
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "list")
    bench::list_peers();
  else if (command == "speed")
    bench::measure_speed(arguments);
  else if (command == "convert")
    bench::convert(arguments);
  else if (command == "outputs")
    bench::count_outputs(arguments);
  else if (command == "opening")
    bench::measure_opening(arguments);
  else if (command == "roofline")
    bench::measure_roofline();
  else
    bench::Arguments::fail(
        "usage: resampler-bench list|speed|convert|outputs|opening|roofline name=value...");
}
