// espalier_trainer: trains the digit network, prunes it with retraining and writes both as ONNX.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include <torch/torch.h>
#include <CLI/CLI.hpp>

#include "digits_export.hpp"
#include "esp_error.hpp"
#include "exit_run.hpp"
#include "graph_run.hpp"
#include "idx_file.hpp"
#include "report.hpp"
#include "training.hpp"

namespace espalier::trainer {
namespace {

constexpr const char* Examples =
    "Examples:\n"
    "  espalier_trainer --data mnist --out digits\n"
    "      trains, prunes and writes digits/digits_dense.onnx, digits_pruned.onnx, training.json and sample images\n"
    "  espalier_trainer --data mnist --out digits --sparsity 0.95 --prune-epochs 20\n"
    "      more zeros, longer retraining\n"
    "  espalier_trainer --data mnist --out digits --dense-state dense.pt --prune-epochs 20\n"
    "      keeps the dense network in dense.pt; when the file is there, only the pruning is done again\n"
    "  espalier_trainer --data mnist --out trial --training-limit 6000 --dense-epochs 1 --prune-epochs 1\n"
    "      a trial run of about half a minute\n"
    "  espalier_trainer --data mnist --out digits --exits joint --states states\n"
    "      trains the network with exits and the one without, for three seeds, and writes digits/digits_exits.onnx\n"
    "\n"
    "The data folder holds the four MNIST files, unpacked: train-images-idx3-ubyte, train-labels-idx1-ubyte,\n"
    "t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte.\n";

struct Options {
  std::string exits;  // joint, staged; empty: the network without exits
  ExitRun exit_run;
  std::filesystem::path data;
  std::filesystem::path out;
  std::filesystem::path dense_state;
  std::uint64_t seed = 2;
  int threads = 2;
  std::int64_t training_limit = 60000;
  std::int64_t held_out = 5000;
  std::uint32_t sample_images = 100;
  PhaseOptions dense{.name = "dense", .epochs = 10, .learning_rate = 0.1};
  PhaseOptions pruned{.name = "pruned", .epochs = 14, .learning_rate = 0.05, .weight_decay = 1e-4, .sparsity = 0.915};
};

// The dense phase, or its result from an earlier run.
std::vector<PhaseLog> train_dense(DigitNetwork& network, const Samples& training, const Samples& held_out,
                                  const Options& options) {
  if (!options.dense_state.empty() && std::filesystem::exists(options.dense_state)) {
    std::vector<torch::Tensor> state;
    torch::load(state, options.dense_state.string());
    restore(network, state);
    std::printf("dense network taken from %s\n", options.dense_state.c_str());
    return {};
  }
  const PhaseLog log = train(network, training, held_out, options.dense);
  if (!options.dense_state.empty()) torch::save(snapshot(network), options.dense_state.string());
  return {log};
}

FileResult measure(const Options& options, const std::string& file, const Samples& held_out, const Samples& test) {
  const Graph graph = read_onnx(options.out / file);
  return {file, score_graph(graph, held_out), score_graph(graph, test), graph_densities(graph)};
}

void write_sample_images(const Options& options) {
  const IdxFile images = read_idx(options.data / "t10k-images-idx3-ubyte");
  const IdxFile labels = read_idx(options.data / "t10k-labels-idx1-ubyte");
  write_idx(options.out / "images.idx3-ubyte", first(images, options.sample_images));
  write_idx(options.out / "labels.idx1-ubyte", first(labels, options.sample_images));
}

void run(const Options& options) {
  torch::set_num_threads(options.threads);
  std::filesystem::create_directories(options.out);
  const Samples all = load_samples(options.data, "train");
  if (options.held_out >= all.count())
    throw Error(ErrorCode::Usage, "more images held out than there are", "--held-out",
                std::to_string(options.held_out));
  const Samples held_out = all.slice(all.count() - options.held_out, all.count());
  const Samples training = all.slice(0, std::min(options.training_limit, all.count() - options.held_out));
  std::printf("seed %llu, %lld training images, %lld held out\n", static_cast<unsigned long long>(options.seed),
              static_cast<long long>(training.count()), static_cast<long long>(held_out.count()));

  torch::manual_seed(options.seed);
  DigitNetwork network;
  Report report{options.seed, options.threads, training.count(), held_out.count(), {}, {}};
  report.phases = train_dense(network, training, held_out, options);
  write_onnx(options.out / "digits_dense.onnx", digits_graph(network));
  report.phases.push_back(train(network, training, held_out, options.pruned));
  write_onnx(options.out / "digits_pruned.onnx", digits_graph(network));
  write_sample_images(options);

  // The test images are read here for the first time: nothing above depends on them.
  const Samples test = load_samples(options.data, "t10k");
  for (const char* file : {"digits_dense.onnx", "digits_pruned.onnx"}) {
    report.files.push_back(measure(options, file, held_out, test));
    print(report.files.back());
  }
  write_report(options.out / "training.json", report);
}

/// Of the network with exits; data, seed, threads and numbers of images are those of the other.
void add_exit_options(CLI::App& app, Options& options) {
  ExitRun& run = options.exit_run;
  app.add_option("--exits", options.exits, "train the network with exits: all at once, or classifiers after the rest")
      ->check(CLI::IsMember({"joint", "staged"}));
  app.add_option("--states", run.states, "with --exits: folder that keeps trained networks between runs");
  app.add_flag("--only-train", run.only_train, "with --states: stop before the test images are read");
  app.add_option("--seeds", run.seeds, "with --exits: how many seeds, from --seed on")->check(CLI::Range(1, 100));
  app.add_option("--exit-epochs", run.training.phase.epochs, "with --exits: epochs")->check(CLI::PositiveNumber);
  app.add_option("--head-epochs", run.training.head_epochs, "with --exits staged: epochs of the early classifiers")
      ->check(CLI::PositiveNumber);
  app.add_option("--exit-weights", run.training.weights, "with --exits: of the exits in the loss")
      ->expected(static_cast<int>(Exits));
  app.add_option("--distillation", run.training.distillation,
                 "with --exits: share of an early exit's loss that comes from the last exit")
      ->check(CLI::Range(0.0, 1.0));
}

void run_with_exits(const Options& options) {
  ExitRun run = options.exit_run;
  run.data = options.data;
  run.out = options.out;
  run.seed = options.seed;
  run.threads = options.threads;
  run.training_limit = options.training_limit;
  run.held_out = options.held_out;
  run.training.method = options.exits == "joint" ? ExitMethod::Joint : ExitMethod::Staged;
  run_exits(run);
}

void add_options(CLI::App& app, Options& options) {
  app.add_option("--data", options.data, "folder of the MNIST IDX files")->required()->check(CLI::ExistingDirectory);
  app.add_option("--out", options.out, "folder for the results; made if missing")->required();
  app.add_option("--dense-state", options.dense_state, "file that keeps the dense network between runs");
  app.add_option("--seed", options.seed,
                 "seed of the initial weights and of the dense phase; pruning uses the next one");
  app.add_option("--threads", options.threads, "threads of libtorch")->check(CLI::PositiveNumber);
  app.add_option("--training-limit", options.training_limit, "use at most this many training images")
      ->check(CLI::PositiveNumber);
  app.add_option("--held-out", options.held_out, "last training images, kept out to choose the epoch")
      ->check(CLI::PositiveNumber);
  app.add_option("--sample-images", options.sample_images, "first test images to write out")
      ->check(CLI::Range(1, 10000));
  app.add_option("--dense-epochs", options.dense.epochs, "epochs of the dense phase")->check(CLI::PositiveNumber);
  app.add_option("--dense-learning-rate", options.dense.learning_rate, "its largest learning rate")
      ->check(CLI::PositiveNumber);
  app.add_option("--prune-epochs", options.pruned.epochs, "epochs of the pruning phase")->check(CLI::PositiveNumber);
  app.add_option("--prune-learning-rate", options.pruned.learning_rate, "its largest learning rate")
      ->check(CLI::PositiveNumber);
  app.add_option("--sparsity", options.pruned.sparsity, "zeros among all convolution and fully connected weights")
      ->check(CLI::Range(0.01, 0.99));
  app.add_option("--sparsity-ramp", options.pruned.sparsity_ramp, "share of the pruning phase in which the zeros rise")
      ->check(CLI::Range(0.0, 1.0));
}

}  // namespace
}  // namespace espalier::trainer

int main(int argc, char** argv) {
  using namespace espalier::trainer;
  Options options;
  CLI::App app("Trains a residual digit classifier on MNIST, prunes it with retraining, writes both as ONNX.",
               "espalier_trainer");
  app.footer(Examples);
  app.option_defaults()->always_capture_default();
  add_options(app, options);
  add_exit_options(app, options);
  CLI11_PARSE(app, argc, argv);
  options.dense.seed = options.seed;
  options.pruned.seed = options.seed + 1;
  try {
    options.exits.empty() ? run(options) : run_with_exits(options);
  } catch (const c10::Error& failure) {
    std::cerr << "error: " << failure.what_without_backtrace() << '\n';
    return 1;
  } catch (const std::exception& failure) {
    std::cerr << "error: " << failure.what() << '\n';
    return 1;
  }
}
