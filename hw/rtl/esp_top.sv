// The accelerator between its pins: an AXI4-Lite slave, three AXI4 masters (commands, weights, data) and an interrupt.
//
//   registers - control - unit queues - load | weight | compute | store
//   load, store <-> scratchpad <-> array (weight store, lanes, writers)
`include "esp_assert.svh"

module esp_top #(
    parameter int unsigned Lanes     = 16,
    parameter int unsigned Pixels    = 16,
    parameter int unsigned BankRows  = 4096,
    parameter int unsigned LineDepth = 4096,
    parameter int unsigned Writers   = 2,
    parameter int unsigned PackProducts = 1,  // two products per DSP48E2 where pixels always share a weight
    parameter int unsigned Coded        = 1,  // 0: neither weights that are decoded nor WeightsVector
    parameter int unsigned ProgramDepth = esp_abi_pkg::ProgramDepth,
    parameter int unsigned StagingBeats = esp_abi_pkg::StagingBeats,
    parameter int unsigned UltraStore   = 1   // the weight store lies in UltraRAM if the device has it, or else in block RAM
) (
    input  logic         ap_clk,
    input  logic         ap_rst_n,
    output logic         interrupt,
    output logic         idle_state,  // no run is active
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
  localparam int unsigned RowBits  = $clog2(BankRows);
  localparam int unsigned Groups   = (Lanes + esp_abi_pkg::LanesPerPort - 1) / esp_abi_pkg::LanesPerPort;
  localparam int unsigned WordBits = Pixels * 8;
  localparam int unsigned TableGroup  = esp_abi_pkg::table_group(Lanes, Pixels);
  localparam int unsigned TableBits   = WordBits > TableGroup * 64 ? WordBits : TableGroup * 64;
  localparam int unsigned VectorBits  = esp_abi_pkg::vector_bits(Lanes, Pixels);
  localparam int unsigned LineParts   = esp_abi_pkg::line_parts(Lanes);
  // A lane's part of a line: its weights and {segment, last, valid, offset}; the slots of WeightsSparse fit as well.
  localparam int unsigned LineBits    = 64 / Lanes * 8 + 21;

  if (Lanes != 8 && Lanes != 16 && Lanes != 32) begin : gen_lanes_illegal
    $fatal(1, "Lanes must be 8, 16 or 32");
  end
  if (Pixels != 8 && Pixels != 16 && Pixels != 32) begin : gen_pixels_illegal
    $fatal(1, "Pixels must be 8, 16 or 32");
  end

  logic clk_i, rst_ni;
  assign idle_state = idle;
  assign clk_i  = ap_clk;
  assign rst_ni = ap_rst_n;

  assign m_axi_command_arsize  = 3'd6;
  assign m_axi_command_arburst = 2'd1;
  assign m_axi_weight_arsize   = 3'd6;
  assign m_axi_weight_arburst  = 2'd1;
  assign m_axi_data_arsize     = 3'd6;
  assign m_axi_data_arburst    = 2'd1;
  assign m_axi_data_awsize     = 3'd6;
  assign m_axi_data_awburst    = 2'd1;
  assign m_axi_data_wstrb      = '1;
  assign s_axi_control_bresp   = 2'd0;
  assign s_axi_control_rresp   = 2'd0;

  // ---- Control ----
  logic             start, idle, run_n, halt, busy, run_done, quiet, progress;
  logic [18*32-1:0] arguments;
  logic [31:0]      timeout, cycle;
  logic [3*32-1:0]  result;
  logic [10*32-1:0] counters;
  logic             mark;
  logic [9:0]       mark_index;
  logic [31:0]      mark_cycle;
  logic             fetch_request, fetch_ready, fetch_valid, fetch_pop;
  logic [511:0]     fetch_command;
  logic [3:0]       unit_valid, unit_ready, unit_pop;
  logic [4*512-1:0] unit_command;
  logic [4*32-1:0]  unit_done;
  logic             store_pending, results_pending, queues_empty;
  logic [3:0]       window_error, response_error;
  logic [4*32-1:0]  window_offset;
  logic [4*2-1:0]   response;
  logic [4*32-1:0]  unit_position, response_position;
  logic [511:0]     load_command, weight_command, compute_command, store_command;

  assign load_command    = unit_command[0*512+:512];
  assign weight_command  = unit_command[1*512+:512];
  assign compute_command = unit_command[2*512+:512];
  assign store_command   = unit_command[3*512+:512];

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
      .idle_i(idle),
      .done_i(run_done),
      .arguments_o(arguments),
      .timeout_o(timeout),
      .result_i(result),
      .counters_i(counters),
      .mark_write_i(mark),
      .mark_index_i(mark_index),
      .mark_cycle_i(mark_cycle)
  );

  esp_control #(
      .Lanes(Lanes),
      .Pixels(Pixels),
      .LineDepth(LineDepth),
      .Coded(Coded)
  ) u_control (
      .clk_i,
      .rst_ni,
      .start_i(start),
      .arguments_i(arguments),
      .timeout_i(timeout),
      .idle_o(idle),
      .done_o(run_done),
      .result_o(result),
      .run_no(run_n),
      .halt_o(halt),
      .busy_o(busy),
      .quiet_i(quiet),
      .progress_i(progress),
      .cycle_i(cycle),
      .fetch_request_o(fetch_request),
      .fetch_ready_i(fetch_ready),
      .fetch_valid_i(fetch_valid),
      .fetch_command_i(fetch_command),
      .fetch_pop_o(fetch_pop),
      .valid_o(unit_valid),
      .ready_o(unit_ready),
      .command_o(unit_command),
      .position_o(unit_position),
      .pop_i(unit_pop),
      .unit_done_i(unit_done),
      .store_pending_o(store_pending),
      .results_pending_i(results_pending),
      .queues_empty_i(queues_empty),
      .mark_o(mark),
      .mark_index_o(mark_index),
      .mark_cycle_o(mark_cycle),
      .window_error_i(window_error),
      .window_offset_i(window_offset),
      .response_error_i(response_error),
      .response_i(response),
      .response_position_i(response_position)
  );

  // Windows: address in bytes, size in beats.
  logic [63:0] window_base[4];
  logic [31:0] window_limit[4];
  for (genvar w = 0; w < 4; w++) begin : gen_window
    assign window_base[w]  = {arguments[(4*w)*32+12+:52], 12'd0};  // otherwise there is no run
    assign window_limit[w] = arguments[(4*w+2)*32+6+:32];
  end

  // ---- Masters ----
  logic         weight_request, weight_request_ready, weight_beat_valid, weight_beat_pop;
  logic         load_request, load_request_ready, load_beat_valid, load_beat_pop;
  logic [511:0] weight_beat, load_beat;
  logic         command_quiet, weight_quiet, load_quiet, store_quiet;

  assign quiet = command_quiet && weight_quiet && load_quiet && store_quiet;

  esp_read_dma #(
      .Depth(esp_abi_pkg::FetchDepth)
  ) u_command_dma (
      .clk_i,
      .rst_ni,
      .run_ni(run_n),
      .halt_i(halt),
      .request_i(fetch_request),
      .ready_o(fetch_ready),
      .base_i(window_base[0]),
      .limit_i(window_limit[0]),
      .offset_i(arguments[16*32+:32]),
      .run_i(arguments[17*32+:32]),
      .pitch_i('0),
      .planes_i(16'd1),
      .position_i('0),
      .beat_valid_o(fetch_valid),
      .beat_o(fetch_command),
      .beat_pop_i(fetch_pop),
      .window_error_o(window_error[0]),
      .window_offset_o(window_offset[0+:32]),
      .response_error_o(response_error[0]),
      .response_o(response[0+:2]),
      .response_position_o(response_position[0*32+:32]),
      .quiet_o(command_quiet),
      .ar_valid_o(m_axi_command_arvalid),
      .ar_ready_i(m_axi_command_arready),
      .ar_addr_o(m_axi_command_araddr),
      .ar_len_o(m_axi_command_arlen),
      .r_valid_i(m_axi_command_rvalid),
      .r_ready_o(m_axi_command_rready),
      .r_data_i(m_axi_command_rdata),
      .r_resp_i(m_axi_command_rresp)
  );

  esp_read_dma #(
      .Depth(StagingBeats)
  ) u_weight_dma (
      .clk_i,
      .rst_ni,
      .run_ni(run_n),
      .halt_i(halt),
      .request_i(weight_request),
      .ready_o(weight_request_ready),
      .base_i(window_base[weight_command[esp_abi_pkg::CmdWindowLsb+:2]]),
      .limit_i(window_limit[weight_command[esp_abi_pkg::CmdWindowLsb+:2]]),
      .offset_i(weight_command[esp_abi_pkg::CmdOffsetLsb+:32]),
      .run_i(weight_command[esp_abi_pkg::CmdRunLsb+:32]),
      .pitch_i('0),
      .planes_i(16'd1),
      .position_i(unit_position[32+:32]),
      .beat_valid_o(weight_beat_valid),
      .beat_o(weight_beat),
      .beat_pop_i(weight_beat_pop),
      .window_error_o(window_error[2]),
      .window_offset_o(window_offset[64+:32]),
      .response_error_o(response_error[2]),
      .response_o(response[4+:2]),
      .response_position_o(response_position[2*32+:32]),
      .quiet_o(weight_quiet),
      .ar_valid_o(m_axi_weight_arvalid),
      .ar_ready_i(m_axi_weight_arready),
      .ar_addr_o(m_axi_weight_araddr),
      .ar_len_o(m_axi_weight_arlen),
      .r_valid_i(m_axi_weight_rvalid),
      .r_ready_o(m_axi_weight_rready),
      .r_data_i(m_axi_weight_rdata),
      .r_resp_i(m_axi_weight_rresp)
  );

  esp_read_dma #(
      .Depth(StagingBeats)
  ) u_load_dma (
      .clk_i,
      .rst_ni,
      .run_ni(run_n),
      .halt_i(halt),
      .request_i(load_request),
      .ready_o(load_request_ready),
      .base_i(window_base[load_command[esp_abi_pkg::CmdWindowLsb+:2]]),
      .limit_i(window_limit[load_command[esp_abi_pkg::CmdWindowLsb+:2]]),
      .offset_i(load_command[esp_abi_pkg::CmdOffsetLsb+:32]),
      .run_i(load_command[esp_abi_pkg::CmdRunLsb+:32]),
      .pitch_i(load_command[esp_abi_pkg::CmdPitchLsb+:32]),
      .planes_i(load_command[esp_abi_pkg::CmdPlanesLsb+:16]),
      .position_i(unit_position[0+:32]),
      .beat_valid_o(load_beat_valid),
      .beat_o(load_beat),
      .beat_pop_i(load_beat_pop),
      .window_error_o(window_error[1]),
      .window_offset_o(window_offset[32+:32]),
      .response_error_o(response_error[1]),
      .response_o(response[2+:2]),
      .response_position_o(response_position[1*32+:32]),
      .quiet_o(load_quiet),
      .ar_valid_o(m_axi_data_arvalid),
      .ar_ready_i(m_axi_data_arready),
      .ar_addr_o(m_axi_data_araddr),
      .ar_len_o(m_axi_data_arlen),
      .r_valid_i(m_axi_data_rvalid),
      .r_ready_o(m_axi_data_rready),
      .r_data_i(m_axi_data_rdata),
      .r_resp_i(m_axi_data_rresp)
  );

  // ---- Load and store units, weight unit ----
  logic [15:0]            load_bank, load_grant, store_bank, store_grant;
  logic [16*RowBits-1:0]  load_row, store_row;
  logic [16*WordBits-1:0] load_data, store_data;

  esp_load_unit #(
      .Pixels(Pixels),
      .RowBits(RowBits),
      .Coded(Coded)
  ) u_load (
      .clk_i,
      .run_ni(run_n),
      .halt_i(halt),
      .command_valid_i(unit_ready[0]),
      .command_i(load_command),
      .command_pop_o(unit_pop[0]),
      .done_o(unit_done[0+:32]),
      .request_o(load_request),
      .request_ready_i(load_request_ready),
      .beat_valid_i(load_beat_valid),
      .beat_i(load_beat),
      .beat_pop_o(load_beat_pop),
      .load_o(load_bank),
      .row_o(load_row),
      .data_o(load_data),
      .grant_i(load_grant)
  );

  esp_store_unit #(
      .Pixels(Pixels),
      .RowBits(RowBits),
      .Depth(StagingBeats / 2)
  ) u_store (
      .clk_i,
      .rst_ni,
      .run_ni(run_n),
      .halt_i(halt),
      .command_valid_i(unit_ready[3]),
      .command_i(store_command),
      .base_i(window_base[store_command[esp_abi_pkg::CmdWindowLsb+:2]]),
      .limit_i(window_limit[store_command[esp_abi_pkg::CmdWindowLsb+:2]]),
      .position_i(unit_position[96+:32]),
      .command_pop_o(unit_pop[3]),
      .done_o(unit_done[96+:32]),
      .store_o(store_bank),
      .row_o(store_row),
      .grant_i(store_grant),
      .data_i(store_data),
      .window_error_o(window_error[3]),
      .window_offset_o(window_offset[96+:32]),
      .response_error_o(response_error[3]),
      .response_o(response[6+:2]),
      .response_position_o(response_position[96+:32]),
      .quiet_o(store_quiet),
      .aw_valid_o(m_axi_data_awvalid),
      .aw_ready_i(m_axi_data_awready),
      .aw_addr_o(m_axi_data_awaddr),
      .aw_len_o(m_axi_data_awlen),
      .w_valid_o(m_axi_data_wvalid),
      .w_ready_i(m_axi_data_wready),
      .w_data_o(m_axi_data_wdata),
      .w_last_o(m_axi_data_wlast),
      .b_valid_i(m_axi_data_bvalid),
      .b_ready_o(m_axi_data_bready),
      .b_resp_i(m_axi_data_bresp)
  );

  logic [LineParts-1:0]      line_part;
  logic                      line_end, line_space, row_write, scale_write, program_write, permute_write;
  logic [Lanes*LineBits-1:0] line_data;
  logic [15:0]               table_addr;
  logic [TableGroup-1:0]     table_enable;
  logic [TableBits-1:0]      table_data;
  logic                      vector_write, vector_space;
  logic [Lanes*VectorBits-1:0] vector;

  esp_weight_unit #(
      .Lanes(Lanes),
      .Pixels(Pixels),
      .LineBits(LineBits),
      .Coded(Coded)
  ) u_weight (
      .clk_i,
      .run_ni(run_n),
      .halt_i(halt),
      .command_valid_i(unit_ready[1]),
      .command_i(weight_command),
      .command_pop_o(unit_pop[1]),
      .done_o(unit_done[32+:32]),
      .request_o(weight_request),
      .request_ready_i(weight_request_ready),
      .beat_valid_i(weight_beat_valid),
      .beat_i(weight_beat),
      .beat_pop_o(weight_beat_pop),
      .line_part_o(line_part),
      .line_end_o(line_end),
      .line_o(line_data),
      .line_space_i(line_space),
      .vector_write_o(vector_write),
      .vector_o(vector),
      .vector_space_i(vector_space),
      .row_write_o(row_write),
      .scale_write_o(scale_write),
      .program_write_o(program_write),
      .permute_write_o(permute_write),
      .table_addr_o(table_addr),
      .table_enable_o(table_enable),
      .table_data_o(table_data)
  );

  // ---- Array and scratchpad ----
  logic                          issue, active, starved, compute_ready;
  logic [Writers-1:0]            pushed;
  logic [5:0]                    entries;
  logic [Groups*16-1:0]          lane_read;
  logic [Groups*16*RowBits-1:0]  lane_row;
  logic [Groups*16*WordBits-1:0] lane_data;
  logic [Writers-1:0]            push_valid, push_ready;
  logic [Writers*16-1:0]         push_addr;
  logic [Writers*Pixels-1:0]     push_enable;
  logic [Writers*WordBits-1:0]   push_data;

  assign compute_ready = unit_ready[2] && (!compute_command[esp_abi_pkg::CmdFlagsLsb] || queues_empty);

  esp_array #(
      .Lanes(Lanes),
      .Pixels(Pixels),
      .BankRows(BankRows),
      .LineBits(LineBits),
      .LineDepth(LineDepth),
      .Writers(Writers),
      .PackProducts(PackProducts),
      .Coded(Coded),
      .ProgramDepth(ProgramDepth),
      .UltraStore(UltraStore)
  ) u_array (
      .clk_i,
      .run_ni(run_n),
      .halt_i(halt),
      .command_valid_i(unit_valid[2]),
      .waits_met_i(compute_ready),
      .command_i(compute_command),
      .command_pop_o(unit_pop[2]),
      .done_o(unit_done[64+:32]),
      .line_part_i(line_part),
      .line_end_i(line_end),
      .line_data_i(line_data),
      .line_space_o(line_space),
      .vector_write_i(vector_write),
      .vector_i(vector),
      .vector_space_o(vector_space),
      .row_write_i(row_write),
      .scale_write_i(scale_write),
      .program_write_i(program_write),
      .permute_write_i(permute_write),
      .table_addr_i(table_addr),
      .table_enable_i(table_enable),
      .table_data_i(table_data),
      .read_o(lane_read),
      .row_o(lane_row),
      .data_i(lane_data),
      .push_valid_o(push_valid),
      .push_ready_i(push_ready),
      .push_addr_o(push_addr),
      .push_enable_o(push_enable),
      .push_data_o(push_data),
      .results_pending_o(results_pending),
      .issue_o(issue),
      .active_o(active),
      .starved_o(starved),
      .entries_o(entries),
      .pushed_o(pushed)
  );

  esp_scratchpad #(
      .Groups(Groups),
      .Pixels(Pixels),
      .BankRows(BankRows),
      .Writers(Writers)
  ) u_scratchpad (
      .clk_i,
      .rst_ni(run_n),
      .lane_read_i(lane_read),
      .lane_row_i(lane_row),
      .lane_data_o(lane_data),
      .push_valid_i(push_valid),
      .push_ready_o(push_ready),
      .push_addr_i(push_addr),
      .push_enable_i(push_enable),
      .push_data_i(push_data),
      .queues_empty_o(queues_empty),
      .store_i(store_bank),
      .store_row_i(store_row),
      .store_grant_o(store_grant),
      .store_data_o(store_data),
      .load_i(load_bank),
      .load_row_i(load_row),
      .load_data_i(load_data),
      .load_grant_o(load_grant)
  );

  // ---- Counters and progress ----
  assign progress = start || m_axi_command_rvalid || m_axi_weight_rvalid || m_axi_data_rvalid ||
                    (m_axi_data_wvalid && m_axi_data_wready) || m_axi_data_bvalid || issue || pushed != '0 ||
                    load_grant != '0 || fetch_pop || mark;

  esp_counters u_counters (
      .clk_i,
      .rst_ni,
      .clear_i(start),
      .busy_i(busy),
      .issue_i(issue),
      .active_i(active),
      .starved_i(starved),
      .compute_waits_i(unit_valid[2]),
      .writing_i(results_pending || store_pending),
      .read_beats_i({m_axi_data_rvalid, m_axi_weight_rvalid, m_axi_command_rvalid}),
      .write_beat_i(m_axi_data_wvalid && m_axi_data_wready),
      .entries_i(entries),
      .counters_o(counters),
      .cycle_o(cycle)
  );
endmodule
