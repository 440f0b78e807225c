// All operators of a network that are not executed, gathered so that a user reads them at once.
//
//   RefusalList refusals;
//   for (Node& node : nodes) refusals.attempt(node, [&] { convert(node); });
//   refusals.raise("graph 'digits'");
#pragma once

#include <set>
#include <string>
#include <vector>

#include "esp_error.hpp"
#include "model/graph.hpp"

namespace espalier::model {

/// One operator that is not executed, and why.
struct Refusal {
  std::string node;  // its name in the file
  std::string op;    // its operator, with the domain or the word "custom" where the file has one
  std::string where;
  std::string reason;
  std::string value;
  std::string action;
};

/// The error of a model with at least one such operator. Summary and value count them by operator; of a single one they
/// are its reason and value.
class UnsupportedModel : public Error {
 public:
  UnsupportedModel(const std::string& graph, std::vector<Refusal> refusals);
  /// The same refusals found in `place`, e.g. a file.
  UnsupportedModel within(const std::string& place) const;
  const std::vector<Refusal>& refusals() const noexcept { return refusals_; }

 private:
  UnsupportedModel(const Error& error, std::vector<Refusal> refusals);
  std::vector<Refusal> refusals_;
};

class RefusalList {
 public:
  void add(Refusal refusal);
  void add(const Node& node, const Error& error);

  /// Runs `step` and says whether it succeeded. An Error(Unsupported) is kept as a refusal of `node`; others pass.
  template <typename Step>
  bool attempt(const Node& node, Step&& step) {
    try {
      step();
      return true;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unsupported) throw;
      add(node, error);
      return false;
    }
  }

  bool empty() const { return refusals_.empty(); }
  /// Whether an operator that writes this value was refused.
  bool has_refused(int value) const { return values_.contains(value); }
  /// Throws UnsupportedModel if there is a refusal.
  void raise(const std::string& graph) const;

 private:
  std::vector<Refusal> refusals_;
  std::set<int> values_;  // the results of the refused nodes
};

}  // namespace espalier::model
