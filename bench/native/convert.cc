#include <algorithm>

#include "arguments.h"

namespace bench {
namespace {

std::unique_ptr<Stream> open(const Arguments &arguments) {
  auto stream = arguments.peer().open(arguments.format());
  if (!stream)
    Arguments::fail(arguments.peer().name + " refuses this format");
  return stream;
}

} // namespace

// Every `segment` samples of the input are a stream of their own; each yields exactly its share of the
// output, and what the filter still holds at its end is left out.
void convert(const Arguments &arguments) {
  const StreamFormat format = arguments.format();
  const std::vector<int16_t> input = read_samples(arguments.text("input"));
  const size_t chunk = arguments.number("chunk");
  const size_t segment = arguments.number("segment");
  const size_t segment_outputs = segment * kOutputRate / format.sample_rate_hertz;
  std::vector<int16_t> output(segment_outputs + max_output(format, chunk));
  std::FILE *file = std::fopen(arguments.text("output").c_str(), "wb");
  if (file == nullptr)
    Arguments::fail("cannot write " + arguments.text("output"));
  for (size_t start = 0; (start + segment) * format.channels <= input.size(); start += segment) {
    const auto stream = open(arguments);
    size_t written = 0;
    for (size_t at = 0; at < segment && written < segment_outputs; at += chunk)
      written += stream->process(&input[(start + at) * format.channels], std::min(chunk, segment - at),
                                 &output[written]);
    std::fill(output.begin() + static_cast<std::ptrdiff_t>(std::min(written, segment_outputs)), output.end(),
              static_cast<int16_t>(0));
    std::fwrite(output.data(), sizeof(int16_t), segment_outputs, file);
  }
  std::fclose(file);
  std::printf("{}\n");
}

// How many outputs had come after each chunk: the latency of a live stream.
void count_outputs(const Arguments &arguments) {
  const StreamFormat format = arguments.format();
  const std::vector<int16_t> input = read_samples(arguments.text("input"));
  const size_t chunk = arguments.number("chunk");
  std::vector<int16_t> output(max_output(format, chunk));
  const auto stream = open(arguments);
  size_t total = 0;
  std::printf("[");
  for (size_t at = 0; (at + chunk) * format.channels <= input.size(); at += chunk) {
    total += stream->process(&input[at * format.channels], chunk, output.data());
    std::printf("%s%zu", at == 0 ? "" : ",", total);
  }
  std::printf("]\n");
}

} // namespace bench
