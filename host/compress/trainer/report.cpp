#include "report.hpp"

#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

#include "esp_error.hpp"

namespace espalier::trainer {
namespace {

using Json = nlohmann::ordered_json;

Json options_json(const PhaseOptions& options) {
  return {{"epochs", options.epochs},
          {"batch", options.batch},
          {"seed", options.seed},
          {"learning_rate", options.learning_rate},
          {"warmup", options.warmup},
          {"weight_decay", options.weight_decay},
          {"label_smoothing", options.label_smoothing},
          {"shift_pixels", options.augmentation.shift_pixels},
          {"rotation_degrees", options.augmentation.rotation_degrees},
          {"scale", options.augmentation.scale},
          {"sparsity", options.sparsity},
          {"sparsity_ramp", options.sparsity_ramp},
          {"prune_every", options.prune_every}};
}

Json phase_json(const PhaseLog& phase) {
  Json epochs = Json::array();
  for (const EpochLog& epoch : phase.epochs)
    epochs.push_back({{"epoch", epoch.epoch},
                      {"training_loss", epoch.training_loss},
                      {"held_out_loss", epoch.held_out_loss},
                      {"held_out_correct", epoch.held_out_correct},
                      {"zeros", epoch.sparsity}});
  return {{"name", phase.options.name},
          {"options", options_json(phase.options)},
          {"chosen_epoch", phase.best_epoch},
          {"epochs", epochs}};
}

Json score_json(const GraphScore& score) {
  return {{"correct", score.correct}, {"count", score.count}, {"accuracy", score.accuracy()}};
}

Json file_json(const FileResult& result) {
  Json layers = Json::array();
  for (const LayerDensity& layer : result.layers)
    layers.push_back({{"name", layer.name},
                      {"shape", layer.shape},
                      {"weights", layer.weights},
                      {"nonzeros", layer.nonzeros},
                      {"density", static_cast<double>(layer.nonzeros) / static_cast<double>(layer.weights)}});
  return {{"file", result.file},
          {"held_out", score_json(result.held_out)},
          {"test", score_json(result.test)},
          {"zeros", sparsity(result.layers)},
          {"layers", layers},
          {"largest_activation_held_out", result.held_out.largest_activation}};
}

}  // namespace

void write_report(const std::filesystem::path& path, const Report& report) {
  Json json{{"seed", report.seed},
            {"threads", report.threads},
            {"training_images", report.training_count},
            {"held_out_images", report.held_out_count}};
  for (const PhaseLog& phase : report.phases) json["phases"].push_back(phase_json(phase));
  for (const FileResult& result : report.files) json["files"].push_back(file_json(result));
  std::ofstream stream(path);
  stream << json.dump(2) << '\n';
  if (!stream.flush()) throw Error(ErrorCode::Input, "cannot write the file", path.string());
}

void print(const FileResult& result) {
  std::printf("%s: test %lld/%lld (%.2f %%), held-out %lld/%lld (%.2f %%), zeros %.4f\n", result.file.c_str(),
              static_cast<long long>(result.test.correct), static_cast<long long>(result.test.count),
              100.0 * result.test.accuracy(), static_cast<long long>(result.held_out.correct),
              static_cast<long long>(result.held_out.count), 100.0 * result.held_out.accuracy(),
              sparsity(result.layers));
  for (const LayerDensity& layer : result.layers)
    std::printf("  %-16s %6lld of %6lld non-zero (%.3f)\n", layer.name.c_str(), static_cast<long long>(layer.nonzeros),
                static_cast<long long>(layer.weights),
                static_cast<double>(layer.nonzeros) / static_cast<double>(layer.weights));
  std::fflush(stdout);
}

}  // namespace espalier::trainer
