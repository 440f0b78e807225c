// Commands of one unit, in order: the head is offered once the completion counters have reached its wait fields. The unit
// gets the fields that it reads; with ESP_DSP48E2 defined, as for synthesis, all other bits of the command are 0.
`include "esp_assert.svh"

module esp_unit_queue #(
    parameter int unsigned Unit = 2  // load, weight, compute, store, mark
) (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic         push_i,
    input  logic [511:0] command_i,
    input  logic [31:0]  position_i,
    output logic         full_o,
    input  logic [31:0]  done_load_i,
    input  logic [31:0]  done_weight_i,
    input  logic [31:0]  done_compute_i,
    input  logic [31:0]  done_store_i,
    output logic         valid_o,     // a command is at the head
    output logic         ready_o,     // and its waits are met
    output logic [511:0] command_o,
    output logic [31:0]  head_position_o,
    input  logic         pop_i,
    output logic [31:0]  position_o,  // of the command popped last
    input  logic [31:0]  done_i,      // commands of this unit completed
    output logic         open_o,      // a command is not known to be completed
    output logic [31:0]  open_position_o  // the oldest of them
);
  logic empty;

`ifdef ESP_DSP48E2
  localparam logic [511:0] Fields = esp_abi_pkg::unit_fields(Unit);
`else
  localparam logic [511:0] Fields = Unit < 5 ? '1 : '0;  // whole, or simulation would move bits
`endif
  localparam int unsigned FieldBits = esp_abi_pkg::ones_below(Fields, 512);

  logic [FieldBits-1:0] fields, head_fields;

  if (FieldBits == 512) begin : gen_whole
    assign fields    = command_i;
    assign command_o = head_fields;
  end else begin : gen_fields
    for (genvar i = 0; i < 512; i++) begin : gen_bit
      if (Fields[i]) begin : gen_kept
        assign fields[esp_abi_pkg::ones_below(Fields, i)] = command_i[i];
        assign command_o[i] = head_fields[esp_abi_pkg::ones_below(Fields, i)];
      end else begin : gen_dropped
        assign command_o[i] = 1'b0;
      end
    end
  end

  esp_fifo #(
      .Width(32 + FieldBits),
      .Depth(esp_abi_pkg::CommandQueue)
  ) u_queue (
      .clk_i,
      .rst_ni,
      .push_i,
      .data_i({position_i, fields}),
      .full_o,
      .pop_i,
      .data_o({head_position_o, head_fields}),
      .empty_o(empty),
      .count_o()
  );

  assign valid_o = !empty;
  assign ready_o = !empty &&
                   done_load_i >= 32'(command_o[esp_abi_pkg::CmdWaitLoadLsb+:24]) &&
                   done_weight_i >= 32'(command_o[esp_abi_pkg::CmdWaitWeightLsb+:24]) &&
                   done_compute_i >= 32'(command_o[esp_abi_pkg::CmdWaitComputeLsb+:24]) &&
                   done_store_i >= 32'(command_o[esp_abi_pkg::CmdWaitStoreLsb+:24]);

  // Commands popped and not completed. A unit has at most a dozen of them: a store until its last response.
  logic [31:0] started_position, completed_q;
  logic        started_empty, completes;

  assign completes       = !started_empty && completed_q != done_i;
  assign open_o          = !started_empty || !empty;
  assign open_position_o = started_empty ? head_position_o : started_position;

  esp_fifo #(
      .Width(32),
      .Depth(2 * esp_abi_pkg::CommandQueue)
  ) u_started (
      .clk_i,
      .rst_ni,
      .push_i(pop_i),
      .data_i(head_position_o),
      .full_o(),
      .pop_i(completes),
      .data_o(started_position),
      .empty_o(started_empty),
      .count_o()
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) completed_q <= '0;
    else if (completes) completed_q <= completed_q + 32'd1;
    if (!rst_ni) position_o <= '0;
    else if (pop_i) position_o <= head_position_o;
  end
endmodule
