#include "namespaces.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>

namespace espalier::test {
namespace {

constexpr const char* Name = "espalier_edge";
constexpr const char* Near = "esp_edge0";
constexpr const char* Far = "esp_edge1";
// A full Ethernet frame of 1514 bytes carries 1448 of a TCP stream.
constexpr std::int64_t FrameBytes = 1514, PayloadBytes = 1448;

bool run(const std::string& command) { return std::system((command + " > /dev/null 2>&1").c_str()) == 0; }

void require(const std::string& command) {
  if (!run(command)) throw std::runtime_error("not possible here: " + command);
}

void remove() {
  run(fmt::format("ip link del {}", Near));
  run(fmt::format("ip netns del {}", Name));
}

std::string shaping(const std::string& where, const char* device, std::int64_t rate) {
  return fmt::format("{}tc qdisc add dev {} root tbf rate {}bit burst 3028 latency 20s", where, device,
                     rate * 8 * FrameBytes / PayloadBytes);
}

}  // namespace

std::string Namespaces::refusal() {
  if (!run("ip -V") || !run("tc -V")) return "the programs ip and tc (package iproute2) are not there";
  try {
    const Namespaces trial(100'000, 100'000);
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

Namespaces::Namespaces(std::int64_t up, std::int64_t down) {
  remove();
  try {
    const std::string inside = fmt::format("ip netns exec {} ", Name);
    require(fmt::format("ip netns add {}", Name));
    require(fmt::format("ip link add {} type veth peer name {}", Near, Far));
    require(fmt::format("ip link set {} netns {}", Far, Name));
    require(fmt::format("ip addr add 10.203.7.1/24 dev {}", Near));
    require(fmt::format("{}ip addr add {}/24 dev {}", inside, ServerAddress, Far));
    // Segments as they are on a wire, so that the filter counts their headers.
    for (const auto& [where, device] : {std::pair{std::string(), Near}, std::pair{inside, Far}}) {
      run(fmt::format("{}ethtool -K {} tso off gso off gro off", where, device));
      require(fmt::format("{}ip link set {} gso_max_segs 1 up", where, device));
    }
    require(inside + "ip link set lo up");
    require(shaping("", Near, up));
    require(shaping(inside, Far, down));
  } catch (const std::exception&) {
    remove();
    throw;
  }
}

Namespaces::~Namespaces() { remove(); }

std::vector<std::string> Namespaces::inside(const std::vector<std::string>& command) const {
  std::vector<std::string> words{"ip", "netns", "exec", Name};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

}  // namespace espalier::test
