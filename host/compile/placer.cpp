#include "compile/placer.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "compile/linear_images.hpp"
#include "compile/streaming.hpp"
#include "esp_error.hpp"

namespace espalier::compile {
namespace {

constexpr int Never = std::numeric_limits<int>::max();

std::string size_text(int words) { return std::to_string(words) + " words"; }

}  // namespace

Placer::Placer(const StepFacts& facts, std::vector<int> stages)
    : facts_(facts), stages_(std::move(stages)), scratchpad_(facts.words()) {
  find_uses();
  side_.assign(facts.images().size(), Side::Low);
  together_.assign(facts.steps().size(), 0);
  for (const Image& image : facts.images()) {
    ImagePlace place;
    place.plane_pitch = facts_.pitch(image);
    place.plane_beats = divide_up(image.layout.plane_words(), facts_.words_per_beat());
    place.in_memory = image.input || image.output;
    result_.images.push_back(place);
  }
}

void Placer::run() {
  for (int i = 0; i < static_cast<int>(facts_.steps().size());) {
    if (contains(stages_, i)) evict_all();
    const int count = together_[static_cast<std::size_t>(i)];
    if (count == ByPieces && place_pieces(i)) {
      i += 2;
    } else if (count > 0 && place_group(i, count)) {
      i += count;
    } else {
      place_step(i++);
    }
  }
  for (std::size_t i = 0; i < result_.images.size(); ++i) {
    if (result_.images[i].in_memory && !image(static_cast<int>(i)).input)
      cost_ += StoreShare * facts_.image_cycles(static_cast<int>(i));
  }
  find_linear(facts_, result_);
  assign_memory();
}

void Placer::find_uses() {
  last_use_.assign(facts_.images().size(), -1);
  uses_.resize(facts_.images().size());
  started_.assign(facts_.images().size(), false);
  for (std::size_t i = 0; i < facts_.steps().size(); ++i) {
    const Step& step = facts_.steps()[i];
    for (const Operand& operand : step.inputs)
      uses_[static_cast<std::size_t>(operand.image)].push_back(static_cast<int>(i));
    uses_[static_cast<std::size_t>(step.output)].push_back(static_cast<int>(i));
  }
  for (std::size_t i = 0; i < uses_.size(); ++i) last_use_[i] = uses_[i].empty() ? -1 : uses_[i].back();
}

int Placer::next_use(int index, int step) const {
  for (const int use : uses_[static_cast<std::size_t>(index)]) {
    if (use > step) return use;
  }
  return Never;
}

void Placer::evict(int index) {
  scratchpad_.release(index);
  if (started_[static_cast<std::size_t>(index)]) image_place(index).in_memory = true;
}

void Placer::evict_all() {
  std::vector<int> all;
  for (const auto& [resident, range] : scratchpad_.ranges()) all.push_back(resident);
  for (const int resident : all) evict(resident);
}

bool Placer::in_one_stage(int first, int count) const {
  return std::none_of(stages_.begin(), stages_.end(),
                      [&](int stage) { return stage > first && stage < first + count; });
}

void Placer::place_step(int index) {
  const Step& step = this->step(index);
  if (step.vector) return place_vector(index);
  std::vector<int> images{step.output};
  for (const Operand& operand : step.inputs) {
    if (std::find(images.begin(), images.end(), operand.image) == images.end()) images.push_back(operand.image);
  }
  const bool output_whole = !started_[static_cast<std::size_t>(step.output)] || scratchpad_.holds(step.output);
  const std::optional<int> reused = output_whole ? reused_operand(index) : std::nullopt;
  if (reused) std::erase(images, step.output);
  if (!output_whole || !make_resident(index, images)) {
    stream_step(step);
  } else {
    StepPlace place;
    for (const Operand& operand : step.inputs) place.inputs.push_back(whole(operand.image));
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const bool there = std::find(kept_.begin(), kept_.end(), step.inputs[i].image) != kept_.end();
      place.inputs[i].load = !there;
      if (!there) cost_ += facts_.image_cycles(step.inputs[i].image);
    }
    if (reused) scratchpad_.rename(*reused, step.output);
    place.output = whole(step.output);
    place.piece_rows = step.rows();
    place.strip_rows = step.tiling.height;
    result_.steps.push_back(place);
  }
  finish_step(index);
}

void Placer::place_vector(int index) {
  const Step& step = this->step(index);
  const int input = step.inputs[0].image;
  evict_all();
  image_place(input).in_memory = true;
  const std::int64_t beats = image(input).vector ? divide_up(facts_.image_words(image(input)), facts_.words_per_beat())
                                                 : image_place(input).plane_beats * image(input).planes;
  const std::int64_t words = beats * facts_.words_per_beat() * static_cast<int>(abi::Banks);
  if (words + facts_.image_size(step.output) > facts_.words()) {
    throw Error(ErrorCode::Unsupported, "the input does not fit all banks", "layer '" + facts_.layer_name(step) + "'",
                size_text(static_cast<int>(words)), "use a larger array");
  }
  scratchpad_.allocate(strip_key(0), static_cast<int>(words), Side::Low);
  scratchpad_.allocate(step.output, facts_.image_size(step.output), Side::Low);
  StepPlace place;
  place.inputs.emplace_back();
  place.inputs[0].whole = false;
  place.inputs[0].load = true;
  place.inputs[0].address = {scratchpad_.address(strip_key(0))};
  place.output = whole(step.output);
  place.piece_rows = step.rows();
  place.strip_rows = step.tiling.height;
  result_.steps.push_back(place);
  scratchpad_.release(strip_key(0));
  cost_ += static_cast<double>(words) / abi::Banks;
  finish_step(index);
}

