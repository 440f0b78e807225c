#include "compile/layout_choice.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

#include "compile/layer_ways.hpp"
#include "compile/tiling_choice.hpp"

namespace espalier::compile {
namespace {

using model::Feature;
using model::Layer;
using model::LayerKind;

/// What one input of one layer was read as when its layout was last chosen.
struct Wish {
  std::size_t layer = 0;
  std::size_t part = 0;
  Layout layout;
};

/// Times that layouts are chosen for the whole network before the choice as a whole is improved.
constexpr int Passes = 3;

/// Times that all changes of tiles are tried.
constexpr int Rounds = 3;

/// Times that a layer is costed while changes are tried: bounds the time for networks of very many layers.
constexpr std::size_t MostCosted = 1500000;

/// A change is kept if it lowers the cost to this share.
constexpr double Better = 0.9999;

/// Tiles are tried for a layer if they cost it at most this much more than its best.
constexpr double CandidateShare = 1.35;
constexpr double GridShare = 1.1;

/// The same for those that the timing model compares.
constexpr double AlternativeShare = 1.2;

class LayoutChooser {
 public:
  LayoutChooser(const model::Network& network, const abi::Configuration& configuration, const Options& options)
      : network_(network),
        configuration_(configuration),
        options_(options),
        vectors_(choose_vector_layers(network, configuration, options)),
        chooser_(configuration_) {}

  std::vector<std::vector<Tiling>> alternatives(std::size_t most) {
    run();
    std::vector<std::vector<Tiling>> result(network_.layers.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
      if (global_pool(network_.layers[i].kind) || vectors_.layers[i]) continue;
      result[i] = chooser_.candidates(problem(i, 0), AlternativeShare, false);
      if (result[i].size() > most) result[i].resize(most);
    }
    return result;
  }

  void run() {
    find_roots();
    wishes_.resize(network_.features.size());
    splits_.resize(network_.layers.size());
    fixed_.resize(network_.layers.size());
    const bool told = take_told();
    // Each pass knows what the readers of a feature that come earlier wanted in the one before.
    for (int pass = 0; pass < Passes; ++pass) choose_all();
    if (options_.joint_layouts && !told) improve();
  }

  LayoutPlan take() { return {std::move(roots_), std::move(requests_), std::move(tilings_), std::move(vectors_)}; }

 private:
  /// A part of a layer, which is a step of its own.
  struct Place {
    std::size_t layer = 0;
    std::size_t part = 0;
    bool operator==(const Place&) const = default;
  };
  using Change = std::pair<Place, Tiling>;

  /// Tilings that the options tell; whether there are any.
  bool take_told() {
    bool any = false;
    for (std::size_t i = 0; i < std::min(network_.layers.size(), options_.layers.size()); ++i) {
      const auto& tilings = options_.layers[i].tilings;
      if (tilings.size() != network_.layers[i].inputs.size() || global_pool(network_.layers[i].kind)) continue;
      fixed_[i].assign(tilings.begin(), tilings.end());
      any = true;
    }
    return any;
  }

  void choose_all() {
    requests_.assign(network_.features.size(), {});
    tilings_.assign(network_.layers.size(), {});
    for (std::size_t i = network_.layers.size(); i-- > 0;) choose(i);
  }

  /// Keeps the tiles of single layers, and of several in a row, that lower the cost of the network.
  void improve() {
    std::vector<Place> places;
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      fixed_[i].assign(tilings_[i].begin(), tilings_[i].end());
      const Layer& layer = network_.layers[i];
      if (global_pool(layer.kind) || vectors_.layers[i]) {
        fixed_[i].assign(tilings_[i].size(), std::nullopt);
        continue;
      }
      for (const std::size_t part : computed_parts(layer)) places.push_back({i, part});
    }
    choose_all();
    cost_ = network_cost();
    bool better = true;
    for (int round = 0; round < Rounds && better; ++round) {
      better = improve_runs(places);
      for (const Place& place : places) better = improve_layer(place, places) || better;
    }
    choose_all();
  }

  bool outside(int index) {
    return contains(network_.inputs, root(index).feature) || contains(network_.outputs, root(index).feature);
  }

