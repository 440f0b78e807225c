// All rewrites in their order, as a list that can be printed and of which single ones can be switched off.
//
//   for (const model::Rewrite& step : model::rewrites()) std::cout << step.name << ": " << step.summary << '\n';
//   model::Graph graph = model::canonicalise(std::move(graph), {.without = {"fold-padding"}});
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "model/graph.hpp"
#include "model/refusal_list.hpp"

namespace espalier::model {

enum class RewriteKind {
  Simplify,  // leaves a network of the same meaning in the operators of the file
  Lower,     // towards the few operators that are quantised and lowered
  Required,  // the same; nothing is lowered without it, so it cannot be switched off
};

/// "simplify", "lower" or "required".
const char* to_string(RewriteKind kind);

struct Rewrite {
  std::string_view name;
  std::string_view summary;
  RewriteKind kind;
  void (*apply)(Graph& graph, RefusalList& refusals);
};

/// Every step, in the order in which they are applied.
std::span<const Rewrite> rewrites();

struct RewriteOptions {
  std::set<std::string> without;  // names of steps that are left out
};

/// Throws Error(Usage) if a name is of no step or of a required one.
void check_rewrites(const RewriteOptions& options);

/// The steps of kind Simplify: what every way to execute the graph profits from. Shapes must be inferred. Throws
/// UnsupportedModel and, for a wrong name, Error(Usage).
Graph simplify(Graph graph, const RewriteOptions& options = {});

/// All steps: the graph as rewrites.hpp describes it. Throws UnsupportedModel with what no step could rewrite and, for
/// a wrong name, Error(Usage).
Graph canonicalise(Graph graph, const RewriteOptions& options = {});

}  // namespace espalier::model
