// The operators of Caffe2 and how they become operators of the graph. Includes generated code: for .cpp files of model
// only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "caffe2_net.pb.h"
#include "model/graph.hpp"

namespace espalier::model {

/// The arguments of an operator by name.
class Caffe2Arguments {
 public:
  /// Keeps a reference. Throws Error(Model) if a name is given twice.
  Caffe2Arguments(const caffe2::OperatorDef& entry, std::string where);

  const std::string& where() const { return where_; }
  bool has(const std::string& name) const { return find(name) != nullptr; }
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const;
  float real(const std::string& name, float otherwise) const;
  std::string text(const std::string& name, const std::string& otherwise) const;
  std::vector<std::int64_t> integers(const std::string& name) const;
  std::vector<float> reals(const std::string& name) const;

 private:
  const caffe2::Argument* find(const std::string& name) const;
  const caffe2::OperatorDef& entry_;
  std::string where_;
};

/// Where converted operators put their nodes.
class Caffe2Emitter {
 public:
  virtual ~Caffe2Emitter() = default;
  /// Adds a node and returns its result.
  virtual int emit(const std::string& op, std::vector<int> inputs, std::map<std::string, Attribute> attributes) = 0;
  virtual Graph& graph() = 0;
};

struct Caffe2Operator {
  std::string_view type;
  std::size_t least_inputs;
  std::size_t most_inputs;
  /// Adds the nodes of one operator and returns its first result. Throws Error(Model) or Error(Unsupported).
  int (*convert)(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments);
};

/// The operator, or nullptr if it is not supported.
const Caffe2Operator* find_caffe2_operator(std::string_view type);

/// All supported operators, separated by blanks, for messages.
std::string supported_caffe2_operators();

}  // namespace espalier::model
