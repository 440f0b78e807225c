// The machines of this build: with assertions, watched by AXI checkers. A failed assertion fails the test.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "Vesp_top_checked_16x16.h"
#include "Vesp_top_checked_8x8.h"
#include "axi_checker.hpp"
#include "esp_error.hpp"
#include "rtl/machine_adapter.hpp"

#if ESPALIER_COVERAGE
#include <verilated_cov.h>
#endif

namespace espalier::rtl {
namespace {

/// Assertions report through the context instead of ending the process.
template <typename Top>
class CheckedTop : public Top {
 public:
  explicit CheckedTop(VerilatedContext* context) : Top(context), context_(context) {
    context->fatalOnError(false);
    context->assertOn(false);
  }

  /// Before the reset the state is random and proves nothing. Assertions sample what stood before the call that brings
  /// the edge, so pins settle in a call of their own.
  void eval() {
    if (this->ap_clk != 0) {
      this->ap_clk = 0;
      Top::eval();
      this->ap_clk = 1;
    }
    if (this->ap_rst_n != 0) context_->assertOn(true);
    Top::eval();
  }

  void final() {
    Top::final();
    EXPECT_FALSE(context_->gotError()) << "an assertion of the RTL failed";
#if ESPALIER_COVERAGE
    // Counts of this machine, where the coverage test collects them.
    static int machines = 0;
    if (const char* folder = std::getenv("ESPALIER_COVERAGE_FOLDER")) {
      context_->coveragep()->write((std::string(folder) + "/machine_" + std::to_string(machines++) + ".dat").c_str());
    }
#endif
  }

 private:
  VerilatedContext* context_;
};

template <typename Top>
class CheckedMachine : public MachineAdapter<CheckedTop<Top>> {
  using Adapter = MachineAdapter<CheckedTop<Top>>;

 public:
  using Adapter::Adapter;

  void clock(const abi::MemoryResponse& response, const MemoryBeat& beat) override {
    if (resetting_) return Adapter::clock(response, beat);
    const abi::MemoryRequest pins = this->request();
    for (unsigned m = 0; m < abi::Masters; ++m) {
      reads_[m].cycle({pins.ar_valid[m], response.ar_ready[m], this->read_address(m), pins.ar_len[m]});
    }
    test::AxiWriteData data{pins.w_valid, response.w_ready, pins.w_last, {}};
    if (pins.w_valid) data.bytes.assign(this->write_data(), this->write_data() + abi::BeatBytes);
    writes_.cycle({pins.aw_valid, response.aw_ready, this->write_address(), this->write_length() - 1}, data);
    Adapter::clock(response, beat);
  }

  void reset() override {
    resetting_ = true;
    Adapter::reset();
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
  if (configuration == abi::Array8x8) return std::make_unique<CheckedMachine<Vesp_top_checked_8x8>>(options);
  if (configuration == abi::Array16x16) return std::make_unique<CheckedMachine<Vesp_top_checked_16x16>>(options);
  throw Error(ErrorCode::Usage, "only 8x8 and 16x16 are built with assertions", "array");
}

}  // namespace espalier::rtl
