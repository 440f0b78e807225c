// The only machine of this build: 8x8 with assertions, watched by AXI checkers. A failed assertion fails the test.
#include <gtest/gtest.h>

#include <string>

#include "Vesp_top_checked.h"
#include "axi_checker.hpp"
#include "esp_error.hpp"
#include "rtl/machine_adapter.hpp"

#if ESPALIER_COVERAGE
#include <unistd.h>
#include <verilated_cov.h>
#endif

namespace espalier::rtl {
namespace {

/// Assertions report through the context instead of ending the process.
class CheckedTop : public Vesp_top_checked {
 public:
  explicit CheckedTop(VerilatedContext* context) : Vesp_top_checked(context), context_(context) {
    context->fatalOnError(false);
    context->assertOn(false);
  }

  /// Before the reset the state is random and proves nothing. Assertions sample what stood before the call that brings
  /// the edge, so pins settle in a call of their own.
  void eval() {
    if (ap_clk != 0) {
      ap_clk = 0;
      Vesp_top_checked::eval();
      ap_clk = 1;
    }
    if (ap_rst_n != 0) context_->assertOn(true);
    Vesp_top_checked::eval();
  }

  void final() {
    Vesp_top_checked::final();
    EXPECT_FALSE(context_->gotError()) << "an assertion of the RTL failed";
#if ESPALIER_COVERAGE
    static int runs = 0;
    context_->coveragep()->write(
        ("rtl_coverage_" + std::to_string(getpid()) + "_" + std::to_string(runs++) + ".dat").c_str());
#endif
  }

 private:
  VerilatedContext* context_;
};

class CheckedMachine : public MachineAdapter<CheckedTop> {
 public:
  using MachineAdapter::MachineAdapter;

  void clock(const abi::MemoryResponse& response, const MemoryBeat& beat) override {
    if (resetting_) return MachineAdapter::clock(response, beat);
    const abi::MemoryRequest pins = request();
    for (unsigned m = 0; m < abi::Masters; ++m) {
      reads_[m].cycle({pins.ar_valid[m], response.ar_ready[m], read_address(m), pins.ar_len[m]});
    }
    test::AxiWriteData data{pins.w_valid, response.w_ready, pins.w_last, {}};
    if (pins.w_valid) data.bytes.assign(write_data(), write_data() + abi::BeatBytes);
    writes_.cycle({pins.aw_valid, response.aw_ready, write_address(), write_length() - 1}, data);
    MachineAdapter::clock(response, beat);
  }

  void reset() override {
    resetting_ = true;
    MachineAdapter::reset();
    resetting_ = false;
    reads_ = {test::AxiAddressChecker("command"), test::AxiAddressChecker("weight"), test::AxiAddressChecker("data")};
    writes_ = test::AxiWriteChecker("data");
  }

 private:
  std::array<test::AxiAddressChecker, abi::Masters> reads_{
      test::AxiAddressChecker("command"), test::AxiAddressChecker("weight"), test::AxiAddressChecker("data")};
  test::AxiWriteChecker writes_{"data"};
  bool resetting_ = false;  // a reset may withdraw requests
};

}  // namespace

std::unique_ptr<VerilatedMachine> make_machine(const abi::Configuration& configuration, const MachineOptions& options) {
  if (configuration == abi::Array8x8) return std::make_unique<CheckedMachine>(options);
  throw Error(ErrorCode::Usage, "only 8x8 is built with assertions", "array");
}

}  // namespace espalier::rtl
