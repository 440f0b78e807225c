// The host's side of layouts: tensors into the input window, the output window into tensors.
//
//   const compile::Packer packer(compiled);                          // once per program
//   std::vector<std::uint8_t> window = packer.pack(tensors);         // window 1, from one int8 tensor per input
//   ... run the program ...
//   std::vector<std::vector<std::int8_t>> answers = packer.unpack(output);  // window 2
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compile/compile.hpp"

namespace espalier::compile {

/// Knows where every element of the windows of one program lies. May be used from several threads.
class Packer {
 public:
  /// Keeps a reference to `compiled`.
  explicit Packer(const Compiled& compiled);

  /// As compile::pack().
  std::vector<std::uint8_t> pack(std::span<const std::vector<std::int8_t>> tensors) const;
  /// As compile::unpack().
  std::vector<std::vector<std::int8_t>> unpack(std::span<const std::uint8_t> window) const;

 private:
  /// A byte of a plane and the element that it holds, counted from the plane's first channel.
  struct Held {
    std::size_t byte, element;
  };
  static constexpr std::size_t NoElement = static_cast<std::size_t>(-1);

  static std::vector<Held> held_by_plane(const PackedFeature& feature, unsigned pixels);
  static std::vector<std::size_t> bytes_of_pixels(const PackedFeature& feature, unsigned pixels);

  const Compiled* compiled_;
  // All planes of a feature are alike, so this is found once for them.
  std::vector<std::vector<Held>> inputs_;          // by input: every byte of a plane; NoElement: the fill
  std::vector<std::vector<std::size_t>> outputs_;  // by output: the byte of each pixel of a plane's first channel
};

}  // namespace espalier::compile
