#include "bench_levers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>

#include "commands.hpp"
#include "compile/compile.hpp"
#include "cpu/fast.hpp"
#include "esp_error.hpp"
#include "executable_path.hpp"
#include "files.hpp"
#include "idx.hpp"
#include "model/layer_text.hpp"
#include "model_loader.hpp"
#include "plan/policy/frame_filter.hpp"
#include "plan/policy/model_choice.hpp"
#include "plan/policy/result_cache.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

constexpr int Requests = 1000;
constexpr std::size_t Digits = 100;
constexpr int Scene = 20;  // frames that an image stays
constexpr double Megahertz = 300;
constexpr float Noise = 0.02F;

struct LeverOptions {
  ModelOptions model;
  std::string folder = shipped_file("digits").string();
  std::uint64_t seed = 1;
};

/// The shipped images as a stream, and the answers of a network to it.
class Stream {
 public:
  Stream(const LeverOptions& options, const QuantisedModel& model) : model_(model), executor_(model.network) {
    const std::filesystem::path folder(options.folder);
    const model::Array pixels = parse_idx(read_file(folder / "images.idx3-ubyte"), "images");
    const model::Array truths = parse_idx(read_file(folder / "labels.idx1-ubyte"), "labels");
    const std::vector<std::int64_t> levels = pixels.as_integers();
    labels_ = truths.as_integers();
    const auto size = static_cast<std::size_t>(pixels.shape.at(1) * pixels.shape.at(2));
    for (std::size_t i = 0; i < std::min(Digits, labels_.size()); ++i) {
      std::vector<float>& image = images_.emplace_back();
      for (std::size_t p = 0; p < size; ++p) image.push_back(static_cast<float>(levels[i * size + p]) / 255.0F);
    }
  }

  std::size_t count() const { return images_.size(); }

  /// An image with uniform noise of at most `noise`.
  std::vector<float> frame(std::size_t image, float noise, std::mt19937_64& random) const {
    std::vector<float> values = images_[image];
    for (float& value : values) {
      const float unit = static_cast<float>(random() >> 40) / 16777216.0F;
      value = std::clamp(value + noise * (2 * unit - 1), 0.0F, 1.0F);
    }
    return values;
  }

  std::int64_t answer(const std::vector<float>& frame) const {
    const std::vector<cpu::Tensor> features =
        executor_.run(std::vector<cpu::Tensor>{compress::to_int8(model_.ports.inputs[0], frame)});
    const cpu::Tensor& logits = features[static_cast<std::size_t>(model_.network.outputs[0])];
    return std::max_element(logits.begin(), logits.end()) - logits.begin();
  }

  std::int64_t label(std::size_t image) const { return labels_[image]; }

 private:
  const QuantisedModel& model_;
  cpu::FastExecutor executor_;
  std::vector<std::vector<float>> images_;
  std::vector<std::int64_t> labels_;
};

/// One row: how much was computed, how many answers are those of computing all, how many are right.
struct Row {
  std::string lever, setting;
  int frames = 0, computed = 0, same = 0, right = 0;
  std::string note;
};

/// Requests for images of which some are asked for far more often than others.
Row cache_row(const Stream& stream, float step, std::size_t bytes, std::uint64_t seed) {
  Row row{"result cache", fmt::format("step {}, {} kB", step, bytes / 1000), Requests, 0, 0, 0, {}};
  plan::ResultCache cache(bytes);
  std::mt19937_64 random(seed);
  std::size_t most = 0;
  for (int i = 0; i < Requests; ++i) {
    const auto unit = static_cast<double>(random() >> 11) * 0x1p-53;
    const auto image = static_cast<std::size_t>(unit * unit * unit * static_cast<double>(stream.count()));
    const std::vector<float> frame = stream.frame(image, step > 0 ? Noise : 0, random);
    const std::int64_t computed = stream.answer(frame);
    const plan::SimilarityKey key = plan::similarity_key(frame, {.step = step, .cells = 49});
    const plan::CachedResult* found = cache.find("digits", key);
    const std::int64_t answer = found != nullptr ? static_cast<std::int64_t>(found->front()) : computed;
    if (found == nullptr) {
      ++row.computed;
      cache.put("digits", key, {static_cast<float>(computed)});
    }
    most = std::max(most, cache.bytes());
    row.same += answer == computed ? 1 : 0;
    row.right += answer == stream.label(image) ? 1 : 0;
  }
  row.note = fmt::format("at most {} bytes held", most);
  return row;
}

