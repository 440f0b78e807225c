// Issues the slots of compute commands: one slot per cycle for all lanes, from the weight store, at every position; those
// of WeightsVector from a queue outside.
//
// The store's output holds a line of one or more slots. A slot is issued when its line has been written and every lane
// whose row ends with it can hold one more finished row; otherwise a bubble is issued. Nothing behind the issue stage
// ever stalls. Two commands may be in flight: one issuing, one whose last results are still with the writers; each has
// its own configuration for the writers.
`include "esp_assert.svh"

module esp_sequencer #(
    parameter int unsigned Lanes     = 16,
    parameter int unsigned LineBits  = 53,   // of a lane
    parameter int unsigned LineDepth = 4096,
    parameter int unsigned Writers   = 2,
    parameter int unsigned Coded     = 1,    // 0: there is no WeightsVector
    parameter int unsigned UltraStore = 1,   // see esp_line_store
    localparam int unsigned LineParts = esp_abi_pkg::line_parts(Lanes)
) (
    input  logic                      clk_i,
    input  logic                      rst_ni,
    input  logic                      halt_i,
    // Compute command at the head of the queue, and whether its wait fields are met
    input  logic                      command_valid_i,
    input  logic [511:0]              command_i,
    input  logic                      waits_met_i,
    output logic                      command_pop_o,
    // Weight store, filled by the decoder
    input  logic [LineParts-1:0]      line_part_i,     // of the next line, written
    input  logic                      line_end_i,      // and it ends with them
    input  logic [Lanes*LineBits-1:0] line_data_i,
    output logic                      line_space_o,
    // Queue of WeightsVector: its oldest slot
    input  logic                      vector_ready_i,  // there is one
    input  logic [Lanes-1:0]          vector_valid_i,
    input  logic [Lanes-1:0]          vector_last_i,
    output logic                      vector_pop_o,
    // Issue
    input  logic [Lanes-1:0]          lane_ready_i,
    output logic                      issue_o,
    output logic                      position_end_o,  // the slot is the last of its position
    output logic [Lanes*LineBits-1:0] line_o,
    output logic [2:0]                slot_o,          // of the line
    output logic [Lanes-1:0]          valid_o,
    output logic [Lanes-1:0]          last_o,
    output logic [15:0]               offset_o,        // WeightsDense: of all lanes
    output logic [2:0]                segment_o,       // WeightsDense
    output logic [1:0]                weights_o,       // of the command: WeightsSparse, ..
    output logic [1:0]                split_o,         // log2 of s
    output logic                      broadcast_o,
    output logic                      maximum_o,
    output logic [15:0]               base_o,
    output logic [15:0]               program_o,       // write program entry of the position
    output logic                      context_o,       // which of the two commands in flight
    // Completion: final entries of results pushed to the bank queues in this cycle
    input  logic [Writers-1:0]        pushed_i,        // by each writer
    input  logic [Writers-1:0]        pushed_context_i,
    output logic [31:0]               done_o,
    output logic                      results_pending_o,
    // For the counters
    output logic                      active_o,
    output logic                      starved_o,       // active, and the next line has not been written
    output logic [5:0]                entries_o        // valid entries issued
);
  localparam int unsigned PtrBits     = $clog2(LineDepth);
  localparam int unsigned CountBits   = $clog2(Lanes) + 5;  // results in flight: those of the lanes, and a few per writer
  localparam int unsigned LineWeights = 64 / Lanes;
  localparam int unsigned SparseSlots = LineWeights > 2 ? 2 : 1;
  localparam int unsigned AddressLsb  = LineWeights * 8;  // of a lane: {segment, last, valid, offset}, see esp_line_store

  // ---- Command being issued ----
  logic        active_q, context_q, maximum_q, broadcast_q;
  logic [1:0]  weights_q, split_q;
  logic [31:0] slots_q, slot_index_q;
  logic [15:0] count_x_q, count_y_q, step_x_q, step_y_q, x_q, y_q, base_q, row_base_q, program_q;
  logic [7:0]  unroll_q, tail_lanes_q;
  logic [2:0]  slot_q, slot_last_q;  // slot of the line, and the last one of a full line
  // Lines are numbered from the start of the run, modulo twice the depth of the store, which holds number mod LineDepth:
  // written_q only grows, current_q returns to a chunk's first line at each of its positions and is never above written_q.
  logic [PtrBits:0] written_q, freed_q, chunk_q, current_q;
  logic        loaded_q;  // the store's output is line current_q
  // Per context: command issued in full, results announced and not yet pushed.
  logic [1:0]  issued_q;
  logic [CountBits-1:0] outstanding_q[2];
  logic        oldest_q;
  logic [31:0] done_q;
  logic [CountBits-1:0] pushed[2];  // results of each context pushed in this cycle

  always_comb begin
    for (int c = 0; c < 2; c++) begin
      pushed[c] = '0;
      for (int w = 0; w < Writers; w++) pushed[c] += CountBits'(pushed_i[w] && pushed_context_i[w] == (c == 1));
    end
  end

  logic last_slot, last_position, line_end, finish, start, row_end, last_row;
  logic vector, ready;  // the command is of WeightsVector; its next slot is there
  logic [PtrBits:0] next;
  logic [5:0] ending;

  // ---- Entries of the slot ----
  logic first_of_two;  // slots of WeightsSparse in the line

  assign first_of_two = SparseSlots > 1 && weights_q == 2'(esp_abi_pkg::WeightsSparse) && !slot_q[0];

  always_comb begin
    valid_o = '0;
    last_o  = '0;
    if (active_q && ready) begin
      case (weights_q)
        2'(esp_abi_pkg::WeightsVector): begin
          valid_o = Coded != 0 ? vector_valid_i : '0;
          last_o  = Coded != 0 ? vector_last_i : '0;
        end
        2'(esp_abi_pkg::WeightsDense): begin
          for (int k = 0; k < Lanes; k++) valid_o[k] = !last_row || 8'(k) < tail_lanes_q;
          last_o = row_end ? valid_o : '0;
        end
        default: begin
          for (int k = 0; k < Lanes; k++) begin
            valid_o[k] = line_o[k*LineBits+AddressLsb+16+(first_of_two ? 2 : 0)];
            last_o[k]  = line_o[k*LineBits+AddressLsb+17+(first_of_two ? 2 : 0)];
          end
        end
      endcase
    end
  end

  assign active_o          = active_q;
  assign vector            = Coded != 0 && weights_q == 2'(esp_abi_pkg::WeightsVector);
  assign ready             = vector ? vector_ready_i : loaded_q;
  assign vector_pop_o      = issue_o && vector;
  assign starved_o         = active_q && !ready;
  assign issue_o           = active_q && ready && !halt_i && (last_o & ~lane_ready_i) == '0;
  assign last_slot         = slot_index_q + 32'd1 == slots_q;
  assign last_position     = x_q + 16'd1 == count_x_q && y_q + 16'd1 == count_y_q;
  assign line_end          = (last_slot || slot_q == slot_last_q) && !vector;
  assign position_end_o    = issue_o && last_slot;
  assign finish            = position_end_o && last_position;
  assign start             = command_valid_i && waits_met_i && !halt_i && (!active_q || finish) &&
                             !issued_q[active_q ? !context_q : context_q];
  assign command_pop_o     = start;
  assign slot_o            = slot_q;
  assign weights_o         = weights_q;
  assign split_o           = split_q;
  assign broadcast_o       = broadcast_q;
  assign base_o            = base_q;
  assign program_o         = program_q;
  assign maximum_o         = maximum_q;
  assign context_o         = context_q;
  assign done_o            = done_q;
  assign results_pending_o = outstanding_q[0] != '0 || outstanding_q[1] != '0;
  assign line_space_o      = written_q != {!freed_q[PtrBits], freed_q[PtrBits-1:0]};

  // The line to read next: the following one, or the chunk's first at the next position.
  always_comb begin
    next = current_q;
    if (issue_o && line_end) next = last_slot && !last_position ? chunk_q : current_q + 1'b1;
  end

  esp_line_store #(
      .Lanes(Lanes),
      .LineBits(LineBits),
      .Depth(LineDepth),
      .UltraStore(UltraStore)
  ) u_store (
      .clk_i,
      .part_i(line_part_i),
      .write_addr_i(written_q[PtrBits-1:0]),
      .line_i(line_data_i),
      .read_i((issue_o && line_end) || !loaded_q),
      .read_addr_i(next[PtrBits-1:0]),
      .line_o
  );

  esp_tap_generator u_taps (
      .clk_i,
      .start_i(start),
      .command_i,
      .step_i(issue_o),
      .restart_i(last_slot),
      .offset_o,
      .segment_o,
      .row_end_o(row_end),
      .last_row_o(last_row)
  );

  always_comb begin
    ending = '0;
    entries_o = '0;
    if (issue_o) begin
      for (int k = 0; k < Lanes; k++) begin
        ending = ending + 6'(last_o[k]);
        entries_o = entries_o + 6'(valid_o[k]);
      end
    end
  end

  // Last slot of a full line.
  function automatic logic [2:0] full_line(input logic [7:0] weights, input logic [1:0] split);
    case (weights)
      8'(esp_abi_pkg::WeightsSparse): full_line = 3'(SparseSlots - 1);
      8'(esp_abi_pkg::WeightsDense):  full_line = 3'((LineWeights >> split) - 1);
      default:                        full_line = '0;
    endcase
  endfunction

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      active_q         <= 1'b0;
      context_q        <= 1'b0;
      written_q        <= '0;
      freed_q          <= '0;
      current_q        <= '0;
      chunk_q          <= '0;
      loaded_q         <= 1'b0;
      issued_q         <= '0;
      outstanding_q[0] <= '0;
      outstanding_q[1] <= '0;
      oldest_q         <= 1'b0;
      done_q           <= '0;
    end else begin
      if (line_end_i) written_q <= written_q + 1'b1;
      current_q <= next;
      loaded_q  <= next != written_q;
      if (issue_o && last_position && line_end) freed_q <= current_q + 1'b1;

      if (issue_o) begin
        slot_q       <= line_end ? '0 : slot_q + 3'd1;
        slot_index_q <= last_slot ? '0 : slot_index_q + 32'd1;
        if (last_slot) begin
          program_q <= program_q + 16'(unroll_q);
          if (x_q + 16'd1 == count_x_q) begin
            x_q        <= '0;
            y_q        <= y_q + 16'd1;
            row_base_q <= row_base_q + step_y_q;
            base_q     <= row_base_q + step_y_q;
          end else begin
            x_q    <= x_q + 16'd1;
            base_q <= base_q + step_x_q;
          end
        end
      end
      if (finish) begin
        active_q            <= 1'b0;
        context_q           <= !context_q;
        issued_q[context_q] <= 1'b1;
        chunk_q             <= next;
      end
      if (start) begin
        active_q     <= 1'b1;
        maximum_q    <= command_i[esp_abi_pkg::CmdOperationLsb+:8] == 8'(esp_abi_pkg::OperationMax) ||
                        command_i[esp_abi_pkg::CmdOperationLsb+:8] == 8'(esp_abi_pkg::OperationMaxReduce);
        weights_q    <= command_i[esp_abi_pkg::CmdWeightsLsb+:2];
        split_q      <= esp_abi_pkg::log2_split(command_i[esp_abi_pkg::CmdSplitLsb+:8]);
        broadcast_q  <= (command_i[esp_abi_pkg::CmdFlagsLsb+:8] & 8'(esp_abi_pkg::FlagBroadcast)) != '0;
        slot_q       <= '0;
        slot_last_q  <= full_line(command_i[esp_abi_pkg::CmdWeightsLsb+:8],
                                  esp_abi_pkg::log2_split(command_i[esp_abi_pkg::CmdSplitLsb+:8]));
        tail_lanes_q <= command_i[esp_abi_pkg::CmdTailLanesLsb+:8];
        slots_q      <= command_i[esp_abi_pkg::CmdSlotsLsb+:32];
        slot_index_q <= '0;
        count_x_q    <= command_i[esp_abi_pkg::CmdCountXLsb+:16];
        count_y_q    <= command_i[esp_abi_pkg::CmdCountYLsb+:16];
        step_x_q     <= command_i[esp_abi_pkg::CmdStepXLsb+:16];
        step_y_q     <= command_i[esp_abi_pkg::CmdStepYLsb+:16];
        base_q       <= command_i[esp_abi_pkg::CmdAddressLsb+:16];
        row_base_q   <= command_i[esp_abi_pkg::CmdAddressLsb+:16];
        program_q    <= command_i[esp_abi_pkg::CmdProgramLsb+:16];
        unroll_q     <= command_i[esp_abi_pkg::CmdUnrollLsb+:8];
        x_q          <= '0;
        y_q          <= '0;
      end

      for (int c = 0; c < 2; c++) begin
        outstanding_q[c] <= outstanding_q[c] + (context_q == (c == 1) ? CountBits'(ending) : '0) - pushed[c];
      end
      if (issued_q[oldest_q] && outstanding_q[oldest_q] == '0) begin
        issued_q[oldest_q] <= 1'b0;
        oldest_q           <= !oldest_q;
        done_q             <= done_q + 32'd1;
      end
    end
  end

  // Assertions
  // A chunk that is read again at another position stays in the store.
  `ESP_ASSERT(StoreNotOverrun, (PtrBits + 1)'(written_q - freed_q) <= (PtrBits + 1)'(LineDepth))
  // No more results are pushed than were announced.
  logic [1:0] outstanding_bounded;
  assign outstanding_bounded = ~{outstanding_q[1][CountBits-1], outstanding_q[0][CountBits-1]};
  `ESP_ASSERT(OutstandingBounded, outstanding_bounded == '1)
  `ESP_COVER(IssueStallsOnLanes, active_q && ready && !issue_o)
  `ESP_COVER(IssueStallsOnWeights, starved_o)
  `ESP_COVER(CommandsBackToBack, finish && start)
endmodule
