#include "compile/packer.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "esp_error.hpp"

namespace espalier::compile {
namespace {

std::size_t map_elements(const PackedFeature& feature) {
  return static_cast<std::size_t>(feature.layout.height) * static_cast<std::size_t>(feature.layout.width);
}

std::size_t elements(const PackedFeature& feature) {
  return static_cast<std::size_t>(feature.channels) * map_elements(feature);
}

/// Byte of a plane that is byte `byte` of a word.
std::size_t plane_byte(const PackedFeature& feature, unsigned pixels, int row, int column, int byte) {
  const std::size_t word = static_cast<std::size_t>(row) * static_cast<std::size_t>(feature.layout.row_pitch) +
                           static_cast<std::size_t>(column);
  return word * pixels + static_cast<std::size_t>(byte);
}

std::size_t plane_offset(const PackedFeature& feature, int plane) {
  return feature.offset * abi::BeatBytes + static_cast<std::size_t>(plane) * feature.plane_bytes;
}

}  // namespace

Packer::Packer(const Compiled& compiled) : compiled_(&compiled) {
  const unsigned pixels = compiled.configuration.pixels;
  for (const PackedFeature& feature : compiled.inputs) inputs_.push_back(held_by_plane(feature, pixels));
  for (const PackedFeature& feature : compiled.outputs) outputs_.push_back(bytes_of_pixels(feature, pixels));
}

std::vector<Packer::Held> Packer::held_by_plane(const PackedFeature& feature, unsigned pixels) {
  const Layout& layout = feature.layout;
  std::vector<Held> result;
  for (int row = 0; row < layout.rows; ++row)
    for (int column = 0; column < layout.columns; ++column)
      for (int byte = 0; byte < static_cast<int>(pixels); ++byte) {
        const auto channel = static_cast<std::size_t>(byte / layout.word.segment);
        const std::optional<Pixel> pixel = layout.pixel(byte, row, column);
        const std::size_t element = pixel ? channel * map_elements(feature) +
                                                static_cast<std::size_t>(pixel->y) * static_cast<std::size_t>(layout.width) +
                                                static_cast<std::size_t>(pixel->x)
                                          : NoElement;
        result.push_back({plane_byte(feature, pixels, row, column, byte), element});
      }
  return result;
}

std::vector<std::size_t> Packer::bytes_of_pixels(const PackedFeature& feature, unsigned pixels) {
  const Layout& layout = feature.layout;
  const Tiling tiling = layout.tiling();
  std::vector<std::size_t> result;
  for (int y = 0; y < layout.height; ++y)
    for (int x = 0; x < layout.width; ++x) {
      const Source source = source_of(tiling, {y, x});
      result.push_back(
          plane_byte(feature, pixels, source.y + layout.origin_y, source.x + layout.origin_x, source.tile));
    }
  return result;
}

std::vector<std::uint8_t> Packer::pack(std::span<const std::vector<std::int8_t>> tensors) const {
  std::size_t count = 0;
  for (const PackedFeature& feature : compiled_->inputs) {
    count = std::max(count, static_cast<std::size_t>(feature.index) + 1);
  }
  if (tensors.size() < count) {
    throw Error(ErrorCode::Input, "wrong number of input tensors", "network '" + compiled_->name + "'",
                std::to_string(tensors.size()), "give " + std::to_string(count));
  }
  std::vector<std::uint8_t> window(compiled_->program.input_bytes, 0);
  for (std::size_t input = 0; input < inputs_.size(); ++input) {
    const PackedFeature& feature = compiled_->inputs[input];
    const std::span<const std::int8_t> tensor = tensors[static_cast<std::size_t>(feature.index)];
    if (tensor.size() != elements(feature)) {
      throw Error(ErrorCode::Input, "an input tensor has the wrong size", "input '" + feature.name + "'",
                  std::to_string(tensor.size()) + " values",
                  "give " + std::to_string(feature.channels) + " x " + std::to_string(feature.layout.height) + " x " +
                      std::to_string(feature.layout.width));
    }
    const auto fill = static_cast<std::uint8_t>(feature.fill);
    const std::size_t plane_elements = static_cast<std::size_t>(feature.layout.word.split) * map_elements(feature);
    for (int plane = 0; plane < feature.layout.planes(feature.channels); ++plane) {
      // The last plane may lack channels: what its bytes would hold lies behind the tensor.
      const std::span<const std::int8_t> channels = tensor.subspan(static_cast<std::size_t>(plane) * plane_elements);
      std::uint8_t* const to = window.data() + plane_offset(feature, plane);
      for (const Held& held : inputs_[input])
        to[held.byte] = held.element < channels.size() ? static_cast<std::uint8_t>(channels[held.element]) : fill;
    }
  }
  return window;
}

std::vector<std::vector<std::int8_t>> Packer::unpack(std::span<const std::uint8_t> window) const {
  if (window.size() < compiled_->program.output_bytes) {
    throw Error(ErrorCode::Input, "the output window is too small", "network '" + compiled_->name + "'",
                std::to_string(window.size()) + " bytes",
                "give " + std::to_string(compiled_->program.output_bytes) + " bytes");
  }
  std::vector<std::vector<std::int8_t>> tensors;
  for (std::size_t output = 0; output < outputs_.size(); ++output) {
    const PackedFeature& feature = compiled_->outputs[output];
    const std::vector<std::size_t>& bytes = outputs_[output];
    auto& tensor = tensors.emplace_back(elements(feature));
    for (int channel = 0; channel < feature.channels; ++channel) {
      const WordShape& word = feature.layout.word;
      const std::uint8_t* const from = window.data() + plane_offset(feature, channel / word.split) +
                                       static_cast<std::size_t>(channel % word.split * word.segment);
      std::int8_t* const to = tensor.data() + static_cast<std::size_t>(channel) * bytes.size();
      for (std::size_t i = 0; i < bytes.size(); ++i) to[i] = static_cast<std::int8_t>(from[bytes[i]]);
    }
  }
  return tensors;
}

std::vector<std::uint8_t> pack(const Compiled& compiled, std::span<const std::vector<std::int8_t>> tensors) {
  return Packer(compiled).pack(tensors);
}

std::vector<std::vector<std::int8_t>> unpack(const Compiled& compiled, std::span<const std::uint8_t> window) {
  return Packer(compiled).unpack(window);
}

}  // namespace espalier::compile
