#include <iostream>

#include "compile/compile.hpp"
#include "cpu/reference.hpp"
#include "model/layer_text.hpp"
#include "rtl/rtl_bus.hpp"
#include "run/session.hpp"

using namespace espalier;

int main() {
  const model::Network network = model::parse_layer("conv ic16 ih14 oc32 kh3 ph1 density0.2");
  const run::Executable executable{"layer", compile::compile(network, abi::Array8x8), {}};
  rtl::RtlBus bus(abi::Array8x8);
  driver::Device device(bus);
  run::Session session(device, executable, {.device = "rtl", .memory = {}, .limits = {}});

  const std::vector<run::Feature> inputs{run::Feature(16 * 14 * 14, 3)};
  const run::FeatureRun result = session.run_features(inputs);
  const bool equal = result.features.front() == cpu::run(network, inputs).back();
  std::cout << result.report.totals.predicted_cycles << " cycles predicted, "
            << *result.report.totals.measured_cycles << " measured, bits " << (equal ? "equal" : "differ") << "\n";
  return equal && result.report.totals.measured_cycles == result.report.totals.predicted_cycles ? 0 : 1;
}
