#include "compile/rows.hpp"

#include <algorithm>
#include <map>
#include <numeric>

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
Pass bounding_pass(const Tiling& tiling, const Layout& layout, const std::function<bool(Pixel)>& includes) {
  int top = tiling.height, left = tiling.width, bottom = -1, right = -1;
  for (int y = 0; y < layout.height; ++y) {
    for (int x = 0; x < layout.width; ++x) {
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

StepRows::StepRows(const model::Network& network, const Lowered& lowered, const Step& step,
                   const abi::Configuration& configuration)
    : network_(network),
      layer_(network.layers[static_cast<std::size_t>(step.layer)]),
      step_(step),
      pixels_(static_cast<int>(configuration.pixels)),
      fill_(lowered.images[static_cast<std::size_t>(step.output)].fill) {
  make_passes(lowered, configuration);
}

void StepRows::make_passes(const Lowered& lowered, const abi::Configuration& configuration) {
  const Layout& layout = lowered.images[static_cast<std::size_t>(step_.output)].layout;
  const int pixels = static_cast<int>(configuration.pixels);
  const bool classes =
      step_.kind == StepKind::Pool && layer_.kind == LayerKind::AveragePool && !layer_.count_include_padding;
  Pass all;
  all.height = step_.tiling.height;
  all.width = step_.tiling.width;
  if (!classes) {
    if (layer_.kind == LayerKind::AveragePool) all.divisor = layer_.kernel_h * layer_.kernel_w;
    all.plan = plan_writes(step_.tiling, layout, pixels);
    passes_.push_back(std::move(all));
    return;
  }
  const model::Feature& in = network_.features[static_cast<std::size_t>(layer_.inputs[0])];
  const auto count = [&](Pixel p) {
    const int taps = valid_taps(p.y, in.height, layer_.kernel_h, layer_.stride_h, layer_.dilation_h, layer_.pad_top) *
                     valid_taps(p.x, in.width, layer_.kernel_w, layer_.stride_w, layer_.dilation_w, layer_.pad_left);
    return taps == 0 ? layer_.kernel_h * layer_.kernel_w : taps;
  };
  std::map<int, int> pixels_of_class;
  for (int y = 0; y < layout.height; ++y) {
    for (int x = 0; x < layout.width; ++x) ++pixels_of_class[count({y, x})];
  }
  std::vector<std::pair<int, int>> order(pixels_of_class.begin(), pixels_of_class.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [divisor, unused] : order) {
    const auto includes = [&count, divisor = divisor](Pixel p) { return count(p) == divisor; };
    const bool first = passes_.empty();
    Pass pass = first ? all : bounding_pass(step_.tiling, layout, includes);
    pass.divisor = divisor;
    pass.plan = plan_writes(step_.tiling, layout, pixels, {includes, first});
    passes_.push_back(std::move(pass));
  }
}

int StepRows::taps_per_row() const {
  if (step_.kind == StepKind::Add) return 3;
  return inputs_per_group() * step_.window.kernel_y * step_.window.kernel_x;
}

std::size_t StepRows::weight_index(int channel, int input, int y, int x) const {
  const int row = channel * inputs_per_group() + input;
  return (static_cast<std::size_t>(row) * static_cast<std::size_t>(layer_.kernel_h) + static_cast<std::size_t>(y)) *
             static_cast<std::size_t>(layer_.kernel_w) +
         static_cast<std::size_t>(x);
}

std::vector<std::int8_t> StepRows::dense_weights(int channel) const {
  const auto taps = static_cast<std::ptrdiff_t>(taps_per_row());
  const auto first = layer_.weights.begin() + static_cast<std::ptrdiff_t>(channel) * taps;
  return {first, first + taps};
}

void StepRows::append_window(Row& row, int channel, const OperandView& view, std::int8_t weight, int times) const {
  for (int y = 0; y < step_.window.kernel_y; ++y) {
    for (int x = 0; x < step_.window.kernel_x; ++x) {
      const int offset = view.delta + (channel - view.channel) * view.plane_pitch +
                         y * step_.window.dilation_y * view.row_pitch + x * step_.window.dilation_x;
      for (int i = 0; i < times; ++i) row.push_back({static_cast<std::uint16_t>(offset), weight});
    }
  }
}

std::vector<Row> StepRows::taps(int first, int count, const std::vector<OperandView>& views) const {
  std::vector<Row> rows(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    Row& row = rows[static_cast<std::size_t>(i)];
    const int channel = first + i;
    if (step_.kind == StepKind::Add) {
      append_window(row, channel, views[0], 1, 1);
      append_window(row, channel, views[1], -128, 2);
    } else if (step_.kind != StepKind::Convolution) {
      append_window(row, channel, views[0], 1, 1);
    } else {
      const int first_input = channel / outputs_per_group() * inputs_per_group();
      for (int c = 0; c < inputs_per_group(); ++c) {
        for (int y = 0; y < step_.window.kernel_y; ++y) {
          for (int x = 0; x < step_.window.kernel_x; ++x) {
            const std::int8_t weight = layer_.weights[weight_index(channel, c, y, x)];
            if (weight == 0) continue;
            const int offset = views[0].delta + (first_input + c - views[0].channel) * views[0].plane_pitch +
                               y * step_.window.dilation_y * views[0].row_pitch + x * step_.window.dilation_x;
            row.push_back({static_cast<std::uint16_t>(offset), weight});
          }
        }
      }
    }
  }
  return rows;
}

abi::ScaleEntry StepRows::scale(int channel, const Pass& pass) const {
  const abi::Scale identity = abi::make_scale(1.0);
  abi::ScaleEntry entry;
  abi::Scale scale = identity;
  const bool maximum = layer_.kind == LayerKind::MaxPool || layer_.kind == LayerKind::GlobalMaxPool;
  std::int64_t zero_taps = 0;  // sum of the weights of all taps, which the zero point multiplies
  switch (step_.kind) {
    case StepKind::Convolution: {
      const auto weights = dense_weights(channel);
      zero_taps = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
      entry.bias = layer_.bias[static_cast<std::size_t>(channel)];
      scale = layer_.scale[static_cast<std::size_t>(channel)];
      break;
    }
    case StepKind::Pool:
      if (maximum) break;
      zero_taps = taps_per_row();
      scale = model::pool_scale(layer_, *pass.divisor);
      break;
    case StepKind::GlobalPool: {
      if (maximum) break;
      const model::Feature& in = network_.features[static_cast<std::size_t>(layer_.inputs[0])];
      zero_taps = static_cast<std::int64_t>(taps_per_row()) * pixels_;
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
