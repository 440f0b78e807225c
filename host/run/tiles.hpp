// A part of a feature, computed from no more than it needs: with the same bits as the whole.
//
//   std::vector<std::int8_t> part = run_tile(network, feature, {.first_row = 0, .last_row = 6, ...}, inputs);
//   std::vector<std::int8_t> whole = run_tiled(network, feature, tiles, inputs, workers);
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/network.hpp"
#include "plan/cost/tiles.hpp"

namespace espalier::run {

using TileValues = std::vector<std::int8_t>;  // channels x rows x columns of a region

/// Per feature the region that a region of `feature` depends on; empty where it does not. Windows grow it by their
/// halo, pools over the whole map by all of it; where several layers read a feature, it is the box around what they do.
std::vector<plan::Region> needed_regions(const model::Network& network, int feature, const plan::Region& region);

/// All channels of a region of a feature that a layer writes. `inputs` are the network's, whole, in its order. The
/// network must pass model::validate.
TileValues run_tile(const model::Network& network, int feature, const plan::Region& region,
                    std::span<const TileValues> inputs);

/// Computes a tile somewhere. Throws Error if the worker is lost; it is not asked again.
using TileWorker = std::function<TileValues(const plan::Region& tile)>;

/// The whole feature from tiles that cover it once, on the workers, each with a thread of its own; on this thread where
/// no worker is left. Waits for workers that still compute a tile that another has finished. Throws Error (Mismatch) if
/// a worker's result has the wrong size.
TileValues run_tiled(const model::Network& network, int feature, const std::vector<plan::Region>& tiles,
                     std::span<const TileValues> inputs, const std::vector<TileWorker>& workers);

}  // namespace espalier::run
