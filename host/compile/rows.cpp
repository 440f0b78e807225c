#include "compile/rows.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "compile/layer_ways.hpp"

namespace espalier::compile {
namespace {

using model::LayerKind;

/// Taps of one axis that lie in the map.
int valid_taps(int position, int size, int kernel, int stride, int dilation, int pad) {
  int count = 0;
  for (int k = 0; k < kernel; ++k) {
    const int at = position * stride - pad + k * dilation;
    count += at >= 0 && at < size ? 1 : 0;
  }
  return count;
}

/// The positions of `tiling` at which some byte computes a pixel of the class.
Pass bounding_pass(const Tiling& tiling, const model::Feature& out, const std::function<bool(Pixel)>& includes) {
  int top = tiling.height, left = tiling.width, bottom = -1, right = -1;
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      if (!includes({y, x})) continue;
      const Source source = source_of(tiling, {y, x});
      top = std::min(top, source.y);
      left = std::min(left, source.x);
      bottom = std::max(bottom, source.y);
      right = std::max(right, source.x);
    }
  }
  Pass pass;
  pass.y = top;
  pass.x = left;
  pass.height = bottom - top + 1;
  pass.width = right - left + 1;
  return pass;
}

}  // namespace

StepRows::StepRows(const model::Network& network, const Lowered& lowered, const Step& step)
    : network_(network),
      layer_(network.layers[static_cast<std::size_t>(step.layer)]),
      step_(step),
      output_split_(lowered.images[static_cast<std::size_t>(step.output)].layout.word.split),
      fill_(lowered.images[static_cast<std::size_t>(step.output)].fill) {
  make_passes(lowered);
}

void StepRows::make_passes(const Lowered& lowered) {
  const Layout& layout = lowered.images[static_cast<std::size_t>(step_.output)].layout;
  const bool classes =
      step_.kind == StepKind::Pool && layer_.kind == LayerKind::AveragePool && !layer_.count_include_padding;
  const auto add = [&](const Pass& pass, WritePlan plan) {
    for (WritePlan& part : cut(std::move(plan), static_cast<int>(abi::PermuteDepth))) {
      passes_.push_back(pass);
      passes_.back().plan = std::move(part);
    }
  };
  Pass all;
  all.height = step_.tiling.height;
  all.width = step_.tiling.width;
  if (!classes) {
    if (layer_.kind == LayerKind::AveragePool) all.divisor = layer_.kernel_h * layer_.kernel_w;
    add(all, plan_writes(step_.tiling, layout));
    return;
  }
  const model::Feature& in = network_.features[static_cast<std::size_t>(layer_.inputs[0])];
  const auto count = [&](Pixel p) {
    const int taps = valid_taps(p.y, in.height, layer_.kernel_h, layer_.stride_h, layer_.dilation_h, layer_.pad_top) *
                     valid_taps(p.x, in.width, layer_.kernel_w, layer_.stride_w, layer_.dilation_w, layer_.pad_left);
    return taps == 0 ? layer_.kernel_h * layer_.kernel_w : taps;
  };
  std::map<int, int> pixels_of_class;
  const model::Feature& out = network_.features[static_cast<std::size_t>(layer_.output)];
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) ++pixels_of_class[count({y, x})];
  }
  std::vector<std::pair<int, int>> order(pixels_of_class.begin(), pixels_of_class.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [divisor, unused] : order) {
    const auto includes = [&count, divisor = divisor](Pixel p) { return count(p) == divisor; };
    const bool first = passes_.empty();
    Pass pass = first ? all : bounding_pass(step_.tiling, out, includes);
    pass.divisor = divisor;
    add(pass, plan_writes(step_.tiling, layout, {includes, first}));
  }
}

bool StepRows::dense_possible() const {
  const bool one_channel = step_.split() > 1 && step_.channelwise();
  return step_.kind == StepKind::Convolution && !one_channel &&
         dense_kernel(step_.window.kernel_y, step_.window.kernel_x);
}

std::size_t StepRows::taps_per_channel() const {
  return static_cast<std::size_t>(inputs_per_group()) * static_cast<std::size_t>(layer_.kernel_h) *
         static_cast<std::size_t>(layer_.kernel_w);
}

/// [input of the group][y][x]; empty beyond the last channel.
std::span<const std::int8_t> StepRows::channel_weights(int channel) const {
  if (channel >= step_.output_channels) return {};
  return std::span(layer_.weights).subspan(static_cast<std::size_t>(channel) * taps_per_channel(), taps_per_channel());
}

std::int8_t StepRows::weight(int channel, std::uint32_t index) const {
  if (channel >= step_.output_channels) return 0;
  return step_.kind == StepKind::Convolution ? channel_weights(channel)[index] : std::int8_t{1};
}

std::vector<std::int8_t> StepRows::dense_weights(int channel) const {
  const auto weights = channel_weights(channel);
  const auto segments = static_cast<std::size_t>(broadcast() ? step_.split() : 1);
  const auto kernel = static_cast<std::size_t>(layer_.kernel_h) * static_cast<std::size_t>(layer_.kernel_w);
  std::vector<std::int8_t> result(static_cast<std::size_t>(dense_slots()), 0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t input = i / kernel;
    result[(input / segments * kernel + i % kernel) * segments + input % segments] = weights[i];
  }
  return result;
}