  /// A layer that reads one pixel in each of several can be given those alone.
  bool can_sample(const Place& place) {
    const Layer& layer = network_.layers[place.layer];
    const Window window = windowed(layer.kind) ? window_of(layer) : Window{};
    const bool point = window.extent_y() == 1 && window.extent_x() == 1 && window.pad_top == 0 && window.pad_left == 0;
    return point && (window.stride_y > 1 || window.stride_x > 1) && !outside(layer.inputs[place.part]);
  }

  /// Packed tiles are for layers that read one word for each result, between layers.
  bool can_pack(const Place& place, bool sampled) {
    const Layer& layer = network_.layers[place.layer];
    const Feature& in = feature(layer.inputs[place.part]);
    const Feature& out = feature(layer.output);
    const Window window = windowed(layer.kind) ? window_of(layer) : Window{};
    const int stride_y = sampled ? window.stride_y : 1;
    const int stride_x = sampled ? window.stride_x : 1;
    const bool point =
        window.extent_y() == 1 && window.extent_x() == 1 && window.stride_y == stride_y && window.stride_x == stride_x;
    const bool same = divide_up(in.height, stride_y) == out.height && divide_up(in.width, stride_x) == out.width;
    return point && same && !outside(layer.output) &&
           std::none_of(layer.inputs.begin(), layer.inputs.end(), [&](int input) { return outside(input); });
  }

  /// The padding between rows of the map that strands of a layer need; none if it cannot be computed in strands.
  std::optional<int> strand_gap(const Place& place) {
    const Layer& layer = network_.layers[place.layer];
    if (layer.kind != LayerKind::Convolution && layer.kind != LayerKind::Add) return std::nullopt;
    const Feature& in = feature(layer.inputs[place.part]);
    const Feature& out = feature(layer.output);
    const Window window = windowed(layer.kind) ? window_of(layer) : Window{};
    const bool same = in.height == out.height && in.width == out.width && window.stride_y == 1 && window.stride_x == 1;
    if (!same || outside(layer.output) ||
        std::any_of(layer.inputs.begin(), layer.inputs.end(), [&](int input) { return outside(input); }))
      return std::nullopt;
    return std::max(window.pad_left, window.extent_x() - 1 - window.pad_left);
  }

  /// Whether these strands cut the map of a layer and leave its windows the padding that they need.
  bool can_strand(const Place& place, const Tiling& tiling) {
    const Feature& out = feature(network_.layers[place.layer].output);
    const int gap = tiling.strand_pitch - out.width;
    return gap >= strand_gap(place).value_or(gap + 1) &&
           Tiling::strands(out.height, out.width, gap, tiling.word) == tiling;
  }

  bool same_size(const Place& a, const Place& b) const {
    const Feature& first = feature(network_.layers[a.layer].output);
    const Feature& second = feature(network_.layers[b.layer].output);
    return first.height == second.height && first.width == second.width;
  }

  /// Tries one grid of tiles for consecutive layers, from where the size of the maps changes.
  bool improve_runs(const std::vector<Place>& places) {
    bool better = false;
    for (std::size_t first = 0; first < places.size(); ++first) {
      if (first > 0 && same_size(places[first - 1], places[first])) continue;
      for (std::size_t count = 1; first + count <= places.size(); ++count) {
        better = improve_run(std::span(places).subspan(first, count)) || better;
      }
    }
    return better;
  }

  bool improve_run(std::span<const Place> places) {
    std::vector<Tiling> grids;
    const auto same_grid = [](const Tiling& a, const Tiling& b) {
      return a.grid_y == b.grid_y && a.grid_x == b.grid_x && a.word == b.word &&
             (a.packed_width > 0) == (b.packed_width > 0) && a.strand_pitch == b.strand_pitch;
    };
    for (std::size_t i = 0; i < places.size(); ++i) {
      const bool changed_size = i == 0 || !same_size(places[i - 1], places[i]);
      // The strands of one layer are those of the layers around it.
      if (!changed_size && strand_gap(places[i]).value_or(0) == 0) continue;
      for (const Tiling& tiling : chooser_.candidates(problem(places[i].layer, places[i].part), GridShare, true)) {
        if (!changed_size && tiling.strand_pitch == 0) continue;
        if (std::none_of(grids.begin(), grids.end(), [&](const Tiling& t) { return same_grid(t, tiling); })) {
          grids.push_back(tiling);
        }
      }
    }
    bool better = false;
    for (const Tiling& grid : grids) {
      std::vector<Change> changes;
      for (const Place& place : places) {
        const Feature& out = feature(network_.layers[place.layer].output);
        const int grid_y = std::min(grid.grid_y, out.height);
        const int grid_x = std::min(grid.grid_x, out.width);
        if (grid.strand_pitch > 0) {
          if (can_strand(place, grid)) changes.emplace_back(place, grid);
          continue;
        }
        Tiling tiling = Tiling::of(out.height, out.width, grid_y, grid_x, grid.word);
        if (tiling.grid_y != grid.grid_y || tiling.grid_x != grid.grid_x) continue;
        const bool sampled = tilings_[place.layer][place.part].sampled;
        if (grid.packed_width > 0 && can_pack(place, sampled)) {
          tiling = Tiling::packed(out.height, out.width, grid_y, grid_x, grid.word).value_or(tiling);
        }
        tiling.sampled = sampled;
        changes.emplace_back(place, tiling);
      }
      better = change(changes) || better;
    }
    return better;
  }

