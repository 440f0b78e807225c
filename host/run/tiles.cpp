#include "run/tiles.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "cpu/reference.hpp"
#include "esp_error.hpp"
#include "plan/policy/tile_hand_out.hpp"

namespace espalier::run {
namespace {

using model::LayerKind;
using plan::Region;

const model::Feature& feature_of(const model::Network& network, int index) {
  return network.features[static_cast<std::size_t>(index)];
}

Region whole(const model::Feature& feature) { return {0, feature.height - 1, 0, feature.width - 1}; }

Region box(const Region& a, const Region& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {std::min(a.first_row, b.first_row), std::max(a.last_row, b.last_row),
          std::min(a.first_column, b.first_column), std::max(a.last_column, b.last_column)};
}

bool has_window(const model::Layer& layer) {
  return layer.kind == LayerKind::Convolution || layer.kind == LayerKind::MaxPool ||
         layer.kind == LayerKind::AveragePool;
}

bool elementwise(const model::Layer& layer) {
  return layer.kind == LayerKind::Add || layer.kind == LayerKind::Concat || layer.kind == LayerKind::Requantise;
}

/// What a window layer reads for an output region, beyond the map's edges too.
Region reach(const model::Layer& layer, const Region& output) {
  return {output.first_row * layer.stride_h - layer.pad_top,
          output.last_row * layer.stride_h - layer.pad_top + layer.dilation_h * (layer.kernel_h - 1),
          output.first_column * layer.stride_w - layer.pad_left,
          output.last_column * layer.stride_w - layer.pad_left + layer.dilation_w * (layer.kernel_w - 1)};
}

Region inside(const Region& region, const model::Feature& feature) {
  return {std::max(region.first_row, 0), std::min(region.last_row, feature.height - 1),
          std::max(region.first_column, 0), std::min(region.last_column, feature.width - 1)};
}

/// Whether the layer can be computed for this output region alone: a window that lies wholly in the padding has no
/// part of the map to be computed from.
bool computes_parts(const model::Network& network, const model::Layer& layer, const Region& output) {
  if (elementwise(layer)) return true;
  return has_window(layer) && !inside(reach(layer, output), feature_of(network, layer.inputs[0])).empty();
}

/// What a layer computes for a needed region of its output, and what it reads for that of each input.
struct Part {
  Region output, input;
};

Part part_of(const model::Network& network, const model::Layer& layer, const Region& needed) {
  const model::Feature& in = feature_of(network, layer.inputs[0]);
  if (!computes_parts(network, layer, needed)) return {whole(feature_of(network, layer.output)), whole(in)};
  return {needed, elementwise(layer) ? needed : inside(reach(layer, needed), in)};
}

/// Rows or columns from the first to the last.
std::size_t span(int first, int last) { return static_cast<std::size_t>(last) + 1 - static_cast<std::size_t>(first); }

/// A region of values that cover `from`.
TileValues crop(const TileValues& values, int channels, const Region& from, const Region& region) {
  const auto columns = span(from.first_column, from.last_column);
  const auto rows = span(from.first_row, from.last_row);
  const auto width = span(region.first_column, region.last_column);
  TileValues result;
  result.reserve(static_cast<std::size_t>(channels) * static_cast<std::size_t>(region.area()));
  for (std::size_t channel = 0; channel < static_cast<std::size_t>(channels); ++channel)
    for (int row = region.first_row; row <= region.last_row; ++row) {
      const std::size_t at = (channel * rows + static_cast<std::size_t>(row - from.first_row)) * columns +
                             static_cast<std::size_t>(region.first_column - from.first_column);
      const auto first = values.begin() + static_cast<std::ptrdiff_t>(at);
      result.insert(result.end(), first, first + static_cast<std::ptrdiff_t>(width));
    }
  return result;
}

/// The layer with the padding that its part of the map has.
model::Layer padded_for(const model::Network& network, const model::Layer& layer, const Part& part) {
  model::Layer cut = layer;
  if (!has_window(layer) || !computes_parts(network, layer, part.output)) return cut;
  const Region wanted = reach(layer, part.output);
  cut.pad_top = part.input.first_row - wanted.first_row;
  cut.pad_bottom = wanted.last_row - part.input.last_row;
  cut.pad_left = part.input.first_column - wanted.first_column;
  cut.pad_right = wanted.last_column - part.input.last_column;
  return cut;
}

void resize(model::Feature& feature, const Region& region) {
  feature.height = region.last_row - region.first_row + 1;
  feature.width = region.last_column - region.first_column + 1;
}

/// Writes a tile into the whole feature.
void place(TileValues& values, const model::Feature& feature, const Region& tile, const TileValues& part) {
  const auto width = span(tile.first_column, tile.last_column);
  auto source = part.begin();
  for (int channel = 0; channel < feature.channels; ++channel)
    for (int row = tile.first_row; row <= tile.last_row; ++row) {
      const std::ptrdiff_t at = (std::ptrdiff_t{channel} * feature.height + row) * feature.width + tile.first_column;
      std::copy_n(source, width, values.begin() + at);
      source += static_cast<std::ptrdiff_t>(width);
    }
}

/// Follows the hand-out with a thread per worker.
class Gathering {
 public:
  Gathering(const model::Feature& feature, const std::vector<Region>& tiles, std::size_t workers)
      : feature_(feature), tiles_(tiles), values_(feature.elements()), state_(plan::begin(tiles.size(), workers)) {}

