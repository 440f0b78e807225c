// Times and energies of the primitives: a transfer over a link, a layer or group on a loaded device.
#pragma once

#include <optional>
#include <vector>

#include "plan/cost/problem.hpp"

namespace espalier::plan {

/// One primitive's cost. Impossible time if it cannot be done.
struct Primitive {
  Nanoseconds mean = 0;
  Nanoseconds bound = 0;
  Nanojoules energy = 0;
  bool possible() const { return mean < Impossible; }
};

inline Primitive impossible() { return {Impossible, Impossible, 0}; }

/// Index of the link, or none.
std::optional<int> find_link(const Problem& problem, int from, int to);

/// Sending `bytes`; nothing if both devices are the same.
Primitive transfer(const Problem& problem, int from, int to, Bytes bytes);

/// The time of a transfer over a link whose bandwidth is `bytes_per_second`.
Primitive over_link(const Link& link, Bytes bytes);

/// A cost on a device under its load.
Primitive loaded(const Problem& problem, const std::optional<Cost>& cost, int device);

/// A layer on a device.
Primitive layer_cost(const Problem& problem, int variant, int layer, int device);

/// The group with exactly these layers, or none.
const Group* find_group(const Problem& problem, int variant, int first, int last, int device);

/// The bytes of a layer's output, or of the network's input.
Bytes tensor_bytes(const Problem& problem, int variant, int layer);

}  // namespace espalier::plan
