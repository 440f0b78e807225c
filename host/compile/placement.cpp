#include "compile/placement.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <string>

#include "compile/scratchpad.hpp"
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
  double cost = std::numeric_limits<double>::infinity();
};

/// Cycles of a beat that is stored; most of them run beside the computation.
constexpr double StoreShare = 0.25;

/// Times that images are tried at the other end of the scratchpad.
constexpr int Rounds = 2;

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
    for (std::size_t i = 0; i < lowered_.steps.size(); ++i) place_step(static_cast<int>(i));
    for (std::size_t i = 0; i < result_.images.size(); ++i) {
      if (result_.images[i].in_memory && !image(static_cast<int>(i)).input)
        cost_ += StoreShare * image_beats(static_cast<int>(i));
    }
    assign_memory();
  }

  double cost() const { return cost_; }
  Placement take() { return std::move(result_); }
  void take_sides(const Placer& other) { side_ = other.side_; }
  void change_side(std::size_t index) { side_[index] = side_[index] == Side::Low ? Side::High : Side::Low; }

 private:
  const Image& image(int index) const { return lowered_.images[static_cast<std::size_t>(index)]; }
  ImagePlace& image_place(int index) { return result_.images[static_cast<std::size_t>(index)]; }

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
    for (const int used : images) {
      started_[static_cast<std::size_t>(used)] = true;
      if (last_use_[static_cast<std::size_t>(used)] == index) scratchpad_.release(used);
    }
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
    cost_ += best.cost - best.compute;
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
    place.inputs_by_strip = mode == InputMode::Strips;
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
  std::vector<Side> side_;  // per image
  double cost_ = 0;         // estimated cycles of loads and stores
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
      trial.take_sides(*best);
      trial.change_side(i);
      trial.run();
      if (trial.cost() < best->cost()) best.emplace(std::move(trial));
    }
    if (best->cost() >= before) break;
  }
  return best->take();
}

}  // namespace espalier::compile
