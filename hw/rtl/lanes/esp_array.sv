// The array: issues the slots of compute commands to the lanes, brings the lanes their words, and turns the rows they
// finish into words for the scratchpad.
//
//   sequencer (weight store) - router <-> scratchpad, read side
//                                 |
//                               lanes - writers -> scratchpad, queues of the banks
//
// It also holds the configurations of the two commands that may be in flight.
`include "esp_assert.svh"

module esp_array #(
    parameter int unsigned Lanes     = 16,
    parameter int unsigned Pixels    = 16,
    parameter int unsigned BankRows  = 4096,
    parameter int unsigned LineBits  = 53,  // of a lane: its weights and {segment, last, valid, offset}
    parameter int unsigned LineDepth = 4096,
    parameter int unsigned Writers   = 2,
    parameter int unsigned PackProducts = 1,
    parameter int unsigned Coded     = 1,     // 0: there is no WeightsVector
    parameter int unsigned ProgramDepth = esp_abi_pkg::ProgramDepth,
    parameter int unsigned UltraStore = 1,    // see esp_line_store
    localparam int unsigned LineParts  = esp_abi_pkg::line_parts(Lanes),
    localparam int unsigned VectorBits = esp_abi_pkg::vector_bits(Lanes, Pixels),
    localparam int unsigned TableGroup = esp_abi_pkg::table_group(Lanes, Pixels),
    localparam int unsigned TableBits  = Pixels * 8 > TableGroup * 64 ? Pixels * 8 : TableGroup * 64
) (
    input  logic                               clk_i,
    input  logic                               run_ni,
    input  logic                               halt_i,
    // Head of the compute queue
    input  logic                               command_valid_i,
    input  logic                               waits_met_i,
    input  logic [511:0]                       command_i,
    output logic                               command_pop_o,
    output logic [31:0]                        done_o,
    // Weight store and tables, written by the weight unit
    input  logic [LineParts-1:0]               line_part_i,
    input  logic                               line_end_i,
    input  logic [Lanes*LineBits-1:0]          line_data_i,
    output logic                               line_space_o,
    input  logic                               vector_write_i,
    input  logic [Lanes*VectorBits-1:0]        vector_i,
    output logic                               vector_space_o,
    input  logic                               row_write_i,
    input  logic                               scale_write_i,
    input  logic                               program_write_i,
    input  logic                               permute_write_i,
    input  logic [15:0]                        table_addr_i,
    input  logic [TableGroup-1:0]              table_enable_i,
    input  logic [TableBits-1:0]               table_data_i,
    // Scratchpad, read: enable and row by lane group and bank; data in the next cycle
    output logic [Groups*16-1:0]               read_o,
    output logic [Groups*16*$clog2(BankRows)-1:0] row_o,
    input  logic [Groups*16*Pixels*8-1:0]      data_i,
    // Scratchpad, write: one word of each writer, with its word address
    output logic [Writers-1:0]                 push_valid_o,
    input  logic [Writers-1:0]                 push_ready_i,
    output logic [Writers*16-1:0]              push_addr_o,
    output logic [Writers*Pixels-1:0]          push_enable_o,
    output logic [Writers*Pixels*8-1:0]        push_data_o,
    // For control and counters
    output logic                               results_pending_o,
    output logic                               issue_o,
    output logic                               active_o,
    output logic                               starved_o,
    output logic [5:0]                         entries_o,
    output logic [Writers-1:0]                 pushed_o  // a writer has pushed the last word of a result
);
  localparam int unsigned Groups        = (Lanes + esp_abi_pkg::LanesPerPort - 1) / esp_abi_pkg::LanesPerPort;
  localparam int unsigned TagBits       = 17;
  localparam int unsigned ResultRowBits = $clog2(esp_abi_pkg::RowDepth);
  localparam int unsigned Served        = Lanes / Writers;
  localparam int unsigned ServedBits    = Served > 1 ? $clog2(Served) : 1;
  localparam int unsigned WordBits      = Pixels * 8;
  localparam int unsigned LineWeights   = 64 / Lanes;
  localparam int unsigned WeightBits    = LineWeights * 8;

  // ---- Sequencer, router, lanes ----
  logic                      position_end, maximum, broadcast, context_id;
  logic [Lanes*LineBits-1:0] line;
  logic [2:0]                slot, segment;
  logic [1:0]                weights, split;
  logic [Writers-1:0]        pushed_context;
  logic [15:0]               base, offset, program_entry;
  logic [Lanes-1:0]          entry_valid, entry_last, lane_ready;
  logic [511:0]              context_q[2];

  // ---- Queue of WeightsVector ----
  logic                        vector_full, vector_empty, vector_pop;
  logic [Lanes*VectorBits-1:0] vector;
  logic [Lanes-1:0]            vector_valid, vector_last;

  for (genvar k = 0; k < Lanes; k++) begin : gen_vector
    assign vector_last[k]  = vector[k*VectorBits+VectorBits-1];
    assign vector_valid[k] = vector[k*VectorBits+VectorBits-3];
  end
  assign vector_space_o = !vector_full;

  if (Coded != 0) begin : gen_vector_queue
    esp_fifo #(
        .Width(Lanes * VectorBits),
        .Depth(esp_abi_pkg::VectorDepth)
    ) u_vector_queue (
        .clk_i,
        .rst_ni(run_ni),
        .push_i(vector_write_i),
        .data_i(vector_i),
        .full_o(vector_full),
        .pop_i(vector_pop),
        .data_o(vector),
        .empty_o(vector_empty),
        .count_o()
    );
  end else begin : gen_no_vector
    assign {vector_full, vector_empty} = 2'b11;
    assign vector = '0;
  end

  esp_sequencer #(
      .Lanes(Lanes),
      .LineBits(LineBits),
      .LineDepth(LineDepth),
      .Writers(Writers),
      .Coded(Coded),
      .UltraStore(UltraStore)
  ) u_sequencer (
      .clk_i,
      .rst_ni(run_ni),
      .halt_i,
      .command_valid_i,
      .command_i,
      .waits_met_i,
      .command_pop_o,
      .line_part_i,
      .line_end_i,
      .line_data_i,
      .line_space_o,
      .vector_ready_i(!vector_empty),
      .vector_valid_i(vector_valid),
      .vector_last_i(vector_last),
      .vector_pop_o(vector_pop),
      .lane_ready_i(lane_ready),
      .issue_o,
      .position_end_o(position_end),
      .line_o(line),
      .slot_o(slot),
      .valid_o(entry_valid),
      .last_o(entry_last),
      .offset_o(offset),
      .segment_o(segment),
      .weights_o(weights),
      .split_o(split),
      .broadcast_o(broadcast),
      .maximum_o(maximum),
      .base_o(base),
      .program_o(program_entry),
      .context_o(context_id),
      .pushed_i(pushed_o),
      .pushed_context_i(pushed_context),
      .done_o,
      .results_pending_o,
      .active_o,
      .starved_o,
      .entries_o
  );

  // The command that starts takes the context which is not issuing. None of its results is in flight, so nobody reads it
  // in this cycle and the write may be blocking, which spares the simulation a delayed copy.
  always_ff @(posedge clk_i) begin
    if (command_pop_o) context_q[active_o ? !context_id : context_id] = command_i;
  end

  logic [Lanes-1:0]              word_valid, word_last;
  logic                          word_maximum, word_broadcast;
  logic [1:0]                    word_split;
  logic [Lanes*WeightBits-1:0]   word_weight;
  logic [Lanes*3-1:0]            word_segment;
  logic [Lanes*WordBits-1:0]     word;

  esp_lane_router #(
      .Lanes(Lanes),
      .Pixels(Pixels),
      .LineBits(LineBits),
      .BankRows(BankRows),
      .Coded(Coded)
  ) u_router (
      .clk_i,
      .rst_ni(run_ni),
      .issue_i(issue_o),
      .line_i(line),
      .vector_i(vector),
      .slot_i(slot),
      .valid_i(entry_valid),
      .last_i(entry_last),
      .offset_i(offset),
      .segment_i(segment),
      .weights_i(weights),
      .split_i(split),
      .broadcast_i(broadcast),
      .maximum_i(maximum),
      .base_i(base),
      .read_o,
      .row_o,
      .data_i,
      .valid_o(word_valid),
      .last_o(word_last),
      .maximum_o(word_maximum),
      .split_o(word_split),
      .broadcast_o(word_broadcast),
      .weight_o(word_weight),
      .segment_o(word_segment),
      .word_o(word)
  );

  logic [Lanes-1:0]                          result_valid, result_pop;
  logic [Lanes*(TagBits+ResultRowBits)-1:0]  result_tag;
  logic [Lanes*Pixels*32-1:0]                result_data;

  for (genvar k = 0; k < Lanes; k++) begin : gen_lane
    esp_lane #(
        .Pixels(Pixels),
        .TagBits(TagBits),
        .RowBits(ResultRowBits),
        .LineWeights(LineWeights),
        .PackProducts(PackProducts)
    ) u_lane (
        .clk_i,
        .rst_ni(run_ni),
        .announce_i(issue_o && entry_last[k]),
        .restart_i(position_end),
        .tag_i({context_id, program_entry}),
        .ready_o(lane_ready[k]),
        .valid_i(word_valid[k]),
        .last_i(word_last[k]),
        .maximum_i(word_maximum),
        .split_i(word_split),
        .broadcast_i(word_broadcast),
        .weight_i(word_weight[k*WeightBits+:WeightBits]),
        .segment_i(word_segment[k*3+:3]),
        .word_i(word[k*WordBits+:WordBits]),
        .pop_i(result_pop[k]),
        .result_valid_o(result_valid[k]),
        .result_tag_o(result_tag[k*(TagBits+ResultRowBits)+:TagBits+ResultRowBits]),
        .result_o(result_data[k*Pixels*32+:Pixels*32])
    );
  end

  // ---- Writers: writer w serves lanes Writers * i + w ----
  for (genvar w = 0; w < Writers; w++) begin : gen_writer
    logic [Served-1:0]                         valid, pop;
    logic [ServedBits-1:0]                     shown;
    logic [Served*Pixels*32-1:0]               rows;
    logic [Pixels*32-1:0]                      result;  // the row that was popped
    logic [Served*(TagBits+ResultRowBits)-1:0] tags;
    for (genvar i = 0; i < Served; i++) begin : gen_served
      assign valid[i] = result_valid[Writers*i+w];
      assign result_pop[Writers*i+w] = pop[i];
      assign tags[i*(TagBits+ResultRowBits)+:TagBits+ResultRowBits] =
          result_tag[(Writers*i+w)*(TagBits+ResultRowBits)+:TagBits+ResultRowBits];
      assign rows[i*Pixels*32+:Pixels*32] = result_data[(Writers*i+w)*Pixels*32+:Pixels*32];
    end
`ifdef ESP_DSP48E2
    if (Served > 1) begin : gen_choice
      esp_wide_mux #(
          .Width(Pixels * 32),
          .Choices(Served)
      ) u_result (
          .words_i(rows),
          .select_i(shown),
          .word_o(result)
      );
    end else begin : gen_one
      assign result = rows;
    end
