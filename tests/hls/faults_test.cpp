// Whatever can go wrong with a run, on the HLS kernels and on the functional model:
//   - damaged commands, wrong arguments, memory that answers with errors or not at all: the fault has the same code,
//     position and detail, and the beats moved are as many; where the schedule still holds, the entries executed and
//     the output bytes are the same
//   - the next good program gives the same bits
#include "../sim/rtl/checked/fault_session.hpp"
#include "kernel_pair.hpp"

namespace espalier::test {
namespace {

using functional::MemoryFault;
using functional::MemoryFaultKind;

/// Both machines with the same history.
struct Machines {
  functional::HlsBus kernels{abi::Array8x8};
  functional::FunctionalBus model{abi::Array8x8};

  /// Runs on both; `damage` changes the session or its machine. Returns what the model says. Slots that are not those
  /// of a schedule may let lanes meet in a bank, or read lines of another mode, of which the contract says nothing:
  /// then entries and outputs are not compared.
  template <typename Damage>
  Outcome expect_same_run(const RandomProgram& p, Damage&& damage, bool schedule_holds = true) {
    scrub(kernels);
    scrub(model);
    FaultSession actual(kernels, p);
    FaultSession expected(model, p);
    damage(actual, kernels);
    damage(expected, model);
    const Outcome outcome = expected.run();
    EXPECT_EQ(actual.run(), outcome);
    for (const std::uint32_t counter : {abi::RegReadBeats, abi::RegWriteBeats}) {
      EXPECT_EQ(kernels.read_register(counter), model.read_register(counter)) << "register " << counter;
    }
    if (schedule_holds) EXPECT_EQ(kernels.read_register(abi::RegMacs), model.read_register(abi::RegMacs));
    kernels.set_memory_fault({});
    model.set_memory_fault({});
    if (schedule_holds) EXPECT_EQ(actual.output(), expected.output());
    return outcome;
  }