  /// Tries the tiles of layers with maps of the same size, those its output is written to, and the fastest.
  bool improve_layer(const Place& place, const std::vector<Place>& others) {
    constexpr std::size_t Fastest = 4;
    const Layer& layer = network_.layers[place.layer];
    std::vector<Tiling> tilings =
        chooser_.candidates(problem(place.layer, place.part), CandidateShare, can_pack(place, can_sample(place)));
    if (tilings.size() > Fastest) tilings.resize(Fastest);
    for (const Place& other : others) {
      if (same_size(place, other)) tilings.push_back(tilings_[other.layer][other.part]);
    }
    for (const Request& request : requests(root(layer.output).feature)) {
      if (!request.layout.sampled()) tilings.push_back(request.layout.tiling());
    }
    if (can_sample(place)) {
      std::vector<Tiling> sampled = tilings;
      add_sampled(layer, sampled);
      tilings.insert(tilings.end(), sampled.begin(), sampled.end());
    }
    std::vector<Tiling> tried{tilings_[place.layer][place.part]};
    bool better = false;
    for (const Tiling& tiling : tilings) {
      if (std::find(tried.begin(), tried.end(), tiling) != tried.end()) continue;
      if (tiling.packed_width > 0 && !can_pack(place, tiling.sampled)) continue;
      if (tiling.sampled && !can_sample(place)) continue;
      if (tiling.strand_pitch > 0 && (tiling.sampled || !can_strand(place, tiling))) continue;
      tried.push_back(tiling);
      better = change({{place, tiling}}) || better;
    }
    return better;
  }

  /// The same tilings for a layer that is given sampled pixels alone; and words of whole positions of fewer tiles,
  /// which may take fewer writes to fill.
  void add_sampled(const Layer& layer, std::vector<Tiling>& tilings) {
    const Feature& out = feature(layer.output);
    const WordShape word{1, static_cast<int>(configuration_.pixels)};
    for (int grid = 1; grid * grid <= word.segment; grid *= 2) {
      const auto tight = Tiling::packed(out.height, out.width, grid, grid, word);
      if (tight) tilings.push_back(*tight);
    }
    for (Tiling& tiling : tilings) tiling.sampled = true;
  }

  /// Changes the tiles of layers that can be computed with them; undone if the network does not get cheaper.
  bool change(const std::vector<Change>& changes) {
    const auto fixed = fixed_;
    bool changed = false;
    for (const auto& [place, tiling] : changes) {
      auto& known = fixed_[place.layer][place.part];
      const auto& options = split_options(place.layer, place.part);
      const bool possible = std::any_of(options.begin(), options.end(),
                                        [&, split = tiling.word.split](const auto& o) { return o.split == split; });
      if (!possible || known == tiling) continue;
      known = tiling;
      changed = true;
    }
    if (!changed || costed_ >= MostCosted) {
      fixed_ = fixed;
      return false;
    }
    costed_ += network_.layers.size();
    auto requests = requests_;
    auto tilings = tilings_;
    choose_all();
    const double cost = network_cost();
    if (cost < cost_ * Better) {
      cost_ = cost;
      return true;
    }
    fixed_ = fixed;
    requests_ = std::move(requests);
    tilings_ = std::move(tilings);
    return false;
  }

