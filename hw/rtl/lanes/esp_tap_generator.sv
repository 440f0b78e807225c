// Walks the taps of WeightsDense: channel groups, kernel rows, kernel columns and, innermost, the segments of a word if
// one of them is given to all. All lanes read the same word; their rows end together.
module esp_tap_generator (
    input  logic         clk_i,
    input  logic         start_i,     // a command starts: its fields are taken
    input  logic [511:0] command_i,
    input  logic         step_i,      // a slot is issued
    input  logic         restart_i,   // it is the last of its position
    output logic [15:0]  offset_o,
    output logic [2:0]   segment_o,
    output logic         row_end_o,
    output logic         last_row_o   // of the chunk
);
  logic [7:0]  count0_q, count1_q, index0_q, index1_q;
  logic [15:0] count2_q, index2_q, step0_q, step1_q, step2_q, offset0_q, offset1_q, offset2_q;
  logic [2:0]  segment_q, last_segment_q;
  // left_q and row_slots_q are complements: a count upwards costs no inverters.
  logic [31:0] slots_q, left_q, row_slots_q;  // left: of the position, this one included
  logic        first_q, last_row_q;
  logic        end0, end1, end2, end_segment;
  logic [7:0]  split;

  assign offset_o    = offset0_q;
  assign segment_o   = segment_q;
  assign end_segment = segment_q == last_segment_q;
  assign end0        = index0_q + 8'd1 == count0_q;
  assign end1        = index1_q + 8'd1 == count1_q;
  assign end2        = index2_q + 16'd1 == count2_q;
  assign row_end_o   = (end_segment && end0 && end1 && end2) || left_q == ~32'd1;
  assign last_row_o  = first_q ? left_q >= row_slots_q : last_row_q;  // decided at the first slot of a row
  assign split       = (command_i[esp_abi_pkg::CmdFlagsLsb+:8] & 8'(esp_abi_pkg::FlagBroadcast)) != '0 ?
                       command_i[esp_abi_pkg::CmdSplitLsb+:8] : 8'd1;

  // Slots of a row, less the factor s: a product of the counts, of which only the second one takes a multiplier.
  logic [15:0] area;
  logic [31:0] row_slots;
  always_comb begin
    area = '0;
    if (start_i) begin
      for (int i = 0; i < 8; i++) begin
        if (command_i[esp_abi_pkg::CmdTapCount1Lsb+i]) area += 16'(command_i[esp_abi_pkg::CmdTapCount0Lsb+:8]) << i;
      end
    end
    row_slots = 32'(area) * 32'(command_i[esp_abi_pkg::CmdTapCount2Lsb+:16]);
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      count0_q       <= command_i[esp_abi_pkg::CmdTapCount0Lsb+:8];
      count1_q       <= command_i[esp_abi_pkg::CmdTapCount1Lsb+:8];
      count2_q       <= command_i[esp_abi_pkg::CmdTapCount2Lsb+:16];
      step0_q        <= command_i[esp_abi_pkg::CmdTapStep0Lsb+:16];
      step1_q        <= command_i[esp_abi_pkg::CmdTapStep1Lsb+:16];
      step2_q        <= command_i[esp_abi_pkg::CmdTapStep2Lsb+:16];
      last_segment_q <= 3'(split - 8'd1);
      slots_q        <= command_i[esp_abi_pkg::CmdSlotsLsb+:32];
      row_slots_q    <= ~(row_slots << esp_abi_pkg::log2_split(split));
    end
    if (start_i || (step_i && (restart_i || row_end_o))) begin
      index0_q  <= '0;
      index1_q  <= '0;
      index2_q  <= '0;
      offset0_q <= '0;
      offset1_q <= '0;
      offset2_q <= '0;
      segment_q <= '0;
    end else if (step_i && !end_segment) begin
      segment_q <= segment_q + 3'd1;
    end else if (step_i) begin
      segment_q <= '0;
      if (!end0) begin
        index0_q  <= index0_q + 8'd1;
        offset0_q <= offset0_q + step0_q;
      end else if (!end1) begin
        index0_q  <= '0;
        index1_q  <= index1_q + 8'd1;
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
    if (start_i) begin
      left_q  <= ~command_i[esp_abi_pkg::CmdSlotsLsb+:32];
      first_q <= 1'b1;
    end else if (step_i) begin
      left_q     <= restart_i ? ~slots_q : left_q + 32'd1;
      first_q    <= row_end_o;
      last_row_q <= last_row_o;
    end
  end
endmodule
