#include "exit_training.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "esp_error.hpp"

namespace espalier::trainer {
namespace {

namespace functional = torch::nn::functional;

constexpr std::int64_t EvaluationBatch = 500;

/// What is trained in a phase: the exits whose losses count, and whether the rest of the network stays as it is.
struct Scope {
  std::vector<double> weights;
  bool heads_only = false;
};

// T^2 * KL(teacher || student), both softened by T; the factor keeps the size of the gradient.
torch::Tensor distillation_loss(const torch::Tensor& student, const torch::Tensor& teacher, double temperature) {
  const torch::Tensor wanted = (teacher.detach() / temperature).softmax(1);
  const torch::Tensor given = (student / temperature).log_softmax(1);
  return functional::kl_div(given, wanted, functional::KLDivFuncOptions().reduction(torch::kBatchMean)) * temperature *
         temperature;
}

class ExitPhase {
 public:
  ExitPhase(ExitNetwork& network, const Samples& training, const ExitTraining& options, const Scope& scope,
            std::int64_t epochs)
      : network_(network),
        training_(training),
        options_(options),
        scope_(scope),
        steps_per_epoch_(training.count() / options.phase.batch),
        steps_(steps_per_epoch_ * epochs),
        optimizer_(trained(), torch::optim::SGDOptions(options.phase.learning_rate)
                                  .momentum(0.9)
                                  .nesterov(true)
                                  .weight_decay(options.phase.weight_decay)) {
    if (steps_per_epoch_ == 0)
      throw Error(ErrorCode::Usage, "larger than the training set", "batch", std::to_string(options.phase.batch));
  }

  // Returns the mean loss of the epoch.
  double run_epoch() {
    // Statistics of the normalization stay as they are where only classifiers are trained.
    network_->train(!scope_.heads_only);
    const std::int64_t batch = options_.phase.batch;
    const torch::Tensor order = torch::randperm(training_.count(), torch::kLong);
    double loss = 0.0;
    for (std::int64_t i = 0; i < steps_per_epoch_; ++i)
      loss += run_step(training_.pick(order.slice(0, i * batch, (i + 1) * batch)));
    return loss / static_cast<double>(steps_per_epoch_);
  }

 private:
  std::vector<torch::Tensor> trained() const {
    if (!scope_.heads_only) return network_->parameters();
    std::vector<torch::Tensor> parameters;
    for (std::size_t i = 0; i + 1 < network_->classifiers.size(); ++i)
      for (const torch::Tensor& parameter : network_->classifiers[i]->parameters()) parameters.push_back(parameter);
    return parameters;
  }

  double run_step(const Samples& batch) {
    static_cast<torch::optim::SGDOptions&>(optimizer_.param_groups()[0].options())
        .lr(learning_rate(options_.phase, step_++, steps_));
    optimizer_.zero_grad();
    const torch::Tensor loss =
        loss_of(network_->forward(augment(batch.images, options_.phase.augmentation)), batch.labels);
    loss.backward();
    optimizer_.step();
    return loss.item<double>();
  }

  torch::Tensor loss_of(const std::vector<torch::Tensor>& logits, const torch::Tensor& labels) const {
    const auto smoothing = functional::CrossEntropyFuncOptions().label_smoothing(options_.phase.label_smoothing);
    torch::Tensor sum = torch::zeros({});
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double weight = scope_.weights[scope_.weights.size() - logits.size() + i];
      if (weight == 0) continue;
      const double share = i + 1 < logits.size() ? options_.distillation : 0.0;
      torch::Tensor loss = functional::cross_entropy(logits[i], labels, smoothing) * (1.0 - share);
      if (share > 0) loss = loss + share * distillation_loss(logits[i], logits.back(), options_.temperature);
      sum = sum + weight * loss;
    }
    return sum;
  }

  ExitNetwork& network_;
  const Samples& training_;
  const ExitTraining& options_;
  const Scope scope_;
  std::int64_t steps_per_epoch_;
  std::int64_t steps_;
  torch::optim::SGD optimizer_;
  std::int64_t step_ = 0;
};

ExitPhaseLog run_phase(ExitNetwork& network, const Samples& training, const Samples& held_out,
                       const ExitTraining& options, const Scope& scope, const std::string& name, std::int64_t epochs) {
  ExitPhase phase(network, training, options, scope, epochs);
  ExitPhaseLog log{name, {}};
  for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    const double loss = phase.run_epoch();
    log.epochs.push_back({epoch, loss, count_correct(network, held_out)});
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%-6s epoch %2lld/%lld  loss %.4f  correct", name.c_str(), static_cast<long long>(epoch),
                static_cast<long long>(epochs), loss);
    for (const std::int64_t correct : log.epochs.back().held_out_correct)
      std::printf(" %lld", static_cast<long long>(correct));
    std::printf(" of %lld  %.0f s\n", static_cast<long long>(held_out.count()), seconds.count());
    std::fflush(stdout);
  }
  return log;
}

}  // namespace

std::vector<std::int64_t> count_correct(ExitNetwork& network, const Samples& samples) {
  const torch::NoGradGuard no_gradient;
  network->eval();
  std::vector<std::int64_t> correct(network->classifiers.size(), 0);
  for (std::int64_t at = 0; at < samples.count(); at += EvaluationBatch) {
    const Samples batch = samples.slice(at, std::min(at + EvaluationBatch, samples.count()));
    const std::vector<torch::Tensor> logits = network->forward(batch.images);
    for (std::size_t i = 0; i < logits.size(); ++i)
      correct[i] += logits[i].argmax(1).eq(batch.labels).sum().item<std::int64_t>();
  }
  return correct;
}

std::vector<ExitPhaseLog> train_exits(ExitNetwork& network, const Samples& training, const Samples& held_out,
                                      const ExitTraining& options) {
  if (options.weights.size() != Exits)
    throw Error(ErrorCode::Usage, "one weight per exit is expected", "exit weights",
                std::to_string(options.weights.size()), "give " + std::to_string(Exits));
  torch::manual_seed(options.phase.seed);
  std::vector<double> last(Exits, 0.0);
  last.back() = 1.0;
  if (network->classifiers.size() < Exits)
    return {run_phase(network, training, held_out, options, {last, false}, "plain", options.phase.epochs)};
  if (options.method == ExitMethod::Joint)
    return {run_phase(network, training, held_out, options, {options.weights, false}, "joint", options.phase.epochs)};
  std::vector<double> early = options.weights;
  early.back() = 0.0;
  return {run_phase(network, training, held_out, options, {last, false}, "trunk", options.phase.epochs),
          run_phase(network, training, held_out, options, {early, true}, "heads", options.head_epochs)};
}

}  // namespace espalier::trainer
