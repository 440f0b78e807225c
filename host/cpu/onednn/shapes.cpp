// Operators that move elements: Reshape and its kin, Transpose, Concat, Pad.
#include <algorithm>
#include <array>

#include "cpu/onednn/builder.hpp"
#include "model/array_order.hpp"

namespace espalier::cpu::onednn {

void Builder::reshape(const model::Node& node) {
  set(node.outputs[0], program_.view(rows(node.inputs[0]), row_major(shape(node.outputs[0]))));
}

// The axes of the result are those of the same memory in another order.
void Builder::transpose(const model::Node& node) {
  const Operand& operand = value(node.inputs[0]);
  const Dims dims = operand.desc().dims();
  const auto order = model::read_order(node.integers("perm", {}), dims.size(), node.where());
  std::vector<int> to(dims.size());
  for (std::size_t i = 0; i < dims.size(); ++i) to[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  set(node.outputs[0], program_.view(operand, operand.desc().permute_axes(to)));
}

void Builder::concat(const model::Node& node) {
  const Dims out = shape(node.outputs[0]);
  const std::int64_t given = node.integer("axis", 1);
  const int axis = static_cast<int>(given < 0 ? given + static_cast<std::int64_t>(out.size()) : given);
  if (axis == 1 && out.size() == 4) return concat_channels(node);
  std::vector<Desc> descs;
  std::map<int, Operand> arguments;
  for (const int input : node.inputs) {
    const Operand operand = maps(input);
    arguments[DNNL_ARG_MULTIPLE_SRC + static_cast<int>(descs.size())] = operand;
    descs.push_back(operand.desc());
  }
  const Operand result = program_.temporary(channels_last(out));
  arguments[DNNL_ARG_DST] = result;
  program_.add(dnnl::concat({result.desc(), axis, descs, program_.engine()}), arguments);
  set(node.outputs[0], result);
}

/// Channels are innermost: every pixel of the result is a row of pieces.
void Builder::concat_channels(const model::Node& node) {
  const Dims out = shape(node.outputs[0]);
  const Operand result = program_.temporary(channels_last(out));
  const std::int64_t pixels = out[0] * out[2] * out[3], pitch = out[1];
  std::int64_t first = 0;
  for (const int input : node.inputs) {
    const Dims dims = shape(input);
    const bool repeated = deferred_repetition_[static_cast<std::size_t>(input)] != 0;
    const model::Node* producer = repeated ? &graph_.nodes[static_cast<std::size_t>(graph_.producer(input))] : nullptr;
    const Operand source = maps(repeated ? producer->inputs[0] : input);
    const std::int64_t channels = dims[1];
    const Call copy =
        repeated ? repetition(shape(producer->inputs[0]), dims, pitch) : Call([=](std::span<float* const> data) {
          for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
            std::copy_n(data[0] + pixel * channels, channels, data[1] + pixel * pitch);
        });
    program_.add(
        [=](std::span<float* const> data) {
          const std::array<float*, 2> places{data[0], data[1] + first};
          copy(places);
        },
        {source, result});
    first += channels;
  }
  set(node.outputs[0], result);
}

Operand Builder::padded(const Operand& operand, std::size_t axis, std::int64_t before, std::int64_t after,
                        float filler) {
  if (before == 0 && after == 0) return operand;
  const Dims dims = operand.desc().dims();
  Dims out = dims;
  out[axis] += before + after;
  std::vector<Desc> descs;
  std::map<int, Operand> arguments;
  const auto append = [&](const Operand& part) {
    arguments[DNNL_ARG_MULTIPLE_SRC + static_cast<int>(descs.size())] = part;
    descs.push_back(part.desc());
  };
  const auto append_filler = [&](std::int64_t size) {
    if (size == 0) return;
    Dims block = dims;
    block[axis] = size;
    std::size_t count = 1;
    for (const std::int64_t dim : block) count *= static_cast<std::size_t>(dim);
    append(program_.constant(channels_last(block), std::vector<float>(count, filler)));
  };
  append_filler(before);
  append(operand);
  append_filler(after);
  const Operand result = program_.temporary(channels_last(out));
  arguments[DNNL_ARG_DST] = result;
  program_.add(dnnl::concat({result.desc(), static_cast<int>(axis), descs, program_.engine()}), arguments);
  return result;
}

void Builder::pad(std::size_t position) {
  const model::Node& node = graph_.nodes[position];
  const Dims in = shape(node.inputs[0]);
  const auto pads = node.integers("pads", {});
  const float filler = node.real("value", 0);
  if (node.text("mode", "constant") != "constant") refuse(node, "only constants are put around", node.text("mode", ""));
  if (pads.size() != 2 * in.size() || std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p < 0; }))
    refuse(node, "this padding", "pads");
  // Zeros around maps that only one convolution reads are its own padding.
  const bool around_maps = in.size() == 4 && filler == 0 && pads[0] + pads[1] + pads[4] + pads[5] == 0;
  const auto reader = only_reader(node.outputs[0]);
  if (around_maps && reader && graph_.nodes[*reader].op == "Conv" &&
      graph_.is_constant(graph_.nodes[*reader].inputs[1]) && graph_.nodes[*reader].inputs[0] == node.outputs[0]) {
    deferred_pad_[static_cast<std::size_t>(node.outputs[0])] = 1;
    return;
  }
  Operand operand = maps(node.inputs[0]);
  for (std::size_t axis = 0; axis < in.size(); ++axis)
    operand = padded(operand, axis, pads[axis], pads[axis + in.size()], filler);
  set(node.outputs[0], operand);
}

}  // namespace espalier::cpu::onednn
