// AXI4-Lite slave: kernel control block, arguments, results, counters and cycle marks.
`include "esp_assert.svh"

module esp_registers #(
    parameter int unsigned Lanes     = 16,
    parameter int unsigned Pixels    = 16,
    parameter int unsigned BankRows  = 4096,
    parameter int unsigned LineDepth = 4096,
    parameter int unsigned Writers   = 2,
    parameter int unsigned Coded     = 1,
    parameter int unsigned ProgramDepth = esp_abi_pkg::ProgramDepth,
    parameter int unsigned StagingBeats = esp_abi_pkg::StagingBeats
) (
    input  logic          clk_i,
    input  logic          rst_ni,
    // AXI4-Lite
    input  logic          aw_valid_i,
    output logic          aw_ready_o,
    input  logic [12:0]   aw_addr_i,
    input  logic          w_valid_i,
    output logic          w_ready_o,
    input  logic [31:0]   w_data_i,
    input  logic [3:0]    w_strb_i,
    output logic          b_valid_o,
    input  logic          b_ready_i,
    input  logic          ar_valid_i,
    output logic          ar_ready_o,
    input  logic [12:0]   ar_addr_i,
    output logic          r_valid_o,
    input  logic          r_ready_i,
    output logic [31:0]   r_data_o,
    output logic          interrupt_o,
    // Run control
    output logic          start_o,       // one cycle, with the write
    input  logic          idle_i,
    input  logic          done_i,        // one cycle, the last of a run
    output logic [18*32-1:0] arguments_o, // words RegProgramAddress .. RegCommandCount
    output logic [31:0]   timeout_o,
    input  logic [3*32-1:0]  result_i,   // RegError, RegErrorPosition, RegErrorDetail
    input  logic [10*32-1:0] counters_i, // RegCycles and following
    // Cycle marks
    input  logic          mark_write_i,
    input  logic [9:0]    mark_index_i,
    input  logic [31:0]   mark_cycle_i
);
  localparam int unsigned ArgumentWords = 19;  // the last is the time-out
  localparam int unsigned FirstArgument = esp_abi_pkg::RegProgramAddress / 4;

  logic [ArgumentWords*32-1:0] arguments_q;
  logic        done_q, interrupt_global_q;
  logic [1:0]  interrupt_enable_q, interrupt_status_q;
  logic        b_valid_q, r_valid_q, r_mark_q;
  logic [31:0] r_data_q, mark_data;
  logic        write, read;
  logic [31:0] read_value;
  logic [10:0] write_word, read_word;
  logic [31:0] unused_address_bits;
  assign unused_address_bits = {28'd0, aw_addr_i[1:0], ar_addr_i[1:0]};

  assign write      = aw_valid_i && w_valid_i && !b_valid_q;
  assign aw_ready_o = write;
  assign w_ready_o  = write;
  assign b_valid_o  = b_valid_q;
  assign read       = ar_valid_i && !r_valid_q;
  assign ar_ready_o = read;
  assign r_valid_o  = r_valid_q;
  assign r_data_o   = r_mark_q ? mark_data : r_data_q;
  assign write_word = aw_addr_i[12:2];
  assign read_word  = ar_addr_i[12:2];
  assign start_o    = write && write_word == 11'(esp_abi_pkg::RegControl / 4) && w_data_i[0] && w_strb_i[0] && idle_i;
  assign timeout_o  = arguments_q[18*32+:32];
  assign arguments_o = arguments_q[18*32-1:0];
  assign interrupt_o = interrupt_global_q && (interrupt_status_q & interrupt_enable_q) != '0;

  // Arguments are read from a copy in distributed memory, which costs less than a choice of registers. It is cleared word
  // by word, with the first write behind the reset.
  logic        write_argument, read_argument;
  logic [31:0] known_q, read_copy;  // words that were written; addressed by the low bits of the word

  assign write_argument = write && idle_i && write_word >= 11'(FirstArgument) &&
                          write_word < 11'(FirstArgument + ArgumentWords);
  assign read_argument  = read_word >= 11'(FirstArgument) && read_word < 11'(FirstArgument + ArgumentWords);

  for (genvar b = 0; b < 4; b++) begin : gen_copy
    (* ram_style = "distributed" *)
    logic [7:0] copy[32];

    always_ff @(posedge clk_i) begin
      if (write_argument && (w_strb_i[b] || !known_q[write_word[4:0]])) begin
        copy[write_word[4:0]] <= w_strb_i[b] ? w_data_i[b*8+:8] : '0;
      end
    end
    assign read_copy[b*8+:8] = copy[read_word[4:0]];
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) known_q <= '0;
    else if (write_argument) known_q[write_word[4:0]] <= 1'b1;
  end

  always_comb begin
    read_value = '0;
    if (read) begin
      case (read_word)
        11'(esp_abi_pkg::RegControl / 4):         read_value = {28'd0, done_q, idle_i, done_q, !idle_i};
        11'(esp_abi_pkg::RegGlobalInterrupt / 4): read_value = {31'd0, interrupt_global_q};
        11'(esp_abi_pkg::RegInterruptEnable / 4): read_value = {30'd0, interrupt_enable_q};
        11'(esp_abi_pkg::RegInterruptStatus / 4): read_value = {30'd0, interrupt_status_q};
        11'(esp_abi_pkg::RegVersion / 4):         read_value = esp_abi_pkg::AbiVersion;
        11'(esp_abi_pkg::RegLanes / 4):           read_value = Lanes;
        11'(esp_abi_pkg::RegPixels / 4):          read_value = Pixels;
        11'(esp_abi_pkg::RegBankRows / 4):        read_value = BankRows;
        11'(esp_abi_pkg::RegLineDepth / 4):       read_value = LineDepth;
        11'(esp_abi_pkg::RegWriters / 4):         read_value = Writers;
        11'(esp_abi_pkg::RegCoded / 4):           read_value = Coded;
        11'(esp_abi_pkg::RegProgramDepth / 4):    read_value = ProgramDepth;
        11'(esp_abi_pkg::RegStagingBeats / 4):    read_value = StagingBeats;
        11'(esp_abi_pkg::RegMaxSplit / 4):        read_value = 64 / Lanes < Pixels ? 64 / Lanes : Pixels;
        default: begin
          if (read_argument) begin
            read_value = known_q[read_word[4:0]] ? read_copy : '0;
          end
          for (int i = 0; i < 3; i++) begin
            if (read_word == 11'(esp_abi_pkg::RegError / 4 + i)) read_value = result_i[i*32+:32];
          end
          for (int i = 0; i < 10; i++) begin
            if (read_word == 11'(esp_abi_pkg::RegCycles / 4 + i)) read_value = counters_i[i*32+:32];
          end
        end
      endcase
    end
  end

  esp_ram #(
      .Width(32),
      .Depth(esp_abi_pkg::MarkDepth)
  ) u_marks (
      .clk_i,
      .write_i(mark_write_i),
      .write_addr_i(mark_index_i),
      .write_data_i(mark_cycle_i),
      .read_i(read),
      .read_addr_i(read_word[9:0]),
      .read_data_o(mark_data)
  );

  // Arguments are written last and blocking: a read in the same cycle gives the old value, and simulation needs no
  // delayed copies.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      b_valid_q          <= 1'b0;
      r_valid_q          <= 1'b0;
      done_q             <= 1'b0;
      interrupt_global_q <= 1'b0;
      interrupt_enable_q <= '0;
      interrupt_status_q <= '0;
    end else begin
      if (b_ready_i) b_valid_q <= 1'b0;
      if (r_ready_i) r_valid_q <= 1'b0;
      if (write) begin
        b_valid_q <= 1'b1;
        if (w_strb_i[0] && write_word == 11'(esp_abi_pkg::RegGlobalInterrupt / 4)) interrupt_global_q <= w_data_i[0];
        if (w_strb_i[0] && write_word == 11'(esp_abi_pkg::RegInterruptEnable / 4)) interrupt_enable_q <= w_data_i[1:0];
        if (w_strb_i[0] && write_word == 11'(esp_abi_pkg::RegInterruptStatus / 4)) begin
          interrupt_status_q <= interrupt_status_q ^ w_data_i[1:0];
        end
      end
      if (read) begin
        r_valid_q <= 1'b1;
        r_data_q  <= read_value;
        r_mark_q  <= read_word[10];
        if (read_word == 11'(esp_abi_pkg::RegControl / 4)) done_q <= 1'b0;
      end
      if (start_o) done_q <= 1'b0;
      if (done_i) begin
        done_q             <= 1'b1;
        interrupt_status_q <= interrupt_status_q | interrupt_enable_q;
      end
    end
    if (!rst_ni) begin
      arguments_q = '0;
    end else if (write_argument) begin
      for (int i = 0; i < ArgumentWords; i++) begin
        if (write_word[4:0] == 5'(FirstArgument + i)) begin
          for (int b = 0; b < 4; b++) begin
            if (w_strb_i[b]) arguments_q[i*32+b*8+:8] = w_data_i[b*8+:8];
          end
        end
      end
    end
  end

  // Assertions
  `ESP_ASSERT(ReadStable, !$past(rst_ni) || !$past(r_valid_o && !r_ready_i) || r_valid_o)
  `ESP_ASSERT(ResponseStable, !$past(rst_ni) || !$past(b_valid_o && !b_ready_i) || b_valid_o)
endmodule
