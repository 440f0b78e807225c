// Small Caffe2 networks for tests, written operator by operator.
#pragma once

#include <string>
#include <vector>

#include "caffe2_net.pb.h"
#include "model/array.hpp"

namespace espalier::test {

struct Caffe2Files {
  std::string predict, init;
};

class Caffe2Builder {
 public:
  using Operator = model::caffe2::OperatorDef;

  Caffe2Builder() { predict.set_name("test"); }

  void input(const std::string& name) { predict.add_external_input(name); }
  void output(const std::string& name) { predict.add_external_output(name); }

  /// A blob that init_net fills.
  Operator& fill(const std::string& name, const model::Shape& shape, const std::vector<float>& values,
                 const std::string& type = "GivenTensorFill") {
    Operator& entry = *init.add_op();
    entry.set_type(type);
    entry.add_output(name);
    auto& sizes = argument(entry, "shape");
    for (const std::int64_t size : shape) sizes.add_ints(size);
    auto& list = argument(entry, "values");
    for (const float value : values) list.add_floats(value);
    predict.add_external_input(name);
    return entry;
  }

  Operator& node(const std::string& type, const std::vector<std::string>& inputs,
                 const std::vector<std::string>& outputs) {
    Operator& entry = *predict.add_op();
    entry.set_type(type);
    for (const std::string& name : inputs) entry.add_input(name);
    for (const std::string& name : outputs) entry.add_output(name);
    return entry;
  }

  static model::caffe2::Argument& argument(Operator& entry, const std::string& name) {
    auto& result = *entry.add_arg();
    result.set_name(name);
    return result;
  }
  static void set(Operator& entry, const std::string& name, std::int64_t value) { argument(entry, name).set_i(value); }
  static void set(Operator& entry, const std::string& name, const std::vector<std::int64_t>& values) {
    auto& list = argument(entry, name);
    for (const std::int64_t value : values) list.add_ints(value);
  }

  Caffe2Files files() const { return {predict.SerializeAsString(), init.SerializeAsString()}; }

  model::caffe2::NetDef predict, init;
};

/// data [1, 2, 4, 4] -> Conv 3x3 -> Relu in place -> MaxPool 2x2 -> FC -> Softmax. The shape of the input is in
/// init_net.
inline Caffe2Files small_caffe2_network() {
  Caffe2Builder b;
  b.input("data");
  auto& data = *b.init.add_op();
  data.set_type("ConstantFill");
  data.add_output("data");
  Caffe2Builder::set(data, "shape", std::vector<std::int64_t>{1, 2, 4, 4});
  b.fill("w", {2, 2, 3, 3}, std::vector<float>(36, 0.25F));
  b.fill("b", {2}, {1, -1});
  b.fill("fw", {3, 8}, std::vector<float>(24, 0.5F));
  b.fill("fb", {3}, {0, 1, 2});
  auto& conv = b.node("Conv", {"data", "w", "b"}, {"c"});
  Caffe2Builder::set(conv, "kernel", 3);
  Caffe2Builder::set(conv, "pad", 1);
  b.node("Relu", {"c"}, {"c"});
  auto& pool = b.node("MaxPool", {"c"}, {"p"});
  Caffe2Builder::set(pool, "kernel", 2);
  Caffe2Builder::set(pool, "stride", 2);
  b.node("FC", {"p", "fw", "fb"}, {"y"});
  b.node("Softmax", {"y"}, {"s"});
  b.output("s");
  return b.files();
}

}  // namespace espalier::test
