// Adapts one Verilated class to VerilatedMachine. Included once per array size.
#pragma once

#include <verilated.h>
#include <verilated_fst_c.h>

#include <cstring>

#include "rtl/axi_rules.hpp"
#include "rtl/verilated_machine.hpp"

namespace espalier::rtl {

template <typename Top>
class MachineAdapter : public VerilatedMachine {
 public:
  explicit MachineAdapter(const MachineOptions& options) {
    context_.randReset(2);
    context_.randSeed(static_cast<int>(options.seed));
    context_.traceEverOn(!options.waves.empty());
    top_ = std::make_unique<Top>(&context_);
    if (!options.waves.empty()) {
      trace_ = std::make_unique<VerilatedFstC>();
      top_->trace(trace_.get(), 99);
      trace_->open(options.waves.c_str());
    }
    reset();  // NOLINT(clang-analyzer-optin.cplusplus.VirtualCall): that of this class is meant, here and in reset()
  }

  ~MachineAdapter() override {
    if (trace_) trace_->close();
    top_->final();
  }

  void reset() override {
    top_->ap_rst_n = 0;
    clear_register_pins();
    register_state_ = RegisterState::Idle;
    for (int i = 0; i < 4; ++i) clock({}, {});  // NOLINT(clang-analyzer-optin.cplusplus.VirtualCall)
    top_->ap_rst_n = 1;
    rules_.reset();
    clock({}, {});
  }

  abi::MemoryRequest request() const override {
    abi::MemoryRequest request;
    request.ar_valid = {top_->m_axi_command_arvalid != 0, top_->m_axi_weight_arvalid != 0,
                        top_->m_axi_data_arvalid != 0};
    request.ar_len = {top_->m_axi_command_arlen, top_->m_axi_weight_arlen, top_->m_axi_data_arlen};
    request.ar_address = {top_->m_axi_command_araddr, top_->m_axi_weight_araddr, top_->m_axi_data_araddr};
    request.aw_valid = top_->m_axi_data_awvalid != 0;
    request.aw_address = top_->m_axi_data_awaddr;
    request.aw_len = top_->m_axi_data_awlen;
    request.w_valid = top_->m_axi_data_wvalid != 0;
    request.w_last = top_->m_axi_data_wlast != 0;
    return request;
  }

  std::uint64_t read_address(unsigned master) const override {
    if (master == abi::MasterCommand) return top_->m_axi_command_araddr;
    return master == abi::MasterWeight ? top_->m_axi_weight_araddr : top_->m_axi_data_araddr;
  }
  std::uint64_t write_address() const override { return top_->m_axi_data_awaddr; }
  unsigned write_length() const override { return top_->m_axi_data_awlen + 1U; }
  const std::uint8_t* write_data() const override {
    return reinterpret_cast<const std::uint8_t*>(&top_->m_axi_data_wdata[0]);
  }

  void clock(const abi::MemoryResponse& response, const MemoryBeat& beat) override {
    if (top_->ap_rst_n != 0) check_rules(response);
    top_->m_axi_command_arready = response.ar_ready[abi::MasterCommand];
    top_->m_axi_weight_arready = response.ar_ready[abi::MasterWeight];
    top_->m_axi_data_arready = response.ar_ready[abi::MasterData];
    top_->m_axi_command_rvalid = response.r_valid[abi::MasterCommand];
    top_->m_axi_weight_rvalid = response.r_valid[abi::MasterWeight];
    top_->m_axi_data_rvalid = response.r_valid[abi::MasterData];
    const std::uint8_t code = beat.read_error ? 2 : 0;
    if (response.r_valid[abi::MasterCommand]) {
      drive(top_->m_axi_command_rdata, beat.data);
      top_->m_axi_command_rresp = code;
      top_->m_axi_command_rlast = response.r_last;
    } else if (response.r_valid[abi::MasterWeight]) {
      drive(top_->m_axi_weight_rdata, beat.data);
      top_->m_axi_weight_rresp = code;
      top_->m_axi_weight_rlast = response.r_last;
    } else if (response.r_valid[abi::MasterData]) {
      drive(top_->m_axi_data_rdata, beat.data);
      top_->m_axi_data_rresp = code;
      top_->m_axi_data_rlast = response.r_last;
    }
    top_->m_axi_data_awready = response.aw_ready;
    top_->m_axi_data_wready = response.w_ready;
    top_->m_axi_data_bvalid = response.b_valid;
    top_->m_axi_data_bresp = beat.write_error ? 2 : 0;

    if (register_state_ != RegisterState::Idle) register_before_edge();
    check_register_rules();
    top_->ap_clk = 1;
    top_->eval();
    if (trace_) trace_->dump(time_);
    ++time_;
    if (register_state_ != RegisterState::Idle) register_after_edge();
    top_->ap_clk = 0;
    top_->eval();
    if (trace_) trace_->dump(time_);
    ++time_;
  }

