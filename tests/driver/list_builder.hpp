// Command lists and tables assembled by hand, for tests that need a program but no compiler.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "esp_abi.hpp"
#include "espalier/driver/device.hpp"

namespace espalier::test {

/// An image: data first, the commands after it.
class ListBuilder {
 public:
  /// Appends bytes padded to whole beats; returns their first beat.
  std::uint32_t data(std::span<const std::uint8_t> bytes) {
    const auto beat = static_cast<std::uint32_t>(image_.size() / abi::BeatBytes);
    image_.insert(image_.end(), bytes.begin(), bytes.end());
    image_.resize((image_.size() + abi::BeatBytes - 1) / abi::BeatBytes * abi::BeatBytes);
    return beat;
  }

  /// Appends a weight command for `bytes`; `command` says format, items and the rest. Waits for all computes so far.
  void weight(abi::Command command, std::span<const std::uint8_t> bytes) {
    command.opcode = abi::OpWeight;
    command.window = abi::WindowProgram;
    command.offset = data(bytes);
    command.run = static_cast<std::uint32_t>((bytes.size() + abi::BeatBytes - 1) / abi::BeatBytes);
    add(command);
  }

  template <typename Item>
  void table(unsigned format, std::span<const Item> items) {
    std::vector<std::uint8_t> bytes;
    for (const Item& item : items) append(bytes, abi::encode(item));
    weight(table_command(format, items.size()), bytes);
  }

  void sparse(std::span<const abi::Entry> entries, unsigned lanes) {
    std::vector<std::uint8_t> bytes;
    for (const abi::Entry& entry : entries) append(bytes, abi::encode(entry));
    weight(table_command(abi::FormatSparse, entries.size() / lanes), bytes);
  }

  void permutations(std::span<const std::uint8_t> bytes, unsigned pixels) {
    weight(table_command(abi::FormatPermute, bytes.size() / pixels), bytes);
  }

  /// Appends a load or store of `beats` beats at offset 0 of a window.
  void transfer(unsigned opcode, unsigned window, std::uint32_t beats, std::uint16_t address) {
    abi::Command command;
    command.opcode = static_cast<std::uint8_t>(opcode);
    command.window = static_cast<std::uint8_t>(window);
    command.address = address;
    command.run = beats;
    command.planes = 1;
    add(command);
  }

  /// Appends a command that waits for all commands before it.
  void add(abi::Command command) {
    command.wait_load = done_[abi::OpLoad];
    command.wait_weight = done_[abi::OpWeight];
    command.wait_compute = done_[abi::OpCompute];
    command.wait_store = done_[abi::OpStore];
    add_as_is(command);
  }

  void add_as_is(const abi::Command& command) {
    if (command.opcode <= abi::OpMark) ++done_[command.opcode];
    commands_.push_back(abi::encode(command));
  }

  std::vector<abi::Beat>& commands() { return commands_; }

  /// The program; the spans refer to this builder.
  driver::Program build(std::uint64_t input_bytes, std::uint64_t output_bytes, std::uint64_t arena_bytes = 64) {
    linked_ = image_;
    for (const abi::Beat& beat : commands_) linked_.insert(linked_.end(), beat.begin(), beat.end());
    driver::Program program;
    program.image = linked_;
    program.command_offset = static_cast<std::uint32_t>(image_.size() / abi::BeatBytes);
    program.command_count = static_cast<std::uint32_t>(commands_.size());
    program.input_bytes = input_bytes;
    program.output_bytes = output_bytes;
    program.arena_bytes = arena_bytes;
    return program;
  }

 private:
  static abi::Command table_command(unsigned format, std::size_t items) {
    abi::Command command;
    command.format = static_cast<std::uint8_t>(format);
    command.items = static_cast<std::uint32_t>(items);
    return command;
  }

  template <std::size_t N>
  static void append(std::vector<std::uint8_t>& bytes, const std::array<std::uint8_t, N>& item) {
    bytes.insert(bytes.end(), item.begin(), item.end());
  }
  static void append(std::vector<std::uint8_t>& bytes, std::uint32_t item) {
    for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(item >> (8 * i)));
  }
  static void append(std::vector<std::uint8_t>& bytes, std::uint64_t item) {
    for (unsigned i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(item >> (8 * i)));
  }

  std::vector<std::uint8_t> image_, linked_;
  std::vector<abi::Beat> commands_;
  std::array<std::uint32_t, abi::OpMark + 1> done_{};
};

/// A program that copies `beats` beats of input to the output through the scratchpad.
inline driver::Program copy_program(ListBuilder& list, std::uint32_t beats) {
  list.transfer(abi::OpLoad, abi::WindowInput, beats, 0);
  list.transfer(abi::OpStore, abi::WindowOutput, beats, 0);
  return list.build(std::uint64_t{beats} * abi::BeatBytes, std::uint64_t{beats} * abi::BeatBytes);
}

}  // namespace espalier::test
