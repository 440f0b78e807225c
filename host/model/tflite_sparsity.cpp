#include "model/tflite_sparsity.hpp"

#include <algorithm>

#include "model/import_options.hpp"

namespace espalier::model {
namespace {

[[noreturn]] void damaged(const std::string& problem, const std::string& where, const std::string& value = {}) {
  throw Error(ErrorCode::Model, problem, where, value, "export the model again");
}

/// One level of the storage: an axis of the tensor, or of the blocks into which an axis is divided.
struct Level {
  std::size_t axis = 0;    // of the tensor
  std::int64_t pitch = 1;  // step along that axis
  std::int64_t size = 0;   // indices are below
  bool dense = true;
  std::vector<std::int64_t> segments, indices;  // of sparse levels
};

std::vector<std::int64_t> read_list(const void* list, tflite::SparseIndexVector type, const std::string& where) {
  const auto copy = [&](const auto* vector) {
    if (vector == nullptr || vector->values() == nullptr) damaged("a list of sparse indices is missing", where);
    return std::vector<std::int64_t>(vector->values()->begin(), vector->values()->end());
  };
  if (type == tflite::SparseIndexVector_Int32Vector) return copy(static_cast<const tflite::Int32Vector*>(list));
  if (type == tflite::SparseIndexVector_Uint16Vector) return copy(static_cast<const tflite::Uint16Vector*>(list));
  if (type == tflite::SparseIndexVector_Uint8Vector) return copy(static_cast<const tflite::Uint8Vector*>(list));
  damaged("a list of sparse indices is missing", where, std::to_string(static_cast<int>(type)));
}

/// Reads the levels in the order of storage and checks that their sizes give the shape.
std::vector<Level> read_levels(const Shape& shape, const tflite::SparsityParameters& sparsity,
                               const std::string& where) {
  const std::size_t rank = shape.size();
  const auto* order = sparsity.traversal_order();
  const auto* blocks = sparsity.block_map();
  const auto* data = sparsity.dim_metadata();
  const std::size_t block_count = blocks == nullptr ? 0 : blocks->size();
  const std::size_t count = rank + block_count;
  if (block_count > rank || order == nullptr || data == nullptr || order->size() != count || data->size() != count)
    damaged("the sparse storage does not fit the rank", where, std::to_string(count));
  std::vector<std::int64_t> block_size(rank, 1);
  std::vector<Level> levels(count);
  std::vector<bool> seen(count, false);
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = static_cast<flatbuffers::uoffset_t>(i);
    const std::int64_t stored = order->Get(at);
    if (stored < 0 || stored >= static_cast<std::int64_t>(count) || seen[static_cast<std::size_t>(stored)])
      damaged("the order of sparse levels is no permutation", where, std::to_string(stored));
    const auto logical = static_cast<std::size_t>(stored);
    seen[logical] = true;
    Level& level = levels[i];
    const tflite::DimensionMetadata& entry = *data->Get(at);
    level.dense = entry.format() == tflite::DimensionType_Dense;
    if (!level.dense && entry.format() != tflite::DimensionType_SparseCsr)
      damaged("the format of a sparse level is not known", where, std::to_string(static_cast<int>(entry.format())));
    level.axis = logical;
    level.size = entry.dense_size();
    if (logical >= rank) {
      const std::int64_t axis = blocks->Get(static_cast<flatbuffers::uoffset_t>(logical - rank));
      if (axis < 0 || axis >= static_cast<std::int64_t>(rank) || !level.dense || level.size < 1 ||
          block_size[static_cast<std::size_t>(axis)] != 1)
        damaged("a block of the sparse storage is not valid", where, std::to_string(axis));
      level.axis = static_cast<std::size_t>(axis);
      block_size[level.axis] = level.size;
    }
    if (level.dense) continue;
    level.segments = read_list(entry.array_segments(), entry.array_segments_type(), where);
    level.indices = read_list(entry.array_indices(), entry.array_indices_type(), where);
  }
  for (std::size_t i = 0; i < count; ++i) {
    Level& level = levels[i];
    if (static_cast<std::size_t>(order->Get(static_cast<flatbuffers::uoffset_t>(i))) >= rank) continue;
    const std::int64_t step = block_size[level.axis], size = shape[level.axis];
    if (step > size || size % step != 0 || (level.dense && level.size != size / step))
      damaged("the sparse storage does not have the shape of the tensor", where, std::to_string(level.size));
    level.pitch = step;
    level.size = size / step;
  }
  return levels;
}

/// Visits the stored values in their order; every position at most once, so the work is bounded by the shape.
class Walker {
 public:
  Walker(const Shape& shape, std::vector<Level> levels, std::size_t stored, std::string where)
      : levels_(std::move(levels)), stored_(stored), where_(std::move(where)), pitch_(shape.size(), 1) {
    for (std::size_t i = shape.size(); i-- > 1;) pitch_[i - 1] = pitch_[i] * shape[i];
  }

  /// The places in the dense array, one per stored value.
  std::vector<std::size_t> run() {
    visit(0, 0, 0);
    if (places_.size() != stored_)
      damaged("the sparse storage does not have the number of values", where_, std::to_string(places_.size()));
    return std::move(places_);
  }

 private:
  void visit(std::size_t depth, std::int64_t position, std::int64_t place) {
    if (depth == levels_.size()) {
      if (position != static_cast<std::int64_t>(places_.size()) || places_.size() >= stored_)
        damaged("the sparse storage does not have the number of values", where_, std::to_string(position));
      places_.push_back(static_cast<std::size_t>(place));
      return;
    }
    const Level& level = levels_[depth];
    const std::int64_t step = level.pitch * pitch_[level.axis];
    if (level.dense) {
      for (std::int64_t i = 0; i < level.size; ++i) visit(depth + 1, position * level.size + i, place + i * step);
      return;
    }
    const auto segment = static_cast<std::size_t>(position);
    if (position < 0 || segment + 1 >= level.segments.size()) damaged("a sparse segment is missing", where_);
    const std::int64_t begin = level.segments[segment], end = level.segments[segment + 1];
    if (begin < 0 || begin > end || end > static_cast<std::int64_t>(level.indices.size()))
      damaged("a sparse segment is out of range", where_, std::to_string(end));
    std::int64_t before = -1;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t index = level.indices[static_cast<std::size_t>(i)];
      if (index <= before || index >= level.size)
        damaged("a sparse index is out of range", where_, std::to_string(index));
      before = index;
      visit(depth + 1, i, place + index * step);
    }
  }

  std::vector<Level> levels_;
  std::size_t stored_;
  std::string where_;
  std::vector<std::int64_t> pitch_;
  std::vector<std::size_t> places_;
};

}  // namespace

Array make_dense(const Array& stored, const tflite::SparsityParameters& sparsity, const std::string& where) {
  const auto places = Walker(stored.shape, read_levels(stored.shape, sparsity, where), stored.size(), where).run();
  const auto count = static_cast<std::size_t>(count_elements(stored.shape, where));
  Array dense{stored.shape, {}};
  std::visit(
      [&](const auto& values) {
        std::decay_t<decltype(values)> all(count);
        for (std::size_t i = 0; i < places.size(); ++i) all[places[i]] = values[i];
        dense.values = std::move(all);
      },
      stored.values);
  return dense;
}

}  // namespace espalier::model
