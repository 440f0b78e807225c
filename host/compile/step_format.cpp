// In which format a step's weight streams are read.
#include <algorithm>

#include "compile/layout.hpp"
#include "compile/step_generator.hpp"

namespace espalier::compile {

/// Strips that a pass takes part in: each of them reads the streams of the pass.
int StepGenerator::reads(const Pass& pass) const {
  return static_cast<int>(std::count_if(strips_.begin(), strips_.end(), [&](const Range& strip) {
    return strip.first < pass.y + pass.height && pass.y < strip.first + strip.count;
  }));
}

/// Slots that the weight store holds.
int StepGenerator::most_slots(const abi::Command& command) const {
  return static_cast<int>(configuration_.line_depth * configuration_.line_slots(command.weights, command.split));
}

void StepGenerator::choose_format() {
  std::vector<StreamUse> uses;
  for (auto& chunks : pieces_) {
    for (Chunk& chunk : chunks) {
      for (std::size_t p = 0; p < chunk.streams.size(); ++p) {
        const Pass& pass = rows_.passes()[p];
        for (std::size_t s = 0; s < chunk.streams[p].size(); ++s) {
          const Stretch& stretch = stretches_[p][s];
          const int rounds = stretch.count / stretch.unroll;
          const double positions = static_cast<double>(rounds) * pass.height;
          Stream& stream = chunk.streams[p][s];
          // What does not fit the store is streamed for every position.
          uses.push_back({&stream, stream.slots > most_slots(stream.compute) ? positions : reads(pass), positions});
        }
      }
    }
  }
  // Steps that run together load their tables in every turn.
  const double table_loads = place_.grouping == Grouping::None ? 1 : turns();
  coded_ = code_weights(uses, table_loads, options_.weight_format, configuration_, options_.memory);
}

void StepGenerator::load_codes() {
  if (!coded_.table.empty()) work_->code_beats += builder_->code_table(coded_.table, coded_.first);
}

}  // namespace espalier::compile
