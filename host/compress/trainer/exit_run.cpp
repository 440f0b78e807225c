#include "exit_run.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

#include "digits_export.hpp"
#include "esp_error.hpp"
#include "graph_run.hpp"
#include "idx_file.hpp"

namespace espalier::trainer {
namespace {

using Json = nlohmann::ordered_json;

const char* to_string(ExitMethod method) { return method == ExitMethod::Joint ? "joint" : "staged"; }

Json logs_json(const std::vector<ExitPhaseLog>& phases) {
  Json json = Json::array();
  for (const ExitPhaseLog& phase : phases) {
    Json epochs = Json::array();
    for (const ExitEpochLog& epoch : phase.epochs)
      epochs.push_back({{"epoch", epoch.epoch},
                        {"training_loss", epoch.training_loss},
                        {"held_out_correct", epoch.held_out_correct}});
    json.push_back({{"name", phase.name}, {"epochs", epochs}});
  }
  return json;
}

Json options_json(const ExitTraining& training) {
  const PhaseOptions& phase = training.phase;
  return {{"method", to_string(training.method)},
          {"epochs", phase.epochs},
          {"head_epochs", training.method == ExitMethod::Staged ? training.head_epochs : 0},
          {"batch", phase.batch},
          {"learning_rate", phase.learning_rate},
          {"warmup", phase.warmup},
          {"weight_decay", phase.weight_decay},
          {"label_smoothing", phase.label_smoothing},
          {"shift_pixels", phase.augmentation.shift_pixels},
          {"rotation_degrees", phase.augmentation.rotation_degrees},
          {"scale", phase.augmentation.scale},
          {"exit_weights", training.weights},
          {"distillation", training.distillation},
          {"temperature", training.temperature}};
}

/// A network of one seed, trained or taken from its file.
struct Trained {
  std::string name;
  ExitNetwork network;
  Json phases;
  std::uint64_t seed;
};

Trained train_one(const ExitRun& options, ExitHeads heads, std::uint64_t seed, const Samples& training,
                  const Samples& held_out) {
  torch::manual_seed(seed);
  const std::string name = heads == ExitHeads::All ? to_string(options.training.method) : std::string("plain");
  Trained trained{name, ExitNetwork(heads), Json::array(), seed};
  const std::string file = name + "_" + std::to_string(seed);
  const std::filesystem::path state = options.states / (file + ".pt"), record = options.states / (file + ".json");
  if (!options.states.empty() && std::filesystem::exists(state)) {
    std::vector<torch::Tensor> tensors;
    torch::load(tensors, state.string());
    restore(trained.network, tensors);
    std::ifstream(record) >> trained.phases;
    std::printf("%s, seed %llu: taken from %s\n", name.c_str(), static_cast<unsigned long long>(seed), state.c_str());
    return trained;
  }
  std::printf("%s, seed %llu\n", name.c_str(), static_cast<unsigned long long>(seed));
  ExitTraining phase = options.training;
  phase.phase.seed = seed;
  trained.phases = logs_json(train_exits(trained.network, training, held_out, phase));
  if (!options.states.empty()) {
    std::filesystem::create_directories(options.states);
    std::ofstream(record) << trained.phases;
    torch::save(snapshot(trained.network), state.string());
  }
  return trained;
}

std::string file_of(const Trained& trained, std::uint64_t first_seed) {
  if (trained.name != "plain" && trained.seed == first_seed) return "digits_exits.onnx";
  return "exits_" + trained.name + "_" + std::to_string(trained.seed) + ".onnx";
}

/// Read back and measured.
Json measure(const ExitRun& options, const Trained& trained, const Samples& held_out, const Samples& test) {
  const std::string file = file_of(trained, options.seed);
  const Graph graph = read_onnx(options.out / file);
  const GraphScore held = score_graph(graph, held_out);
  const GraphScore seen = score_graph(graph, test);
  std::printf("%-24s held-out", file.c_str());
  for (const std::int64_t correct : held.correct_per_output) std::printf(" %lld", static_cast<long long>(correct));
  std::printf(" of %lld, test", static_cast<long long>(held.count));
  for (const std::int64_t correct : seen.correct_per_output) std::printf(" %lld", static_cast<long long>(correct));
  std::printf(" of %lld\n", static_cast<long long>(seen.count));
  return {{"file", file},
          {"seed", trained.seed},
          {"held_out_correct", held.correct_per_output},
          {"test_correct", seen.correct_per_output},
          {"phases", trained.phases}};
}

double mean_of_last(const Json& networks, std::size_t from, std::size_t step) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = from; i < networks.size(); i += step, ++count)
    sum += networks[i]["test_correct"].back().get<double>();
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace

Samples load_samples(const std::filesystem::path& folder, const std::string& prefix) {
  const IdxFile images = read_idx(folder / (prefix + "-images-idx3-ubyte"));
  const IdxFile labels = read_idx(folder / (prefix + "-labels-idx1-ubyte"));
  if (images.sizes.size() != 3 || images.sizes[1] != 28 || images.sizes[2] != 28)
    throw Error(ErrorCode::Input, "not N x 28 x 28", prefix + " images");
  if (labels.sizes.size() != 1 || labels.sizes[0] != images.sizes[0])
    throw Error(ErrorCode::Input, "not one per image", prefix + " labels");
  if (std::ranges::any_of(labels.bytes, [](std::uint8_t label) { return label > 9; }))
    throw Error(ErrorCode::Input, "not all digits", prefix + " labels");
  const torch::Tensor pixels = torch::tensor(images.bytes, torch::kUInt8).view({images.sizes[0], 1, 28, 28});
  return {pixels.to(torch::kFloat32).div(255.0), torch::tensor(labels.bytes, torch::kUInt8).to(torch::kLong)};
}

void run_exits(const ExitRun& options) {
  torch::set_num_threads(options.threads);
  std::filesystem::create_directories(options.out);
  const Samples all = load_samples(options.data, "train");
  if (options.held_out >= all.count())
    throw Error(ErrorCode::Usage, "more images held out than there are", "--held-out",
                std::to_string(options.held_out));
  const Samples held_out = all.slice(all.count() - options.held_out, all.count());
  const Samples training = all.slice(0, std::min(options.training_limit, all.count() - options.held_out));
  std::vector<Trained> networks;
  for (std::int64_t i = 0; i < options.seeds; ++i) {
    const std::uint64_t seed = options.seed + static_cast<std::uint64_t>(i);
    for (const ExitHeads heads : {ExitHeads::All, ExitHeads::Last}) {
      Trained& trained = networks.emplace_back(train_one(options, heads, seed, training, held_out));
      write_onnx(options.out / file_of(trained, options.seed), exits_graph(trained.network));
    }
  }
  if (options.only_train) return;

  // The test images are read here for the first time: nothing above depends on them.
  const Samples test = load_samples(options.data, "t10k");
  Json json{{"options", options_json(options.training)},
            {"threads", options.threads},
            {"training_images", training.count()},
            {"held_out_images", held_out.count()},
            {"networks", Json::array()}};
  for (const Trained& trained : networks) json["networks"].push_back(measure(options, trained, held_out, test));
  const double with = mean_of_last(json["networks"], 0, 2);
  const double without = mean_of_last(json["networks"], 1, 2);
  json["mean_test_correct"] = {{"last_exit", with}, {"without_exits", without}};
  std::printf("last exit, mean of %lld seeds: %.2f of %lld with exits, %.2f without\n",
              static_cast<long long>(options.seeds), with, static_cast<long long>(test.count()), without);
  std::ofstream stream(options.out / "exits_training.json");
  stream << json.dump(2) << '\n';
  if (!stream.flush()) throw Error(ErrorCode::Input, "cannot write the file", "exits_training.json");
}

}  // namespace espalier::trainer