  /// Estimated cycles of all layers and copies.
  double network_cost() {
    double cost = 0;
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& layer = network_.layers[i];
      if (global_pool(layer.kind) || vectors_.layers[i]) continue;
      for (const std::size_t part : computed_parts(layer)) {
        TilingProblem own = problem(i, part);
        own.sources.clear();
        own.destination = requests(root(layer.output).feature).front().layout;
        cost += chooser_.cost(own, tilings_[i][part]);
      }
    }
    for (std::size_t f = 0; f < requests_.size(); ++f) {
      if (requests_[f].empty() || contains(network_.inputs, static_cast<int>(f))) continue;
      for (std::size_t i = 1; i < requests_[f].size(); ++i) {
        cost += chooser_.copying(requests_[f].front().layout, requests_[f][i].layout, network_.features[f].channels);
      }
    }
    return cost;
  }

  const Feature& feature(int index) const { return network_.features[static_cast<std::size_t>(index)]; }
  Root& root(int index) { return roots_[static_cast<std::size_t>(index)]; }
  std::vector<Request>& requests(int index) { return requests_[static_cast<std::size_t>(index)]; }
  static bool contains(const std::vector<int>& list, int value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }

  /// Concatenation by address: an input with the output's quantisation that nobody else reads.
  void find_roots() {
    std::vector<int> readers(network_.features.size(), 0);
    std::vector<bool> written(network_.features.size(), false);
    for (const Layer& layer : network_.layers) {
      for (const int input : layer.inputs) ++readers[static_cast<std::size_t>(input)];
      written[static_cast<std::size_t>(layer.output)] = true;
    }
    roots_.resize(network_.features.size());
    for (std::size_t i = 0; i < roots_.size(); ++i) roots_[i] = {static_cast<int>(i), 0};
    most_split_.assign(network_.features.size(), static_cast<int>(configuration_.max_split()));
    for (std::size_t i = network_.layers.size(); i-- > 0;) {
      const Layer& layer = network_.layers[i];
      if (layer.kind != LayerKind::Concat) continue;
      int channel = 0;
      for (const int input : layer.inputs) {
        const bool free = readers[static_cast<std::size_t>(input)] == 1 && written[static_cast<std::size_t>(input)] &&
                          !contains(network_.outputs, input);
        if (free && same_quantisation(feature(input), feature(layer.output))) {
          root(input) = {root(layer.output).feature, root(layer.output).channel + channel};
        }
        int& most = most_split_[static_cast<std::size_t>(root(layer.output).feature)];
        while ((root(layer.output).channel + channel) % most != 0) most /= 2;
        channel += feature(input).channels;
      }
    }
  }

  /// A layer of WeightsVector reads any layout; what only such layers use is a packed vector.
  void choose_vector(std::size_t index) {
    const Layer& layer = network_.layers[index];
    tilings_[index] = {Tiling::of(1, 1, 1, 1, {1, static_cast<int>(configuration_.pixels)})};
    for (const int side : {layer.output, layer.inputs[0]}) {
      if (!vectors_.features[static_cast<std::size_t>(side)]) continue;
      requests(side) = {{vector_layout(feature(side), configuration_), {}}};
    }
    want_something(layer, tilings_[index][0]);
    auto& wanted = requests(layer.output);
    if (wanted.size() > 1 || contains(network_.outputs, layer.output)) {
      wanted.front().layout = covering(wanted.front().layout);
    }
  }

  void choose(std::size_t index) {
    if (vectors_.layers[index]) return choose_vector(index);
    const Layer& layer = network_.layers[index];
    const int base = root(layer.output).feature;
    auto& wanted = requests(base);
    if (base == layer.output) choose_first(index);
    tilings_[index].resize(layer.inputs.size());
    for (const std::size_t part : computed_parts(layer)) {
      const auto destination = wanted.empty() ? std::nullopt : std::optional(wanted.front().layout);
      tilings_[index][part] = chosen(index, part, destination).tiling;
      want_something(layer, tilings_[index][part]);
    }
    want_something(layer, fewest_words(feature(layer.output).height, feature(layer.output).width, 1, configuration_));
    if (wanted.size() > 1 || contains(network_.outputs, base)) {
      wanted.front().layout = covering(wanted.front().layout);
    }
    for (std::size_t part = 0; part < layer.inputs.size(); ++part) request_input(index, part);
  }

