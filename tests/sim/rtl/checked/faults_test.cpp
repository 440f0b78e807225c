// Everything that can go wrong with a run, on the machine with assertions.
//   - damaged commands, accesses outside windows, wrong arguments: code, position and detail equal those of the
//     functional model
//   - AXI read and write errors: code, position and detail likewise
//   - after each, without a reset where the memory still answers, a good program gives the right bits
//   - through the driver: an Error with the right code, and a device that works again
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "esp_error.hpp"
#include "espalier/driver/device.hpp"
#include "fault_pair.hpp"

namespace espalier {
namespace {

using functional::MemoryFault;
using functional::MemoryFaultKind;
using test::Outcome;
using test::Pair;
using test::pick;
using test::RandomProgram;

struct Damage {
  const char* name;
  unsigned opcode;
  std::uint32_t code;
  std::uint32_t detail;
  std::function<void(abi::Command&)> apply;
};

/// WeightsDense with a chunk that fits.
void dense(abi::Command& c, std::array<std::uint16_t, 3> taps) {
  c.weights = abi::WeightsDense;
  c.split = c.tail_lanes = 1;
  c.slots = 1;
  c.tap_count = taps;
}

const std::vector<Damage>& damages() {
  using abi::Command;
  static const std::vector<Damage> All{
      {"Opcode0", abi::OpLoad, abi::ErrorOpcode, 0, [](Command& c) { c.opcode = 0; }},
      {"Opcode6", abi::OpStore, abi::ErrorOpcode, 6, [](Command& c) { c.opcode = 6; }},
      {"Opcode255", abi::OpMark, abi::ErrorOpcode, 255, [](Command& c) { c.opcode = 255; }},
      {"MarkIndex", abi::OpMark, abi::ErrorField, abi::CmdLayerLsb, [](Command& c) { c.layer = abi::MarkDepth; }},
      {"LoadWindow", abi::OpLoad, abi::ErrorField, abi::CmdWindowLsb, [](Command& c) { c.window = abi::Windows; }},
      {"LoadRun", abi::OpLoad, abi::ErrorField, abi::CmdRunLsb, [](Command& c) { c.run = 0; }},
      {"LoadPlanes", abi::OpLoad, abi::ErrorField, abi::CmdPlanesLsb, [](Command& c) { c.planes = 0; }},
      {"StoreWindow", abi::OpStore, abi::ErrorField, abi::CmdWindowLsb, [](Command& c) { c.window = 255; }},
      {"StoreReadOnly", abi::OpStore, abi::ErrorReadOnly, abi::WindowInput,
       [](Command& c) { c.window = abi::WindowInput; }},
      {"StoreRun", abi::OpStore, abi::ErrorField, abi::CmdRunLsb, [](Command& c) { c.run = 0; }},
      {"StorePlanes", abi::OpStore, abi::ErrorField, abi::CmdPlanesLsb, [](Command& c) { c.planes = 0; }},
      {"WeightFormat", abi::OpWeight, abi::ErrorField, abi::CmdFormatLsb, [](Command& c) { c.format = abi::Formats; }},
      {"WeightItems", abi::OpWeight, abi::ErrorField, abi::CmdItemsLsb, [](Command& c) { c.items = 0; }},
      {"WeightRun", abi::OpWeight, abi::ErrorField, abi::CmdRunLsb, [](Command& c) { c.run = 0; }},
      {"ComputeSlots", abi::OpCompute, abi::ErrorField, abi::CmdSlotsLsb, [](Command& c) { c.slots = 0; }},
      {"ComputeCountX", abi::OpCompute, abi::ErrorField, abi::CmdCountXLsb,
       [](Command& c) { c.slots = 1, c.count_x = 0; }},
      {"ComputeCountY", abi::OpCompute, abi::ErrorField, abi::CmdCountYLsb,
       [](Command& c) { c.slots = 1, c.count_y = 0; }},
      {"ComputeUnroll", abi::OpCompute, abi::ErrorField, abi::CmdUnrollLsb, [](Command& c) { c.unroll = 17; }},
      {"ComputeOperation", abi::OpCompute, abi::ErrorField, abi::CmdOperationLsb,
       [](Command& c) { c.operation = abi::Operations; }},
      {"ComputeWeights", abi::OpCompute, abi::ErrorField, abi::CmdWeightsLsb,
       [](Command& c) { c.weights = abi::WeightsModes; }},
      {"ComputeSplit", abi::OpCompute, abi::ErrorField, abi::CmdSplitLsb, [](Command& c) { c.split = 3; }},
      {"SparseSplit", abi::OpCompute, abi::ErrorField, abi::CmdSplitLsb,
       [](Command& c) {
         c.weights = abi::WeightsSparse;
         c.split = 2;
       }},
      {"ComputeScale", abi::OpCompute, abi::ErrorField, abi::CmdScaleLsb,
       [](Command& c) {
         c.weights = abi::WeightsBlock;
         c.split = 4;
         c.scale = 6;
       }},
      {"ComputeLines", abi::OpCompute, abi::ErrorField, abi::CmdSlotsLsb,
       [](Command& c) {
         c.weights = abi::WeightsBlock;
         c.slots = abi::Array8x8.line_depth + 1;
         c.count_x = 2;
       }},
      {"DenseTail", abi::OpCompute, abi::ErrorField, abi::CmdTailLanesLsb,
       [](Command& c) {
         c.weights = abi::WeightsDense;
         c.tail_lanes = 9;
       }},
      {"DenseCount0", abi::OpCompute, abi::ErrorField, abi::CmdTapCount0Lsb,
       [](Command& c) {
         dense(c, {0, 1, 0});
       }},
      {"DenseCount1", abi::OpCompute, abi::ErrorField, abi::CmdTapCount1Lsb,
       [](Command& c) {
         dense(c, {1, 0, 0});
       }},
      {"DenseCount2", abi::OpCompute, abi::ErrorField, abi::CmdTapCount2Lsb,
       [](Command& c) {
         dense(c, {1, 1, 0});
       }},
      {"LoadOutside", abi::OpLoad, abi::ErrorWindow, 1U << 20, [](Command& c) { c.offset = 1U << 20; }},
      {"LoadOverflows", abi::OpLoad, abi::ErrorWindow, 0xffffffffU, [](Command& c) { c.offset = 0xffffffffU; }},
      {"WeightOutside", abi::OpWeight, abi::ErrorWindow, 123456, [](Command& c) { c.offset = 123456; }},
      {"StoreOutside", abi::OpStore, abi::ErrorWindow, 65536, [](Command& c) { c.offset = 65536; }},
      {"StoreIntoEmptyArena", abi::OpStore, abi::ErrorWindow, 1,
       [](Command& c) {
         c.window = abi::WindowArena;
         c.offset = 1;
       }},
  };
  return All;
}

class Commands : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Commands, AreRefusedWithTheirPosition) {
  const Damage& damage = damages()[GetParam()];
  Pair pair(GetParam() + 1);
  for (unsigned i = 0; i < 2; ++i) {
    test::Random random(i);
    RandomProgram p = test::random_program(abi::Array8x8, random, 1);
    const std::uint32_t index = pick(p, damage.opcode, random);
    abi::Command command = test::command_of(p, index);
    damage.apply(command);
    // Fields are encoded by opcode; a wrong opcode keeps the rest of the beat.
    if (damage.code == abi::ErrorOpcode) {
      p.program.image[std::size_t{p.program.command_offset + index} * abi::BeatBytes] = command.opcode;
    } else {
      test::set_command(p, index, command);
    }
    // Slots of WeightsVector are for one position: another number of positions is an error of the slots.
    const bool positions = damage.detail == abi::CmdCountXLsb || damage.detail == abi::CmdCountYLsb;
    const bool of_vector = damage.opcode == abi::OpCompute && command.weights == abi::WeightsVector;
    const Outcome outcome{damage.code, index, positions && of_vector ? +abi::CmdSlotsLsb : damage.detail};
    const auto [expected, actual] = pair.run(p);
    EXPECT_EQ(expected, outcome) << "functional";
    EXPECT_EQ(actual, outcome) << "rtl";
    pair.expect_usable(random);
  }
}

INSTANTIATE_TEST_SUITE_P(Damaged, Commands, ::testing::Range(std::size_t{0}, damages().size()),
                         [](const auto& info) { return std::string(damages()[info.param].name); });

TEST(Arguments, AreCheckedBeforeAnythingMoves) {
  Pair pair;
  test::Random random;
  const RandomProgram p = test::random_program(abi::Array8x8, random, 1);
  for (unsigned w = 0; w < abi::Windows; ++w) {
    for (const auto& [offset, step] : {std::pair<std::uint32_t, std::uint32_t>{0, 64}, {0, 2048}, {8, 1}, {8, 32}}) {
      const std::uint32_t wrong = abi::RegProgramAddress + 16 * w + offset;
      const auto [expected, actual] =
          pair.run(p, [wrong, step = step](test::FaultSession& session) { session.registers[wrong] += step; });
      EXPECT_EQ(expected, (Outcome{abi::ErrorArgument, 0, wrong}));
      EXPECT_EQ(actual, (Outcome{abi::ErrorArgument, 0, wrong}));
      EXPECT_LT(pair.rtl.read_register(abi::RegCycles), 5U);
    }
  }
  const auto [expected, actual] =
      pair.run(p, [](test::FaultSession& session) { session.registers[abi::RegCommandCount] = 0; });
  EXPECT_EQ(expected, (Outcome{abi::ErrorArgument, 0, abi::RegCommandCount}));
  EXPECT_EQ(actual, expected);
  pair.expect_usable(random);
}

TEST(Arguments, ACommandListOutsideItsWindowIsNotFetched) {
  Pair pair;
  test::Random random;
  const RandomProgram p = test::random_program(abi::Array8x8, random, 1);
  const auto [expected, actual] =
      pair.run(p, [](test::FaultSession& session) { session.registers[abi::RegCommandOffset] = 1U << 24; });
  EXPECT_EQ(expected, (Outcome{abi::ErrorWindow, 0, 1U << 24}));
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(pair.rtl.read_register(abi::RegReadBeats), 0U);
  pair.expect_usable(random);
}

/// A program whose only load, weight stream or store meets the fault.
TEST(Memory, ReadErrorsOfLoadsAreReported) {
  Pair pair;
  for (unsigned i = 0; i < 16; ++i) {
    test::Random random(i);
    const RandomProgram p = test::random_program(abi::Array8x8, random, 1);
    const auto damage = [&](auto& bus, test::FaultSession& session) {
      bus.set_memory_fault(MemoryFault{MemoryFaultKind::ReadError, session.address(abi::WindowInput), p.input.size()});
    };
    test::FaultSession expected(pair.functional, p);
    test::FaultSession actual(pair.rtl, p);
    damage(pair.functional, expected);
    damage(pair.rtl, actual);
    const Outcome first = expected.run();
    const Outcome second = actual.run();
    EXPECT_EQ(first.code, std::uint32_t{abi::ErrorReadResponse});
    EXPECT_EQ(second, first);
    pair.functional.set_memory_fault({});
    pair.rtl.set_memory_fault({});
    pair.expect_usable(random);
  }
}

TEST(Memory, WriteErrorsOfStoresAreReported) {
  Pair pair;
  for (unsigned i = 0; i < 4; ++i) {
    test::Random random(i);
    const RandomProgram p = test::random_program(abi::Array8x8, random, 1);
    test::FaultSession expected(pair.functional, p);
    test::FaultSession actual(pair.rtl, p);
    const std::uint64_t bytes = p.program.output_bytes;
    pair.functional.set_memory_fault(MemoryFault{MemoryFaultKind::WriteError, expected.address(2), bytes});
    pair.rtl.set_memory_fault(MemoryFault{MemoryFaultKind::WriteError, actual.address(2), bytes});
    const Outcome first = expected.run();
    EXPECT_EQ(first.code, std::uint32_t{abi::ErrorWriteResponse});
    EXPECT_EQ(actual.run(), first);
    pair.functional.set_memory_fault({});
    pair.rtl.set_memory_fault({});
    pair.expect_usable(random);
  }
}

TEST(Memory, ReadErrorsOfTheCommandListAreReported) {
  Pair pair;
  test::Random random;
  const RandomProgram p = test::random_program(abi::Array8x8, random, 1);
  test::FaultSession actual(pair.rtl, p);
  pair.rtl.set_memory_fault(
      MemoryFault{MemoryFaultKind::ReadError, actual.address(abi::WindowProgram), p.program.image.size()});
  const Outcome outcome = actual.run();
  EXPECT_EQ(outcome, (Outcome{abi::ErrorReadResponse, 0, 2}));
  pair.rtl.set_memory_fault({});
  pair.expect_usable(random);
}

TEST(Driver, ReportsFaultsAndGoesOn) {
  Pair pair;
  driver::Device device(pair.rtl);
  test::Random random;
  RandomProgram p = test::random_program(abi::Array8x8, random, 1);
  const driver::Limits limits{2000, std::chrono::hours(1)};
  const auto view = [](const compile::DeviceProgram& program) {
    return driver::Program{program.image,
                           program.command_offset,
                           program.command_count,
                           program.input_bytes,
                           program.output_bytes,
                           program.arena_bytes,
                           0};
  };
  const RandomProgram good = p;
  const std::uint32_t index = pick(p, abi::OpStore, random);
  abi::Command command = test::command_of(p, index);
  command.offset = 99999;
  test::set_command(p, index, command);
  try {
    device.run({view(p.program), p.input, limits});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Device);
    EXPECT_NE(error.where().find("command " + std::to_string(index)), std::string::npos) << error.what();
    EXPECT_NE(error.value().find("99999"), std::string::npos) << error.what();
  }
  pair.rtl.set_memory_fault(MemoryFault{MemoryFaultKind::NoAnswer, 0, ~std::uint64_t{0}});
  try {
    device.run({view(good.program), good.input, limits});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Timeout);
  }
  pair.rtl.set_memory_fault({});
  test::scrub(pair.functional);
  test::scrub(pair.rtl);
  driver::Device functional(pair.functional);
  EXPECT_EQ(device.run({view(good.program), good.input, limits}).output,
            functional.run({view(good.program), good.input, {}}).output);
}

}  // namespace
}  // namespace espalier
