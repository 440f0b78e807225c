#include "compile/generate.hpp"

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
    Generated result;
    std::size_t step = 0;
    for (std::size_t layer = 0; layer < network_.layers.size(); ++layer) {
      if (options_.progress) options_.progress(layer, network_.layers.size(), network_.layers[layer].name);
      builder_.set_layer(static_cast<int>(layer) + 1);
      LayerWork work;
      const std::uint64_t reads = builder_.read_beats();
      const std::uint64_t writes = builder_.write_beats();
      for (; step < static_cast<std::size_t>(lowered_.last_step[layer]); ++step) generate_step(step, work);
      work.read_beats = builder_.read_beats() - reads;
      work.write_beats = builder_.write_beats() - writes;
      mark_layer(static_cast<int>(layer), step);
      result.layers.push_back(work);
    }
    result.program = builder_.link();
    result.program.input_bytes = placement_.input_bytes;
    result.program.output_bytes = placement_.output_bytes;
    result.program.arena_bytes = placement_.arena_bytes;
    return result;
  }

 private:
  void generate_step(std::size_t index, LayerWork& work) {
    const std::unique_ptr<PreparedStep> prepared = preparation_.take(index);
    prepared->generator.emit(builder_, work, [&] {
      if (!started_) builder_.mark_inputs(0);
      started_ = true;
    });
  }

  /// The last output is committed when it is in the scratchpad, or in memory if its readers take it from there.
  void mark_layer(int layer, std::size_t end) {
    bool stored = false;
    if (end > 0) {
      const Image& image = lowered_.images[static_cast<std::size_t>(lowered_.steps[end - 1].output)];
      stored = image.output || !placement_.steps[end - 1].output.whole;
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
