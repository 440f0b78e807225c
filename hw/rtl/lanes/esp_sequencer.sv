// Issues the slots of compute commands: one slot per cycle for all lanes, from the weight store, at every position.
//
// A slot is issued when it has been written and every lane whose row ends with it can hold one more finished row;
// otherwise a bubble is issued. Nothing behind the issue stage ever stalls. Two commands may be in flight: one issuing,
// one whose last results are still with the writers; each has its own configuration for the writers.
`include "esp_assert.svh"

module esp_sequencer #(
    parameter int unsigned Lanes = 16,
    parameter int unsigned SlotDepth = 8192
) (
    input  logic                clk_i,
    input  logic                rst_ni,
    input  logic                halt_i,
    // Compute command at the head of the queue, and whether its wait fields are met
    input  logic                command_valid_i,
    input  logic [511:0]        command_i,
    input  logic                waits_met_i,
    output logic                command_pop_o,
    // Weight store, filled by the decoder
    input  logic                slot_write_i,
    input  logic [Lanes*32-1:0] slot_data_i,
    output logic                slot_space_o,
    // Issue
    input  logic [Lanes-1:0]    lane_ready_i,
    output logic                issue_o,
    output logic                position_end_o,   // the slot is the last of its position
    output logic [Lanes*32-1:0] slot_o,
    output logic [15:0]         base_o,
    output logic [15:0]         program_o,        // write program entry of the position
    output logic                maximum_o,
    output logic                context_o,        // which of the two commands in flight
    // Completion: final entries of results pushed to the bank queues in this cycle
    input  logic [1:0]          pushed_i,         // by each writer
    input  logic [1:0]          pushed_context_i,
    output logic [31:0]         done_o,
    output logic                results_pending_o,
    // For the counters
    output logic                active_o,
    output logic                starved_o,        // active, and the next slot has not been written
    output logic [5:0]          entries_o         // valid entries issued
);
  localparam int unsigned PtrBits = $clog2(SlotDepth);
  localparam int unsigned CountBits = 16;  // results in flight: 4 per lane, and those in the writers

  // ---- Command being issued ----
  logic        active_q, context_q, maximum_q;
  logic [31:0] slots_q, slot_index_q;
  logic [15:0] count_x_q, count_y_q, step_x_q, step_y_q, x_q, y_q, base_q, row_base_q, program_q;
  logic [7:0]  unroll_q;
  // Slots are numbered from the start of the run: written_q and next_q only grow, the store holds number mod SlotDepth.
  logic [31:0] written_q, freed_q, chunk_q, current_q;
  logic        loaded_q;  // the store's output is slot current_q
  // Per context: command issued in full, results announced and not yet pushed.
  logic [1:0]  issued_q;
  logic [CountBits-1:0] outstanding_q[2];
  logic        oldest_q;
  logic [31:0] done_q;

  logic [Lanes-1:0] last;
  logic last_slot, last_position, finish, start;
  logic [31:0] next;
  logic [5:0] ending;

  for (genvar k = 0; k < Lanes; k++) begin : gen_last
    assign last[k] = slot_o[k*32+esp_abi_pkg::EntryLastLsb];
  end

  assign active_o          = active_q;
  assign starved_o         = active_q && !loaded_q;
  assign issue_o           = active_q && loaded_q && !halt_i && (last & ~lane_ready_i) == '0;
  assign last_slot         = slot_index_q + 32'd1 == slots_q;
  assign last_position     = x_q + 16'd1 == count_x_q && y_q + 16'd1 == count_y_q;
  assign position_end_o    = issue_o && last_slot;
  assign finish            = position_end_o && last_position;
  assign start             = command_valid_i && waits_met_i && !halt_i && (!active_q || finish) &&
                             !issued_q[active_q ? !context_q : context_q];
  assign command_pop_o     = start;
  assign base_o            = base_q;
  assign program_o         = program_q;
  assign maximum_o         = maximum_q;
  assign context_o         = context_q;
  assign done_o            = done_q;
  assign results_pending_o = outstanding_q[0] != '0 || outstanding_q[1] != '0;
  assign slot_space_o      = written_q - freed_q != SlotDepth;

  // The slot to read next: the following one, or the chunk's first at the next position.
  always_comb begin
    next = current_q;
    if (issue_o) next = last_slot && !last_position ? chunk_q : current_q + 32'd1;
  end

  esp_ram #(
      .Width(Lanes * 32),
      .Depth(SlotDepth)
  ) u_store (
      .clk_i,
      .write_i(slot_write_i),
      .write_addr_i(written_q[PtrBits-1:0]),
      .write_data_i(slot_data_i),
      .read_i(issue_o || !loaded_q),
      .read_addr_i(next[PtrBits-1:0]),
      .read_data_o(slot_o)
  );

  always_comb begin
    ending = '0;
    entries_o = '0;
    if (issue_o) begin
      for (int k = 0; k < Lanes; k++) begin
        ending = ending + 6'(last[k]);
        entries_o = entries_o + 6'(slot_o[k*32+esp_abi_pkg::EntryValidLsb]);
      end
    end
  end

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
      if (slot_write_i) written_q <= written_q + 32'd1;
      current_q <= next;
      loaded_q  <= next < written_q;
      if (issue_o && last_position) freed_q <= current_q + 32'd1;

      if (issue_o) begin
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
        outstanding_q[c] <= outstanding_q[c] + (context_q == (c == 1) ? CountBits'(ending) : '0) -
                            CountBits'(pushed_i[0] && pushed_context_i[0] == (c == 1)) -
                            CountBits'(pushed_i[1] && pushed_context_i[1] == (c == 1));
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
  `ESP_ASSERT(StoreNotOverrun, written_q - freed_q <= SlotDepth)
  // No more results are pushed than were announced.
  logic [1:0] outstanding_bounded;
  assign outstanding_bounded = {outstanding_q[1] < 1024, outstanding_q[0] < 1024};
  `ESP_ASSERT(OutstandingBounded, outstanding_bounded == '1)
  `ESP_COVER(IssueStallsOnLanes, active_q && loaded_q && !issue_o)
  `ESP_COVER(IssueStallsOnWeights, starved_o)
  `ESP_COVER(CommandsBackToBack, finish && start)
endmodule