void StepRows::append_window(Row& row, int plane, const OperandView& view, std::int8_t weight, int times) const {
  std::uint32_t index = 0;
  for (int y = 0; y < step_.window.kernel_y; ++y) {
    for (int x = 0; x < step_.window.kernel_x; ++x, ++index) {
      const int offset = view.delta + (plane - view.plane) * view.plane_pitch +
                         y * step_.window.dilation_y * view.row_pitch + x * step_.window.dilation_x;
      for (int i = 0; i < times; ++i) row.push_back({static_cast<std::uint16_t>(offset), weight, 0, index});
    }
  }
}

void StepRows::append_convolution(Row& row, int index, const OperandView& view) const {
  const int split = step_.split();
  const int first_channel = index * split;
  const int first_plane = index / step_.rows_per_group() * step_.planes_per_group();
  const int segments = broadcast() ? split : 1;
  std::uint32_t tap = 0;
  for (int c = 0; c < inputs_per_group(); ++c) {
    for (int y = 0; y < step_.window.kernel_y; ++y) {
      for (int x = 0; x < step_.window.kernel_x; ++x, ++tap) {
        bool used = false;
        for (int o = 0; o < split; ++o) used = used || weight(first_channel + o, tap) != 0;
        if (!used) continue;
        const int offset = view.delta + (first_plane + c / segments - view.plane) * view.plane_pitch +
                           y * step_.window.dilation_y * view.row_pitch + x * step_.window.dilation_x;
        row.push_back({static_cast<std::uint16_t>(offset), weight(first_channel, tap),
                       static_cast<std::uint8_t>(c % segments), tap});
      }
    }
  }
}

std::vector<Row> StepRows::taps(int first, int count, const std::vector<OperandView>& views) const {
  std::vector<Row> rows(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    Row& row = rows[static_cast<std::size_t>(i)];
    if (step_.kind == StepKind::Convolution) {
      append_convolution(row, first + i, views[0]);
      continue;
    }
    append_window(row, first + i, views[0], 1, 1);
    if (step_.kind == StepKind::Add) append_window(row, first + i, views[1], -128, 2);
  }
  return rows;
}

abi::ScaleEntry StepRows::scale(int channel, const Pass& pass) const {
  if (channel >= step_.output_channels) return {};
  const abi::Scale identity = abi::make_scale(1.0);
  abi::ScaleEntry entry;
  abi::Scale scale = identity;
  const bool maximum = layer_.kind == LayerKind::MaxPool || layer_.kind == LayerKind::GlobalMaxPool;
  std::int64_t zero_taps = 0;  // sum of the weights of all taps, which the zero point multiplies
  switch (step_.kind) {
    case StepKind::Convolution: {
      const auto weights = channel_weights(channel);
      zero_taps = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
      entry.bias = layer_.bias[static_cast<std::size_t>(channel)];
      scale = layer_.scale[static_cast<std::size_t>(channel)];
      break;
    }
    case StepKind::Pool:
      if (maximum) break;
      zero_taps = std::int64_t{step_.window.kernel_y} * step_.window.kernel_x;
      scale = model::pool_scale(layer_, *pass.divisor);
      break;
    case StepKind::GlobalPool: {
      if (maximum) break;
      const model::Feature& in = network_.features[static_cast<std::size_t>(layer_.inputs[0])];
      zero_taps = std::int64_t{step_.window.kernel_y} * step_.window.kernel_x * step_.tiling.word.segment;
      scale = model::pool_scale(layer_, in.height * in.width);
      break;
    }
    case StepKind::Add:
      scale = layer_.scale[0];
      break;
    case StepKind::Requantise:
      zero_taps = 1;
      scale = layer_.scale[static_cast<std::size_t>(step_.part)];
      break;
    case StepKind::Copy:
      break;
  }
  entry.bias = static_cast<std::int32_t>(static_cast<std::uint32_t>(entry.bias) -
                                         static_cast<std::uint32_t>(zero_taps * step_.zero_in));
  entry.multiplier = scale.multiplier;
  entry.shift = static_cast<std::uint8_t>(scale.shift);
  return entry;
}

abi::Command StepRows::command() const {
  const bool maximum = layer_.kind == LayerKind::MaxPool || layer_.kind == LayerKind::GlobalMaxPool;
  const bool copy = step_.kind == StepKind::Copy;
  unsigned operation = abi::OperationMac;
  if (step_.kind == StepKind::Add) operation = abi::OperationAdd;
  if (step_.kind == StepKind::Pool && maximum) operation = abi::OperationMax;
  if (step_.kind == StepKind::GlobalPool) operation = maximum ? abi::OperationMaxReduce : abi::OperationMacReduce;
  abi::Command command;
  command.operation = static_cast<std::uint8_t>(operation);
  command.fill = fill_;
  if (!copy) {
    command.low = static_cast<std::int8_t>(layer_.low);
    command.high = static_cast<std::int8_t>(layer_.high);
  }
  if (!copy && !maximum) {
    command.zero = static_cast<std::int8_t>(network_.features[static_cast<std::size_t>(layer_.output)].zero);
  }
  if (step_.kind == StepKind::Add) {
    command.zero_a = static_cast<std::int8_t>(network_.features[static_cast<std::size_t>(layer_.inputs[0])].zero);
    command.zero_b = static_cast<std::int8_t>(network_.features[static_cast<std::size_t>(layer_.inputs[1])].zero);
    command.multiplier_b = layer_.multiplier_b;
  }
  return command;
}

}  // namespace espalier::compile
