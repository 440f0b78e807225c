#include "compile/placement.hpp"

#include <functional>
#include <optional>
#include <string>

#include "compile/linear_images.hpp"
#include "compile/placer.hpp"
#include "esp_error.hpp"

namespace espalier::compile {
namespace {

/// Times that images are tried at the other end of the scratchpad.
constexpr int Rounds = 2;

/// Times that a step is placed while choices are tried: bounds the time for networks of very many layers.
constexpr std::size_t MostPlaced = 1000000;

/// Steps that may run together.
constexpr int MostTogether = 5;

/// Looks for cheaper choices one by one.
class Search {
 public:
  Search(const StepFacts& facts, const std::vector<int>& stages) : facts_(facts), start_(facts, stages), best_(start_) {
    best_->run();
  }

  void run() {
    for (int round = 0; round < Rounds && best_->cost() > 0; ++round) {
      const double before = best_->cost();
      for (std::size_t i = 0; i < facts_.images().size(); ++i) {
        consider([&](Placer& trial) { trial.change_side(i); });
      }
      for (std::size_t i = 0; i < facts_.steps().size(); ++i) {
        for (int count = ByPieces; count <= MostTogether; ++count) {
          consider([&](Placer& trial) { trial.change_group(i, count); });
        }
      }
      if (best_->cost() >= before) break;
    }
  }

  Placement take() { return best_->take(); }

 private:
  void consider(const std::function<void(Placer&)>& change) {
    if (placed_ >= MostPlaced) return;
    placed_ += facts_.steps().size();
    Placer trial = start_;
    trial.take_choices(*best_);
    change(trial);
    try {
      trial.run();
    } catch (const Error&) {
      return;  // a step that fitted before does not
    }
    if (trial.cost() < best_->cost()) best_.emplace(std::move(trial));
  }

  const StepFacts& facts_;
  const Placer start_;
  std::optional<Placer> best_;
  std::size_t placed_ = 0;  // steps, while choices were tried
};

}  // namespace

Placement place(const model::Network& network, Lowered& lowered, const abi::Configuration& configuration,
                const Options& options) {
  const Lowered original = lowered;
  std::vector<int> stages;
  for (const int layer : options.stages) stages.push_back(lowered.last_step[static_cast<std::size_t>(layer) - 1]);
  for (const bool by_rows : {true, false}) {
    if (by_rows && !options.inputs_by_rows) continue;
    lowered = original;
    const StepFacts facts(network, lowered, configuration, options.memory, by_rows);
    Search search(facts, stages);
    search.run();
    Placement placement = search.take();
    if (held_whole(lowered, placement)) return placement;
  }
  throw Error(ErrorCode::Internal, "an image is laid out by rows for no reason", "network '" + network.name + "'", "",
              "report this");
}

}  // namespace espalier::compile
