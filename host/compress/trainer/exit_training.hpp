// Training of a network with exits. Joint (Teerapittayanon et al. 2016, "BranchyNet"): all exits at once, the loss is a
// weighted sum over them. Staged: first the network without early exits, then their classifiers alone while the rest
// stays as it is. In both, earlier exits also learn from the softened answers of the last one (Hinton et al. 2015,
// "Distilling the knowledge in a neural network"; Phuong & Lampert 2019, "Distillation-based training for multi-exit
// architectures"), which takes no gradient from that.
//
//   std::vector<ExitPhaseLog> logs = train_exits(network, training, held_out, {.method = ExitMethod::Joint});
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "exit_network.hpp"
#include "samples.hpp"
#include "training.hpp"

namespace espalier::trainer {

enum class ExitMethod { Joint, Staged };

struct ExitTraining {
  ExitMethod method = ExitMethod::Joint;
  PhaseOptions phase{.name = "exits", .epochs = 6, .learning_rate = 0.1, .label_smoothing = 0.0};
  std::int64_t head_epochs = 2;                // Staged: of the early exits
  std::vector<double> weights{0.5, 0.4, 1.0};  // of the exits in the loss; the last one is that of the network
  double distillation = 0.5;                   // share of an early exit's loss that comes from the last exit
  double temperature = 2.0;                    // that softens the answers
};

struct ExitEpochLog {
  std::int64_t epoch;
  double training_loss;
  std::vector<std::int64_t> held_out_correct;  // per exit
};

struct ExitPhaseLog {
  std::string name;
  std::vector<ExitEpochLog> epochs;
};

/// Correct answers of every exit there is.
std::vector<std::int64_t> count_correct(ExitNetwork& network, const Samples& samples);

/// Trains a network that has all exits, or only the last (then as without exits). The learning rate ends at zero and
/// the last epoch is taken: nothing is chosen by the held-out images. Prints one line per epoch.
std::vector<ExitPhaseLog> train_exits(ExitNetwork& network, const Samples& training, const Samples& held_out,
                                      const ExitTraining& options);

}  // namespace espalier::trainer
