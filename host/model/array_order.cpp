#include "model/array_order.hpp"

#include <algorithm>

namespace espalier::model {

Shape permute(const Shape& shape, std::span<const std::size_t> order) {
  Shape result;
  for (const std::size_t axis : order) result.push_back(shape.at(axis));
  return result;
}

Array permute(const Array& array, std::span<const std::size_t> order) {
  const std::size_t rank = array.shape.size();
  std::vector<std::size_t> pitch(rank, 1);
  for (std::size_t i = rank; i-- > 1;) pitch[i - 1] = pitch[i] * static_cast<std::size_t>(array.shape[i]);
  Array result{permute(array.shape, order), {}};
  std::visit(
      [&](const auto& values) {
        std::decay_t<decltype(values)> moved(values.size());
        std::vector<std::int64_t> index(rank, 0);
        std::size_t source = 0;
        for (auto& element : moved) {
          element = values[source];
          for (std::size_t i = rank; i-- > 0;) {
            source += pitch[order[i]];
            if (++index[i] < result.shape[i]) break;
            source -= pitch[order[i]] * static_cast<std::size_t>(result.shape[i]);
            index[i] = 0;
          }
        }
        result.values = std::move(moved);
      },
      array.values);
  return result;
}

std::vector<std::size_t> read_order(std::span<const std::int64_t> order, std::size_t rank, const std::string& where) {
  std::vector<std::size_t> result;
  for (const std::int64_t axis : order) {
    const std::int64_t positive = axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
    const bool valid = positive >= 0 && positive < static_cast<std::int64_t>(rank) &&
                       std::find(result.begin(), result.end(), static_cast<std::size_t>(positive)) == result.end();
    if (!valid || order.size() != rank)
      throw Error(ErrorCode::Model, "the order of the axes is no permutation", where,
                  to_string(Shape(order.begin(), order.end())), "export the model again");
    result.push_back(static_cast<std::size_t>(positive));
  }
  if (result.size() != rank)
    throw Error(ErrorCode::Model, "the order of the axes is no permutation", where,
                to_string(Shape(order.begin(), order.end())), "export the model again");
  return result;
}

}  // namespace espalier::model
