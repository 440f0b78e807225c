#include "compile/placement.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <string>

#include "compile/group.hpp"
#include "compile/linear_images.hpp"
#include "compile/scratchpad.hpp"
#include "compile/step_facts.hpp"
#include "compile/streaming.hpp"
#include "esp_error.hpp"

namespace espalier::compile {
namespace {

constexpr int Never = std::numeric_limits<int>::max();

std::string size_text(int words) { return std::to_string(words) + " words"; }

/// Cycles of a beat that is stored; most of them run beside the computation.
constexpr double StoreShare = 0.25;

/// Times that images are tried at the other end of the scratchpad.
constexpr int Rounds = 2;

/// Times that a step is placed while choices are tried: bounds the time for networks of very many layers.
constexpr std::size_t MostPlaced = 1000000;

/// Steps that may run together.
constexpr int MostTogether = 5;

/// Instead of a number of steps that run together by strips: two steps do so by pieces.
constexpr int ByPieces = -1;

class Placer {
 public:
  Placer(const StepFacts& facts, std::vector<int> stages)
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

  /// Places all steps.
  void run() {
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

  double cost() const { return cost_; }
  Placement take() { return std::move(result_); }
  void take_choices(const Placer& other) {
    side_ = other.side_;
    together_ = other.together_;
  }
  void change_side(std::size_t index) { side_[index] = side_[index] == Side::Low ? Side::High : Side::Low; }
  /// `count` steps from `index` on run together; 0: they do not.
  void change_group(std::size_t index, int count) { together_[index] = count; }

 private:
  const Step& step(int index) const { return facts_.step(index); }
  static bool contains(const std::vector<int>& list, int value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }
  const Image& image(int index) const { return facts_.image(index); }
  ImagePlace& image_place(int index) { return result_.images[static_cast<std::size_t>(index)]; }

  void find_uses() {
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

  int next_use(int index, int step) const {
    for (const int use : uses_[static_cast<std::size_t>(index)]) {
      if (use > step) return use;
    }
    return Never;
  }

  void evict(int index) {
    scratchpad_.release(index);
    if (started_[static_cast<std::size_t>(index)]) image_place(index).in_memory = true;
  }

  void evict_all() {
    std::vector<int> all;
    for (const auto& [resident, range] : scratchpad_.ranges()) all.push_back(resident);
    for (const int resident : all) evict(resident);
  }

  /// Whether steps are started together.
  bool in_one_stage(int first, int count) const {
    return std::none_of(stages_.begin(), stages_.end(),
                        [&](int stage) { return stage > first && stage < first + count; });
  }

  void place_step(int index) {
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

  /// The vector fills rows of all banks from address 0 on; the output lies behind it.
  void place_vector(int index) {
    const Step& step = this->step(index);
    const int input = step.inputs[0].image;
    evict_all();
    image_place(input).in_memory = true;
    const std::int64_t beats = image(input).vector
                                   ? divide_up(facts_.image_words(image(input)), facts_.words_per_beat())
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

  /// Releases the images that no later step uses.
  void finish_step(int index) {
    std::vector<int> images{step(index).output};
    for (const Operand& operand : step(index).inputs) images.push_back(operand.image);
    for (const int used : images) {
      started_[static_cast<std::size_t>(used)] = true;
      if (last_use_[static_cast<std::size_t>(used)] <= index) scratchpad_.release(used);
    }
  }

  /// Adds an operand to the images of a group; false if it cannot be read by strips.
  bool add_operand(Group& group, const Step& step, const Operand& operand) const {
    const Window& window = step.window;
    const int known = strip_index(group, operand.image);
    if (known >= 0) {
      const bool point = window.extent_y() == 1 && window.stride_y == 1 && window.pad_top == 0;
      return point && operand.plane == 0 && !group.strips[static_cast<std::size_t>(known)].load;
    }
    if (contains(group.outputs, operand.image)) return false;
    if (scratchpad_.holds(operand.image) || contains(group.loads, operand.image)) return true;
    const Layout& in = image(operand.image).layout;
    if (operand.plane == 0 && in.origin_y == window.pad_top && !image(operand.image).input) {
      group.strips.push_back({operand.image, step.planes(), window.stride_y, window.extent_y(), true, false, -1});
    } else {
      group.loads.push_back(operand.image);
    }
    return true;
  }

  /// The images of steps that run together; none if they cannot.
  std::optional<Group> group_of(int first, int count) const {
    Group group;
    group.first = first;
    group.count = count;
    if (first + count > static_cast<int>(facts_.steps().size()) || !in_one_stage(first, count)) return std::nullopt;
    for (int i = first; i < first + count; ++i) {
      const Step& step = this->step(i);
      const bool whole =
          step.output_channel == 0 && image(step.output).planes == facts_.piece_planes(step, step.rows());
      if (step.kind == StepKind::GlobalPool || step.vector || step.tiling.height != this->step(first).tiling.height ||
          !whole || started_[static_cast<std::size_t>(step.output)] || facts_.row_entries(i).empty()) {
        return std::nullopt;
      }
      for (const Operand& operand : step.inputs) {
        if (!add_operand(group, step, operand)) return std::nullopt;
      }
      if (step.inputs.size() == 2) {
        const int a = strip_index(group, step.inputs[0].image);
        const int b = strip_index(group, step.inputs[1].image);
        if ((a < 0) != (b < 0)) return std::nullopt;
        if (a >= 0 &&
            group.strips[static_cast<std::size_t>(a)].planes != group.strips[static_cast<std::size_t>(b)].planes) {
          return std::nullopt;
        }
      }
      if (!read_in(facts_, group, step.output)) {
        group.outputs.push_back(step.output);
      } else if (facts_.rows_match(step)) {
        const bool store =
            last_use_[static_cast<std::size_t>(step.output)] >= first + count || image(step.output).output;
        StripImage strip{step.output, image(step.output).planes, 1, 1, false, store, -1};
        if (const auto reused = reused_operand(i)) strip.shared = strip_index(group, *reused);
        group.strips.push_back(strip);
      } else {
        return std::nullopt;
      }
      group.compute += facts_.compute_cycles(step);
      group.stream += facts_.stream_cycles(step);
    }
    return group;
  }

  /// Key of a strip buffer among the ranges of the scratchpad, where images have theirs.
  static int strip_key(std::size_t strip) { return -1 - static_cast<int>(strip); }

  bool allocate_group(Scratchpad& scratchpad, const Group& group, int rows, int buffers) const {
    const auto take = [&](int index) {
      return scratchpad.allocate(index, facts_.image_size(index), side_[static_cast<std::size_t>(index)]).has_value();
    };
    if (!std::all_of(group.outputs.begin(), group.outputs.end(), take)) return false;
    if (!std::all_of(group.loads.begin(), group.loads.end(), take)) return false;
    for (std::size_t i = 0; i < group.strips.size(); ++i) {
      const StripImage& strip = group.strips[i];
      const int size = buffers * strip_size(facts_, strip, rows);
      if (strip.shared < 0 && !scratchpad.allocate(strip_key(i), size, Side::Low)) return false;
    }
    return true;
  }

  /// Residents that a group does not need, those used last first.
  std::vector<int> victims(const Group& group) const {
    std::vector<int> result;
    for (const auto& [index, range] : scratchpad_.ranges()) {
      if (!read_in(facts_, group, index)) result.push_back(index);
    }
    std::stable_sort(result.begin(), result.end(),
                     [&](int a, int b) { return next_use(a, group.first) > next_use(b, group.first); });
    return result;
  }

  GroupPlan plan_group(const Group& group) const {
    GroupPlan best;
    Scratchpad scratchpad = scratchpad_;
    const std::vector<int> others = victims(group);
    double evictions = 0;
    for (int evicted = 0; evicted <= static_cast<int>(others.size()); ++evicted) {
      if (evicted > 0) {
        const int victim = others[static_cast<std::size_t>(evicted) - 1];
        scratchpad.release(victim);
        evictions += (1 + StoreShare) * facts_.image_cycles(victim);
      }
      for (const int buffers : {2, 1}) {
        for (int rows = step(group.first).tiling.height; rows > 0; --rows) {
          const double cost = evictions + group_cost(facts_, group, rows, buffers);
          if (cost >= best.cost || !strips_possible(facts_, group, rows)) continue;
          Scratchpad trial = scratchpad;
          if (allocate_group(trial, group, rows, buffers)) best = {rows, buffers, evicted, cost};
        }
      }
    }
    return best;
  }

  Residence strip_residence(const Group& group, int index, const GroupPlan& plan) const {
    const StripImage* strip = &group.strips[static_cast<std::size_t>(index)];
    Residence residence;
    residence.whole = false;
    residence.strip = true;
    residence.load = strip->load;
    residence.plane_pitch = strip_pitch(facts_, *strip, plan.rows);
    while (strip->shared >= 0) {
      index = strip->shared;
      strip = &group.strips[static_cast<std::size_t>(index)];
    }
    const int address = scratchpad_.address(strip_key(static_cast<std::size_t>(index)));
    for (int b = 0; b < plan.buffers; ++b)
      residence.address.push_back(address + b * strip_size(facts_, *strip, plan.rows));
    return residence;
  }

  /// Places steps that run together, strip by strip; false if they cannot.
  bool place_group(int first, int count) {
    const std::optional<Group> group = group_of(first, count);
    if (!group) return false;
    const GroupPlan plan = plan_group(*group);
    if (plan.rows == 0) return false;
    const std::vector<int> others = victims(*group);
    for (int i = 0; i < plan.evicted; ++i) evict(others[static_cast<std::size_t>(i)]);
    allocate_group(scratchpad_, *group, plan.rows, plan.buffers);
    cost_ += group_cost(facts_, *group, plan.rows, plan.buffers);
    std::vector<int> loaded;
    const auto residence = [&](int index) {
      const int strip = strip_index(*group, index);
      return strip >= 0 ? strip_residence(*group, strip, plan) : whole(index);
    };
    for (int i = first; i < first + count; ++i) {
      const Step& step = this->step(i);
      StepPlace place;
      for (const Operand& operand : step.inputs) {
        place.inputs.push_back(residence(operand.image));
        if (contains(group->loads, operand.image) && !contains(loaded, operand.image)) {
          place.inputs.back().load = true;
          loaded.push_back(operand.image);
        }
      }
      place.output = residence(step.output);
      place.piece_rows = step.rows();
      place.strip_rows = plan.rows;
      place.grouping = Grouping::Strips;
      place.group = i == first ? count : 0;
      result_.steps.push_back(place);
    }
    for (std::size_t i = 0; i < group->strips.size(); ++i) {
      const StripImage& strip = group->strips[i];
      if (strip.load || strip.store) image_place(strip.image).in_memory = true;
      scratchpad_.release(strip_key(i));
    }
    for (int i = first; i < first + count; ++i) finish_step(i);
    return true;
  }

  /// Whether the second step computes channel by channel what the first one makes for it alone.
  bool feeds_channels(int first) const {
    if (first + 2 > static_cast<int>(facts_.steps().size()) || !in_one_stage(first, 2)) return false;
    const Step& maker = step(first);
    const Step& reader = step(first + 1);
    const auto fresh = [&](const Step& s) {
      return s.output_channel == 0 && image(s.output).planes == facts_.piece_planes(s, s.rows()) &&
             !started_[static_cast<std::size_t>(s.output)];
    };
    return !maker.vector && !reader.vector && reader.inputs.size() == 1 && reader.inputs[0].image == maker.output &&
           reader.inputs[0].plane == 0 && reader.channelwise() && facts_.by_piece(reader) &&
           reader.kind != StepKind::GlobalPool && maker.split() == reader.split() && maker.rows() == reader.rows() &&
           image(maker.output).layout.word == reader.tiling.word && fresh(maker) && fresh(reader) &&
           last_use_[static_cast<std::size_t>(maker.output)] == first + 1 && !image(maker.output).output;
  }

  /// Places two steps that run together, piece by piece; false if they cannot.
  bool place_pieces(int first) {
    if (!feeds_channels(first)) return false;
    const Step& maker = step(first);
    const Step& reader = step(first + 1);
    std::vector<int> images{reader.output};
    for (const Operand& operand : maker.inputs) {
      if (!contains(images, operand.image)) images.push_back(operand.image);
    }
    const Scratchpad before = scratchpad_;
    if (!make_resident(first, images)) {
      scratchpad_ = before;
      return false;
    }
    const std::vector<int> kept = kept_;
    const int pitch = facts_.pitch(image(maker.output));
    const int unit = std::lcm(facts_.row_unit(maker), facts_.row_unit(reader));
    std::optional<int> address;
    int piece = maker.rows();
    for (; piece >= std::min(facts_.lanes(), maker.rows()); piece = facts_.smaller_piece(maker, piece)) {
      address = piece % unit == 0
                    ? scratchpad_.allocate(
                          strip_key(0), facts_.piece_planes(maker, piece) * pitch + facts_.words_per_beat(), Side::Low)
                    : std::nullopt;
      if (address || piece == facts_.smaller_piece(maker, piece)) break;
    }
    if (!address) {
      scratchpad_ = before;
      return false;
    }
    StepPlace make, read;
    for (const Operand& operand : maker.inputs) {
      make.inputs.push_back(whole(operand.image));
      make.inputs.back().load = !contains(kept, operand.image);
      if (make.inputs.back().load) cost_ += facts_.image_cycles(operand.image);
    }
    make.output.whole = false;
    make.output.address = {*address};
    make.output.plane_pitch = pitch;
    read.inputs = {make.output};
    read.inputs_by_piece = true;
    read.output = whole(reader.output);
    cost_ += 2 * TurnCycles * divide_up(maker.rows(), piece);
    for (StepPlace* place : {&make, &read}) {
      place->piece_rows = piece;
      place->strip_rows = (place == &make ? maker : reader).tiling.height;
      place->grouping = Grouping::Pieces;
      place->group = place == &make ? 2 : 0;
      result_.steps.push_back(*place);
    }
    scratchpad_.release(strip_key(0));
    finish_step(first);
    finish_step(first + 1);
    return true;
  }

  std::vector<int> residents(const std::vector<int>& images) const {
    std::vector<int> result;
    for (const int index : images) {
      if (scratchpad_.holds(index)) result.push_back(index);
    }
    return result;
  }

  /// An operand of an addition that no later step reads: the result is written over it, word for word, each after the
  /// row that writes it has read it.
  std::optional<int> reused_operand(int index) const {
    const Step& step = this->step(index);
    const Image& out = image(step.output);
    if (step.kind != StepKind::Add || started_[static_cast<std::size_t>(step.output)] || out.output)
      return std::nullopt;
    if (out.layout.tiling() != step.tiling || step.inputs[0].image == step.inputs[1].image) return std::nullopt;
    for (const Operand& operand : step.inputs) {
      const Image& in = image(operand.image);
      const bool last = last_use_[static_cast<std::size_t>(operand.image)] == index && !in.input && !in.output;
      if (last && operand.plane == 0 && in.planes == out.planes && in.layout == out.layout) return operand.image;
    }
    return std::nullopt;
  }

  Residence whole(int index) {
    Residence residence;
    residence.address = {scratchpad_.address(index)};
    residence.plane_pitch = image_place(index).plane_pitch;
    return residence;
  }

  /// Brings all images of a step into the scratchpad, evicting those used last; false if there is no room. kept_ has
  /// those that were there before.
  bool make_resident(int step, const std::vector<int>& images) {
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

  /// Streams a step through an otherwise empty scratchpad, the cheapest way that fits.
  void stream_step(const Step& step) {
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

  void assign_memory() {
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

  const StepFacts& facts_;
  const std::vector<int> stages_;  // first steps of the stages after the first
  Scratchpad scratchpad_;
  std::vector<std::vector<int>> uses_;  // steps per image
  std::vector<int> last_use_;
  std::vector<bool> started_;  // an earlier step wrote or loaded it
  std::vector<int> kept_;
  std::vector<Side> side_;     // per image
  std::vector<int> together_;  // per step: how many run together from it on; 0: it runs alone
  double cost_ = 0;            // estimated cycles of loads and stores
  Placement result_;
};

/// Looks for cheaper choices one by one.
class Search {
 public:
  Search(const StepFacts& facts, const std::vector<int>& stages) : facts_(facts), start_(facts, stages), best_(start_) {
    best_->run();
  }

  void run() {
    for (int round = 0; round < Rounds && best_->cost() > 0; ++round) {
      const double before = best_->cost();
      for (std::size_t i = 0; i < facts_.images().size(); ++i) {
        consider([&](Placer& trial) { trial.change_side(i); });
      }
      for (std::size_t i = 0; i < facts_.steps().size(); ++i) {
        for (int count = ByPieces; count <= MostTogether; ++count) {
          consider([&](Placer& trial) { trial.change_group(i, count); });
        }
      }
      if (best_->cost() >= before) break;
    }
  }

  Placement take() { return best_->take(); }

 private:
  void consider(const std::function<void(Placer&)>& change) {
    if (placed_ >= MostPlaced) return;
    placed_ += facts_.steps().size();
    Placer trial = start_;
    trial.take_choices(*best_);
    change(trial);
    try {
      trial.run();
    } catch (const Error&) {
      return;  // a step that fitted before does not
    }
    if (trial.cost() < best_->cost()) best_.emplace(std::move(trial));
  }

  const StepFacts& facts_;
  const Placer start_;
  std::optional<Placer> best_;
  std::size_t placed_ = 0;  // steps, while choices were tried
};

}  // namespace

Placement place(const model::Network& network, Lowered& lowered, const abi::Configuration& configuration,
                const Options& options) {
  const Lowered original = lowered;
  std::vector<int> stages;
  for (const int layer : options.stages) stages.push_back(lowered.last_step[static_cast<std::size_t>(layer) - 1]);
  for (const bool by_rows : {true, false}) {
    if (by_rows && !options.inputs_by_rows) continue;
    lowered = original;
    const StepFacts facts(network, lowered, configuration, options.memory, by_rows);
    Search search(facts, stages);
    search.run();
    Placement placement = search.take();
    if (held_whole(lowered, placement)) return placement;
  }
  throw Error(ErrorCode::Internal, "an image is laid out by rows for no reason", "network '" + network.name + "'", "",
              "report this");
}

}  // namespace espalier::compile
