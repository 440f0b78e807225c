// espalier_relay TARGET_PORT SEED PHASE...: a link between a port, which is printed, and a server on this machine, the
// same in both directions; ends with its standard input. See parse_phase() for PHASE.
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "relay.hpp"

int main(int argc, char** argv) {
  using espalier::test::LinkSchedule;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.size() < 3) throw std::invalid_argument("usage: espalier_relay TARGET_PORT SEED PHASE...");
    std::vector<espalier::test::LinkPhase> phases;
    for (std::size_t i = 2; i < arguments.size(); ++i) phases.push_back(espalier::test::parse_phase(arguments[i]));
    const std::uint64_t seed = std::stoull(arguments[1]);
    const espalier::test::Relay relay(static_cast<std::uint16_t>(std::stoul(arguments[0])), LinkSchedule(phases, seed),
                                      LinkSchedule(phases, seed + 1));
    std::cout << relay.port() << std::endl;
    std::string line;
    while (std::getline(std::cin, line)) {
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
