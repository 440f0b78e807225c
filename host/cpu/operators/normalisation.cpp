// Normalisation over batches, channels, layers and neighbourhoods; softmax and its relatives; dropout at inference.
#include <algorithm>
#include <cmath>

#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

/// Mean and variance (of the population) of what visit(f) hands to f.
struct Moments {
  double mean = 0, variance = 0;
};

template <typename Visit>
Moments moments(Visit&& visit) {
  double sum = 0, squares = 0, count = 0;
  visit([&](double x) {
    sum += x;
    ++count;
  });
  const double mean = count > 0 ? sum / count : 0;
  visit([&](double x) { squares += (x - mean) * (x - mean); });
  return {mean, count > 0 ? squares / count : 0};
}

/// Maps of a tensor N x C x ...
struct Channels {
  std::size_t batch, count, map;
  Channels(const Call& call, const TypedTensor& input) {
    call.require(input.shape.size() >= 2, "an input with channels is expected", input.shape);
    batch = static_cast<std::size_t>(input.shape[0]);
    count = static_cast<std::size_t>(input.shape[1]);
    map = static_cast<std::size_t>(product(input.shape, 2, input.shape.size()));
  }
  std::size_t channel(std::size_t position) const { return position / map % count; }
  template <typename Function>
  void for_channel(const Reals& x, std::size_t channel, Function&& function) const {
    for (std::size_t n = 0; n < batch; ++n)
      for (std::size_t i = 0; i < map; ++i) function(x[(n * count + channel) * map + i]);
  }
};

const Reals& channel_values(const Call& call, std::size_t index, std::size_t count) {
  call.require(call.input(index).size() == count, "there is not one value per channel", call.input(index).shape);
  return call.input(index).reals();
}

Results batch_normalization(const Call& call) {
  const TypedTensor& input = call.input(0);
  const Channels channels(call, input);
  const Reals &scale = channel_values(call, 1, channels.count), &bias = channel_values(call, 2, channels.count);
  Reals mean = channel_values(call, 3, channels.count), variance = channel_values(call, 4, channels.count);
  Reals running_mean = mean, running_variance = variance;
  if (call.integer("training_mode", 0) != 0) {
    const double momentum = call.real("momentum", 0.9F);
    for (std::size_t channel = 0; channel < channels.count; ++channel) {
      const Moments now = moments([&](auto f) { channels.for_channel(input.reals(), channel, f); });
      running_mean[channel] = mean[channel] * momentum + now.mean * (1 - momentum);
      running_variance[channel] = variance[channel] * momentum + now.variance * (1 - momentum);
      mean[channel] = now.mean;
      variance[channel] = now.variance;
    }
  }
  const double epsilon = call.real("epsilon", 1e-5F);
  Reals values = input.reals();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = channels.channel(i);
    values[i] = (values[i] - mean[c]) / std::sqrt(variance[c] + epsilon) * scale[c] + bias[c];
  }
  const DataType type = call.input(3).type;
  const Shape shape = call.input(3).shape;
  return {model::real_tensor(input.type, input.shape, std::move(values)),
          model::real_tensor(type, shape, std::move(running_mean)),
          model::real_tensor(type, shape, std::move(running_variance))};
}

Results instance_normalization(const Call& call) {
  const TypedTensor& input = call.input(0);
  const Channels channels(call, input);
  const Reals &scale = channel_values(call, 1, channels.count), &bias = channel_values(call, 2, channels.count);
  const double epsilon = call.real("epsilon", 1e-5F);
  Reals values = input.reals();
  for (std::size_t map = 0; map < channels.batch * channels.count; ++map) {
    const auto part = std::span(values).subspan(map * channels.map, channels.map);
    const Moments now = moments([&](auto f) { std::for_each(part.begin(), part.end(), f); });
    const std::size_t c = map % channels.count;
    for (double& x : part) x = (x - now.mean) / std::sqrt(now.variance + epsilon) * scale[c] + bias[c];
  }
  return {model::real_tensor(input.type, input.shape, std::move(values))};
}

