// The compiled file:
// - what is written is read back and runs the same;
// - truncated at any length, or with any byte altered, it is refused with one Program error that names the file;
// - other versions and other arrays are refused with their values; damage behind a right checksum never crashes.
#include "compile/program_file.hpp"

#include <gtest/gtest.h>

#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "execution.hpp"
#include "model/layer_text.hpp"

namespace espalier::test {
namespace {

compile::Compiled small_network() {
  return compile::compile(model::parse_layer("conv ic3 ih9 iw7 oc5 kh3 ph1 density0.5"), abi::Array8x8);
}

/// The Program error that reading `bytes` gives; fails the test if there is none.
Error refusal(const std::vector<std::uint8_t>& bytes,
              const std::optional<abi::Configuration>& configuration = std::nullopt) {
  try {
    compile::deserialise(bytes, "net.esp", configuration);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Program);
    EXPECT_EQ(error.where(), "net.esp");
    EXPECT_FALSE(error.action().empty());
    return error;
  }
  ADD_FAILURE() << "accepted";
  return {ErrorCode::Internal, "accepted", ""};
}

TEST(ProgramFile, IsReadBackAndRunsTheSame) {
  Random random;
  const model::Network network = model::parse_layer("conv ic3 ih9 iw7 oc5 kh3 ph1 density0.5");
  const compile::Compiled written = small_network();
  const auto bytes = compile::serialise(written);
  const compile::Compiled read = compile::deserialise(bytes, "net.esp", abi::Array8x8);
  EXPECT_EQ(read.program.image, written.program.image);
  EXPECT_EQ(read.total_cycles, written.total_cycles);
  EXPECT_EQ(read.layers[0].shape, written.layers[0].shape);
  EXPECT_EQ(compile::serialise(read), bytes);
  EXPECT_EQ(differences(network, read, random_inputs(network, random)), "");
}

TEST(ProgramFile, KeepsEveryArray) {
  const model::Network network = model::parse_layer("conv ic3 ih9 iw7 oc5 kh3 ph1 density0.5");
  for (const abi::NamedArray& array : abi::Arrays) {
    const auto bytes = compile::serialise(compile::compile(network, array.configuration));
    EXPECT_EQ(compile::deserialise(bytes, "net.esp").configuration, array.configuration) << array.name;
  }
}

TEST(ProgramFile, RefusesArraysThatAreNotBuilt) {
  for (const auto change :
       {+[](abi::Configuration& c) { c.coded = !c.coded; }, +[](abi::Configuration& c) { c.program_depth /= 2; },
        +[](abi::Configuration& c) { c.staging_beats /= 2; }}) {
    compile::Compiled written = small_network();
    change(written.configuration);
    EXPECT_NE(std::string(refusal(compile::serialise(written)).summary()).find("unknown array"), std::string::npos);
  }
}

TEST(ProgramFile, KeepsTheMemoryThatCyclesArePredictedFor) {
  compile::Compiled written = small_network();
  written.memory = {32, 77, 256, 9, true};
  EXPECT_EQ(compile::deserialise(compile::serialise(written), "net.esp").memory, written.memory);
}

TEST(ProgramFile, RefusesEveryTruncation) {
  const auto bytes = compile::serialise(small_network());
  for (std::size_t size = 0; size < bytes.size(); size += size < 100 ? 1 : 97) {
    refusal({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)});
  }
}

TEST(ProgramFile, RefusesEveryAlteredByte) {
  Random random;
  const auto bytes = compile::serialise(small_network());
  for (std::size_t i = 0; i < bytes.size(); i += 1 + static_cast<std::size_t>(random.between(0, 20))) {
    auto altered = bytes;
    altered[i] = static_cast<std::uint8_t>(altered[i] ^ (1U << random.between(0, 7)));
    refusal(altered);
  }
}

TEST(ProgramFile, RefusesAnotherArray) {
  const Error error = refusal(compile::serialise(small_network()), abi::Array16x16);
  EXPECT_NE(error.value().find("8x8"), std::string::npos);
  EXPECT_NE(error.action().find("16x16"), std::string::npos);
  const auto compact = compile::serialise(
      compile::compile(model::parse_layer("conv ic3 ih9 iw7 oc5 kh3 ph1 density0.5"), abi::Array16x16Compact));
  EXPECT_NE(refusal(compact, abi::Array16x16).value().find("16x16_compact"), std::string::npos);
}

/// Replaces the checksum by the right one for the bytes before it.
void reseal(std::vector<std::uint8_t>& bytes) {
  std::uint64_t sum = 14695981039346656037ULL;
  for (std::size_t i = 0; i + 8 < bytes.size(); ++i) sum = (sum ^ bytes[i]) * 1099511628211ULL;
  for (std::size_t i = 0; i < 8; ++i) bytes[bytes.size() - 8 + i] = static_cast<std::uint8_t>(sum >> (8 * i));
}

TEST(ProgramFile, RefusesOtherVersionsAndDamageBehindARightChecksum) {
  const auto bytes = compile::serialise(small_network());
  int format_refusals = 0;
  int hardware_refusals = 0;
  for (std::size_t i = 0; i + 8 < bytes.size(); ++i) {
    auto altered = bytes;
    altered[i] = static_cast<std::uint8_t>(altered[i] ^ 2U);
    reseal(altered);
    try {
      compile::deserialise(altered, "net.esp", abi::Array8x8);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::Program);
      format_refusals += error.summary().find("format version") != std::string::npos ? 1 : 0;
      hardware_refusals += error.summary().find("version of the hardware") != std::string::npos ? 1 : 0;
    }
  }
  EXPECT_GE(format_refusals, 1);
  EXPECT_GE(hardware_refusals, 1);
}

}  // namespace
}  // namespace espalier::test
