// A server in this process with the network of the proof, whole and in parts.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "edge/edge_network.hpp"
#include "functional/functional_bus.hpp"
#include "remote/server.hpp"
#include "run/part.hpp"

namespace espalier::test {

struct EdgeServing {
  compress::Quantised quantised = edge_network();
  std::string id = run::network_id(quantised.network);
  std::atomic<int> made{0};  // parts
  std::unique_ptr<remote::Engine> engine;
  std::unique_ptr<remote::Server> server;

  EdgeServing() {
    std::vector<std::unique_ptr<driver::Bus>> buses;
    buses.push_back(std::make_unique<functional::FunctionalBus>(abi::Array8x8));
    remote::EngineSettings settings;
    settings.most_parts = 2;
    engine = std::make_unique<remote::Engine>(std::move(buses), settings);
    load(true);
    server = std::make_unique<remote::Server>(*engine, remote::ServerSettings{});
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(server->port()); }
  run::Ports ports() const { return {quantised.inputs, quantised.outputs}; }

  static run::Executable compiled(const model::Network& network, const run::Ports& ports) {
    return {"edge", compile::compile(network, abi::Array8x8), ports};
  }

  run::Part part(const std::string& text) const {
    return run::make_part(quantised.network, ports(), run::parse_part(text, quantised.network.layers.size()),
                          run::PartEdge::Features);
  }

  void load(bool divisible) {
    remote::Divisible parts;
    if (divisible)
      parts = {id, [this](const std::string& text) {
                 ++made;
                 const run::Part one = part(text);
                 return remote::MadePart{compiled(one.network, one.ports), {}};
               }};
    engine->load("edge", compiled(quantised.network, ports()), std::move(parts));
  }
};

}  // namespace espalier::test