/// Over the axes from `axis` to the last.
Results layer_normalization(const Call& call) {
  const TypedTensor& input = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", -1), input.shape.size());
  const Shape inner(input.shape.begin() + static_cast<std::ptrdiff_t>(axis), input.shape.end());
  const Shape together = broadcast(call, {inner, call.input(1).shape});
  call.require(together == inner, "the scale does not fit the normalised axes", call.input(1).shape);
  const Integers scale = broadcast_positions(call.input(1).shape, inner);
  Integers bias;
  if (call.has(2)) {
    call.require(broadcast(call, {inner, call.input(2).shape}) == inner, "the bias does not fit", call.input(2).shape);
    bias = broadcast_positions(call.input(2).shape, inner);
  }
  const double epsilon = call.real("epsilon", 1e-5F);
  const std::size_t size = scale.size();
  Reals values = input.reals(), means, deviations;
  for (std::size_t start = 0; start < values.size(); start += size) {
    const auto part = std::span(values).subspan(start, size);
    const Moments now = moments([&](auto f) { std::for_each(part.begin(), part.end(), f); });
    means.push_back(now.mean);
    deviations.push_back(1 / std::sqrt(now.variance + epsilon));
    for (std::size_t i = 0; i < size; ++i)
      part[i] = (part[i] - now.mean) * deviations.back() * call.input(1).reals()[static_cast<std::size_t>(scale[i])] +
                (bias.empty() ? 0.0 : call.input(2).reals()[static_cast<std::size_t>(bias[i])]);
  }
  Shape reduced = input.shape;
  std::fill(reduced.begin() + static_cast<std::ptrdiff_t>(axis), reduced.end(), 1);
  return {model::real_tensor(input.type, input.shape, std::move(values)),
          model::real_tensor(DataType::Float32, reduced, std::move(means)),
          model::real_tensor(DataType::Float32, reduced, std::move(deviations))};
}

/// Over the axes of the attribute, by default all but the channels.
Results mean_variance_normalization(const Call& call) {
  const TypedTensor& input = call.input(0);
  Shape kept = input.shape;
  for (const std::size_t axis : call.axes(call.integers("axes", {0, 2, 3}), input.shape.size())) kept[axis] = 1;
  const Integers targets = broadcast_positions(kept, input.shape);
  const std::size_t groups = call.count(kept);
  Reals means(groups, 0.0), squares(groups, 0.0), counts(groups, 0.0), values = input.reals();
  for (std::size_t i = 0; i < values.size(); ++i) {
    means[static_cast<std::size_t>(targets[i])] += values[i];
    ++counts[static_cast<std::size_t>(targets[i])];
  }
  for (std::size_t i = 0; i < groups; ++i) means[i] /= counts[i];
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] -= means[static_cast<std::size_t>(targets[i])];
    squares[static_cast<std::size_t>(targets[i])] += values[i] * values[i];
  }
  constexpr double epsilon = 1e-9;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto group = static_cast<std::size_t>(targets[i]);
    values[i] /= std::sqrt(squares[group] / counts[group]) + epsilon;
  }
  return {model::real_tensor(input.type, input.shape, std::move(values))};
}

/// Across `size` neighbouring channels.
Results local_response(const Call& call) {
  const TypedTensor& input = call.input(0);
  const Channels channels(call, input);
  const std::int64_t size = call.integer("size", 0);
  call.require(size > 0, "the attribute 'size' is not positive");
  const double alpha = call.real("alpha", 1e-4F), beta = call.real("beta", 0.75), bias = call.real("bias", 1.0);
  const Reals& x = input.reals();
  Reals values = x;
  const auto last = static_cast<std::int64_t>(channels.count) - 1;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto channel = static_cast<std::int64_t>(channels.channel(i));
    const std::int64_t first = std::max<std::int64_t>(0, channel - (size - 1) / 2);
    const std::int64_t end = size > last ? last : std::min(last, channel + size / 2);
    double sum = 0;
    for (std::int64_t c = first; c <= end; ++c) {
      const double y =
          x[i + static_cast<std::size_t>(c) * channels.map - static_cast<std::size_t>(channel) * channels.map];
      sum += y * y;
    }
    values[i] = x[i] / std::pow(bias + alpha / static_cast<double>(size) * sum, beta);
  }
  return {model::real_tensor(input.type, input.shape, std::move(values))};
}