  void expect_usable(Random& random) {
    const RandomProgram good = random_program(abi::Array8x8, random, 1);
    EXPECT_EQ(expect_same_run(good, [](FaultSession&, auto&) {}), Outcome{});
  }
};

/// Fields of commands and the values that they take when they are damaged.
void damage_command(abi::Command& c, Random& random) {
  switch (random.between(0, 13)) {
    case 0:
      c.opcode = static_cast<std::uint8_t>(random.between(0, 7));
      break;
    case 1:
      c.window = static_cast<std::uint8_t>(random.between(0, 5));
      break;
    case 2:
      c.format = static_cast<std::uint8_t>(random.between(0, 14));
      break;
    case 3:
      c.offset = static_cast<std::uint32_t>(random.between(0, 400)) * (random.chance(0.5) ? 1U : 10000000U);
      break;
    case 4:
      c.run = static_cast<std::uint32_t>(random.between(0, 300));
      break;
    case 5:
      c.planes = static_cast<std::uint16_t>(random.between(0, 9));
      break;
    case 6:
      c.pitch = static_cast<std::uint32_t>(random.between(0, 100));
      break;
    case 7:
      c.wait_load = static_cast<std::uint32_t>(random.between(0, 20));
      break;
    case 8:
      c.wait_weight = static_cast<std::uint32_t>(random.between(0, 100));
      break;
    case 9:
      c.wait_compute = static_cast<std::uint32_t>(random.between(0, 20));
      break;
    case 10:
      c.slots = static_cast<std::uint32_t>(random.between(0, 3)) * (random.chance(0.5) ? 1U : 1000000U);
      break;
    case 11:
      c.count_x = c.count_y = static_cast<std::uint16_t>(random.between(0, 1));
      break;
    case 12:
      c.items = static_cast<std::uint32_t>(random.between(0, 3));
      break;
    default:
      c.operation = static_cast<std::uint8_t>(random.between(3, 9));
      break;
  }
}

TEST(KernelFaults, DamagedCommandsGiveTheFaultOfTheModel) {
  Machines machines;
  for (unsigned i = 0; i < 300; ++i) {
    Random random(i);
    RandomProgram p = random_program(abi::Array8x8, random, 2);
    const auto index = static_cast<std::uint32_t>(random.between(0, static_cast<int>(p.program.command_count) - 1));
    abi::Command command = command_of(p, index);
    damage_command(command, random);
    set_command(p, index, command);
    const bool schedule_holds = command.opcode != abi::OpWeight && command.opcode != abi::OpCompute;
    machines.expect_same_run(
        p, [](FaultSession&, auto&) {}, schedule_holds);
    machines.expect_usable(random);
    if (::testing::Test::HasFailure()) FAIL() << "case " << i << " opcode " << unsigned{command.opcode};
  }
}

TEST(KernelFaults, MemoryErrorsGiveTheFaultOfTheModel) {
  Machines machines;
  unsigned faults = 0;
  for (unsigned i = 0; i < 200; ++i) {
    Random random(i);
    const RandomProgram p = random_program(abi::Array8x8, random, 2);
    const int window = random.between(0, 2);
    const std::array<std::uint64_t, 3> sizes{p.program.image.size(), p.input.size(), p.program.output_bytes};
    const auto at =
        static_cast<std::uint64_t>(random.between(0, static_cast<int>(sizes[static_cast<std::size_t>(window)]) - 1));
    const auto kind = static_cast<MemoryFaultKind>(random.between(0, 2));
    const Outcome outcome = machines.expect_same_run(p, [&](FaultSession& session, auto& bus) {
      bus.set_memory_fault(MemoryFault{kind, session.address(static_cast<unsigned>(window)) + at, 1});
    });
    if (outcome.code != abi::ErrorNone) ++faults;
    machines.expect_usable(random);
    if (::testing::Test::HasFailure()) FAIL() << "case " << i;
  }
  EXPECT_GT(faults, 50U);
}

TEST(KernelFaults, WrongArgumentsGiveTheFaultOfTheModel) {
  Machines machines;
  for (unsigned i = 0; i < 200; ++i) {
    Random random(i);
    const RandomProgram p = random_program(abi::Array8x8, random, 1);
    constexpr std::array Registers{abi::RegProgramAddress, abi::RegProgramBytes,  abi::RegInputAddress,
                                   abi::RegInputBytes,     abi::RegOutputAddress, abi::RegOutputBytes,
                                   abi::RegArenaAddress,   abi::RegArenaBytes,    abi::RegCommandOffset,
                                   abi::RegCommandCount};
    const std::uint32_t reg = Registers[static_cast<std::size_t>(random.between(0, Registers.size() - 1))];
    const auto change =
        static_cast<std::uint32_t>(random.chance(0.5) ? random.between(1, 100) : 64 * random.between(1, 9));
    const bool less = random.chance(0.5);
    machines.expect_same_run(p, [&](FaultSession& session, auto&) {
      session.registers[reg] = less ? session.registers[reg] - change : session.registers[reg] + change;
    });
    machines.expect_usable(random);
    if (::testing::Test::HasFailure()) FAIL() << "case " << i << " register " << reg;
  }
}

TEST(KernelFaults, WithoutTimeOutARunThatIsStuckNeverEnds) {
  Machines machines;
  Random random;
  RandomProgram p = random_program(abi::Array8x8, random, 1);
  abi::Command command = command_of(p, 3);
  command.wait_store = 7;
  set_command(p, 3, command);
  FaultSession session(machines.kernels, p);
  session.registers[abi::RegTimeout] = 0;
  for (const auto& [offset, value] : session.registers) machines.kernels.write_register(offset, value);
  machines.kernels.write_register(abi::RegControl, 1);
  EXPECT_FALSE(machines.kernels.wait_done(std::chrono::milliseconds(1)));
  EXPECT_TRUE(machines.kernels.busy());
  EXPECT_EQ(machines.kernels.read_register(abi::RegControl), 1U);
  machines.kernels.reset();
  machines.expect_usable(random);
}

}  // namespace
}  // namespace espalier::test
