// esp_registers
//   - AXI4-Lite: address and data may come in any order, responses wait for their ready, one access at a time
//   - arguments keep what is written, byte by byte, and are not changed while a run is active
//   - start is one cycle with the write, only when idle; done is cleared by reading, the interrupt by writing
//   - results, counters, the description of the machine and marks are readable; everything else reads 0
#include "Vesp_registers_k8.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

class RegisterBench {
 public:
  explicit RegisterBench(Random& random, double idle = 0, double refuse = 0)
      : random_(random), idle_(idle), refuse_(refuse), bench(random) {
    bench->aw_valid_i = bench->w_valid_i = bench->ar_valid_i = bench->b_ready_i = bench->r_ready_i = 0;
    bench->idle_i = 1;
    bench->done_i = bench->mark_write_i = 0;
    bench->rst_ni = 0;
    bench.clock();
    bench->rst_ni = 1;
  }

  /// Returns the number of start pulses that it caused.
  int write(unsigned offset, std::uint32_t value, unsigned strobes = 15) {
    put(bench->aw_addr_i, offset);
    bench->w_data_i = value;
    put(bench->w_strb_i, strobes);
    int starts = 0;
    bool accepted = false;
    for (int i = 0; i < 400; ++i) {
      // Address and data are raised independently and stay until taken together.
      if (!accepted && !random_.chance(idle_)) bench->aw_valid_i = 1;
      if (!accepted && !random_.chance(idle_)) bench->w_valid_i = 1;
      bench->b_ready_i = !random_.chance(refuse_);
      bench.settle();
      starts += bench->start_o;
      const bool taken = bench->aw_ready_o != 0;
      EXPECT_EQ(bench->w_ready_o, taken);
      const bool answered = bench->b_valid_o && bench->b_ready_i;
      bench.clock();
      if (taken) {
        EXPECT_FALSE(accepted);
        accepted = true;
        bench->aw_valid_i = bench->w_valid_i = 0;
      }
      if (answered) {
        EXPECT_TRUE(accepted);
        bench->b_ready_i = 0;
        return starts;
      }
    }
    ADD_FAILURE() << "no response";
    return starts;
  }

  std::uint32_t read(unsigned offset) {
    put(bench->ar_addr_i, offset);
    for (int i = 0; i < 400; ++i) {
      if (!accepted_ && !random_.chance(idle_)) bench->ar_valid_i = 1;
      bench->r_ready_i = !random_.chance(refuse_);
      bench.settle();
      const bool taken = bench->ar_ready_o != 0;
      const bool answered = bench->r_valid_o && bench->r_ready_i;
      const std::uint32_t value = bench->r_data_o;
      bench.clock();
      if (taken) {
        accepted_ = true;
        bench->ar_valid_i = 0;
      }
      if (answered) {
        accepted_ = false;
        bench->r_ready_i = 0;
        return value;
      }
    }
    ADD_FAILURE() << "no data";
    return 0;
  }

  /// The pulse at the end of a run.
  void done() {
    bench->done_i = 1;
    bench.clock();
    bench->done_i = 0;
  }

 private:
  Random& random_;
  double idle_, refuse_;
  bool accepted_ = false;

 public:
  Bench<Vesp_registers_k8> bench;
};

TEST(Registers, KeepArgumentsByteByByte) {
  for_each_pressure([](double idle, double refuse) {
    Random random;
    RegisterBench registers(random, idle, refuse);
    std::array<std::uint32_t, 19> expected{};
    for (int i = 0; i < 60; ++i) {
      const auto n = static_cast<unsigned>(random.between(0, 18));
      const auto value = static_cast<std::uint32_t>(random.engine()());
      const auto strobes = static_cast<unsigned>(random.between(0, 15));
      const bool idle_machine = random.chance(0.8);
      registers.bench->idle_i = idle_machine;
      registers.write(abi::RegProgramAddress + 4 * n, value, strobes);
      for (unsigned b = 0; idle_machine && b < 4; ++b) {
        if (((strobes >> b) & 1U) != 0) expected[n] = (expected[n] & ~(255U << (8 * b))) | (value & (255U << (8 * b)));
      }
      const auto m = static_cast<unsigned>(random.between(0, 18));
      EXPECT_EQ(registers.read(abi::RegProgramAddress + 4 * m), expected[m]);
    }
    for (unsigned n = 0; n < 18; ++n) EXPECT_EQ(get(registers.bench->arguments_o, 32 * n, 32), expected[n]);
    EXPECT_EQ(registers.bench->timeout_o, expected[18]);
  });
}

