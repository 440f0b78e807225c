#include "training.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <optional>
#include <set>

#include "esp_error.hpp"
#include "pruning.hpp"

namespace espalier::trainer {
namespace {

constexpr std::int64_t EvaluationBatch = 500;
constexpr double SparsityTolerance = 1e-9;

struct Score {
  double loss;
  std::int64_t correct;
};

Score evaluate(DigitNetwork& network, const Samples& samples) {
  const torch::NoGradGuard no_gradient;
  network->eval();
  Score score{0.0, 0};
  for (std::int64_t at = 0; at < samples.count(); at += EvaluationBatch) {
    const Samples batch = samples.slice(at, std::min(at + EvaluationBatch, samples.count()));
    const torch::Tensor logits = network->forward(batch.images);
    score.loss +=
        torch::nn::functional::cross_entropy(logits, batch.labels).item<double>() * static_cast<double>(batch.count());
    score.correct += logits.argmax(1).eq(batch.labels).sum().item<std::int64_t>();
  }
  score.loss /= static_cast<double>(samples.count());
  return score;
}

// One phase in progress: optimizer, pruner and the step count they share.
class Phase {
 public:
  Phase(DigitNetwork& network, const Samples& training, const PhaseOptions& options)
      : network_(network),
        training_(training),
        options_(options),
        steps_per_epoch_(training.count() / options.batch),
        optimizer_(network->parameters(), torch::optim::SGDOptions(options.learning_rate)
                                              .momentum(0.9)
                                              .nesterov(true)
                                              .weight_decay(options.weight_decay)) {
    if (steps_per_epoch_ == 0)
      throw Error(ErrorCode::Usage, "larger than the training set", "batch", std::to_string(options.batch));
    // The stem is 0.2 % of the weights and sees the raw image: pruning it gains nothing.
    if (options.sparsity > 0) pruner_.emplace(layer_weights(network), std::set<std::string>{"stem"});
  }

  // Returns the mean loss of the epoch.
  double run_epoch() {
    network_->train();
    const torch::Tensor order = torch::randperm(training_.count(), torch::kLong);
    double loss = 0.0;
    for (std::int64_t i = 0; i < steps_per_epoch_; ++i)
      loss += run_step(training_.pick(order.slice(0, i * options_.batch, (i + 1) * options_.batch)));
    return loss / static_cast<double>(steps_per_epoch_);
  }

 private:
  double run_step(const Samples& batch) {
    const std::int64_t steps = steps_per_epoch_ * options_.epochs;
    if (pruner_) update_masks(steps);
    static_cast<torch::optim::SGDOptions&>(optimizer_.param_groups()[0].options())
        .lr(learning_rate(options_, step_, steps));
    optimizer_.zero_grad();
    const torch::Tensor logits = network_->forward(augment(batch.images, options_.augmentation));
    namespace functional = torch::nn::functional;
    const torch::Tensor loss = functional::cross_entropy(
        logits, batch.labels, functional::CrossEntropyFuncOptions().label_smoothing(options_.label_smoothing));
    loss.backward();
    optimizer_.step();
    if (pruner_) pruner_->apply();
    ++step_;
    return loss.item<double>();
  }

  void update_masks(std::int64_t steps) {
    const auto ramp = static_cast<std::int64_t>(options_.sparsity_ramp * static_cast<double>(steps));
    if (step_ < ramp ? step_ % options_.prune_every != 0 : step_ != ramp) return;
    const double progress = ramp == 0 ? 1.0 : static_cast<double>(step_) / static_cast<double>(ramp);
    pruner_->prune_to(cubic_sparsity(options_.sparsity, progress));
  }

  DigitNetwork& network_;
  const Samples& training_;
  const PhaseOptions& options_;
  std::int64_t steps_per_epoch_;
  torch::optim::SGD optimizer_;
  std::optional<MagnitudePruner> pruner_;
  std::int64_t step_ = 0;
};

bool better(const EpochLog& a, const EpochLog& b) {
  if (a.held_out_correct != b.held_out_correct) return a.held_out_correct > b.held_out_correct;
  return a.held_out_loss < b.held_out_loss;
}

}  // namespace

double learning_rate(const PhaseOptions& options, std::int64_t step, std::int64_t steps) {
  const double progress = static_cast<double>(step + 1) / static_cast<double>(steps);
  if (progress < options.warmup) return options.learning_rate * progress / options.warmup;
  const double angle = std::numbers::pi * (progress - options.warmup) / (1.0 - options.warmup);
  return options.learning_rate * 0.5 * (1.0 + std::cos(angle));
}

PhaseLog train(DigitNetwork& network, const Samples& training, const Samples& held_out, const PhaseOptions& options) {
  torch::manual_seed(options.seed);
  Phase phase(network, training, options);
  PhaseLog log{options, {}, 0, held_out.count()};
  std::vector<torch::Tensor> best_state;

  for (std::int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    const double loss = phase.run_epoch();
    const Score score = evaluate(network, held_out);
    const EpochLog entry{epoch, loss, score.loss, score.correct, sparsity(densities(layer_weights(network)))};
    log.epochs.push_back(entry);

    // Only epochs that reached the wanted share of zeros may be chosen.
    const bool eligible = entry.sparsity + SparsityTolerance >= options.sparsity;
    const bool chosen =
        eligible && (log.best_epoch == 0 || better(entry, log.epochs[static_cast<std::size_t>(log.best_epoch - 1)]));
    if (chosen) {
      log.best_epoch = epoch;
      best_state = snapshot(network);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf(
        "%-6s epoch %2lld/%lld  loss %.4f  held-out loss %.4f  correct %lld/%lld (%.2f %%)  zeros %.4f  %.0f s%s\n",
        options.name.c_str(), static_cast<long long>(epoch), static_cast<long long>(options.epochs), loss, score.loss,
        static_cast<long long>(score.correct), static_cast<long long>(held_out.count()),
        100.0 * static_cast<double>(score.correct) / static_cast<double>(held_out.count()), entry.sparsity,
        seconds.count(), chosen ? "  best" : "");
    std::fflush(stdout);
  }
  if (log.best_epoch == 0)
    throw Error(ErrorCode::Internal, "no epoch reached the wanted share of zeros", "phase " + options.name);
  restore(network, best_state);
  return log;
}

}  // namespace espalier::trainer
