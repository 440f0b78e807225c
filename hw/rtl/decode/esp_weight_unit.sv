// Weight unit: decodes the weight stream into slots of the weight store, and fills the tables of the writers.
// One slot or table entry per cycle, taken from the oldest staged beat.
`include "esp_assert.svh"

module esp_weight_unit #(
    parameter int unsigned Lanes  = 16,
    parameter int unsigned Pixels = 16
) (
    input  logic                clk_i,
    input  logic                run_ni,
    input  logic                halt_i,
    // Head of the weight queue; its waits are met
    input  logic                command_valid_i,
    input  logic [511:0]        command_i,
    output logic                command_pop_o,
    output logic [31:0]         done_o,
    // Read DMA
    output logic                request_o,
    input  logic                request_ready_i,
    input  logic                beat_valid_i,
    input  logic [511:0]        beat_i,
    output logic                beat_pop_o,
    // Weight store
    output logic                slot_write_o,
    output logic [Lanes*32-1:0] slot_o,
    input  logic                slot_space_i,
    // Tables
    output logic                parameter_write_o,
    output logic                program_write_o,
    output logic                permute_write_o,
    output logic [15:0]         table_addr_o,
    output logic [127:0]        table_data_o
);
  localparam int unsigned SparsePerBeat  = 16 / Lanes;
  localparam int unsigned DensePerBeat   = 64 / Lanes;
  localparam int unsigned PermutePerBeat = 64 / Pixels;

  logic         jobs_full, jobs_empty;
  logic [511:0] job;

  assign request_o     = command_valid_i && !jobs_full && !halt_i;
  assign command_pop_o = request_o && request_ready_i;

  esp_fifo #(
      .Width(512),
      .Depth(4)
  ) u_jobs (
      .clk_i,
      .rst_ni(run_ni),
      .push_i(command_pop_o),
      .data_i(command_i),
      .full_o(jobs_full),
      .pop_i(!active_q && !jobs_empty),
      .data_o(job),
      .empty_o(jobs_empty),
      .count_o()
  );

  logic        active_q;
  logic [2:0]  format_q;
  logic [15:0] table_addr_q;
  logic [31:0] beats_left_q, items_left_q, done_q;
  logic [3:0]  sub_q, sub_last;   // item within the beat
  // Dense rows: three nested loops over the offset.
  logic [15:0] count0_q, count1_q, count2_q, step0_q, step1_q, step2_q;
  logic [15:0] index0_q, index1_q, index2_q, offset0_q, offset1_q, offset2_q;
  logic [31:0] row_slots_q;       // slots of one row
  logic [7:0]  tail_lanes_q;
  logic        tail_q, row_first_q;
  logic        is_slot, emit, take, beat_ends, dense_last, tail;

  assign done_o = done_q;
  assign is_slot = format_q == 3'(esp_abi_pkg::FormatSparse) || format_q == 3'(esp_abi_pkg::FormatDense);

  always_comb begin
    case (format_q)
      3'(esp_abi_pkg::FormatSparse):    sub_last = 4'(SparsePerBeat - 1);
      3'(esp_abi_pkg::FormatDense):     sub_last = 4'(DensePerBeat - 1);
      3'(esp_abi_pkg::FormatParameter): sub_last = 4'd3;
      3'(esp_abi_pkg::FormatProgram):   sub_last = 4'd7;
      default:                          sub_last = 4'(PermutePerBeat - 1);
    endcase
  end

  // Beats behind the last item are dropped.
  assign emit       = active_q && beat_valid_i && items_left_q != 32'd0 && (!is_slot || slot_space_i);
  assign take       = active_q && beat_valid_i && (items_left_q == 32'd0 || emit);
  assign beat_ends  = items_left_q <= 32'd1 || sub_q == sub_last;
  assign beat_pop_o = take && beat_ends;

  assign dense_last = index0_q + 16'd1 == count0_q && index1_q + 16'd1 == count1_q && index2_q + 16'd1 == count2_q;
  // The last group of rows may use fewer lanes; whether a group is the last is known at its first slot.
  assign tail = row_first_q ? items_left_q <= row_slots_q : tail_q;

  assign slot_write_o      = emit && is_slot;
  assign parameter_write_o = emit && format_q == 3'(esp_abi_pkg::FormatParameter);
  assign program_write_o   = emit && format_q == 3'(esp_abi_pkg::FormatProgram);
  assign permute_write_o   = emit && format_q == 3'(esp_abi_pkg::FormatPermute);
  assign table_addr_o      = table_addr_q;

  always_comb begin
    slot_o = '0;
    if (slot_write_o) begin
      if (format_q == 3'(esp_abi_pkg::FormatSparse)) begin
        slot_o = beat_i[32'(sub_q)*Lanes*32+:Lanes*32];
      end else begin
        for (int k = 0; k < Lanes; k++) begin
          if (!tail || 8'(k) < tail_lanes_q) begin
            slot_o[k*32+:32] = {6'd0, dense_last, 1'b1, offset0_q,
                                beat_i[(32'(sub_q)*Lanes+32'(k))*8+:8]};
          end
        end
      end
    end
  end

  always_comb begin
    table_data_o = '0;
    if (emit && !is_slot) begin
      case (format_q)
        3'(esp_abi_pkg::FormatParameter): table_data_o = beat_i[32'(sub_q)*128+:128];
        3'(esp_abi_pkg::FormatProgram):   table_data_o = {64'd0, beat_i[32'(sub_q)*64+:64]};
        default:                          table_data_o = {{(128-Pixels*8){1'b0}}, beat_i[32'(sub_q)*Pixels*8+:Pixels*8]};
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (!run_ni) begin
      active_q <= 1'b0;
      done_q   <= '0;
    end else if (!active_q) begin
      if (!jobs_empty) begin
        active_q     <= 1'b1;
        format_q     <= job[esp_abi_pkg::CmdFormatLsb+:3];
        table_addr_q <= job[esp_abi_pkg::CmdAddressLsb+:16];
        beats_left_q <= job[esp_abi_pkg::CmdRunLsb+:32];
        items_left_q <= job[esp_abi_pkg::CmdItemsLsb+:32];
        sub_q        <= '0;
        count0_q     <= job[esp_abi_pkg::CmdCount0Lsb+:16];
        count1_q     <= job[esp_abi_pkg::CmdCount1Lsb+:16];
        count2_q     <= job[esp_abi_pkg::CmdCount2Lsb+:16];
        step0_q      <= job[esp_abi_pkg::CmdStep0Lsb+:16];
        step1_q      <= job[esp_abi_pkg::CmdStep1Lsb+:16];
        step2_q      <= job[esp_abi_pkg::CmdStep2Lsb+:16];
        tail_lanes_q <= job[esp_abi_pkg::CmdTailLanesLsb+:8];
        row_slots_q  <= 32'(job[esp_abi_pkg::CmdCount0Lsb+:16]) * 32'(job[esp_abi_pkg::CmdCount1Lsb+:16]) *
                        32'(job[esp_abi_pkg::CmdCount2Lsb+:16]);
        index0_q     <= '0;
        index1_q     <= '0;
        index2_q     <= '0;
        offset0_q    <= '0;
        offset1_q    <= '0;
        offset2_q    <= '0;
        row_first_q  <= 1'b1;
      end
    end else if (take) begin
      if (emit) begin
        items_left_q <= items_left_q - 32'd1;
        table_addr_q <= table_addr_q + 16'd1;
        tail_q       <= tail;
        row_first_q  <= dense_last;
        if (dense_last) begin
          index0_q  <= '0;
          index1_q  <= '0;
          index2_q  <= '0;
          offset0_q <= '0;
          offset1_q <= '0;
          offset2_q <= '0;
        end else if (index0_q + 16'd1 != count0_q) begin
          index0_q  <= index0_q + 16'd1;
          offset0_q <= offset0_q + step0_q;
        end else if (index1_q + 16'd1 != count1_q) begin
          index0_q  <= '0;
          index1_q  <= index1_q + 16'd1;
          offset0_q <= offset1_q + step1_q;
          offset1_q <= offset1_q + step1_q;
        end else begin
          index0_q  <= '0;
          index1_q  <= '0;
          index2_q  <= index2_q + 16'd1;
          offset0_q <= offset2_q + step2_q;
          offset1_q <= offset2_q + step2_q;
          offset2_q <= offset2_q + step2_q;
        end
      end
      sub_q <= beat_ends ? '0 : sub_q + 4'd1;
      if (beat_ends) begin
        beats_left_q <= beats_left_q - 32'd1;
        if (beats_left_q == 32'd1) begin
          active_q <= 1'b0;
          done_q   <= done_q + 32'd1;
        end
      end
    end
  end
endmodule
