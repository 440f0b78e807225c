#include "model/refusal_list.hpp"

#include <map>

namespace espalier::model {
namespace {

/// "Einsum (2), LSTM (1)".
std::string count_operators(const std::vector<Refusal>& refusals) {
  std::map<std::string, int> counts;
  for (const Refusal& refusal : refusals) ++counts[refusal.op];
  std::string text;
  for (const auto& [op, count] : counts)
    text.append(text.empty() ? "" : ", ").append(op).append(" (" + std::to_string(count) + ")");
  return text;
}

Error summarise(const std::string& graph, const std::vector<Refusal>& refusals) {
  const Refusal& first = refusals.front();
  if (refusals.size() == 1) return {ErrorCode::Unsupported, first.reason, first.where, first.value, first.action};
  return {ErrorCode::Unsupported, std::to_string(refusals.size()) + " operators are not supported", graph,
          count_operators(refusals), "export the network without them; the list says why each one is refused"};
}

}  // namespace

UnsupportedModel::UnsupportedModel(const std::string& graph, std::vector<Refusal> refusals)
    : UnsupportedModel(summarise(graph, refusals), std::move(refusals)) {}

UnsupportedModel::UnsupportedModel(const Error& error, std::vector<Refusal> refusals)
    : Error(error), refusals_(std::move(refusals)) {}

UnsupportedModel UnsupportedModel::within(const std::string& place) const {
  return {Error(code(), summary(), place + ": " + where(), value(), action()), refusals_};
}

void RefusalList::add(Refusal refusal) { refusals_.push_back(std::move(refusal)); }

void RefusalList::add(const Node& node, const Error& error) {
  values_.insert(node.outputs.begin(), node.outputs.end());
  const std::string op = node.text("source_op", node.op);
  if (const auto* several = dynamic_cast<const UnsupportedModel*>(&error)) {
    refusals_.insert(refusals_.end(), several->refusals().begin(), several->refusals().end());
    return;
  }
  add({node.name, op, error.where(), error.summary(), error.value(), error.action()});
}

void RefusalList::raise(const std::string& graph) const {
  if (!refusals_.empty()) throw UnsupportedModel(graph, refusals_);
}

}  // namespace espalier::model