void Placer::finish_step(int index) {
  std::vector<int> images{step(index).output};
  for (const Operand& operand : step(index).inputs) images.push_back(operand.image);
  for (const int used : images) {
    started_[static_cast<std::size_t>(used)] = true;
    if (last_use_[static_cast<std::size_t>(used)] <= index) scratchpad_.release(used);
  }
}

std::vector<int> Placer::residents(const std::vector<int>& images) const {
  std::vector<int> result;
  for (const int index : images) {
    if (scratchpad_.holds(index)) result.push_back(index);
  }
  return result;
}

std::optional<int> Placer::reused_operand(int index) const {
  const Step& step = this->step(index);
  const Image& out = image(step.output);
  if (step.kind != StepKind::Add || started_[static_cast<std::size_t>(step.output)] || out.output) return std::nullopt;
  if (out.layout.tiling() != step.tiling || step.inputs[0].image == step.inputs[1].image) return std::nullopt;
  for (const Operand& operand : step.inputs) {
    const Image& in = image(operand.image);
    const bool last = last_use_[static_cast<std::size_t>(operand.image)] == index && !in.input && !in.output;
    if (last && operand.plane == 0 && in.planes == out.planes && in.layout == out.layout) return operand.image;
  }
  return std::nullopt;
}

Residence Placer::whole(int index) {
  Residence residence;
  residence.address = {scratchpad_.address(index)};
  residence.plane_pitch = image_place(index).plane_pitch;
  return residence;
}

bool Placer::make_resident(int step, const std::vector<int>& images) {
  std::int64_t total = 0;
  for (const int index : images) total += facts_.image_size(index);
  if (total > facts_.words()) return false;
  const auto needed = [&](int index) { return std::find(images.begin(), images.end(), index) != images.end(); };
  kept_ = residents(images);
  for (;;) {
    std::vector<int> added;
    bool fits = true;
    for (const int index : images) {
      if (scratchpad_.holds(index)) continue;
      if (!scratchpad_.allocate(index, facts_.image_size(index), side_[static_cast<std::size_t>(index)])) {
        fits = false;
        break;
      }
      added.push_back(index);
    }
    if (fits) return true;
    for (const int index : added) scratchpad_.release(index);
    int victim = -1;
    for (const auto& [index, range] : scratchpad_.ranges()) {
      if (!needed(index) && (victim < 0 || next_use(index, step) > next_use(victim, step))) victim = index;
    }
    if (victim >= 0) {
      evict(victim);
      continue;
    }
    // Only images of this step are left, in the way of each other: all but a half-written output move.
    const int output = images.front();
    if (scratchpad_.holds(output)) return false;
    if (kept_.empty()) return false;
    for (const int index : kept_) evict(index);
    kept_.clear();
  }
}

void Placer::stream_step(const Step& step) {
  evict_all();
  const std::optional<Streaming> best = cheapest_streaming(facts_, step);
  if (!best) {
    const std::string sizes = size_text(facts_.image_size(step.inputs[0].image)) + " of input, " +
                              size_text(facts_.image_size(step.output)) + " of output, " + size_text(facts_.words()) +
                              " of scratchpad";
    throw Error(ErrorCode::Unsupported, "the layer cannot be cut into pieces that fit",
                "layer '" + facts_.layer_name(step) + "'", sizes, "use a larger array or a smaller map");
  }
  cost_ += std::max(best->cost, contended_share(facts_) * best->moved) - best->compute;
  image_place(step.output).in_memory = true;
  for (std::size_t i = 0; i < step.inputs.size(); ++i) image_place(step.inputs[i].image).in_memory = true;
  result_.steps.push_back(best->place);
}

void Placer::assign_memory() {
  std::uint64_t input = 0, output = 0, arena = 0;
  for (std::size_t i = 0; i < facts_.images().size(); ++i) {
    const Image& image = facts_.images()[i];
    ImagePlace& place = result_.images[i];
    std::uint64_t& next = image.input ? input : image.output ? output : arena;
    place.window = image.input ? abi::WindowInput : image.output ? abi::WindowOutput : abi::WindowArena;
    place.offset = static_cast<std::uint32_t>(next);
    if (place.in_memory) next += place.beats(image.planes);
  }
  const auto bytes = [](std::uint64_t beats) { return std::max<std::uint64_t>(beats, 1) * abi::BeatBytes; };
  result_.input_bytes = bytes(input);
  result_.output_bytes = bytes(output);
  result_.arena_bytes = bytes(arena);
}

}  // namespace espalier::compile
