// The host's side of layouts: tensors into the input window, the output window into tensors.
#include <algorithm>
#include <string>

#include "compile/compile.hpp"
#include "esp_error.hpp"

namespace espalier::compile {
namespace {

std::size_t elements(const PackedFeature& feature) {
  return static_cast<std::size_t>(feature.channels) * static_cast<std::size_t>(feature.layout.height) *
         static_cast<std::size_t>(feature.layout.width);
}

std::size_t element(const PackedFeature& feature, int channel, Pixel pixel) {
  const Layout& layout = feature.layout;
  return (static_cast<std::size_t>(channel) * static_cast<std::size_t>(layout.height) +
          static_cast<std::size_t>(pixel.y)) *
             static_cast<std::size_t>(layout.width) +
         static_cast<std::size_t>(pixel.x);
}

/// Byte of the window that holds byte `byte` of a word of a plane.
std::size_t address(const PackedFeature& feature, unsigned pixels, int plane, int row, int column, int byte) {
  const std::size_t word = static_cast<std::size_t>(row) * static_cast<std::size_t>(feature.layout.row_pitch) +
                           static_cast<std::size_t>(column);
  return feature.offset * abi::BeatBytes + static_cast<std::size_t>(plane) * feature.plane_bytes + word * pixels +
         static_cast<std::size_t>(byte);
}

void pack_feature(const PackedFeature& feature, unsigned pixels, std::span<const std::int8_t> tensor,
                  std::vector<std::uint8_t>& window) {
  const Layout& layout = feature.layout;
  for (int row = 0; row < layout.rows; ++row) {
    for (int column = 0; column < layout.columns; ++column) {
      for (int byte = 0; byte < static_cast<int>(pixels); ++byte) {
        const std::optional<Pixel> pixel = layout.pixel(byte, row, column);
        for (int plane = 0; plane < layout.planes(feature.channels); ++plane) {
          const int channel = plane * layout.word.split + byte / layout.word.segment;
          const bool holds = pixel && channel < feature.channels;
          const std::int8_t value = holds ? tensor[element(feature, channel, *pixel)] : feature.fill;
          window[address(feature, pixels, plane, row, column, byte)] = static_cast<std::uint8_t>(value);
        }
      }
    }
  }
}

}  // namespace

std::vector<std::uint8_t> pack(const Compiled& compiled, std::span<const std::vector<std::int8_t>> tensors) {
  std::size_t count = 0;
  for (const PackedFeature& feature : compiled.inputs) {
    count = std::max(count, static_cast<std::size_t>(feature.index) + 1);
  }
  if (tensors.size() < count) {
    throw Error(ErrorCode::Input, "wrong number of input tensors", "network '" + compiled.name + "'",
                std::to_string(tensors.size()), "give " + std::to_string(count));
  }
  std::vector<std::uint8_t> window(compiled.program.input_bytes, 0);
  for (const PackedFeature& feature : compiled.inputs) {
    const auto& tensor = tensors[static_cast<std::size_t>(feature.index)];
    if (tensor.size() != elements(feature)) {
      throw Error(ErrorCode::Input, "an input tensor has the wrong size", "input '" + feature.name + "'",
                  std::to_string(tensor.size()) + " values",
                  "give " + std::to_string(feature.channels) + " x " + std::to_string(feature.layout.height) + " x " +
                      std::to_string(feature.layout.width));
    }
    pack_feature(feature, compiled.configuration.pixels, tensor, window);
  }
  return window;
}

std::vector<std::vector<std::int8_t>> unpack(const Compiled& compiled, std::span<const std::uint8_t> window) {
  if (window.size() < compiled.program.output_bytes) {
    throw Error(ErrorCode::Input, "the output window is too small", "network '" + compiled.name + "'",
                std::to_string(window.size()) + " bytes",
                "give " + std::to_string(compiled.program.output_bytes) + " bytes");
  }
  std::vector<std::vector<std::int8_t>> tensors;
  for (const PackedFeature& feature : compiled.outputs) {
    const Layout& layout = feature.layout;
    const Tiling tiling = layout.tiling();
    auto& tensor = tensors.emplace_back(elements(feature));
    for (int y = 0; y < layout.height; ++y) {
      for (int x = 0; x < layout.width; ++x) {
        const Source source = source_of(tiling, {y, x});
        for (int channel = 0; channel < feature.channels; ++channel) {
          const int byte = channel % layout.word.split * layout.word.segment + source.tile;
          const std::size_t from = address(feature, compiled.configuration.pixels, channel / layout.word.split,
                                           source.y + layout.origin_y, source.x + layout.origin_x, byte);
          tensor[element(feature, channel, {y, x})] = static_cast<std::int8_t>(window[from]);
        }
      }
    }
  }
  return tensors;
}

}  // namespace espalier::compile
