// Properties:
//   - a file read again is the executable that was written
//   - damage behind a right checksum is refused or harmless
//   - every truncation and every altered byte is refused with Error (Program), as is another array
#include "run/executable_file.hpp"

#include <gtest/gtest.h>

#include "compile/program_file.hpp"
#include "compile/sealed_bytes.hpp"
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

// Whatever lies behind a right checksum, a file that is accepted can be packed and unpacked.
TEST(ExecutableFile, DamageBehindARightChecksumNeverCrashes) {
  const Executable original = sample();
  const std::vector<std::uint8_t> good = serialise(original), program = compile::serialise(original.compiled);
  const auto damaged = [](const std::vector<std::uint8_t>& bytes, test::Random& random) {
    std::vector<std::uint8_t> body(bytes.begin(), bytes.end() - compile::SealBytes);
    for (int changes = random.between(1, 3); changes > 0; --changes)
      body[static_cast<std::size_t>(random.between(0, static_cast<int>(body.size()) - 1))] =
          static_cast<std::uint8_t>(random.between(0, 255));
    return compile::seal(body);
  };
  for (int round = 0; round < 3000; ++round) {
    test::Random random(static_cast<std::uint64_t>(round));
    try {
      Executable executable = original;
      if (random.chance(0.5)) {
        executable.compiled = compile::deserialise(damaged(program, random), "file");
        executable = deserialise(serialise(executable), "file");
      } else {
        executable = deserialise(damaged(good, random), "file");
      }
      std::vector<Feature> inputs;
      for (const compress::Input& port : executable.ports.inputs)
        inputs.emplace_back(static_cast<std::size_t>(model::count_elements(port.shape, port.name)));
      if (executable.compiled.program.input_bytes + executable.compiled.program.output_bytes > (1U << 24)) continue;
      compile::pack(executable.compiled, inputs);
      const auto outputs =
          compile::unpack(executable.compiled, std::vector<std::uint8_t>(executable.compiled.program.output_bytes));
      for (std::size_t i = 0; i < outputs.size(); ++i) compress::to_real(executable.ports.outputs[i], outputs[i]);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Program) << error.what();
    }
  }
}

}  // namespace
}  // namespace espalier::run