/// Before operator set 13 the axes from `axis` on are one; since then `axis` alone counts.
Lanes class_lanes(const Call& call) {
  const Shape& shape = call.input(0).shape;
  const bool together = call.opset() < 13;
  if (shape.empty()) return {shape, 0, 0};
  const std::size_t axis = call.axis(call.integer("axis", together ? 1 : -1), shape.size());
  return {shape, axis, together ? shape.size() : axis + 1};
}

/// function(lane) changes the values of one lane in place.
template <typename Function>
Results for_each_lane(const Call& call, const Lanes& lanes, Function&& function) {
  Reals values = call.input(0).reals(), lane(static_cast<std::size_t>(lanes.length));
  for (std::int64_t o = 0; o < lanes.outer && !lane.empty(); ++o)
    for (std::int64_t i = 0; i < lanes.inner; ++i) {
      const auto at = [&](std::size_t k) -> double& {
        return values[static_cast<std::size_t>(lanes.position(o, i)) + k * static_cast<std::size_t>(lanes.inner)];
      };
      for (std::size_t k = 0; k < lane.size(); ++k) lane[k] = at(k);
      function(lane);
      for (std::size_t k = 0; k < lane.size(); ++k) at(k) = lane[k];
    }
  return {model::real_tensor(call.input(0).type, call.input(0).shape, std::move(values))};
}

/// The largest value becomes zero, so that no power overflows; the sum of all powers.
double power_sum(Reals& lane) {
  const double most = *std::max_element(lane.begin(), lane.end());
  double sum = 0;
  for (double& x : lane) {
    x -= most;
    sum += std::exp(x);
  }
  return sum;
}

void softmax(Reals& lane) {
  const double sum = power_sum(lane);
  for (double& x : lane) x = std::exp(x) / sum;
}

void log_softmax(Reals& lane) {
  const double sum = std::log(power_sum(lane));
  for (double& x : lane) x -= sum;
}

void hardmax(Reals& lane) {
  const auto most = std::max_element(lane.begin(), lane.end()) - lane.begin();
  std::fill(lane.begin(), lane.end(), 0.0);
  lane[static_cast<std::size_t>(most)] = 1.0;
}

Kernel over_classes(void (*function)(Reals&)) {
  return [function](const Call& call) { return for_each_lane(call, class_lanes(call), function); };
}

Results lp_normalization(const Call& call) {
  const TypedTensor& input = call.input(0);
  const Lanes lanes(input.shape, call.axis(call.integer("axis", -1), input.shape.size()));
  const bool squares = call.integer("p", 2) == 2;
  return for_each_lane(call, lanes, [&](Reals& lane) {
    double sum = 0;
    for (const double x : lane) sum += squares ? x * x : std::abs(x);
    if (squares) sum = std::sqrt(sum);
    for (double& x : lane) x = sum == 0 ? 0 : x / sum;
  });
}

/// At inference nothing is dropped; the mask is all ones.
Results dropout(const Call& call) {
  const TypedTensor& input = call.input(0);
  const DataType mask = call.opset() < 10 ? input.type : DataType::Bool;
  TypedTensor ones = model::is_real(mask) ? TypedTensor{mask, input.shape, Reals(input.size(), 1.0)}
                                          : TypedTensor{mask, input.shape, Integers(input.size(), 1)};
  return {input, std::move(ones)};
}

}  // namespace

Kernels normalisation_kernels() {
  return {{"BatchNormalization", batch_normalization},
          {"Dropout", dropout},
          {"Hardmax", over_classes(hardmax)},
          {"InstanceNormalization", instance_normalization},
          {"LRN", local_response},
          {"LayerNormalization", layer_normalization},
          {"LogSoftmax", over_classes(log_softmax)},
          {"LpNormalization", lp_normalization},
          {"MeanVarianceNormalization", mean_variance_normalization},
          {"Softmax", over_classes(softmax)}};
}

}  // namespace espalier::cpu::operators