  /// The parts of a layer that are steps of their own.
  std::vector<std::size_t> computed_parts(const Layer& layer) {
    if (layer.kind == LayerKind::Add) return {0};
    std::vector<std::size_t> parts;
    for (std::size_t part = 0; part < layer.inputs.size(); ++part) {
      if (layer.kind != LayerKind::Concat || !in_place(layer, static_cast<int>(part))) parts.push_back(part);
    }
    return parts;
  }

  /// If nobody has asked for a layout of a layer's output, it is that of its own tiles.
  void want_something(const Layer& layer, Tiling tiling) {
    const Feature& out = feature(layer.output);
    auto& wanted = requests(root(layer.output).feature);
    const int most = most_split_[static_cast<std::size_t>(root(layer.output).feature)];
    if (!wanted.empty()) return;
    if (tiling.word.split > most) tiling = fewest_words(out.height, out.width, most, configuration_);
    wanted.push_back({window_layout(tiling, {}, out.height, out.width), {}});
  }

  /// The first image of a feature is the one that is written into, the others are copies of it: the cheapest. Its
  /// words must not hold channels of two parts.
  void choose_first(std::size_t index) {
    const Layer& layer = network_.layers[index];
    const Feature& out = feature(layer.output);
    auto& wanted = requests(layer.output);
    const int most = most_split_[static_cast<std::size_t>(layer.output)];
    const bool all_pixels = wanted.size() > 1 || contains(network_.outputs, layer.output);
    const auto fits = [&](const Request& request) {
      return request.layout.word.split <= most && !(all_pixels && request.layout.sampled());
    };
    if (wanted.empty() || (wanted.size() == 1 && fits(wanted.front()))) return;
    std::size_t best = wanted.size();
    double best_cost = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (!fits(wanted[i])) continue;
      double cost = 0;
      for (const Request& other : wanted) {
        if (&other != &wanted[i]) cost += chooser_.copying(wanted[i].layout, other.layout, out.channels);
      }
      for (const std::size_t part : computed_parts(layer)) cost += chosen(index, part, wanted[i].layout).cost;
      if (cost < best_cost || best == wanted.size()) {
        best = i;
        best_cost = cost;
      }
    }
    if (best < wanted.size()) {
      std::swap(wanted.front(), wanted[best]);
    } else {
      const Tiling tiling = fewest_words(out.height, out.width, most, configuration_);
      wanted.insert(wanted.begin(), {window_layout(tiling, {}, out.height, out.width), {}});
    }
  }

  /// The best tiling of a part if it is written to `destination`.
  TilingChoice chosen(std::size_t index, std::size_t part, const std::optional<Layout>& destination) {
    TilingProblem choice = problem(index, part);
    choice.destination = destination;
    if (!fixed_[index].empty() && fixed_[index][part]) {
      const Tiling& tiling = *fixed_[index][part];
      return {tiling, chooser_.cost(choice, tiling)};
    }
    if (!global_pool(network_.layers[index].kind)) return chooser_.tiling(choice);
    const TilingChoice words = chooser_.words(choice);
    return {{1, 1, 1, 1, 1, 1, words.tiling.word}, words.cost};
  }

  bool in_place(const Layer& layer, int part) {
    const int input = layer.inputs[static_cast<std::size_t>(part)];
    return root(input).feature == root(layer.output).feature;
  }

  TilingProblem problem(std::size_t index, std::size_t part) {
    const Layer& layer = network_.layers[index];
    const Feature& in = feature(layer.inputs[part]);
    const Feature& out = feature(layer.output);
    TilingProblem result;
    result.height = out.height;
    result.width = out.width;
    result.splits = split_options(index, part);
    if (windowed(layer.kind)) result.window = window_of(layer);
    result.input_height = in.height;
    result.input_width = in.width;
    result.input_channels = in.channels;
    result.loaded = contains(network_.inputs, root(layer.inputs[part]).feature);
    result.beat_cycles = static_cast<double>(abi::BeatBytes) / options_.memory.bytes;
    result.strand_gap = strand_gap({index, part});
    if (layer.kind == LayerKind::Convolution) result.channels_per_result = in.channels / layer.groups;
    for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
      if (i != part && layer.kind != LayerKind::Add) continue;
      const int base = root(layer.inputs[i]).feature;
      result.most_source_split = std::min(result.most_source_split, most_split_[static_cast<std::size_t>(base)]);
      auto& layouts = result.sources.emplace_back();
      if (contains(network_.inputs, base)) continue;  // the host packs it in every layout
      for (const Wish& wish : wishes_[static_cast<std::size_t>(base)]) {
        if (wish.layer != index && !wish.layout.sampled()) layouts.push_back(wish.layout);
      }
    }
    return result;
  }

  const std::vector<SplitOption>& split_options(std::size_t index, std::size_t part) {
    const Layer& layer = network_.layers[index];
    auto& parts = splits_[index];
    parts.resize(layer.inputs.size());
    if (parts[part].empty()) {
      const ChannelPlace place = channel_place(layer, static_cast<int>(part));
      parts[part] = LayerWays(network_, layer, configuration_, options_).options(place);
    }
    return parts[part];
  }

  ChannelPlace channel_place(const Layer& layer, int part) {
    int channel = root(layer.output).channel;
    int channels = feature(layer.output).channels;
    if (layer.kind == LayerKind::Concat) {
      for (int i = 0; i < part; ++i) channel += feature(layer.inputs[static_cast<std::size_t>(i)]).channels;
      channels = feature(layer.inputs[static_cast<std::size_t>(part)]).channels;
    }
    return {channels, channel + channels == feature(root(layer.output).feature).channels};
  }

  void request_input(std::size_t index, std::size_t part) {
    const Layer& layer = network_.layers[index];
    const Feature& in = feature(layer.inputs[part]);
    if (layer.kind == LayerKind::Concat && in_place(layer, static_cast<int>(part))) return;
    Request request;
    if (global_pool(layer.kind)) {
      request.layout = window_layout(pooled_words(in, tilings_[index][part], configuration_), {}, in.height, in.width);
    } else {
      const Tiling& tiling = tilings_[index][layer.kind == LayerKind::Add ? 0 : part];
      const Window window = windowed(layer.kind) ? window_of(layer) : Window{};
      request.layout = window_layout(tiling, window, in.height, in.width);
    }
    request.fill = fill_rule(network_, layer, in);
    const int base = root(layer.inputs[part]).feature;
    add_request(base, request);
    auto& wishes = wishes_[static_cast<std::size_t>(base)];
    const auto known = std::find_if(wishes.begin(), wishes.end(),
                                    [&](const Wish& wish) { return wish.layer == index && wish.part == part; });
    Wish& wish = known == wishes.end() ? wishes.emplace_back(Wish{index, part, {}}) : *known;
    wish.layout = request.layout;
  }

  void add_request(int index, const Request& request) {
    for (Request& known : requests(index)) {
      const auto fill = FillRule::merged(known.fill, request.fill);
      if (!fill || !known.layout.same_tiles(request.layout)) continue;
      known.layout = united(known.layout, request.layout);
      known.fill = *fill;
      return;
    }
    requests(index).push_back(request);
  }

  const model::Network& network_;
  const abi::Configuration& configuration_;
  const Options& options_;
  VectorLayers vectors_;
  TilingChooser chooser_;
  std::vector<std::vector<std::vector<SplitOption>>> splits_;  // per layer and input
  std::vector<std::vector<std::optional<Tiling>>> fixed_;      // per layer and input, while the choice is improved
  std::vector<Root> roots_;
  std::vector<int> most_split_;                 // per root feature: divides the first channel of every part
  std::vector<std::vector<Request>> requests_;  // per root feature
  std::vector<std::vector<Wish>> wishes_;       // per root feature
  std::vector<std::vector<Tiling>> tilings_;    // per layer and input
  double cost_ = 0;                             // of the network as it is chosen
  std::size_t costed_ = 0;                      // layers, while changes were tried
};

}  // namespace

LayoutPlan choose_layouts(const model::Network& network, const abi::Configuration& configuration,
                          const Options& options) {
  LayoutChooser chooser(network, configuration, options);
  chooser.run();
  return chooser.take();
}

std::vector<std::vector<Tiling>> alternative_tilings(const model::Network& network,
                                                     const abi::Configuration& configuration, const Options& options,
                                                     std::size_t most) {
  return LayoutChooser(network, configuration, options).alternatives(most);
}

}  // namespace espalier::compile
