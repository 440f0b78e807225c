#include "conformance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "cpu/operators/execute.hpp"
#include "esp_error.hpp"
#include "files.hpp"
#include "model/operator_graph.hpp"

namespace espalier::tools {
namespace {

namespace fs = std::filesystem;
using model::TypedTensor;

constexpr double RelativeTolerance = 1e-3, AbsoluteTolerance = 1e-7;
constexpr int MostDepth = 3;

std::vector<fs::path> find_tests(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw Error(ErrorCode::Input, "no such folder", folder.string(), {}, "name a folder of operator tests");
  std::vector<fs::path> tests;
  if (fs::exists(folder / "model.onnx")) tests.push_back(folder);
  for (auto entry = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied);
       entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry.depth() >= MostDepth) entry.disable_recursion_pending();
    if (entry->is_directory() && fs::exists(entry->path() / "model.onnx")) tests.push_back(entry->path());
  }
  if (tests.empty())
    throw Error(ErrorCode::Input, "the folder holds no operator tests", folder.string(), {},
                "each test is a folder with model.onnx and test_data_set_0");
  std::sort(tests.begin(), tests.end());
  return tests;
}

/// input_0.pb, input_1.pb, ... as far as they exist.
std::vector<TypedTensor> read_tensors(const fs::path& set, const char* kind, std::size_t count) {
  std::vector<TypedTensor> tensors;
  for (std::size_t i = 0; i < count; ++i) {
    const fs::path file = set / fmt::format("{}_{}.pb", kind, i);
    tensors.push_back(model::read_typed_tensor(read_text(file)));
  }
  return tensors;
}

/// The tensor in the type that the model states: data files hold bfloat16 as uint16, bit by bit.
TypedTensor as_stated(TypedTensor tensor, std::optional<model::DataType> type) {
  if (tensor.type != model::DataType::UInt16 || type != model::DataType::BFloat16) return tensor;
  model::Reals values;
  for (const std::int64_t bits : tensor.integers())
    values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U));
  return {model::DataType::BFloat16, std::move(tensor.shape), std::move(values)};
}

bool close(double expected, double actual) {
  if (std::isnan(expected) || std::isnan(actual)) return std::isnan(expected) && std::isnan(actual);
  if (std::isinf(expected) || std::isinf(actual)) return expected == actual;
  return std::abs(expected - actual) <= AbsoluteTolerance + RelativeTolerance * std::abs(expected);
}

/// What differs, or nothing.
std::string difference(const TypedTensor& expected, const TypedTensor& actual) {
  if (expected.type != actual.type)
    return fmt::format("type {} instead of {}", to_string(actual.type), to_string(expected.type));
  if (expected.shape != actual.shape)
    return fmt::format("shape {} instead of {}", model::to_string(actual.shape), model::to_string(expected.shape));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (model::is_real(expected.type)) {
      if (!close(expected.reals()[i], actual.reals()[i]))
        return fmt::format("{} instead of {} at {}", actual.reals()[i], expected.reals()[i], i);
    } else if (expected.integers()[i] != actual.integers()[i]) {
      return fmt::format("{} instead of {} at {}", actual.integers()[i], expected.integers()[i], i);
    }
  }
  return {};
}

/// Runs one set of inputs; what differs, or nothing.
std::string run_set(model::OperatorGraph graph, const fs::path& set) {
  const std::vector<TypedTensor> expected = read_tensors(set, "output", graph.outputs.size());
  std::vector<TypedTensor> inputs = read_tensors(set, "input", graph.inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    bind_input(graph, i, as_stated(std::move(inputs[i]), graph.values[static_cast<std::size_t>(graph.inputs[i])].type));
  const std::vector<TypedTensor> actual = cpu::execute(graph);
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (const std::string text = difference(as_stated(expected[i], actual[i].type), actual[i]); !text.empty())
      return fmt::format("{}, output {}: {}", set.filename().string(), i, text);
  return {};
}

void run_test(const fs::path& test, const std::string& name, Conformance& result) {
  try {
    const model::OperatorGraph graph = model::read_operator_graph(read_text(test / "model.onnx"), test);
    if (!graph.refusals.empty()) {
      result.refusals.push_back({name, graph.refusals[0].where + ": " + graph.refusals[0].reason});
      return;
    }
    std::string problem = fs::exists(test / "test_data_set_0") ? "" : "there is no test_data_set_0";
    for (int set = 0; problem.empty() && fs::exists(test / fmt::format("test_data_set_{}", set)); ++set)
      problem = run_set(graph, test / fmt::format("test_data_set_{}", set));
    if (problem.empty())
      ++result.passed;
    else
      result.failures.push_back({name, problem});
  } catch (const std::exception& error) {
    result.failures.push_back({name, error.what()});
  }
}

}  // namespace

Conformance run_conformance(const fs::path& folder) {
  Conformance result;
  for (const fs::path& test : find_tests(folder)) {
    const fs::path name = test == folder ? test.filename() : test.lexically_relative(folder);
    run_test(test, name.string(), result);
  }
  return result;
}

}  // namespace espalier::tools
