// oneDNN's float executor against the float reference.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "cpu/float_reference.hpp"
#include "cpu/onednn/executor.hpp"
#include "esp_error.hpp"
#include "host/model/onnx_builder.hpp"
#include "model/onnx_import.hpp"

namespace espalier::test {

inline constexpr float Tolerance = 1e-4F;

inline cpu::FloatTensor random_tensor(std::size_t size, Random& random) {
  cpu::FloatTensor tensor(size);
  for (float& number : tensor) number = static_cast<float>(random.between(-1000, 1000)) / 500.0F;
  return tensor;
}

/// Runs both executors on one random input, twice, and compares every output.
inline void expect_equal(OnnxBuilder& builder, Random& random, const std::string& what = "") {
  const model::Graph graph = model::import_onnx_bytes(builder.bytes());
  cpu::OneDnnExecutor fast(graph);
  const cpu::FloatExecutor reference(graph);
  for (int run = 0; run < 2; ++run) {
    std::vector<cpu::FloatTensor> inputs;
    for (const model::Port& port : graph.inputs)
      inputs.push_back(random_tensor(static_cast<std::size_t>(model::count_elements(port.shape, port.name)), random));
    const auto values = reference.run(inputs);
    const auto outputs = fast.run(inputs);
    ASSERT_EQ(outputs.size(), graph.outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto& expected = values[static_cast<std::size_t>(graph.outputs[i].value)];
      ASSERT_EQ(outputs[i].size(), expected.size()) << what;
      float largest = 1;
      for (const float number : expected) largest = std::max(largest, std::abs(number));
      for (std::size_t j = 0; j < expected.size(); ++j)
        ASSERT_NEAR(outputs[i][j], expected[j], Tolerance * largest) << what << ", output " << i << ", element " << j;
    }
  }
}

}  // namespace espalier::test