  void begin_register_write(std::uint32_t offset, std::uint32_t value) override {
    top_->s_axi_control_awvalid = 1;
    top_->s_axi_control_awaddr = static_cast<std::uint16_t>(offset);
    top_->s_axi_control_wvalid = 1;
    top_->s_axi_control_wdata = value;
    top_->s_axi_control_wstrb = 15;
    top_->s_axi_control_bready = 1;
    register_state_ = RegisterState::WriteRequest;
  }

  void begin_register_read(std::uint32_t offset) override {
    top_->s_axi_control_arvalid = 1;
    top_->s_axi_control_araddr = static_cast<std::uint16_t>(offset);
    top_->s_axi_control_rready = 1;
    register_state_ = RegisterState::ReadRequest;
  }

  bool register_busy() const override { return register_state_ != RegisterState::Idle; }
  std::uint32_t register_value() const override { return register_value_; }
  bool idle() const override { return top_->idle_state != 0; }
  bool interrupt() const override { return top_->__SYM__interrupt != 0; }

 private:
  enum class RegisterState { Idle, WriteRequest, WriteResponse, ReadRequest, ReadResponse };

  template <typename Wide>
  static void drive(Wide& pins, const std::uint8_t* data) {
    std::memcpy(&pins[0], data, abi::BeatBytes);
  }

  void check_rules(const abi::MemoryResponse& response) {
    const abi::MemoryRequest pins = request();
    rules_.cycle(pins, response, write_data());
    constexpr unsigned WholeBeats = 6, Incrementing = 1;
    rules_.attributes(top_->m_axi_command_arsize == WholeBeats && top_->m_axi_command_arburst == Incrementing,
                      abi::MasterCommand);
    rules_.attributes(top_->m_axi_weight_arsize == WholeBeats && top_->m_axi_weight_arburst == Incrementing,
                      abi::MasterWeight);
    rules_.attributes(top_->m_axi_data_arsize == WholeBeats && top_->m_axi_data_arburst == Incrementing &&
                          top_->m_axi_data_awsize == WholeBeats && top_->m_axi_data_awburst == Incrementing &&
                          (!pins.w_valid || top_->m_axi_data_wstrb == ~std::uint64_t{0}),
                      abi::MasterData);
  }

  // Outputs of the control port come from registers, so they may be looked at before pins have settled.
  void check_register_rules() const {
    if (top_->ap_rst_n == 0) return;
    rules_.cycle({register_state_ == RegisterState::WriteResponse, register_state_ == RegisterState::ReadResponse,
                  top_->s_axi_control_bvalid != 0, top_->s_axi_control_rvalid != 0, top_->s_axi_control_bresp,
                  top_->s_axi_control_rresp});
  }

  void clear_register_pins() {
    top_->s_axi_control_awvalid = 0;
    top_->s_axi_control_wvalid = 0;
    top_->s_axi_control_arvalid = 0;
    top_->s_axi_control_bready = 0;
    top_->s_axi_control_rready = 0;
  }

  // Readiness is a function of the pins, so it is sampled after they settle and before the edge.
  void register_before_edge() {
    top_->eval();
    accepted_ = register_state_ == RegisterState::WriteRequest  ? top_->s_axi_control_awready != 0
                : register_state_ == RegisterState::ReadRequest ? top_->s_axi_control_arready != 0
                                                                : false;
    if (register_state_ == RegisterState::ReadResponse && top_->s_axi_control_rvalid != 0) {
      register_value_ = top_->s_axi_control_rdata;
      accepted_ = true;
    }
    if (register_state_ == RegisterState::WriteResponse && top_->s_axi_control_bvalid != 0) accepted_ = true;
  }

  void register_after_edge() {
    if (!accepted_) return;
    if (register_state_ == RegisterState::WriteRequest) {
      top_->s_axi_control_awvalid = 0;
      top_->s_axi_control_wvalid = 0;
      register_state_ = RegisterState::WriteResponse;
    } else if (register_state_ == RegisterState::ReadRequest) {
      top_->s_axi_control_arvalid = 0;
      register_state_ = RegisterState::ReadResponse;
    } else {
      clear_register_pins();
      register_state_ = RegisterState::Idle;
    }
  }

  VerilatedContext context_;
  AxiRules rules_{"rtl"};
  std::unique_ptr<Top> top_;
  std::unique_ptr<VerilatedFstC> trace_;
  std::uint64_t time_ = 0;
  RegisterState register_state_ = RegisterState::Idle;
  bool accepted_ = false;
  std::uint32_t register_value_ = 0;
};

}  // namespace espalier::rtl
