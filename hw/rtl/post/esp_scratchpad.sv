// The scratchpad: 16 banks of two ports. Port A serves the first group of lanes; port B serves the second group and, in
// cycles in which that leaves it idle, results, stores and loads (esp_bank_port).
//
// Every further pair of lane groups has a copy of all banks. A write goes to all copies at once, so it waits until port B
// of the bank is idle in every copy; stores read the first copy.
module esp_scratchpad #(
    parameter int unsigned Groups   = 2,     // of lanes
    parameter int unsigned Pixels   = 16,
    parameter int unsigned BankRows = 4096,
    parameter int unsigned Writers  = 2
) (
    input  logic                          clk_i,
    input  logic                          rst_ni,
    // Lane groups; data in the next cycle
    input  logic [Groups*16-1:0]          lane_read_i,
    input  logic [Groups*16*RowBits-1:0]  lane_row_i,
    output logic [Groups*16*WordBits-1:0] lane_data_o,
    // Results of the writers
    input  logic [Writers-1:0]            push_valid_i,
    output logic [Writers-1:0]            push_ready_o,
    input  logic [Writers*16-1:0]         push_addr_i,
    input  logic [Writers*Pixels-1:0]     push_enable_i,
    input  logic [Writers*WordBits-1:0]   push_data_i,
    output logic                          queues_empty_o,
    // Store and load units, by bank
    input  logic [15:0]                   store_i,
    input  logic [16*RowBits-1:0]         store_row_i,
    output logic [15:0]                   store_grant_o,
    output logic [16*WordBits-1:0]        store_data_o,
    input  logic [15:0]                   load_i,
    input  logic [16*RowBits-1:0]         load_row_i,
    input  logic [16*WordBits-1:0]        load_data_i,
    output logic [15:0]                   load_grant_o
);
  localparam int unsigned RowBits  = $clog2(BankRows);
  localparam int unsigned WordBits = Pixels * 8;
  localparam int unsigned Copies   = (Groups + 1) / 2;

  logic [15:0]                full;   // queues of the banks
  logic [16*Writers-1:0]      push;   // by bank and writer
  logic [Writers*4-1:0]       bank;   // of each writer's word
  logic [15:0]                queue_empty;
  logic [Writers*RowBits-1:0] push_row;

  // A bank takes one word a cycle, that of the first writer that offers one. In most cycles no writer does.
  always_comb begin
    for (int unsigned w = 0; w < Writers; w++) begin
      bank[w*4+:4]                 = push_addr_i[w*16+:4];
      push_row[w*RowBits+:RowBits] = push_addr_i[w*16+4+:RowBits];
    end
    push         = '0;
    push_ready_o = '0;
    if (push_valid_i != '0) begin
      for (int unsigned w = 0; w < Writers; w++) begin
        push_ready_o[w] = !full[bank[w*4+:4]];
        for (int unsigned i = 0; i < w; i++) begin
          if (push_valid_i[i] && bank[i*4+:4] == bank[w*4+:4]) push_ready_o[w] = 1'b0;
        end
        for (int unsigned b = 0; b < 16; b++) push[b*Writers+w] = push_valid_i[w] && bank[w*4+:4] == 4'(b);
      end
    end
  end
  assign queues_empty_o = &queue_empty;

  for (genvar b = 0; b < 16; b++) begin : gen_bank
    logic [Copies-1:0]   second;  // port B is taken by lanes
    logic                b_read, b_write;
    logic [RowBits-1:0]  first_row, b_row;
    logic [Pixels-1:0]   b_enable;
    logic [WordBits-1:0] b_data;

    if (Groups > 1) begin : gen_first_row
      assign first_row = lane_row_i[(16+b)*RowBits+:RowBits];
    end else begin : gen_no_row
      assign first_row = '0;
    end

    esp_bank_port #(
        .Bytes(Pixels),
        .RowBits(RowBits),
        .Writers(Writers)
    ) u_port (
        .clk_i,
        .rst_ni,
        .lane_read_i(second != '0),
        .lane_row_i(first_row),
        .push_i(push[b*Writers+:Writers]),
        .push_row_i(push_row),
        .push_enable_i,
        .push_data_i,
        .full_o(full[b]),
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

    for (genvar c = 0; c < Copies; c++) begin : gen_copy
      logic [WordBits-1:0] data;
      logic [RowBits-1:0]  row;
      logic                read;

      if (2 * c + 1 < Groups) begin : gen_second
        assign second[c] = lane_read_i[(2*c+1)*16+b];
        assign lane_data_o[((2*c+1)*16+b)*WordBits+:WordBits] = data;
      end else begin : gen_no_second
        assign second[c] = 1'b0;
      end
      // The port of the first copy has chosen its row already; of the others, only the lanes read.
      if (c == 0) begin : gen_port_row
        assign read = b_read;
        assign row  = b_row;
        assign store_data_o[b*WordBits+:WordBits] = data;
      end else begin : gen_copy_row
        assign read = second[c];
        assign row  = second[c] ? lane_row_i[((2*c+1)*16+b)*RowBits+:RowBits] : b_row;
      end

      esp_scratch_bank #(
          .Bytes(Pixels),
          .Rows(BankRows)
      ) u_bank (
          .clk_i,
          .a_read_i(lane_read_i[2*c*16+b]),
          .a_row_i(lane_row_i[(2*c*16+b)*RowBits+:RowBits]),
          .a_data_o(lane_data_o[(2*c*16+b)*WordBits+:WordBits]),
          .b_read_i(read),
          .b_write_i(b_write),
          .b_row_i(row),
          .b_enable_i(b_enable),
          .b_data_i(b_data),
          .b_data_o(data)
      );
    end
  end
endmodule
