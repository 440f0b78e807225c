#include "compile/placement.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <string>

#include "compile/scratchpad.hpp"
#include "compile/write_program.hpp"
#include "esp_error.hpp"

namespace espalier::compile {
namespace {

constexpr int Never = std::numeric_limits<int>::max();

std::string size_text(int words) { return std::to_string(words) + " words"; }

/// How the inputs of a streamed step are brought in: once, or by the planes of a piece, or by strips of rows.
enum class InputMode { Whole, Pieces, Strips };

/// A way to stream a step, and what it costs.
struct Streaming {
  StepPlace place;
  double compute = 0;  // estimated cycles of the lanes
  double moved = 0;    // beats
  double cost = std::numeric_limits<double>::infinity();
};

/// Cycles of a beat that is stored; most of them run beside the computation.
constexpr double StoreShare = 0.25;

/// Times that images are tried at the other end of the scratchpad.
constexpr int Rounds = 2;

/// Steps that may run together.
constexpr int MostTogether = 5;

/// Instead of a number of steps that run together by strips: two steps do so by pieces.
constexpr int ByPieces = -1;

/// Estimated cycles that the lanes wait for a step of a group at every strip.
constexpr double StripCycles = 60;

/// Cycles of a beat that is loaded or stored while the lanes read.
constexpr double ContendedBeat = 1.3;

/// Entries of the write program that a strip of a group may use, so that those of the next steps fit beside them.
constexpr int ProgramShare = static_cast<int>(abi::ProgramDepth) / 4;

/// Density above which a layer reads all its weights.
constexpr double DenseShare = 0.9;

class Placer {
 public:
  Placer(const model::Network& network, Lowered& lowered, const abi::Configuration& configuration)
      : network_(network),
        lowered_(lowered),
        lanes_(static_cast<int>(configuration.lanes)),
        words_per_beat_(static_cast<int>(configuration.words_per_beat())),
        scratchpad_(static_cast<int>(configuration.scratch_words())) {
    find_uses();
    equalise_row_pitches();
    pad_streamed_rows();
    equalise_row_pitches();
    side_.assign(lowered_.images.size(), Side::Low);
    densities_.assign(network_.layers.size(), 1);
    for (const Step& step : lowered_.steps) densities_[static_cast<std::size_t>(step.layer)] = density(step);
    together_.assign(lowered_.steps.size(), 0);
    for (const Step& step : lowered_.steps) entries_.push_back(row_entries(step));
    for (const Image& image : lowered_.images) {
      ImagePlace place;
      place.plane_pitch = pitch(image);
      place.plane_beats = divide_up(image.layout.plane_words(), words_per_beat_);
      place.in_memory = image.input || image.output;
      result_.images.push_back(place);
    }
  }