/// A camera: every image stays for a while, with noise.
Row filter_row(const Stream& stream, float threshold, std::uint64_t seed) {
  Row row{"frame filter", fmt::format("threshold {}", threshold), Requests, 0, 0, 0, {}};
  std::mt19937_64 random(seed);
  plan::FrameFilter state;
  std::int64_t last = -1;
  for (int i = 0; i < Requests; ++i) {
    const std::size_t image = static_cast<std::size_t>(i / Scene) % stream.count();
    const std::vector<float> frame = stream.frame(image, Noise, random);
    const std::int64_t computed = stream.answer(frame);
    plan::FrameDecision decision = plan::filter_frame({.threshold = threshold, .cells = 49}, std::move(state), frame);
    state = std::move(decision.state);
    if (decision.action == plan::FrameAction::Infer) {
      ++row.computed;
      last = computed;
    }
    row.same += last == computed ? 1 : 0;
    row.right += last == stream.label(image) ? 1 : 0;
  }
  row.note = fmt::format("an image stays {} frames", Scene);
  return row;
}

plan::Nanoseconds nanoseconds(std::uint64_t cycles) {
  return static_cast<plan::Nanoseconds>(static_cast<double>(cycles) * 1000 / Megahertz);
}

/// Deadlines around the bounds of two models: who is asked, and how many are in time.
std::vector<Row> choice_rows(const Stream& pruned, const Stream& dense, plan::Nanoseconds fast, plan::Nanoseconds slow,
                             std::uint64_t seed) {
  std::vector<Row> rows;
  for (const char* policy : {"pruned alone", "dense alone", "chosen"}) {
    Row row{"model choice", policy, Requests, 0, 0, 0, {}};
    std::mt19937_64 random(seed);
    for (int i = 0; i < Requests; ++i) {
      const std::size_t image = static_cast<std::size_t>(i) % pruned.count();
      const std::vector<float> frame = pruned.frame(image, Noise, random);
      const auto unit = static_cast<double>(random() >> 11) * 0x1p-53;
      const auto time = fast + static_cast<plan::Nanoseconds>(unit * 2 * static_cast<double>(slow - fast));
      std::optional<std::size_t> model = row.setting == "dense alone" ? 1 : 0;
      if (row.setting == "chosen")
        model = plan::choose_model({{fast, 9947, {}, 0}, {slow, 9953, {}, 0}}, {.time = time, .difficulty = {}});
      if (!model || (*model == 1 ? slow : fast) > time) continue;
      ++row.computed;
      const std::int64_t answer = (*model == 1 ? dense : pruned).answer(frame);
      row.same += answer == dense.answer(frame) ? 1 : 0;
      row.right += answer == pruned.label(image) ? 1 : 0;
    }
    row.note = fmt::format("in time {}; bounds {} and {} ns", row.computed, fast, slow);
    rows.push_back(row);
  }
  return rows;
}

