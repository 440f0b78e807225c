#include "cpu/operators/call.hpp"

#include <algorithm>

#include "esp_error.hpp"

namespace espalier::cpu::operators {
namespace {

template <typename Value>
Value attribute_or(const model::OperatorNode& node, const std::string& key, Value otherwise) {
  const auto found = node.attributes.find(key);
  return found == node.attributes.end() ? otherwise : std::get<Value>(found->second);
}

}  // namespace

std::int64_t Call::integer(const std::string& key, std::int64_t otherwise) const {
  return attribute_or(*node_, key, otherwise);
}

double Call::real(const std::string& key, double otherwise) const {
  return has_attribute(key) ? attribute_or(*node_, key, 0.0F) : otherwise;
}

std::string Call::text(const std::string& key, const std::string& otherwise) const {
  return attribute_or(*node_, key, otherwise);
}

Integers Call::integers(const std::string& key, const Integers& otherwise) const {
  return attribute_or(*node_, key, otherwise);
}

Integers Call::parameter(std::size_t index, const std::string& key, const Integers& otherwise) const {
  return has(index) ? input(index).integers() : integers(key, otherwise);
}

double Call::scalar(std::size_t index, double otherwise) const {
  if (!has(index)) return otherwise;
  require(input(index).size() == 1, "a single value is expected", input(index).shape);
  return model::convert(input(index), DataType::Float64).reals()[0];
}

std::int64_t Call::integer_scalar(std::size_t index, std::int64_t otherwise) const {
  if (!has(index)) return otherwise;
  require(input(index).size() == 1, "a single value is expected", input(index).shape);
  return model::convert(input(index), DataType::Int64).integers()[0];
}

std::size_t Call::axis(std::int64_t value, std::size_t rank) const {
  const auto size = static_cast<std::int64_t>(rank);
  if (value < -size || value >= size) fail("the axis does not exist", std::to_string(value));
  return static_cast<std::size_t>(value < 0 ? value + size : value);
}

std::vector<std::size_t> Call::axes(const Integers& values, std::size_t rank) const {
  std::vector<std::size_t> result;
  for (const std::int64_t value : values) result.push_back(axis(value, rank));
  std::sort(result.begin(), result.end());
  if (std::adjacent_find(result.begin(), result.end()) != result.end()) fail("an axis is given twice");
  return result;
}

std::size_t Call::count(const Shape& shape) const {
  std::int64_t elements = 1;  // zero sizes left out, so that strides do not overflow either
  bool empty = false;
  if (shape.size() > model::MostRank) fail("the rank is too large", std::to_string(shape.size()));
  for (const std::int64_t size : shape) {
    if (size < 0) fail("a size is negative", model::to_string(shape));
    empty = empty || size == 0;
    if (size > MostElements / elements) fail("a result is too large", model::to_string(shape));
    elements *= std::max<std::int64_t>(size, 1);
  }
  return empty ? 0 : static_cast<std::size_t>(elements);
}

void Call::require(bool holds, const char* problem, const Shape& value) const {
  if (!holds) fail(problem, value.empty() ? std::string() : model::to_string(value));
}

void Call::fail(const std::string& problem, const std::string& value) const {
  throw Error(ErrorCode::Model, problem, node_->where(), value, "correct the model or its inputs");
}

}  // namespace espalier::cpu::operators
