// Properties:
//   - a file read again is the executable that was written
//   - every truncation and every altered byte is refused with Error (Program), as is another array
#include "run/executable_file.hpp"

#include <gtest/gtest.h>

#include "esp_error.hpp"
#include "layer_executable.hpp"
#include "random.hpp"

namespace espalier::run {
namespace {

Executable sample() {
  Executable executable = test::make_layer("conv ic3 ih6 oc5 kh3 ph1 density0.5").executable;
  executable.ports.outputs[0].softmax_axis = 1;
  return executable;
}

void expect_program_error(std::span<const std::uint8_t> bytes, const std::string& what) {
  try {
    deserialise(bytes, "file");
    ADD_FAILURE() << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Program) << what;
    EXPECT_EQ(error.where(), "file") << what;
    EXPECT_FALSE(error.action().empty()) << what;
  }
}

TEST(ExecutableFile, ReadsWhatItWrites) {
  const Executable written = sample();
  const Executable read = deserialise(serialise(written), "file", abi::Array8x8);
  EXPECT_EQ(read.name, written.name);
  EXPECT_EQ(read.compiled.program.image, written.compiled.program.image);
  EXPECT_EQ(read.compiled.total_cycles, written.compiled.total_cycles);
  ASSERT_EQ(read.ports.inputs.size(), 1U);
  EXPECT_EQ(read.ports.inputs[0].type, model::ElementType::Int8);
  EXPECT_EQ(read.ports.inputs[0].shape, written.ports.inputs[0].shape);
  EXPECT_EQ(read.ports.outputs[0].scale, 0.5F);
  EXPECT_EQ(read.ports.outputs[0].zero, 3);
  EXPECT_EQ(read.ports.outputs[0].softmax_axis, 1);
  EXPECT_EQ(serialise(read), serialise(written));
}

TEST(ExecutableFile, RefusesAnotherArray) {
  EXPECT_THROW(deserialise(serialise(sample()), "file", abi::Array16x16), Error);
}

TEST(ExecutableFile, RefusesTruncatedFiles) {
  const std::vector<std::uint8_t> bytes = serialise(sample());
  for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 16)
    expect_program_error(std::span(bytes).first(size), "cut to " + std::to_string(size));
}

TEST(ExecutableFile, RefusesAlteredFiles) {
  const std::vector<std::uint8_t> good = serialise(sample());
  test::Random random;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint8_t> bytes = good;
    const auto position = static_cast<std::size_t>(random.between(0, static_cast<int>(bytes.size()) - 1));
    bytes[position] = static_cast<std::uint8_t>(bytes[position] ^ (1U << random.between(0, 7)));
    expect_program_error(bytes, "altered at " + std::to_string(position));
  }
}

}  // namespace
}  // namespace espalier::run
