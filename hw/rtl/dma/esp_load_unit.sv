// Load unit: memory to scratchpad. Beats from the read DMA are split into words, which wait for their banks.
`include "esp_assert.svh"

module esp_load_unit #(
    parameter int unsigned Pixels  = 16,
    parameter int unsigned RowBits = 12
) (
    input  logic                      clk_i,
    input  logic                      run_ni,
    input  logic                      halt_i,
    // Head of the load queue; its waits are met
    input  logic                      command_valid_i,
    input  logic [511:0]              command_i,
    output logic                      command_pop_o,
    output logic [31:0]               done_o,
    // Read DMA
    output logic                      request_o,
    input  logic                      request_ready_i,
    input  logic                      beat_valid_i,
    input  logic [511:0]              beat_i,
    output logic                      beat_pop_o,
    // Banks: word for each bank
    output logic [15:0]               load_o,
    output logic [16*RowBits-1:0]     row_o,
    output logic [16*Pixels*8-1:0]    data_o,
    input  logic [15:0]               grant_i
);
  localparam int unsigned Words = esp_abi_pkg::BeatBytes / Pixels;
  localparam int unsigned WordBits = $clog2(Words);
  localparam int unsigned JobBits = 80;  // address, word pitch, planes, run

  logic               jobs_full, jobs_empty, take_beat, job_ends;
  logic [JobBits-1:0] job;
  logic [Words-1:0]   pending_q, granted;
  logic [511:0]       beat_q;
  logic [15:0]        address_q;        // of the beat being written
  logic               job_active_q;
  logic [15:0]        next_q, plane_q, pitch_q, planes_left_q;
  logic [31:0]        run_q, run_left_q, done_q;
  logic               last_q;           // the beat being written ends its command

  assign request_o     = command_valid_i && !jobs_full && !halt_i;
  assign command_pop_o = request_o && request_ready_i;
  assign done_o        = done_q;

  esp_fifo #(
      .Width(JobBits),
      .Depth(4)
  ) u_jobs (
      .clk_i,
      .rst_ni(run_ni),
      .push_i(command_pop_o),
      .data_i({command_i[esp_abi_pkg::CmdAddressLsb+:16], command_i[esp_abi_pkg::CmdWordPitchLsb+:16],
               command_i[esp_abi_pkg::CmdPlanesLsb+:16], command_i[esp_abi_pkg::CmdRunLsb+:32]}),
      .full_o(jobs_full),
      .pop_i(!job_active_q && !jobs_empty),
      .data_o(job),
      .empty_o(jobs_empty),
      .count_o()
  );

  // Word i of the beat goes to bank (address + i) mod 16, so bank b takes word (b - address) mod 16 if there is one.
  logic [15:0] word;
  always_comb begin
    load_o = '0;
    row_o  = '0;
    data_o = '0;
    word   = '0;
    if (pending_q != '0) begin
      for (int b = 0; b < 16; b++) begin
        word = 16'(4'(4'(b) - address_q[3:0]));
        if (32'(word) < Words && pending_q[word[WordBits-1:0]]) begin
          load_o[b] = 1'b1;
          row_o[b*RowBits+:RowBits] = RowBits'((address_q + word) >> 4);
          data_o[b*Pixels*8+:Pixels*8] = beat_q[32'(word[WordBits-1:0])*Pixels*8+:Pixels*8];
        end
      end
    end
  end
  for (genvar i = 0; i < Words; i++) begin : gen_granted
    assign granted[i] = pending_q[i] && grant_i[4'(address_q[3:0]+4'(i))];
  end

  assign take_beat  = job_active_q && beat_valid_i && (pending_q & ~granted) == '0;
  assign beat_pop_o = take_beat;
  assign job_ends   = take_beat && run_left_q == 32'd1 && planes_left_q == 16'd1;

  always_ff @(posedge clk_i) begin
    if (!run_ni) begin
      pending_q    <= '0;
      job_active_q <= 1'b0;
      done_q       <= '0;
      last_q       <= 1'b0;
    end else begin
      pending_q <= take_beat ? '1 : pending_q & ~granted;
      if (take_beat) last_q <= job_ends;
      if (last_q && pending_q != '0 && (pending_q & ~granted) == '0) done_q <= done_q + 32'd1;

      if (!job_active_q && !jobs_empty) begin
        job_active_q  <= 1'b1;
        next_q        <= job[79:64];
        plane_q       <= job[79:64];
        pitch_q       <= job[63:48];
        planes_left_q <= job[47:32];
        run_q         <= job[31:0];
        run_left_q    <= job[31:0];
      end else if (take_beat) begin
        if (run_left_q == 32'd1) begin
          plane_q       <= plane_q + pitch_q;
          next_q        <= plane_q + pitch_q;
          run_left_q    <= run_q;
          planes_left_q <= planes_left_q - 16'd1;
          if (planes_left_q == 16'd1) job_active_q <= 1'b0;
        end else begin
          next_q     <= next_q + 16'(Words);
          run_left_q <= run_left_q - 32'd1;
        end
      end
    end
    if (take_beat) begin
      beat_q    <= beat_i;
      address_q <= next_q;
    end
  end
endmodule
