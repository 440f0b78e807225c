// Properties of the command line, run in process, for damaged copies of every shipped network and of a compiled one:
//   - it ends with a documented exit code other than "internal", never by a crash or an exception
//   - with --json standard output is one document with `schema`; a failure has code, what, where and action
//   - a compiled file with any altered byte, or cut anywhere, is refused as such
// ESPALIER_DAMAGE_ROUNDS sets the number of damaged copies of each kind.
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "command_runner.hpp"
#include "random.hpp"

namespace espalier::tools {
namespace {

using test::Random;

int rounds(int usual) {
  const char* wanted = std::getenv("ESPALIER_DAMAGE_ROUNDS");
  return wanted == nullptr ? usual : std::atoi(wanted);
}

std::string read(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

/// Cuts, flips, overwrites or repeats bytes; mostly near the start, where the structure of a model lies.
std::string damage_bytes(std::string bytes, Random& random) {
  const auto place = [&] {
    const std::size_t size = random.chance(0.6) ? std::min<std::size_t>(bytes.size(), 8192) : bytes.size();
    return static_cast<std::size_t>(random.unit() * static_cast<double>(size));
  };
  switch (random.between(0, 3)) {
    case 0:
      bytes.resize(place());
      break;
    case 1:
      for (int flips = random.between(1, 8); flips > 0; --flips) {
        char& byte = bytes[place()];
        byte = static_cast<char>(byte ^ (1 << random.between(0, 7)));
      }
      break;
    case 2:
      for (std::size_t at = place(), end = std::min(bytes.size(), at + 8); at < end; ++at)
        bytes[at] = static_cast<char>(random.byte());
      break;
    default:
      bytes.insert(place(), bytes.substr(place(), static_cast<std::size_t>(random.between(1, 64))));
  }
  return bytes;
}

std::int64_t hostile_number(Random& random) {
  constexpr std::array<std::int64_t, 16> numbers{-1,
                                                 0,
                                                 1,
                                                 2,
                                                 3,
                                                 5,
                                                 64,
                                                 1000,
                                                 65535,
                                                 1 << 20,
                                                 std::numeric_limits<std::int32_t>::max(),
                                                 std::numeric_limits<std::int32_t>::min(),
                                                 std::int64_t{1} << 32,
                                                 std::int64_t{1} << 62,
                                                 std::numeric_limits<std::int64_t>::max(),
                                                 std::numeric_limits<std::int64_t>::min()};
  return numbers[static_cast<std::size_t>(random.between(0, static_cast<int>(numbers.size()) - 1))];
}

std::string any_value(const onnx::GraphProto& graph, Random& random) {
  switch (random.between(0, 2)) {
    case 0:
      return graph.initializer(random.between(0, graph.initializer_size() - 1)).name();
    case 1:
      return graph.node(random.between(0, graph.node_size() - 1)).output(0);
    default:
      return random.chance(0.5) ? graph.input(0).name() : "";
  }
}

void damage_node(onnx::GraphProto& graph, Random& random) {
  static const std::vector<std::string> operators{
      "Conv", "Gemm",    "MatMul",    "Add",      "Concat", "MaxPool", "AveragePool",    "GlobalAveragePool",
      "Relu", "Clip",    "Flatten",   "Reshape",  "Mul",    "Softmax", "QuantizeLinear", "DequantizeLinear",
      "Pad",  "Squeeze", "Transpose", "Identity", "Cast",   "Erf",     "QLinearConv",    "BatchNormalization"};
  onnx::NodeProto& node = *graph.mutable_node(random.between(0, graph.node_size() - 1));
  switch (random.between(0, 4)) {
    case 0:
      node.set_op_type(operators[static_cast<std::size_t>(random.between(0, static_cast<int>(operators.size()) - 1))]);
      break;
    case 1:
      if (node.input_size() > 0) node.set_input(random.between(0, node.input_size() - 1), any_value(graph, random));
      break;
    case 2:
      if (random.chance(0.5))
        node.add_input(any_value(graph, random));
      else if (node.input_size() > 0)
        node.mutable_input()->RemoveLast();
      break;
    case 3:
      if (node.attribute_size() > 0) {
        onnx::AttributeProto& attribute = *node.mutable_attribute(random.between(0, node.attribute_size() - 1));
        attribute.set_i(hostile_number(random));
        if (attribute.ints_size() > 0)
          attribute.set_ints(random.between(0, attribute.ints_size() - 1), hostile_number(random));
        if (random.chance(0.3)) attribute.add_ints(hostile_number(random));
      }
      break;
    default:
      node.set_output(0, any_value(graph, random));
  }
}

/// A model whose message is whole, but whose graph is not what it was.
std::string damage_graph(const std::string& bytes, Random& random) {
  onnx::ModelProto model;
  model.ParseFromString(bytes);
  onnx::GraphProto& graph = *model.mutable_graph();
  for (int changes = random.between(1, 3); changes > 0; --changes) {
    onnx::TensorProto& tensor = *graph.mutable_initializer(random.between(0, graph.initializer_size() - 1));
    switch (random.between(0, 5)) {
      case 0:
        if (tensor.dims_size() > 0) tensor.set_dims(random.between(0, tensor.dims_size() - 1), hostile_number(random));
        break;
      case 1:
        tensor.set_data_type(random.between(0, 20));
        break;
      case 2: {
        auto* shape = graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
        if (shape->dim_size() > 0)
          shape->mutable_dim(random.between(0, shape->dim_size() - 1))->set_dim_value(hostile_number(random));
        break;
      }
      default:
        damage_node(graph, random);
    }
  }
  return model.SerializeAsString();
}

class HostileFiles : public CommandRunner {
 protected:
  template <typename Damage>
  void inspect_damaged(int usual_rounds, Damage damage) {
    for (const char* name : {"digits_dense", "digits_pruned", "digits_dense_int8", "digits_pruned_int8"}) {
      const std::string good = read(std::filesystem::path(ESPALIER_DIGITS) / (std::string(name) + ".onnx"));
      for (int round = 0; round < rounds(usual_rounds) && !HasFailure(); ++round) {
        Random random(static_cast<std::uint64_t>(round));
        SCOPED_TRACE(name);
        run({"inspect", write("damaged.onnx", damage(good, random)), "--brief"});
      }
    }
  }
};

TEST_F(HostileFiles, DamagedModels) { inspect_damaged(25, damage_bytes); }

TEST_F(HostileFiles, ModelsWithDamagedGraphs) { inspect_damaged(50, damage_graph); }

TEST_F(HostileFiles, DamagedCompiledFilesAreRefused) {
  const std::filesystem::path digits = ESPALIER_DIGITS;
  const std::string model = (digits / "digits_pruned_int8.onnx").string();
  const std::string images = (digits / "images.idx3-ubyte").string();
  const std::string compiled = path("good.esp");
  ASSERT_EQ(run({"compile", model, "--array", "8x8", "-o", compiled}), 0);
  ASSERT_EQ(run({"run", compiled, "--input", images}), 0);
  const std::string good = read(compiled);
  for (int round = 0; round < rounds(100) && !HasFailure(); ++round) {
    Random random(static_cast<std::uint64_t>(round));
    const std::string damaged = damage_bytes(good, random);
    if (damaged == good) continue;
    const std::string file = write("damaged.esp", damaged);
    EXPECT_EQ(run({"run", file, "--input", images}), 6);
    EXPECT_EQ(run({"inspect", file}), 6);
  }
}

}  // namespace
}  // namespace espalier::tools
