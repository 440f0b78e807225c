// The two phases of training. Each starts from its own seed, follows a cosine learning rate to zero and leaves the
// network in the state of the epoch that was best on held-out training images.
//
//   PhaseLog dense = train(network, training, held_out, {.name = "dense", .epochs = 10, .learning_rate = 0.1});
//   PhaseLog pruned = train(network, training, held_out, {.name = "pruned", ..., .sparsity = 0.915});
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "augment.hpp"
#include "network.hpp"
#include "samples.hpp"

namespace espalier::trainer {

struct PhaseOptions {
  std::string name;
  std::int64_t epochs = 10;
  double learning_rate = 0.1;
  double warmup = 0.05;  // share of the steps in which the learning rate rises
  double weight_decay = 5e-4;
  double label_smoothing = 0.05;
  std::int64_t batch = 128;
  std::uint64_t seed = 1;
  Augmentation augmentation{};
  double sparsity = 0.0;          // share of zeros at the end; 0 trains without pruning
  double sparsity_ramp = 0.5;     // share of the steps in which the zeros rise to it
  std::int64_t prune_every = 50;  // steps between two mask updates of the ramp
};

struct EpochLog {
  std::int64_t epoch;
  double training_loss;
  double held_out_loss;
  std::int64_t held_out_correct;
  double sparsity;
};

struct PhaseLog {
  PhaseOptions options;
  std::vector<EpochLog> epochs;
  std::int64_t best_epoch = 0;
  std::int64_t held_out_count = 0;
};

// Of step `step` of `steps`: linear warm-up, then half a cosine down to zero (Loshchilov & Hutter 2017, without
// restarts).
double learning_rate(const PhaseOptions& options, std::int64_t step, std::int64_t steps);

// Prints one line per epoch on standard output.
PhaseLog train(DigitNetwork& network, const Samples& training, const Samples& held_out, const PhaseOptions& options);

}  // namespace espalier::trainer