TEST(Registers, FollowTheKernelProtocol) {
  Random random;
  RegisterBench registers(random, 0.3, 0.3);
  EXPECT_EQ(registers.read(abi::RegControl), 4U);
  EXPECT_EQ(registers.write(abi::RegControl, 0), 0);
  EXPECT_EQ(registers.write(abi::RegControl, 1, 14), 0) << "byte 0 not enabled";
  EXPECT_EQ(registers.write(abi::RegControl, 1), 1);
  registers.bench->idle_i = 0;
  EXPECT_EQ(registers.read(abi::RegControl), 1U);
  EXPECT_EQ(registers.write(abi::RegControl, 1), 0) << "started while busy";
  registers.done();
  registers.bench->idle_i = 1;
  EXPECT_EQ(registers.read(abi::RegControl), 14U);
  EXPECT_EQ(registers.read(abi::RegControl), 4U) << "reading clears done";
  registers.done();
  EXPECT_EQ(registers.write(abi::RegControl, 1), 1);
  EXPECT_EQ(registers.read(abi::RegControl), 4U) << "a start clears done";
}

TEST(Registers, InterruptOnlyWhenEnabledAndUntilCleared) {
  Random random;
  RegisterBench registers(random);
  registers.done();
  EXPECT_EQ(registers.bench->interrupt_o, 0);
  EXPECT_EQ(registers.read(abi::RegInterruptStatus), 0U);
  registers.write(abi::RegInterruptEnable, 1);
  registers.done();
  EXPECT_EQ(registers.read(abi::RegInterruptStatus), 1U);
  EXPECT_EQ(registers.bench->interrupt_o, 0) << "not enabled globally";
  registers.write(abi::RegGlobalInterrupt, 1);
  EXPECT_EQ(registers.bench->interrupt_o, 1);
  registers.write(abi::RegInterruptStatus, 1);
  EXPECT_EQ(registers.bench->interrupt_o, 0);
  registers.write(abi::RegInterruptEnable, 3);
  registers.done();
  EXPECT_EQ(registers.read(abi::RegInterruptStatus), 3U);
  registers.write(abi::RegInterruptStatus, 2);
  EXPECT_EQ(registers.read(abi::RegInterruptStatus), 1U);
  EXPECT_EQ(registers.bench->interrupt_o, 1);
  EXPECT_EQ(registers.read(abi::RegInterruptEnable), 3U);
  EXPECT_EQ(registers.read(abi::RegGlobalInterrupt), 1U);
}

TEST(Registers, ShowResultsCountersMachineAndMarks) {
  Random random;
  RegisterBench registers(random, 0.5, 0.5);
  for (unsigned n = 0; n < 3; ++n) set(registers.bench->result_i, 32 * n, 32, 100 + n);
  for (unsigned n = 0; n < 10; ++n) set(registers.bench->counters_i, 32 * n, 32, 1000 + n);
  for (unsigned n = 0; n < 3; ++n) EXPECT_EQ(registers.read(abi::RegError + 4 * n), 100 + n);
  for (unsigned n = 0; n < 10; ++n) EXPECT_EQ(registers.read(abi::RegCycles + 4 * n), 1000 + n);
  EXPECT_EQ(registers.read(abi::RegVersion), abi::AbiVersion);
  EXPECT_EQ(registers.read(abi::RegLanes), 8U);
  EXPECT_EQ(registers.read(abi::RegPixels), 8U);
  EXPECT_EQ(registers.read(abi::RegBankRows), 1024U);
  EXPECT_EQ(registers.read(abi::RegLineDepth), 4096U);
  EXPECT_EQ(registers.read(abi::RegMaxSplit), 8U);
  EXPECT_EQ(registers.read(abi::RegWriters), 2U);
  EXPECT_EQ(registers.read(abi::RegCoded), 1U);
  EXPECT_EQ(registers.read(abi::RegProgramDepth), 2048U);
  EXPECT_EQ(registers.read(abi::RegStagingBeats), 128U);
  for (const unsigned offset : {92U, 128U, 268U, 328U, 380U, 424U, 4092U}) EXPECT_EQ(registers.read(offset), 0U);
  registers.bench->mark_write_i = 1;
  for (unsigned n = 0; n < abi::MarkDepth; ++n) {
    put(registers.bench->mark_index_i, n);
    registers.bench->mark_cycle_i = n * 77777;
    registers.bench.clock();
  }
  registers.bench->mark_write_i = 0;
  for (const unsigned n : {0U, 1U, 511U, 1023U}) EXPECT_EQ(registers.read(abi::RegMarks + 4 * n), n * 77777);
}

}  // namespace
}  // namespace espalier::test
