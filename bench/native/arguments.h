#pragma once

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "peer.h"

namespace bench {

// Everything after the command is name=value.
class Arguments {
public:
  Arguments(int argc, char **argv) {
    for (int i = 2; i < argc; i++) {
      const std::string argument = argv[i];
      const size_t equals = argument.find('=');
      if (equals == std::string::npos)
        fail("expected name=value; got " + argument);
      values_[argument.substr(0, equals)] = argument.substr(equals + 1);
    }
  }

  std::string text(const std::string &name) const {
    const auto found = values_.find(name);
    if (found == values_.end())
      fail("missing " + name + "=");
    return found->second;
  }

  size_t number(const std::string &name) const {
    const std::string value = text(name);
    char *end = nullptr;
    const unsigned long long number = std::strtoull(value.c_str(), &end, 10);
    if (value.empty() || *end != '\0')
      fail(name + " must be a whole number; got " + value);
    return static_cast<size_t>(number);
  }

  StreamFormat format() const { return {static_cast<uint32_t>(number("rate")), number("channels")}; }

  const Peer &peer() const { return find(text("peer")); }

  std::vector<const Peer *> peers() const {
    std::vector<const Peer *> chosen;
    const std::string names = text("peers") + ",";
    for (size_t from = 0, comma; (comma = names.find(',', from)) != std::string::npos; from = comma + 1)
      chosen.push_back(&find(names.substr(from, comma - from)));
    return chosen;
  }

  [[noreturn]] static void fail(const std::string &message) {
    std::fprintf(stderr, "%s\n", message.c_str());
    std::exit(2);
  }

private:
  static const Peer &find(const std::string &name) {
    for (const Peer &peer : all_peers())
      if (peer.name == name)
        return peer;
    fail("no peer is called " + name);
  }

  std::map<std::string, std::string> values_;
};

// Every 16-bit sample of a file.
std::vector<int16_t> read_samples(const std::string &path);

// The commands of main.cc. Each writes one JSON value on standard output.
void list_peers();
void measure_speed(const Arguments &arguments);
void convert(const Arguments &arguments);
void count_outputs(const Arguments &arguments);
void measure_opening(const Arguments &arguments);
void measure_roofline();

} // namespace bench