  /// Places all steps.
  void run() {
    for (int i = 0; i < static_cast<int>(lowered_.steps.size());) {
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
        cost_ += StoreShare * image_beats(static_cast<int>(i));
    }
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
  const Step& step(int index) const { return lowered_.steps[static_cast<std::size_t>(index)]; }
  static bool contains(const std::vector<int>& list, int value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }
  const Image& image(int index) const { return lowered_.images[static_cast<std::size_t>(index)]; }
  ImagePlace& image_place(int index) { return result_.images[static_cast<std::size_t>(index)]; }

  /// Entries of the write program per row of positions; none if the step is computed in several passes.
  std::vector<int> row_entries(const Step& step) const {
    const model::Layer& layer = network_.layers[static_cast<std::size_t>(step.layer)];
    std::vector<int> result(static_cast<std::size_t>(step.tiling.height), step.tiling.width);
    if (rows_match(step)) return result;
    if (layer.kind == model::LayerKind::AveragePool && !layer.count_include_padding) return {};
    const WritePlan plan = plan_writes(step.tiling, image(step.output).layout);
    if (plan.permutations.size() > abi::PermuteDepth) return {};
    std::fill(result.begin(), result.end(), 0);
    for (std::size_t i = 0; i < plan.positions.size(); ++i) {
      result[i / static_cast<std::size_t>(step.tiling.width)] +=
          std::max(1, static_cast<int>(plan.positions[i].size()));
    }
    return result;
  }

  /// Share of the weights of a step that take time.
  double density(const Step& step) const {
    const auto& weights = network_.layers[static_cast<std::size_t>(step.layer)].weights;
    if (step.kind != StepKind::Convolution || weights.empty()) return 1;
    const auto zeros = std::count(weights.begin(), weights.end(), 0);
    const double share = 1 - static_cast<double>(zeros) / static_cast<double>(weights.size());
    return share > DenseShare ? 1 : share;
  }

  double taps(const Step& step) const {
    const int segments = step.channelwise() ? 1 : step.split();
    return static_cast<double>(step.planes_per_group()) * segments * step.window.kernel_y * step.window.kernel_x *
           (step.kind == StepKind::Add ? 3 : 1);
  }

  /// Estimated cycles of a step that waits for nothing.
  double compute_cycles(const Step& step) const {
    const double results = static_cast<double>(step.tiling.positions()) * step.rows();
    return results *
           std::max(taps(step) * densities_[static_cast<std::size_t>(step.layer)] / lanes_, 1.0 / abi::Writers);
  }

  /// Beats of weights and tables for one strip.
  double stream_beats(const Step& step) const {
    const double share = densities_[static_cast<std::size_t>(step.layer)];
    const double bytes = share < 1 ? 4 : 1.0 * step.split();
    const double tables = 12.0;  // bytes of a row and its scale
    return (taps(step) * share * bytes + tables) * step.rows() / abi::BeatBytes;
  }

  void find_uses() {
    last_use_.assign(lowered_.images.size(), -1);
    uses_.resize(lowered_.images.size());
    started_.assign(lowered_.images.size(), false);
    for (std::size_t i = 0; i < lowered_.steps.size(); ++i) {
      const Step& step = lowered_.steps[i];
      for (const Operand& operand : step.inputs)
        uses_[static_cast<std::size_t>(operand.image)].push_back(static_cast<int>(i));
      uses_[static_cast<std::size_t>(step.output)].push_back(static_cast<int>(i));
    }
    for (std::size_t i = 0; i < uses_.size(); ++i) last_use_[i] = uses_[i].empty() ? -1 : uses_[i].back();
  }

  bool by_piece(const Step& step) const { return step.row_groups() > 1; }

  /// Rows that a piece consists of: whole groups, and whole planes of the output.
  int row_unit(const Step& step) const {
    const int planes = std::max(1, image(step.output).layout.word.split / step.split());
    return std::lcm(by_piece(step) ? step.rows_per_group() : 1, planes);
  }

  /// Output planes of a piece.
  int piece_planes(const Step& step, int piece) const { return image(step.output).layout.planes(piece * step.split()); }

  /// Rows of the smallest piece that is computed without idle lanes.
  int least_piece(const Step& step) const {
    return std::min(by_piece(step) ? row_unit(step) : round_up(lanes_, row_unit(step)), step.rows());
  }

  /// If the smallest piece of a step does not fit with all the rows it reads, the images are read in strips of rows.
  void pad_streamed_rows() {
    for (const Step& step : lowered_.steps) {
      const int planes = least_piece(step) / step.rows_per_group() * step.planes_per_group();
      int words = piece_planes(step, least_piece(step)) * pitch(image(step.output)) + words_per_beat_;
      for (const Operand& operand : step.inputs) {
        const Image& in = image(operand.image);
        words += (by_piece(step) ? planes : in.planes) * pitch(in) + words_per_beat_;
      }
      if (words <= scratchpad_.words()) continue;
      for (const Operand& operand : step.inputs) {
        Layout& in = lowered_.images[static_cast<std::size_t>(operand.image)].layout;
        in.row_pitch = round_up(in.row_pitch, words_per_beat_);
        padded_.push_back(operand.image);
      }
    }
  }

  /// The operands of an addition are stepped through together, so their rows must be equally far apart.
  void equalise_row_pitches() {
    for (bool changed = true; changed;) {
      changed = false;
      for (const Step& step : lowered_.steps) {
        if (step.inputs.size() < 2) continue;
        int& a = lowered_.images[static_cast<std::size_t>(step.inputs[0].image)].layout.row_pitch;
        int& b = lowered_.images[static_cast<std::size_t>(step.inputs[1].image)].layout.row_pitch;
        int pitch = std::max(a, b);
        if (padded(step.inputs[0].image) || padded(step.inputs[1].image)) pitch = round_up(pitch, words_per_beat_);
        changed = changed || a != pitch || b != pitch;
        a = b = pitch;
      }
    }
  }

  bool padded(int index) const { return std::find(padded_.begin(), padded_.end(), index) != padded_.end(); }

  /// Words of a whole image; loads may write a partial beat behind it.
  int image_size(int index) const { return image(index).planes * pitch(image(index)) + words_per_beat_; }

  /// Words between planes. Odd, so that planes spread over the banks. Large network inputs are loaded by rows, each
  /// in whole beats, and must not run into the next plane.
  int pitch(const Image& image) const {
    const int words = image.layout.plane_words();
    return (image.input && words >= 8 * words_per_beat_ ? round_up(words, words_per_beat_) : words) | 1;
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

  void place_step(int index) {
    const Step& step = lowered_.steps[static_cast<std::size_t>(index)];
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
        if (!there) cost_ += image_beats(step.inputs[i].image);
      }
      if (reused) scratchpad_.rename(*reused, step.output);
      place.output = whole(step.output);
      place.piece_rows = step.rows();
      place.strip_rows = step.tiling.height;
      place.inputs_by_piece = false;
      result_.steps.push_back(place);
    }
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

  /// A strip buffer of a group: rows of an image that a step of it makes or loads.
  struct StripImage {
    int image = -1;
    int planes = 1;
    int stride = 1;  // rows between the strips of neighbouring positions
    int extent = 1;  // rows that a position reads
    bool load = false;
    bool store = false;
    int shared = -1;  // index of the strip image it is written over
  };

  /// What the steps of a group need of the scratchpad.
  struct Group {
    int first = 0;
    int count = 1;
    std::vector<StripImage> strips;
    std::vector<int> loads;    // images brought in whole
    std::vector<int> outputs;  // images made whole
    double compute = 0;        // estimated cycles
    double stream = 0;         // beats of weights
  };

  /// How a group is placed.
  struct GroupPlan {
    int rows = 0;  // of a strip
    int buffers = 1;
    int evicted = 0;
    double cost = std::numeric_limits<double>::infinity();
  };

  bool rows_match(const Step& step) const {
    const Layout& out = image(step.output).layout;
    return out.tiling() == step.tiling && out.origin_y == 0 && out.origin_x == 0 && out.rows == step.tiling.height &&
           out.columns == step.tiling.width;
  }

  bool read_in(const Group& group, int index) const {
    for (int i = group.first; i < group.first + group.count; ++i) {
      for (const Operand& operand : step(i).inputs) {
        if (operand.image == index) return true;
      }
    }
    return false;
  }

  int strip_index(const Group& group, int index) const {
    for (std::size_t i = 0; i < group.strips.size(); ++i) {
      if (group.strips[i].image == index) return static_cast<int>(i);
    }
    return -1;
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
    if (first + count > static_cast<int>(lowered_.steps.size())) return std::nullopt;
    for (int i = first; i < first + count; ++i) {
      const Step& step = this->step(i);
      const bool whole = step.output_channel == 0 && image(step.output).planes == piece_planes(step, step.rows());
      if (step.kind == StepKind::GlobalPool || step.tiling.height != this->step(first).tiling.height || !whole ||
          started_[static_cast<std::size_t>(step.output)] || entries_[static_cast<std::size_t>(i)].empty()) {
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
      if (!read_in(group, step.output)) {
        group.outputs.push_back(step.output);
      } else if (rows_match(step)) {
        const bool store =
            last_use_[static_cast<std::size_t>(step.output)] >= first + count || image(step.output).output;
        StripImage strip{step.output, image(step.output).planes, 1, 1, false, store, -1};
        if (const auto reused = reused_operand(i)) strip.shared = strip_index(group, *reused);
        group.strips.push_back(strip);
      } else {
        return std::nullopt;
      }
      group.compute += compute_cycles(step);
      group.stream += stream_beats(step);
    }
    return group;
  }

  int strip_pitch(const StripImage& strip, int rows) const {
    const Layout& layout = image(strip.image).layout;
    return (((rows - 1) * strip.stride + strip.extent - 1) * layout.row_pitch + layout.columns) | 1;
  }

  int strip_size(const StripImage& strip, int rows) const {
    return strip.planes * strip_pitch(strip, rows) + words_per_beat_;
  }

  /// Whether every step can run in strips of so many rows.
  bool strips_possible(const Group& group, int rows) const {
    for (const StripImage& strip : group.strips) {
      const int words = rows * strip.stride * image(strip.image).layout.row_pitch;
      const bool moved = strip.load || strip.store;
      if (moved && rows < step(group.first).tiling.height && words % words_per_beat_ != 0) return false;
    }
    for (int i = group.first; i < group.first + group.count; ++i) {
      const auto& entries = entries_[static_cast<std::size_t>(i)];
      for (std::size_t y = 0; y < entries.size(); y += static_cast<std::size_t>(rows)) {
        const auto begin = entries.begin() + static_cast<std::ptrdiff_t>(y);
        const auto end =
            entries.begin() + static_cast<std::ptrdiff_t>(std::min(entries.size(), y + static_cast<std::size_t>(rows)));
        if (std::accumulate(begin, end, 0) > ProgramShare) return false;
      }
    }
    return true;
  }

  /// Key of a strip buffer among the ranges of the scratchpad, where images have theirs.
  static int strip_key(std::size_t strip) { return -1 - static_cast<int>(strip); }

  bool allocate_group(Scratchpad& scratchpad, const Group& group, int rows, int buffers) const {
    const auto take = [&](int index) {
      return scratchpad.allocate(index, image_size(index), side_[static_cast<std::size_t>(index)]).has_value();
    };
    if (!std::all_of(group.outputs.begin(), group.outputs.end(), take)) return false;
    if (!std::all_of(group.loads.begin(), group.loads.end(), take)) return false;
    for (std::size_t i = 0; i < group.strips.size(); ++i) {
      const StripImage& strip = group.strips[i];
      const int size = buffers * strip_size(strip, rows);
      if (strip.shared < 0 && !scratchpad.allocate(strip_key(i), size, Side::Low)) return false;
    }
    return true;
  }

  /// Residents that a group does not need, those used last first.
  std::vector<int> victims(const Group& group) const {
    std::vector<int> result;
    for (const auto& [index, range] : scratchpad_.ranges()) {
      if (!read_in(group, index)) result.push_back(index);
    }
    std::stable_sort(result.begin(), result.end(),
                     [&](int a, int b) { return next_use(a, group.first) > next_use(b, group.first); });
    return result;
  }

  /// Cycles beyond those of the computation.
  double group_cost(const Group& group, int rows, int buffers) const {
    const int strips = divide_up(step(group.first).tiling.height, rows);
    double loads = 0, stores = 0;
    for (const StripImage& strip : group.strips) {
      const double beats = static_cast<double>(strips) * strip_pitch(strip, rows) * strip.planes / words_per_beat_;
      if (strip.load) loads += beats;
      if (strip.store) stores += beats;
    }
    double cost = loads / strips + StripCycles * strips * group.count;
    for (const int index : group.loads) cost += image_beats(index);
    const double moved = ContendedBeat * (loads + stores);
    // With one buffer transfers run beside the other steps of the group.
    const double hidden = buffers > 1 ? group.compute : group.compute * (group.count - 1) / group.count / 2;
    return cost + std::max(0.0, moved - hidden) + std::max(0.0, group.stream * strips - group.compute);
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
        evictions += (1 + StoreShare) * image_beats(victim);
      }
      for (const int buffers : {2, 1}) {
        for (int rows = step(group.first).tiling.height; rows > 0; --rows) {
          const double cost = evictions + group_cost(group, rows, buffers);
          if (cost >= best.cost || !strips_possible(group, rows)) continue;
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
    residence.plane_pitch = strip_pitch(*strip, plan.rows);
    while (strip->shared >= 0) {
      index = strip->shared;
      strip = &group.strips[static_cast<std::size_t>(index)];
    }
    const int address = scratchpad_.address(strip_key(static_cast<std::size_t>(index)));
    for (int b = 0; b < plan.buffers; ++b) residence.address.push_back(address + b * strip_size(*strip, plan.rows));
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
    cost_ += group_cost(*group, plan.rows, plan.buffers);
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
    if (first + 2 > static_cast<int>(lowered_.steps.size())) return false;
    const Step& maker = step(first);
    const Step& reader = step(first + 1);
    const auto fresh = [&](const Step& s) {
      return s.output_channel == 0 && image(s.output).planes == piece_planes(s, s.rows()) &&
             !started_[static_cast<std::size_t>(s.output)];
    };
    return reader.inputs.size() == 1 && reader.inputs[0].image == maker.output && reader.inputs[0].plane == 0 &&
           reader.channelwise() && by_piece(reader) && reader.kind != StepKind::GlobalPool &&
           maker.split() == reader.split() && maker.rows() == reader.rows() &&
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
    const int pitch = this->pitch(image(maker.output));
    const int unit = std::lcm(row_unit(maker), row_unit(reader));
    std::optional<int> address;
    int piece = maker.rows();
    for (; piece >= std::min(lanes_, maker.rows()); piece = smaller_piece(maker, piece)) {
      address = piece % unit == 0 ? scratchpad_.allocate(
                                        strip_key(0), piece_planes(maker, piece) * pitch + words_per_beat_, Side::Low)
                                  : std::nullopt;
      if (address || piece == smaller_piece(maker, piece)) break;
    }
    if (!address) {
      scratchpad_ = before;
      return false;
    }
    StepPlace make, read;
    for (const Operand& operand : maker.inputs) {
      make.inputs.push_back(whole(operand.image));
      make.inputs.back().load = !contains(kept, operand.image);
      if (make.inputs.back().load) cost_ += image_beats(operand.image);
    }
    make.output.whole = false;
    make.output.address = {*address};
    make.output.plane_pitch = pitch;
    read.inputs = {make.output};
    read.inputs_by_piece = true;
    read.output = whole(reader.output);
    cost_ += 2 * StripCycles * divide_up(maker.rows(), piece);
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
    const Step& step = lowered_.steps[static_cast<std::size_t>(index)];
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

  double image_beats(int index) const {
    return static_cast<double>(image(index).planes) * image(index).layout.plane_words() / words_per_beat_;
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
    int total = 0;
    for (const int index : images) total += image_size(index);
    if (total > scratchpad_.words()) return false;
    const auto needed = [&](int index) { return std::find(images.begin(), images.end(), index) != images.end(); };
    kept_ = residents(images);
    for (;;) {
      std::vector<int> added;
      bool fits = true;
      for (const int index : images) {
        if (scratchpad_.holds(index)) continue;
        if (!scratchpad_.allocate(index, image_size(index), side_[static_cast<std::size_t>(index)])) {
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
    std::vector<int> all;
    for (const auto& [resident, range] : scratchpad_.ranges()) all.push_back(resident);
    for (const int resident : all) evict(resident);
    Streaming best;
    for (int piece = step.rows(); piece > 0; piece = smaller_piece(step, piece)) {
      for (const int buffers : {2, 1}) {
        for (const InputMode mode : {InputMode::Whole, InputMode::Pieces, InputMode::Strips}) {
          consider(best, step, piece, buffers, mode);
        }
      }
    }
    if (best.place.inputs.empty()) {
      const std::string sizes = size_text(image_size(step.inputs[0].image)) + " of input, " +
                                size_text(image_size(step.output)) + " of output, " + size_text(scratchpad_.words()) +
                                " of scratchpad";
      throw Error(ErrorCode::Unsupported, "the layer cannot be cut into pieces that fit",
                  "layer '" + network_.layers[static_cast<std::size_t>(step.layer)].name + "'", sizes,
                  "use a larger array or a smaller map");
    }
    cost_ += std::max(best.cost, ContendedBeat * best.moved) - best.compute;
    image_place(step.output).in_memory = true;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) image_place(step.inputs[i].image).in_memory = true;
    result_.steps.push_back(best.place);
  }

  /// About half a piece, in whole groups and full lanes where possible; 0 if it cannot be halved.
  int smaller_piece(const Step& step, int piece) const {
    const int unit = row_unit(step);
    if (piece <= unit) return 0;
    const int grain = piece / 2 >= lanes_ && lanes_ % unit == 0 ? lanes_ : unit;
    return std::max(piece / 2 / grain * grain, unit);
  }

  void consider(Streaming& best, const Step& step, int piece, int buffers, InputMode mode) const {
    Streaming streaming;
    const int output_pitch = pitch(image(step.output));
    const int piece_words = piece_planes(step, piece) * output_pitch + words_per_beat_;
    int cursor = 0;
    StepPlace& place = streaming.place;
    place.piece_rows = piece;
    place.strip_rows = step.tiling.height;
    place.output = staged(cursor, piece_words, piece < step.rows() ? buffers : 1, output_pitch);
    const int pieces = divide_up(step.rows(), piece);
    double loads = 0;
    place.inputs_by_piece = mode != InputMode::Whole && by_piece(step);
    const int piece_inputs = by_piece(step) ? piece / step.rows_per_group() * step.planes_per_group() : step.planes();
    if (mode == InputMode::Whole) {
      for (const Operand& operand : step.inputs) {
        Residence residence = staged(cursor, image_size(operand.image), 1, pitch(image(operand.image)));
        residence.whole = true;
        residence.load = true;
        place.inputs.push_back(residence);
        loads += image_size(operand.image);
      }
    } else if (mode == InputMode::Pieces) {
      if (!by_piece(step)) return;
      for (const Operand& operand : step.inputs) {
        const int pitch = this->pitch(image(operand.image));
        place.inputs.push_back(staged(cursor, piece_inputs * pitch + words_per_beat_, buffers, pitch));
        loads += static_cast<double>(pitch) * step.planes();
      }
    } else {
      const int operands = static_cast<int>(step.inputs.size());
      const int rows = strip_rows(step, piece_inputs, (scratchpad_.words() - cursor) / buffers / operands);
      if (rows == 0) return;
      place.strip_rows = rows;
      const int pitch = strip_pitch(step, rows);
      for (int i = 0; i < operands; ++i) {
        place.inputs.push_back(staged(cursor, piece_inputs * pitch + words_per_beat_, buffers, pitch));
        place.inputs.back().strip = true;
      }
      const double turns = static_cast<double>(pieces) * divide_up(step.tiling.height, rows);
      loads = turns * pitch * piece_inputs * operands;
    }
    if (cursor > scratchpad_.words()) return;
    // Pieces of few rows fill the lanes with several positions at a time.
    const int rows = by_piece(step) ? piece * std::min(step.tiling.width, 8) : piece;
    const double spread = piece < lanes_ ? 0.7 : 1.0;  // neighbours of one plane share few banks
    const double busy_lanes = spread * rows / round_up(rows, lanes_);
    const double results = static_cast<double>(step.tiling.positions()) * step.rows();
    const int segments = step.channelwise() ? 1 : step.split();
    const double taps =
        static_cast<double>(step.planes_per_group()) * segments * step.window.kernel_y * step.window.kernel_x;
    const double compute = results * std::max(taps / lanes_ / busy_lanes, 1.0 / abi::Writers);
    streaming.compute = compute;
    loads /= words_per_beat_;
    const double stores = static_cast<double>(output_pitch) * image(step.output).planes / words_per_beat_;
    streaming.moved = loads + stores;
    const int turns = pieces * divide_up(step.tiling.height, place.strip_rows);
    // With two buffers the transfers of one turn are not hidden: loads of the first, stores of the last.
    const bool hidden = buffers == 2 && mode != InputMode::Whole;
    streaming.cost = hidden ? std::max({compute, loads, stores}) + 0.1 * loads + (loads + stores) / turns + 50.0 * turns
                            : compute + loads + stores;
    if (streaming.cost < best.cost) best = streaming;
  }

  static Residence staged(int& cursor, int size, int buffers, int plane_pitch) {
    Residence residence;
    residence.whole = false;
    residence.load = true;
    residence.plane_pitch = plane_pitch;
    for (int i = 0; i < buffers; ++i) {
      residence.address.push_back(cursor);
      cursor += size;
    }
    return residence;
  }

  /// Words between the planes of a strip, the same for all operands.
  int strip_pitch(const Step& step, int rows) const {
    const int input_rows = (rows - 1) * step.window.stride_y + step.window.extent_y();
    int words = 0;
    for (const Operand& operand : step.inputs) {
      const Layout& in = image(operand.image).layout;
      words = std::max(words, (input_rows - 1) * in.row_pitch + in.columns);
    }
    return words | 1;
  }

  /// The most rows of positions whose input planes fit into `words`; 0 if the images cannot be read by rows.
  int strip_rows(const Step& step, int planes, int words) const {
    for (const Operand& operand : step.inputs) {
      if (!padded(operand.image)) return 0;
    }
    for (int rows = step.tiling.height; rows > 0; --rows) {
      if (planes * strip_pitch(step, rows) + words_per_beat_ <= words) return rows;
    }
    return 0;
  }

  void assign_memory() {
    std::uint64_t input = 0, output = 0, arena = 0;
    for (std::size_t i = 0; i < lowered_.images.size(); ++i) {
      const Image& image = lowered_.images[i];
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

  const model::Network& network_;
  Lowered& lowered_;
  int lanes_;
  int words_per_beat_;
  Scratchpad scratchpad_;
  std::vector<std::vector<int>> uses_;  // steps per image
  std::vector<int> last_use_;
  std::vector<bool> started_;  // an earlier step wrote or loaded it
  std::vector<int> padded_;
  std::vector<int> kept_;
  std::vector<Side> side_;     // per image
  std::vector<int> together_;  // per step: how many run together from it on; 0: it runs alone
  std::vector<std::vector<int>>
      entries_;                    // per step and row of positions, of the write program; empty: in several passes
  std::vector<double> densities_;  // per layer
  double cost_ = 0;                // estimated cycles of loads and stores
  Placement result_;
};

}  // namespace

Placement place(const model::Network& network, Lowered& lowered, const abi::Configuration& configuration) {
  const Placer start(network, lowered, configuration);
  std::optional<Placer> best(start);
  best->run();
  for (int round = 0; round < Rounds && best->cost() > 0; ++round) {
    const double before = best->cost();
    for (std::size_t i = 0; i < lowered.images.size(); ++i) {
      Placer trial = start;
      trial.take_choices(*best);
      trial.change_side(i);
      trial.run();
      if (trial.cost() < best->cost()) best.emplace(std::move(trial));
    }
    for (std::size_t i = 0; i < lowered.steps.size(); ++i) {
      for (int count = ByPieces; count <= MostTogether; ++count) {
        Placer trial = start;
        trial.take_choices(*best);
        trial.change_group(i, count);
        trial.run();
        if (trial.cost() < best->cost()) best.emplace(std::move(trial));
      }
    }
    if (best->cost() >= before) break;
  }
  return best->take();
}

}  // namespace espalier::compile
