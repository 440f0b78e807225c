// A network as plain nodes and float tensors, written to and read from ONNX files (opset 13, IR version 7).
//
//   Graph graph{.name = "digits", .input = {"image", {1, 1, 28, 28}}, ...};
//   write_onnx("digits.onnx", graph);          // checked by the ONNX checker, shapes inferred
//   Graph same = read_onnx("digits.onnx");
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace espalier::trainer {

struct Shape {
  std::string name;
  std::vector<std::int64_t> sizes;
};

struct Initializer {
  Shape shape;
  std::vector<float> values;
};

// A single integer is an ONNX INT attribute, a list is INTS.
struct Attribute {
  enum class Kind { Integer, Integers };
  std::string name;
  Kind kind;
  std::vector<std::int64_t> values;
};

struct Node {
  std::string op;
  std::string name;
  std::vector<std::string> inputs;
  std::string output;
  std::vector<Attribute> attributes;
};

struct Graph {
  std::string name;
  Shape input;
  std::vector<Shape> outputs;
  std::vector<Node> nodes;  // in execution order
  std::vector<Initializer> initializers;
};

void write_onnx(const std::filesystem::path& path, const Graph& graph);

// Reads what write_onnx writes; throws espalier::Error for anything else.
Graph read_onnx(const std::filesystem::path& path);

}  // namespace espalier::trainer
