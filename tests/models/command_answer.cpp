#include "command_answer.hpp"

#include <cmath>

namespace espalier::test {

Outputs outputs_of(const nlohmann::json& answer) {
  Outputs outputs;
  for (const auto& output : answer["outputs"]) {
    const auto values = output["data"].get<std::vector<double>>();
    auto& all = outputs[output["name"]];
    all.insert(all.end(), values.begin(), values.end());
  }
  return outputs;
}

double decibels(const std::vector<double>& signal, const std::vector<double>& other) {
  double power = 0, error = 0;
  for (std::size_t i = 0; i < signal.size() && i < other.size(); ++i) {
    power += signal[i] * signal[i];
    error += (signal[i] - other[i]) * (signal[i] - other[i]);
  }
  return 10 * std::log10(power / error);
}

}  // namespace espalier::test
