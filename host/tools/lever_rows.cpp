#include "lever_rows.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <random>

#include "cpu/fast.hpp"
#include "esp_error.hpp"
#include "files.hpp"
#include "idx.hpp"
#include "plan/policy/frame_filter.hpp"
#include "plan/policy/model_choice.hpp"
#include "plan/policy/result_cache.hpp"

namespace espalier::tools {
namespace {

constexpr int Scene = 20;  // frames that an image stays
constexpr float Noise = 0.02F;
constexpr int Side = 28;  // pixels of a digit

using Clock = std::chrono::steady_clock;

/// The shipped images as a stream, and the answers of a network to it.
class Stream {
 public:
  Stream(const LeverInput& input, const QuantisedModel& model) : model_(model), executor_(model.network) {
    const model::Array pixels = parse_idx(read_file(input.images), "images");
    const model::Array truths = parse_idx(read_file(input.labels), "labels");
    const std::vector<std::int64_t> levels = pixels.as_integers();
    labels_ = truths.as_integers();
    if (pixels.shape.size() != 3 || pixels.shape[1] != Side || pixels.shape[2] != Side || labels_.empty() ||
        pixels.shape[0] != static_cast<std::int64_t>(labels_.size()))
      throw Error(ErrorCode::Input, "not one label for every image of 28x28", input.images.string(),
                  std::to_string(labels_.size()) + " labels");
    const auto size = static_cast<std::size_t>(pixels.shape.at(1) * pixels.shape.at(2));
    for (std::size_t i = 0; i < labels_.size(); ++i) {
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

std::string host_time(Clock::duration all, int frames) {
  return fmt::format("{:.1f} us of the host per frame",
                     std::chrono::duration<double, std::micro>(all).count() / frames);
}

struct CacheSetting {
  float noise = Noise;
  float step = 0;
  std::size_t bytes = 0;  // 0: no cache
};

/// Requests for images of which some are asked for far more often than others.
LeverRow cache_row(const Stream& stream, const CacheSetting& setting, const LeverInput& input) {
  LeverRow row{"result cache",
               setting.bytes == 0 ? "off" : fmt::format("step {}, {} kB", setting.step, setting.bytes / 1000),
               input.requests,
               0,
               0,
               0,
               0,
               {}};
  if (setting.noise == 0) row.setting += ", no noise";
  plan::ResultCache cache(std::max<std::size_t>(setting.bytes, 1));
  std::mt19937_64 random(input.seed);
  std::size_t most = 0;
  Clock::duration spent{};
  for (int i = 0; i < input.requests; ++i) {
    const auto unit = static_cast<double>(random() >> 11) * 0x1p-53;
    const auto image = static_cast<std::size_t>(unit * unit * unit * static_cast<double>(stream.count()));
    const std::vector<float> frame = stream.frame(image, setting.noise, random);
    const std::int64_t computed = stream.answer(frame);
    std::int64_t answer = computed;
    bool known = false;
    if (setting.bytes > 0) {
      const Clock::time_point begin = Clock::now();
      const plan::SimilarityKey key = plan::similarity_key(frame, {.step = setting.step, .cells = 49});
      const plan::CachedResult* found = cache.find("digits", key);
      known = found != nullptr;
      if (known) answer = static_cast<std::int64_t>(found->front());
      if (!known) cache.put("digits", key, {static_cast<float>(computed)});
      spent += Clock::now() - begin;
      most = std::max(most, cache.bytes());
    }
    row.computed += known ? 0 : 1;
    row.same += answer == computed ? 1 : 0;
    row.right += answer == stream.label(image) ? 1 : 0;
  }
  row.time = input.fast_bound * row.computed;
  if (setting.bytes > 0) row.note = fmt::format("at most {} bytes held, {}", most, host_time(spent, input.requests));
  return row;
}

/// A camera: every image stays for a while, with noise. Without a threshold every frame is computed.
LeverRow filter_row(const Stream& stream, std::optional<float> threshold, const LeverInput& input) {
  LeverRow row{
      "frame filter", threshold ? fmt::format("threshold {}", *threshold) : "off", input.requests, 0, 0, 0, 0, {}};
  std::mt19937_64 random(input.seed);
  plan::FrameFilter state;
  std::int64_t last = -1;
  Clock::duration spent{};
  for (int i = 0; i < input.requests; ++i) {
    const std::size_t image = static_cast<std::size_t>(i / Scene) % stream.count();
    const std::vector<float> frame = stream.frame(image, Noise, random);
    const std::int64_t computed = stream.answer(frame);
    bool infer = true;
    if (threshold) {
      const Clock::time_point begin = Clock::now();
      plan::FrameDecision decision =
          plan::filter_frame({.threshold = *threshold, .cells = 49}, std::move(state), frame);
      spent += Clock::now() - begin;
      state = std::move(decision.state);
      infer = decision.action == plan::FrameAction::Infer;
    }
    if (infer) {
      ++row.computed;
      last = computed;
    }
    row.same += last == computed ? 1 : 0;
    row.right += last == stream.label(image) ? 1 : 0;
  }
  row.time = input.fast_bound * row.computed;
  row.note = fmt::format("an image stays {} frames", Scene);
  if (threshold) row.note += ", " + host_time(spent, input.requests);
  return row;
}

/// Deadlines around the bounds of two models: who is asked, and how many are in time.
std::vector<LeverRow> choice_rows(const Stream& pruned, const Stream& dense, const LeverInput& input) {
  std::vector<LeverRow> rows;
  for (const char* policy : {"pruned alone", "dense alone", "chosen"}) {
    const plan::Nanoseconds fast = input.fast_bound, slow = input.slow_bound;
    LeverRow row{"model choice", policy, input.requests, 0, 0, 0, 0, {}};
    std::mt19937_64 random(input.seed);
    for (int i = 0; i < input.requests; ++i) {
      const std::size_t image = static_cast<std::size_t>(i) % pruned.count();
      const std::vector<float> frame = pruned.frame(image, Noise, random);
      const auto unit = static_cast<double>(random() >> 11) * 0x1p-53;
      const auto time = fast + static_cast<plan::Nanoseconds>(unit * 2 * static_cast<double>(slow - fast));
      std::optional<std::size_t> model = row.setting == "dense alone" ? 1 : 0;
      if (row.setting == "chosen")
        model = plan::choose_model({{fast, 9947, {}, 0}, {slow, 9953, {}, 0}}, {.time = time, .difficulty = {}});
      const plan::Nanoseconds bound = model == std::size_t{1} ? slow : fast;
      if (!model || bound > time) continue;
      ++row.computed;
      row.time += bound;
      const std::int64_t answer = (*model == 1 ? dense : pruned).answer(frame);
      row.same += answer == dense.answer(frame) ? 1 : 0;
      row.right += answer == pruned.label(image) ? 1 : 0;
    }
    row.note = fmt::format("in time {}; bounds {} and {} ns", row.computed, fast, slow);
    rows.push_back(row);
  }
  return rows;
}

/// What a frame is sent as: one value for every block of pixels, at most once in an interval.
struct Quality {
  int block = 1;
  plan::RateLevel level;
};

/// From the cheapest to the best.
std::vector<Quality> qualities(plan::Nanoseconds bound) {
  constexpr plan::Nanoseconds Fast = 40'000'000, Slow = 80'000'000;
  const auto bytes = [](int block) { return std::int64_t{Side / block} * (Side / block); };
  return {{2, {bound, Slow, bytes(2)}}, {2, {bound, Fast, bytes(2)}}, {1, {bound, Fast, bytes(1)}}};
}

/// The frame as a receiver sees it: the mean of every block in all its pixels.
std::vector<float> in_blocks(const std::vector<float>& frame, int block) {
  std::vector<float> result(frame.size());
  const auto at = [](int row, int column) { return static_cast<std::size_t>(row * Side + column); };
  for (int row = 0; row < Side; ++row)
    for (int column = 0; column < Side; ++column) {
      float sum = 0;
      for (int y = 0; y < block; ++y)
        for (int x = 0; x < block; ++x) sum += frame[at(row / block * block + y, column / block * block + x)];
      result[at(row, column)] = sum / static_cast<float>(block * block);
    }
  return result;
}

/// A camera behind a link whose rate changes, for a minute per 1000 requests: frames at one quality, or at the one that
/// the policy takes. A late answer is not counted.
LeverRow rate_row(const Stream& stream, const std::string& setting, const std::vector<Quality>& choice,
                  const LeverInput& input) {
  LeverRow row{"resolution and rate", setting, 0, 0, 0, 0, 0, {}};
  plan::RateSettings settings{{}, 20};
  for (const Quality& one : choice) settings.levels.push_back(one.level);
  plan::RateState state;
  std::mt19937_64 random(input.seed), noise(input.seed);
  std::int64_t rate = 0;
  plan::Nanoseconds now = 0, changes = 0;
  constexpr plan::Nanoseconds Second = 1'000'000'000, PerRequest = 60'000'000;
  const plan::Nanoseconds end = input.requests * PerRequest;
  while (now < end) {
    if (now >= changes) {
      rate = std::int64_t{4'000} << (random() % 6);
      changes = now + Second;
    }
    const Quality& quality = choice[state.level];
    const plan::Nanoseconds took = quality.level.bound + quality.level.bytes * Second / rate;
    const auto image = static_cast<std::size_t>(now / Second) % stream.count();
    ++row.frames;
    row.time += took;
    if (took <= quality.level.interval) {
      const std::vector<float> frame = stream.frame(image, Noise, noise);
      const std::int64_t answer = stream.answer(in_blocks(frame, quality.block));
      ++row.computed;
      row.same += answer == stream.answer(frame) ? 1 : 0;
      row.right += answer == stream.label(image) ? 1 : 0;
    }
    state = plan::adapt_rate(settings, state, {took, rate}).state;
    now += std::max(quality.level.interval, took);
  }
  row.note = fmt::format("{} late, {:.1f} right answers per second", row.frames - row.computed,
                         static_cast<double>(row.right) * Second / static_cast<double>(end));
  return row;
}

}  // namespace

std::vector<LeverRow> lever_rows(const LeverInput& input) {
  const Stream stream(input, *input.fast), other(input, *input.slow);
  std::vector<LeverRow> rows;
  for (const CacheSetting& setting : {CacheSetting{},
                                      {Noise, 0.05F, 1'000'000},
                                      {Noise, 0.2F, 1'000'000},
                                      {Noise, 0.8F, 1'000'000},
                                      {Noise, 0.05F, 8'000},
                                      {0, 0, 0},
                                      {0, 0, 1'000'000}})
    rows.push_back(cache_row(stream, setting, input));
  rows.push_back(filter_row(stream, std::nullopt, input));
  for (const float threshold : {0.1F, 0.3F, 0.6F}) rows.push_back(filter_row(stream, threshold, input));
  for (LeverRow& row : choice_rows(stream, other, input)) rows.push_back(std::move(row));
  const std::vector<Quality> all = qualities(input.fast_bound);
  rows.push_back(rate_row(stream, "always 28x28, 25 Hz", {all.back()}, input));
  rows.push_back(rate_row(stream, "always 14x14, 12.5 Hz", {all.front()}, input));
  const Quality coarse{4, {input.fast_bound, all.back().level.interval, all.back().level.bytes / 16}};
  rows.push_back(rate_row(stream, "always 7x7, 25 Hz", {coarse}, input));
  rows.push_back(rate_row(stream, "adapted", all, input));
  return rows;
}

}  // namespace espalier::tools
