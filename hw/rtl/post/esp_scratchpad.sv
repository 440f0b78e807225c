// The scratchpad: 16 banks, each with a port for the first lane group and one that the second lane group, the queue of
// results, the store unit and the load unit share. A word address names its bank in the low four bits, its row above.
`include "esp_assert.svh"

module esp_scratchpad #(
    parameter int unsigned Lanes    = 16,
    parameter int unsigned Pixels   = 16,
    parameter int unsigned BankRows = 4096
) (
    input  logic                          clk_i,
    input  logic                          run_ni,
    // Lanes: enable and row by group and bank; data in the next cycle
    input  logic [Groups*16-1:0]          lane_read_i,
    input  logic [Groups*16*$clog2(BankRows)-1:0] lane_row_i,
    output logic [Groups*16*Pixels*8-1:0] lane_data_o,
    // Results: one word of each writer; of two for the same bank writer 0 goes first
    input  logic [1:0]                    push_valid_i,
    output logic [1:0]                    push_ready_o,
    input  logic [2*16-1:0]               push_addr_i,
    input  logic [2*Pixels-1:0]           push_enable_i,
    input  logic [2*Pixels*8-1:0]         push_data_i,
    output logic                          queues_empty_o,
    // Store unit: data in the cycle after the grant
    input  logic [15:0]                   store_i,
    input  logic [16*$clog2(BankRows)-1:0] store_row_i,
    output logic [15:0]                   store_grant_o,
    output logic [16*Pixels*8-1:0]        store_data_o,
    // Load unit
    input  logic [15:0]                   load_i,
    input  logic [16*$clog2(BankRows)-1:0] load_row_i,
    input  logic [16*Pixels*8-1:0]        load_data_i,
    output logic [15:0]                   load_grant_o
);
  localparam int unsigned Groups   = (Lanes + esp_abi_pkg::LanesPerPort - 1) / esp_abi_pkg::LanesPerPort;
  localparam int unsigned RowBits  = $clog2(BankRows);
  localparam int unsigned WordBits = Pixels * 8;

  logic [15:0] ready0, ready1, queue_empty;
  assign push_ready_o[0] = ready0[push_addr_i[3:0]];
  assign push_ready_o[1] = ready1[push_addr_i[19:16]];
  assign queues_empty_o  = &queue_empty;

  for (genvar b = 0; b < 16; b++) begin : gen_bank
    logic                b_read, b_write;
    logic [RowBits-1:0]  b_row;
    logic [Pixels-1:0]   b_enable;
    logic [WordBits-1:0] b_data;

    esp_bank_port #(
        .Bytes(Pixels),
        .RowBits(RowBits)
    ) u_port (
        .clk_i,
        .rst_ni(run_ni),
        .lane_read_i(Groups > 1 && lane_read_i[(Groups-1)*16+b]),
        .lane_row_i(lane_row_i[((Groups-1)*16+b)*RowBits+:RowBits]),
        .push0_i(push_valid_i[0] && push_addr_i[3:0] == 4'(b)),
        .push1_i(push_valid_i[1] && push_addr_i[19:16] == 4'(b)),
        .push0_row_i(push_addr_i[4+:RowBits]),
        .push1_row_i(push_addr_i[20+:RowBits]),
        .push0_enable_i(push_enable_i[0+:Pixels]),
        .push1_enable_i(push_enable_i[Pixels+:Pixels]),
        .push0_data_i(push_data_i[0+:WordBits]),
        .push1_data_i(push_data_i[WordBits+:WordBits]),
        .ready0_o(ready0[b]),
        .ready1_o(ready1[b]),
        .queue_empty_o(queue_empty[b]),
        .store_i(store_i[b]),
        .store_row_i(store_row_i[b*RowBits+:RowBits]),
        .store_grant_o(store_grant_o[b]),
        .load_i(load_i[b]),
        .load_row_i(load_row_i[b*RowBits+:RowBits]),
        .load_data_i(load_data_i[b*WordBits+:WordBits]),
        .load_grant_o(load_grant_o[b]),
        .read_o(b_read),
        .write_o(b_write),
        .row_o(b_row),
        .enable_o(b_enable),
        .data_o(b_data)
    );

    esp_scratch_bank #(
        .Bytes(Pixels),
        .Rows(BankRows)
    ) u_bank (
        .clk_i,
        .a_read_i(lane_read_i[b]),
        .a_row_i(lane_row_i[b*RowBits+:RowBits]),
        .a_data_o(lane_data_o[b*WordBits+:WordBits]),
        .b_read_i(b_read),
        .b_write_i(b_write),
        .b_row_i(b_row),
        .b_enable_i(b_enable),
        .b_data_i(b_data),
        .b_data_o(store_data_o[b*WordBits+:WordBits])
    );
    if (Groups > 1) begin : gen_second_group
      assign lane_data_o[(16+b)*WordBits+:WordBits] = store_data_o[b*WordBits+:WordBits];
    end
  end
endmodule