  void work(std::size_t worker, const TileWorker& compute) {
    std::optional<std::size_t> tile = report({plan::TileEvent::Kind::Idle, worker, 0}, {});
    while (tile) {
      TileValues part;
      try {
        part = compute(tiles_[*tile]);
        check(tiles_[*tile], part);
      } catch (const std::exception&) {
        report({plan::TileEvent::Kind::Lost, worker, 0}, {});
        return;
      }
      tile = report({plan::TileEvent::Kind::Done, worker, *tile}, part);
    }
  }

  /// What no worker has computed.
  void finish(const TileWorker& compute) {
    for (std::size_t tile = 0; tile < tiles_.size(); ++tile)
      if (!state_.tiles[tile].done) place(values_, feature_, tiles_[tile], compute(tiles_[tile]));
  }

  TileValues values() { return std::move(values_); }

 private:
  void check(const Region& tile, const TileValues& part) const {
    const auto expected = static_cast<std::size_t>(feature_.channels) * static_cast<std::size_t>(tile.area());
    if (part.size() != expected)
      throw Error(ErrorCode::Mismatch, "a tile has the wrong size", feature_.name, std::to_string(part.size()),
                  "expected " + std::to_string(expected));
  }

  std::optional<std::size_t> report(const plan::TileEvent& event, const TileValues& part) {
    const std::scoped_lock lock(mutex_);
    plan::HandOut next = plan::hand_out(std::move(state_), event);
    state_ = std::move(next.state);
    if (next.take) place(values_, feature_, tiles_[event.tile], part);
    return next.give;
  }

  const model::Feature& feature_;
  const std::vector<Region>& tiles_;
  std::mutex mutex_;
  TileValues values_;
  plan::HandOutState state_;
};

}  // namespace

std::vector<Region> needed_regions(const model::Network& network, int feature, const Region& region) {
  std::vector<Region> needed(network.features.size());
  needed[static_cast<std::size_t>(feature)] = region;
  for (std::size_t i = network.layers.size(); i-- > 0;) {
    const model::Layer& layer = network.layers[i];
    Region& output = needed[static_cast<std::size_t>(layer.output)];
    if (output.empty()) continue;
    const Part part = part_of(network, layer, output);
    output = part.output;
    for (const int input : layer.inputs) {
      Region& of_input = needed[static_cast<std::size_t>(input)];
      of_input = box(of_input, part.input);
    }
  }
  return needed;
}

TileValues run_tile(const model::Network& network, int feature, const Region& region,
                    std::span<const TileValues> inputs) {
  const std::vector<Region> needed = needed_regions(network, feature, region);
  std::vector<TileValues> values(network.features.size());
  for (std::size_t i = 0; i < network.inputs.size(); ++i) {
    const auto index = static_cast<std::size_t>(network.inputs[i]);
    const model::Feature& input = network.features[index];
    if (!needed[index].empty()) values[index] = crop(inputs[i], input.channels, whole(input), needed[index]);
  }
  model::Network local;
  local.features = network.features;
  for (const model::Layer& layer : network.layers) {
    const auto output = static_cast<std::size_t>(layer.output);
    if (needed[output].empty()) continue;
    const Part part = part_of(network, layer, needed[output]);
    std::vector<TileValues> sources;
    for (const int input : layer.inputs) {
      const auto index = static_cast<std::size_t>(input);
      sources.push_back(crop(values[index], network.features[index].channels, needed[index], part.input));
      resize(local.features[index], part.input);
    }
    resize(local.features[output], part.output);
    values[output] = cpu::run_layer(local, padded_for(network, layer, part), sources);
  }
  const auto index = static_cast<std::size_t>(feature);
  return crop(values[index], network.features[index].channels, needed[index], region);
}

TileValues run_tiled(const model::Network& network, int feature, const std::vector<Region>& tiles,
                     std::span<const TileValues> inputs, const std::vector<TileWorker>& workers) {
  Gathering gathering(feature_of(network, feature), tiles, workers.size());
  std::vector<std::thread> threads;
  for (std::size_t worker = 0; worker < workers.size(); ++worker)
    threads.emplace_back([&, worker] { gathering.work(worker, workers[worker]); });
  for (std::thread& thread : threads) thread.join();
  gathering.finish([&](const Region& tile) { return run_tile(network, feature, tile, inputs); });
  return gathering.values();
}

}  // namespace espalier::run
