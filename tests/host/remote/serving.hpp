// An engine with gated devices and a small network, for tests of serving.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "gated_bus.hpp"
#include "layer_executable.hpp"
#include "remote/engine.hpp"

namespace espalier::test {

inline constexpr const char* SmallLayer = "conv ic3 ih6 oc5 kh3 ph1 density0.5";

struct Serving {
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  std::unique_ptr<remote::Engine> engine;

  explicit Serving(std::size_t capacity = 8, std::size_t workers = 1) {
    std::vector<std::unique_ptr<driver::Bus>> buses;
    for (std::size_t i = 0; i < workers; ++i) buses.push_back(std::make_unique<GatedBus>(gate));
    remote::EngineSettings settings;
    settings.capacity = capacity;
    engine = std::make_unique<remote::Engine>(std::move(buses), settings);
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() { gate->open = true; }

  remote::VersionPtr load(const std::string& line = SmallLayer) const {
    return engine->load("layer", make_layer(line).executable);
  }

  /// Waits until a worker holds a request at the closed gate.
  void wait_for_run() const {
    const int before = gate->waits;
    while (gate->waits == before) std::this_thread::yield();
  }
};

inline std::vector<float> ramp(std::size_t size) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<float>(static_cast<int>(i * 31 % 256) - 128);
  return values;
}

/// The outputs that the network gives without any server.
inline std::vector<double> expected_outputs(const std::string& line, const std::vector<float>& input) {
  const LayerExecutable layer = make_layer(line);
  functional::FunctionalBus bus(abi::Array8x8);
  driver::Device device(bus);
  run::Session session(device, layer.executable, {.device = "functional", .memory = {}, .limits = {}});
  return session.run(std::vector<std::vector<float>>{input}).outputs.at(0).values;
}

}  // namespace espalier::test