`else
    assign result = rows[32'(shown)*Pixels*32+:Pixels*32];
`endif
    esp_writer #(
        .Lanes(Lanes),
        .Writers(Writers),
        .Pixels(Pixels),
        .TagBits(TagBits),
        .RowBits(ResultRowBits),
        .ProgramDepth(ProgramDepth)
    ) u_writer (
        .clk_i,
        .rst_ni(run_ni),
        .index_i($clog2(Writers > 1 ? Writers : 2)'(w)),
        .row_write_i,
        .scale_write_i,
        .program_write_i,
        .permute_write_i,
        .table_addr_i,
        .table_enable_i,
        .table_data_i,
        .context0_i(context_q[0]),
        .context1_i(context_q[1]),
        .result_valid_i(valid),
        .result_tag_i(tags),
        .result_pop_o(pop),
        .result_lane_o(shown),
        .result_i(result),
        .push_valid_o(push_valid_o[w]),
        .push_ready_i(push_ready_i[w]),
        .push_addr_o(push_addr_o[w*16+:16]),
        .push_enable_o(push_enable_o[w*Pixels+:Pixels]),
        .push_data_o(push_data_o[w*WordBits+:WordBits]),
        .finished_o(pushed_o[w]),
        .finished_context_o(pushed_context[w])
    );
  end
endmodule
