#include "model/graph.hpp"

#include <algorithm>

#include "esp_error.hpp"

namespace espalier::model {
namespace {

template <typename Type>
Type get(const Node& node, const std::string& key, const Type& otherwise) {
  const auto found = node.attributes.find(key);
  if (found == node.attributes.end()) return otherwise;
  if (const Type* value = std::get_if<Type>(&found->second)) return *value;
  throw Error(ErrorCode::Model, "attribute '" + key + "' has the wrong type", node.where(), {},
              "export the model again");
}

}  // namespace

std::int64_t Node::integer(const std::string& key, std::int64_t otherwise) const { return get(*this, key, otherwise); }
float Node::real(const std::string& key, float otherwise) const { return get(*this, key, otherwise); }
std::string Node::text(const std::string& key, const std::string& otherwise) const {
  return get(*this, key, otherwise);
}
std::vector<std::int64_t> Node::integers(const std::string& key, const std::vector<std::int64_t>& otherwise) const {
  return get(*this, key, otherwise);
}

std::string Node::where() const { return "node '" + name + "' (" + op + ")"; }

int Graph::add_value(std::string value_name, ElementType type, std::optional<Shape> shape) {
  Value value;
  value.name = std::move(value_name);
  value.type = type;
  value.known = shape.has_value();
  if (shape) value.shape = std::move(*shape);
  values.push_back(std::move(value));
  return static_cast<int>(values.size()) - 1;
}

int Graph::add_constant(std::string value_name, Array array) {
  const int index = add_value(std::move(value_name), array.type(), array.shape);
  value(index).constant = std::move(array);
  return index;
}

int Graph::producer(int index) const {
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (std::find(nodes[i].outputs.begin(), nodes[i].outputs.end(), index) != nodes[i].outputs.end())
      return static_cast<int>(i);
  return -1;
}

int Graph::use_count(int index) const {
  std::ptrdiff_t uses = 0;
  for (const Node& node : nodes) uses += std::count(node.inputs.begin(), node.inputs.end(), index);
  for (const Port& port : outputs) uses += port.value == index ? 1 : 0;
  return static_cast<int>(uses);
}

void Graph::replace_uses(int from, int to) {
  for (Node& node : nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  for (Port& port : outputs)
    if (port.value == from) port.value = to;
}

void Graph::sort() {
  std::vector<int> writer(values.size(), -1);
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (const int output : nodes[i].outputs)
      if (output >= 0) writer[static_cast<std::size_t>(output)] = static_cast<int>(i);
  std::vector<int> missing(nodes.size(), 0);
  std::vector<std::vector<int>> readers(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (const int input : nodes[i].inputs)
      if (input >= 0 && writer[static_cast<std::size_t>(input)] >= 0) {
        readers[static_cast<std::size_t>(writer[static_cast<std::size_t>(input)])].push_back(static_cast<int>(i));
        ++missing[i];
      }
  std::vector<int> order;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (missing[i] == 0) order.push_back(static_cast<int>(i));
  for (std::size_t next = 0; next < order.size(); ++next)
    for (const int reader : readers[static_cast<std::size_t>(order[next])])
      if (--missing[static_cast<std::size_t>(reader)] == 0) order.push_back(reader);
  if (order.size() != nodes.size()) {
    const auto stuck = std::find_if(missing.begin(), missing.end(), [](int count) { return count > 0; });
    throw Error(ErrorCode::Model, "the graph has a cycle",
                nodes[static_cast<std::size_t>(stuck - missing.begin())].where(), {}, "export the model again");
  }
  std::vector<Node> sorted;
  sorted.reserve(nodes.size());
  for (const int index : order) sorted.push_back(std::move(nodes[static_cast<std::size_t>(index)]));
  nodes = std::move(sorted);
}

void Graph::remove_dead_nodes() {
  std::vector<bool> read(values.size(), false);
  for (const Port& port : outputs) read[static_cast<std::size_t>(port.value)] = true;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    const bool live = std::any_of(node->outputs.begin(), node->outputs.end(),
                                  [&](int output) { return output >= 0 && read[static_cast<std::size_t>(output)]; });
    if (!live) {
      node->op.clear();
      continue;
    }
    for (const int input : node->inputs)
      if (input >= 0) read[static_cast<std::size_t>(input)] = true;
  }
  std::erase_if(nodes, [](const Node& node) { return node.op.empty(); });
}

}  // namespace espalier::model
