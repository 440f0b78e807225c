// Runs a network with exits: stage by stage, as far as the exit rule says. Layers behind the exit that answers are not
// computed. The test of an exit is plan::entropy on the exit's int8 logits, here on the host and nowhere else, so that
// every device leaves at the same exit.
//
//   run::ExitSession session(device, executable, {.thresholds = {6553, 3276}}, {.device = "rtl"});
//   run::ExitRun run = session.run(values);   // run.exit, run.report: cycles up to there
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "run/session.hpp"

namespace espalier::run {

/// One threshold per exit but the last, in units of 2^-16 nat; a sample leaves at the first exit whose entropy is
/// below its threshold, and at the last one at the latest.
struct ExitRule {
  std::vector<std::int32_t> thresholds;
};

/// Throws Error (Usage) unless `executable` is compiled in stages with an exit each and the rule has a threshold for
/// each but the last.
void check_exits(const Executable& executable, const ExitRule& rule);

/// The entropy of the answer at an exit, in units of 2^-16 nat.
std::int32_t exit_entropy(const compress::Output& port, std::span<const std::int8_t> logits);

/// What ran: outputs has that of the exit alone, rows and totals are those of its stages.
struct ExitRun {
  std::size_t exit = 0;
  std::vector<std::int32_t> entropies;  // of the exits up to this one
  Feature logits;
  RunReport report;
};

class ExitSession {
 public:
  /// Puts the program on the device. Throws as Session and check_exits(). The device and the executable must outlive
  /// the session.
  ExitSession(driver::Device& device, const Executable& executable, ExitRule rule, Settings settings);

  /// One vector of values in C order per network input. Throws as Session::run().
  ExitRun run(std::span<const std::vector<float>> inputs);
  /// The same from int8 features; the report has no outputs.
  ExitRun run_features(std::span<const Feature> inputs);

  /// Predicted cycles of a sample that leaves at each exit, with the settings' memory.
  const std::vector<std::uint64_t>& predicted() const { return predicted_; }

 private:
  void run_stage(std::size_t stage, ExitRun& run);

  const Executable* executable_;
  compile::Packer packer_;
  ExitRule rule_;
  Settings settings_;
  std::vector<RunReport> stages_;  // predicted
  std::vector<std::uint64_t> predicted_;
  driver::Loaded loaded_;
};

/// Rows and totals of the prediction of each stage: prologue (of the first), its layers, epilogue.
std::vector<RunReport> predicted_stages(const Executable& executable, const std::string& device,
                                        const compile::MemoryParameters& memory);

}  // namespace espalier::run
