#include "compile/generate.hpp"

#include <algorithm>

#include "compile/preparation.hpp"
#include "compile/program_builder.hpp"
#include "esp_error.hpp"

namespace espalier::compile {
namespace {

class Generator {
 public:
  Generator(const model::Network& network, const Lowered& lowered, const Placement& placement,
            const abi::Configuration& configuration, const Options& options)
      : network_(network),
        lowered_(lowered),
        placement_(placement),
        options_(options),
        builder_(configuration),
        preparation_(network, lowered, placement, configuration, options) {}

  Generated run() {
    result_.layers.resize(network_.layers.size());
    mark_layers(0);
    for (std::size_t step = 0; step < lowered_.steps.size();) {
      begin_stages(step);
      const auto count = static_cast<std::size_t>(std::max(1, placement_.steps[step].group));
      generate_steps(step, count);
      step += count;
      const std::size_t first = marked_;
      mark_layers(step);
      if (count > 1) name_group(first);
    }
    begin_stages(lowered_.steps.size());
    result_.program = builder_.link();
    result_.program.input_bytes = placement_.input_bytes;
    result_.program.output_bytes = placement_.output_bytes;
    result_.program.arena_bytes = placement_.arena_bytes;
    return std::move(result_);
  }

 private:
  /// Those whose first step is this one. Layers that need no step are marked in their own stage.
  void begin_stages(std::size_t step) {
    while (stage_ < options_.stages.size() && static_cast<std::size_t>(lowered_.last_step[stage_end() - 1]) == step) {
      builder_.begin_stage();
      ++stage_;
      mark_layers(step);
    }
  }

  /// One past the layers of the current stage.
  std::size_t stage_end() const {
    return stage_ < options_.stages.size() ? static_cast<std::size_t>(options_.stages[stage_]) : network_.layers.size();
  }

  /// Steps that run together take turns.
  void generate_steps(std::size_t first, std::size_t count) {
    std::vector<std::unique_ptr<PreparedStep>> steps;
    for (std::size_t i = first; i < first + count; ++i) {
      show_progress(static_cast<std::size_t>(lowered_.steps[i].layer));
      steps.push_back(preparation_.take(i));
      steps.back()->generator.begin(builder_, result_.layers[static_cast<std::size_t>(lowered_.steps[i].layer)], [&] {
        if (!started_) builder_.mark_inputs(0);
        started_ = true;
      });
    }
    const bool together = placement_.steps[first].grouping != Grouping::None;
    const int turns = together ? steps.front()->generator.turns() : 1;
    for (int turn = 0; turn < turns; ++turn) {
      for (std::size_t i = 0; i < count; ++i) {
        const auto layer = static_cast<std::size_t>(lowered_.steps[first + i].layer);
        builder_.set_layer(static_cast<int>(layer) + 1);
        const std::uint64_t reads = builder_.read_beats();
        const std::uint64_t writes = builder_.write_beats();
        if (together) {
          steps[i]->generator.emit_turn(turn);
        } else {
          steps[i]->generator.emit();
        }
        result_.layers[layer].read_beats += builder_.read_beats() - reads;
        result_.layers[layer].write_beats += builder_.write_beats() - writes;
      }
    }
  }

  /// The layers from `first` on that are marked have run together.
  void name_group(std::size_t first) {
    if (marked_ - first < 2) return;
    ++groups_;
    for (std::size_t layer = first; layer < marked_; ++layer) result_.layers[layer].group = groups_;
  }

  void show_progress(std::size_t layer) {
    for (; shown_ <= layer; ++shown_) {
      if (options_.progress) options_.progress(shown_, network_.layers.size(), network_.layers[shown_].name);
    }
  }

  /// Marks the layers whose steps are among the first `end`.
  void mark_layers(std::size_t end) {
    while (marked_ < stage_end() && static_cast<std::size_t>(lowered_.last_step[marked_]) <= end) {
      show_progress(marked_);
      builder_.set_layer(static_cast<int>(marked_) + 1);
      mark_layer(static_cast<int>(marked_), static_cast<std::size_t>(lowered_.last_step[marked_]));
      ++marked_;
    }
  }

  /// The last output is committed when it is in the scratchpad, or in memory if its readers take it from there.
  void mark_layer(int layer, std::size_t end) {
    bool stored = false;
    if (end > 0) {
      const int output = lowered_.steps[end - 1].output;
      const bool kept =
          placement_.steps[end - 1].output.whole && !lowered_.images[static_cast<std::size_t>(output)].output;
      stored = !kept && placement_.images[static_cast<std::size_t>(output)].in_memory;
    }
    if (stored) {
      builder_.mark_store(layer + 1);
    } else {
      builder_.mark_compute(layer + 1);
    }
  }

  const model::Network& network_;
  const Lowered& lowered_;
  const Placement& placement_;
  const Options& options_;
  ProgramBuilder builder_;
  Preparation preparation_;
  Generated result_;
  std::size_t shown_ = 0;   // layers whose progress was reported
  std::size_t marked_ = 0;  // layers
  std::size_t stage_ = 0;   // current
  int groups_ = 0;
  bool started_ = false;
};

}  // namespace

Generated generate(const model::Network& network, const Lowered& lowered, const Placement& placement,
                   const abi::Configuration& configuration, const Options& options) {
  if (network.layers.empty() || network.layers.size() + 1 > abi::MarkDepth) {
    throw Error(ErrorCode::Unsupported, "the number of layers is out of range", "network '" + network.name + "'",
                std::to_string(network.layers.size()), "use 1 to " + std::to_string(abi::MarkDepth - 1) + " layers");
  }
  return Generator(network, lowered, placement, configuration, options).run();
}

}  // namespace espalier::compile
