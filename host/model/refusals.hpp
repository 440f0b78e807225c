// The two ways to refuse a model because of one of its nodes.
#pragma once

#include <string>

#include "esp_error.hpp"
#include "model/graph.hpp"

namespace espalier::model {

/// Throws Error(Model): the file is damaged or contradicts itself at this node.
[[noreturn]] inline void damaged(const std::string& problem, const Node& node, const std::string& value = {}) {
  throw Error(ErrorCode::Model, problem, node.where(), value, "export the model again");
}

/// Throws Error(Unsupported): the node is valid, but not executed by this version.
[[noreturn]] inline void unsupported(const std::string& problem, const Node& node, const std::string& value,
                                     const std::string& action) {
  throw Error(ErrorCode::Unsupported, problem, node.where(), value, action);
}

}  // namespace espalier::model
