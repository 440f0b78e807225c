// The HLS core between the pins of esp_top: the RTL's register file in front of the block that Vitis HLS exports.
//
//   esp_registers - run control, cycle stamps - esp_machine_core (command, weight and data masters)
//
// Cycles are counted as a whole, all of them as control: the core does not say what it waits for.
`include "esp_assert.svh"

module esp_hls_top #(
    parameter int unsigned Lanes     = 16,
    parameter int unsigned Pixels    = 16,
    parameter int unsigned BankRows  = 4096,
    parameter int unsigned LineDepth = 4096,
    parameter int unsigned Writers   = 4,
    parameter int unsigned Coded     = 1,
    parameter int unsigned ProgramDepth = esp_abi_pkg::ProgramDepth,
    parameter int unsigned StagingBeats = esp_abi_pkg::StagingBeats
) (
    input  logic         ap_clk,
    input  logic         ap_rst_n,
    output logic         interrupt,
    // AXI4-Lite slave
    input  logic         s_axi_control_awvalid,
    output logic         s_axi_control_awready,
    input  logic [12:0]  s_axi_control_awaddr,
    input  logic         s_axi_control_wvalid,
    output logic         s_axi_control_wready,
    input  logic [31:0]  s_axi_control_wdata,
    input  logic [3:0]   s_axi_control_wstrb,
    output logic         s_axi_control_bvalid,
    input  logic         s_axi_control_bready,
    output logic [1:0]   s_axi_control_bresp,
    input  logic         s_axi_control_arvalid,
    output logic         s_axi_control_arready,
    input  logic [12:0]  s_axi_control_araddr,
    output logic         s_axi_control_rvalid,
    input  logic         s_axi_control_rready,
    output logic [31:0]  s_axi_control_rdata,
    output logic [1:0]   s_axi_control_rresp,
    // AXI4 read master: commands
    output logic         m_axi_command_arvalid,
    input  logic         m_axi_command_arready,
    output logic [63:0]  m_axi_command_araddr,
    output logic [7:0]   m_axi_command_arlen,
    output logic [2:0]   m_axi_command_arsize,
    output logic [1:0]   m_axi_command_arburst,
    input  logic         m_axi_command_rvalid,
    output logic         m_axi_command_rready,
    input  logic [511:0] m_axi_command_rdata,
    input  logic [1:0]   m_axi_command_rresp,
    input  logic         m_axi_command_rlast,
    // AXI4 read master: weights and tables
    output logic         m_axi_weight_arvalid,
    input  logic         m_axi_weight_arready,
    output logic [63:0]  m_axi_weight_araddr,
    output logic [7:0]   m_axi_weight_arlen,
    output logic [2:0]   m_axi_weight_arsize,
    output logic [1:0]   m_axi_weight_arburst,
    input  logic         m_axi_weight_rvalid,
    output logic         m_axi_weight_rready,
    input  logic [511:0] m_axi_weight_rdata,
    input  logic [1:0]   m_axi_weight_rresp,
    input  logic         m_axi_weight_rlast,
    // AXI4 master: features
    output logic         m_axi_data_arvalid,
    input  logic         m_axi_data_arready,
    output logic [63:0]  m_axi_data_araddr,
    output logic [7:0]   m_axi_data_arlen,
    output logic [2:0]   m_axi_data_arsize,
    output logic [1:0]   m_axi_data_arburst,
    input  logic         m_axi_data_rvalid,
    output logic         m_axi_data_rready,
    input  logic [511:0] m_axi_data_rdata,
    input  logic [1:0]   m_axi_data_rresp,
    input  logic         m_axi_data_rlast,
    output logic         m_axi_data_awvalid,
    input  logic         m_axi_data_awready,
    output logic [63:0]  m_axi_data_awaddr,
    output logic [7:0]   m_axi_data_awlen,
    output logic [2:0]   m_axi_data_awsize,
    output logic [1:0]   m_axi_data_awburst,
    output logic         m_axi_data_wvalid,
    input  logic         m_axi_data_wready,
    output logic [511:0] m_axi_data_wdata,
    output logic [63:0]  m_axi_data_wstrb,
    output logic         m_axi_data_wlast,
    input  logic         m_axi_data_bvalid,
    output logic         m_axi_data_bready,
    input  logic [1:0]   m_axi_data_bresp
);
  logic clk_i, rst_ni;
  assign clk_i               = ap_clk;
  assign rst_ni              = ap_rst_n;
  assign s_axi_control_bresp = 2'd0;
  assign s_axi_control_rresp = 2'd0;

  // ---- Run control: the core is asked until it has taken the arguments, and runs until it is done ----
  logic        start, core_done, core_ready;
  logic        asking_d, asking_q, running_d, running_q;
  logic [31:0] cycle_d, cycle_q;

  always_comb begin
    asking_d  = asking_q && !core_ready;
    running_d = running_q && !core_done;
    cycle_d   = running_q ? cycle_q + 32'd1 : cycle_q;
    if (start) begin
      asking_d  = 1'b1;
      running_d = 1'b1;
      cycle_d   = 32'd0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      asking_q  <= 1'b0;
      running_q <= 1'b0;
      cycle_q   <= 32'd0;
    end else begin
      asking_q  <= asking_d;
      running_q <= running_d;
      cycle_q   <= cycle_d;
    end
  end

  // ---- Results: held from run to run ----
  logic [5:0][31:0] core_result, result_q;  // error, position, detail, read beats, write beats, entries
  logic [5:0]       core_result_valid;

  for (genvar i = 0; i < 6; i++) begin : gen_result
    always_ff @(posedge clk_i) begin
      if (!rst_ni) result_q[i] <= 32'd0;
      else if (core_result_valid[i]) result_q[i] <= core_result[i];
    end
  end

  logic [18*32-1:0] arguments;
  logic [31:0]      timeout;
  logic [10*32-1:0] counters;
  logic             mark_valid;
  logic [31:0]      mark;
  assign counters = {result_q[5], result_q[4], result_q[3], cycle_q, 32'd0, 32'd0, 32'd0, 32'd0, 32'd0, cycle_q};

  esp_registers #(
      .Lanes(Lanes),
      .Pixels(Pixels),
      .BankRows(BankRows),
      .LineDepth(LineDepth),
      .Writers(Writers),
      .Coded(Coded),
      .ProgramDepth(ProgramDepth),
      .StagingBeats(StagingBeats)
  ) u_registers (
      .clk_i,
      .rst_ni,
      .aw_valid_i(s_axi_control_awvalid),
      .aw_ready_o(s_axi_control_awready),
      .aw_addr_i(s_axi_control_awaddr),
      .w_valid_i(s_axi_control_wvalid),
      .w_ready_o(s_axi_control_wready),
      .w_data_i(s_axi_control_wdata),
      .w_strb_i(s_axi_control_wstrb),
      .b_valid_o(s_axi_control_bvalid),
      .b_ready_i(s_axi_control_bready),
      .ar_valid_i(s_axi_control_arvalid),
      .ar_ready_o(s_axi_control_arready),
      .ar_addr_i(s_axi_control_araddr),
      .r_valid_o(s_axi_control_rvalid),
      .r_ready_i(s_axi_control_rready),
      .r_data_o(s_axi_control_rdata),
      .interrupt_o(interrupt),
      .start_o(start),
      .idle_i(!running_q),
      .done_i(running_q && core_done),
      .arguments_o(arguments),
      .timeout_o(timeout),
      .result_i({result_q[2], result_q[1], result_q[0]}),
      .counters_i(counters),
      .mark_write_i(mark_valid),
      .mark_index_i(mark[9:0]),
      .mark_cycle_i(cycle_q)
  );

  esp_machine_core u_core (
      .ap_clk,
      .ap_rst_n,
      .ap_start(asking_q),
      .ap_done(core_done),
      .ap_ready(core_ready),
      .program_address(arguments[0*32+:64]),
      .program_bytes(arguments[2*32+:64]),
      .input_address(arguments[4*32+:64]),
      .input_bytes(arguments[6*32+:64]),
      .output_address(arguments[8*32+:64]),
      .output_bytes(arguments[10*32+:64]),
      .arena_address(arguments[12*32+:64]),
      .arena_bytes(arguments[14*32+:64]),
      .command_offset(arguments[16*32+:32]),
      .command_count(arguments[17*32+:32]),
      .timeout(timeout),
      .marks_TDATA(mark),
      .marks_TVALID(mark_valid),
      .marks_TREADY(1'b1),
      .error(core_result[0]),
      .error_ap_vld(core_result_valid[0]),
      .error_position(core_result[1]),
      .error_position_ap_vld(core_result_valid[1]),
      .error_detail(core_result[2]),
      .error_detail_ap_vld(core_result_valid[2]),
      .read_beats(core_result[3]),
      .read_beats_ap_vld(core_result_valid[3]),
      .write_beats(core_result[4]),
      .write_beats_ap_vld(core_result_valid[4]),
      .macs(core_result[5]),
      .macs_ap_vld(core_result_valid[5]),
      .m_axi_command_ARVALID(m_axi_command_arvalid),
      .m_axi_command_ARREADY(m_axi_command_arready),
      .m_axi_command_ARADDR(m_axi_command_araddr),
      .m_axi_command_ARLEN(m_axi_command_arlen),
      .m_axi_command_ARSIZE(m_axi_command_arsize),
      .m_axi_command_ARBURST(m_axi_command_arburst),
      .m_axi_command_RVALID(m_axi_command_rvalid),
      .m_axi_command_RREADY(m_axi_command_rready),
      .m_axi_command_RDATA(m_axi_command_rdata),
      .m_axi_command_RLAST(m_axi_command_rlast),
      .m_axi_command_RID(1'b0),
      .m_axi_command_RUSER(1'b0),
      .m_axi_command_RRESP(m_axi_command_rresp),
      .m_axi_command_AWREADY(1'b0),
      .m_axi_command_WREADY(1'b0),
      .m_axi_command_BVALID(1'b0),
      .m_axi_command_BRESP(2'd0),
      .m_axi_command_BID(1'b0),
      .m_axi_command_BUSER(1'b0),
      .m_axi_weight_ARVALID(m_axi_weight_arvalid),
      .m_axi_weight_ARREADY(m_axi_weight_arready),
      .m_axi_weight_ARADDR(m_axi_weight_araddr),
      .m_axi_weight_ARLEN(m_axi_weight_arlen),
      .m_axi_weight_ARSIZE(m_axi_weight_arsize),
      .m_axi_weight_ARBURST(m_axi_weight_arburst),
      .m_axi_weight_RVALID(m_axi_weight_rvalid),
      .m_axi_weight_RREADY(m_axi_weight_rready),
      .m_axi_weight_RDATA(m_axi_weight_rdata),
      .m_axi_weight_RLAST(m_axi_weight_rlast),
      .m_axi_weight_RID(1'b0),
      .m_axi_weight_RUSER(1'b0),
      .m_axi_weight_RRESP(m_axi_weight_rresp),
      .m_axi_weight_AWREADY(1'b0),
      .m_axi_weight_WREADY(1'b0),
      .m_axi_weight_BVALID(1'b0),
      .m_axi_weight_BRESP(2'd0),
      .m_axi_weight_BID(1'b0),
      .m_axi_weight_BUSER(1'b0),
      .m_axi_data_ARVALID(m_axi_data_arvalid),
      .m_axi_data_ARREADY(m_axi_data_arready),
      .m_axi_data_ARADDR(m_axi_data_araddr),
      .m_axi_data_ARLEN(m_axi_data_arlen),
      .m_axi_data_ARSIZE(m_axi_data_arsize),
      .m_axi_data_ARBURST(m_axi_data_arburst),
      .m_axi_data_RVALID(m_axi_data_rvalid),
      .m_axi_data_RREADY(m_axi_data_rready),
      .m_axi_data_RDATA(m_axi_data_rdata),
      .m_axi_data_RLAST(m_axi_data_rlast),
      .m_axi_data_RID(1'b0),
      .m_axi_data_RUSER(1'b0),
      .m_axi_data_RRESP(m_axi_data_rresp),
      .m_axi_data_AWVALID(m_axi_data_awvalid),
      .m_axi_data_AWREADY(m_axi_data_awready),
      .m_axi_data_AWADDR(m_axi_data_awaddr),
      .m_axi_data_AWLEN(m_axi_data_awlen),
      .m_axi_data_AWSIZE(m_axi_data_awsize),
      .m_axi_data_AWBURST(m_axi_data_awburst),
      .m_axi_data_WVALID(m_axi_data_wvalid),
      .m_axi_data_WREADY(m_axi_data_wready),
      .m_axi_data_WDATA(m_axi_data_wdata),
      .m_axi_data_WSTRB(m_axi_data_wstrb),
      .m_axi_data_WLAST(m_axi_data_wlast),
      .m_axi_data_BVALID(m_axi_data_bvalid),
      .m_axi_data_BREADY(m_axi_data_bready),
      .m_axi_data_BRESP(m_axi_data_bresp),
      .m_axi_data_BID(1'b0),
      .m_axi_data_BUSER(1'b0)
  );

  logic unused_mark_bits;
  assign unused_mark_bits = |mark[31:10];

  // Assertions
  // A run ends only while one is active.
  `ESP_ASSERT(DoneWhileRunning, core_done |-> running_q)
  // The core takes its arguments before it is done.
  `ESP_ASSERT(ReadyWhileRunning, core_ready |-> running_q)
endmodule