/// A link whose rate changes: frames at one resolution, or at the one that the policy takes.
Row rate_row(const std::string& setting, const std::vector<plan::RateLevel>& levels, bool adaptive,
             std::uint64_t seed) {
  Row row{"resolution and rate", setting, 0, 0, 0, 0, {}};
  const plan::RateSettings settings{levels, 20};
  plan::RateState state{adaptive ? 0 : levels.size() - 1, 0};
  std::mt19937_64 random(seed);
  std::int64_t rate = 4'000'000, pixels = 0;
  plan::Nanoseconds now = 0, changes = 0;
  constexpr plan::Nanoseconds Second = 1'000'000'000, End = 60 * Second;
  while (now < End) {
    if (now >= changes) {
      rate = std::int64_t{250'000} << (random() % 6);
      changes = now + Second;
    }
    const plan::RateLevel& level = levels[state.level];
    const plan::Nanoseconds took = level.bound + level.bytes * Second / rate;
    ++row.frames;
    if (took <= level.interval) {
      ++row.computed;
      pixels += level.bytes;
    }
    if (adaptive) state = plan::adapt_rate(settings, state, {took, rate}).state;
    now += std::max(level.interval, took);
  }
  row.same = row.right = row.computed;
  row.note =
      fmt::format("{} late, {:.1f} Mpixel/s in time", row.frames - row.computed, static_cast<double>(pixels) / 60e6);
  return row;
}

std::vector<plan::RateLevel> rate_levels(const abi::Configuration& array) {
  std::vector<plan::RateLevel> levels;
  for (const int size : {32, 64, 128}) {
    const model::Network network = model::parse_layer(fmt::format("conv ic3 ih{0} iw{0} oc8 kh3 kw3 ph1 pw1", size));
    const auto cycles = static_cast<std::uint64_t>(compile::compile(network, array).total_cycles);
    levels.push_back({nanoseconds(cycles), 40'000'000, std::int64_t{3} * size * size});
  }
  return levels;
}

void execute(const LeverOptions& options, Console& console) {
  const CompileSettings settings = parse_compile_settings(options.model);
  std::map<std::string, QuantisedModel> models;
  std::map<std::string, plan::Nanoseconds> bounds;
  for (const char* name : {"digits_pruned_int8.onnx", "digits_dense_int8.onnx"}) {
    ModelOptions source;
    source.path = (std::filesystem::path(options.folder) / name).string();
    models[name] = import_model(source, {}, console);
    bounds[name] =
        nanoseconds(static_cast<std::uint64_t>(compile_model(models[name], settings, console).compiled.total_cycles));
  }
  const QuantisedModel &pruned = models["digits_pruned_int8.onnx"], &dense = models["digits_dense_int8.onnx"];
  const Stream stream(options, pruned), other(options, dense);
  console.progress("answering");
  std::vector<Row> rows{
      cache_row(stream, 0, 1'000'000, options.seed), cache_row(stream, 0.05F, 1'000'000, options.seed),
      cache_row(stream, 0.2F, 1'000'000, options.seed), cache_row(stream, 0.05F, 8'000, options.seed)};
  for (const float threshold : {0.0F, 0.02F, 0.1F, 0.3F}) rows.push_back(filter_row(stream, threshold, options.seed));
  for (Row& row :
       choice_rows(stream, other, bounds["digits_pruned_int8.onnx"], bounds["digits_dense_int8.onnx"], options.seed))
    rows.push_back(std::move(row));
  const std::vector<plan::RateLevel> levels = rate_levels(settings.array.value_or(abi::Array16x16));
  rows.push_back(rate_row("always 128x128", levels, false, options.seed));
  rows.push_back(rate_row("always 32x32", {levels.front()}, false, options.seed));
  rows.push_back(rate_row("adapted", levels, true, options.seed));

  Json json = document("bench levers");
  json["rows"] = Json::array();
  Table table({{"lever", Align::Left},
               {"setting", Align::Left},
               {"frames"},
               {"computed"},
               {"as if all"},
               {"right"},
               {"note", Align::Left}});
  for (const Row& row : rows) {
    const double all = row.frames;
    json["rows"].push_back({{"lever", row.lever},
                            {"setting", row.setting},
                            {"frames", row.frames},
                            {"computed", row.computed},
                            {"same", row.same},
                            {"right", row.right},
                            {"note", row.note}});
    table.add({row.lever, row.setting, std::to_string(row.frames), percent(row.computed / all), percent(row.same / all),
               percent(row.right / all), row.note});
  }
  console.report(json, table.text());
}

}  // namespace

void add_bench_levers(CLI::App& bench, Console& console) {
  CLI::App* command = bench.add_subcommand("levers", "what cache, filter, model choice and rate adaptation save");
  const auto options = std::make_shared<LeverOptions>();
  command->add_option("--digits", options->folder, "folder of the shipped digits")->capture_default_str();
  command->add_option("--seed", options->seed, "of the streams")->capture_default_str();
  add_array_options(*command, options->model);
  add_console_options(*command, console);
  command->footer("Examples:\n  espalier bench levers\n  espalier bench levers --array 8x8 --json");
  command->callback([options, &console] { execute(*options, console); });
}

}  // namespace espalier::tools
