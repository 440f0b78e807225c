// Load unit: memory to scratchpad. Beats from the read DMA are split into words, which wait for their banks; with
// FlagReplicate one word after the other goes to all banks.
module esp_load_unit #(
    parameter int unsigned Pixels  = 16,
    parameter int unsigned RowBits = 12,
    parameter int unsigned Coded   = 1    // 0: there is no FlagReplicate
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
  localparam int unsigned IndexBits = Words > 1 ? $clog2(Words) : 1;
  localparam int unsigned JobBits = Coded != 0 ? 81 : 80;  // FlagReplicate, address, word pitch, planes, run

  logic               jobs_full, jobs_empty, job_active, take_beat, job_ends, job_replicates;
  logic [JobBits-1:0] job;
  logic [Words-1:0]   pending_q, granted;
  logic [511:0]       beat_q;
  logic [15:0]        address, address_q;  // of the next beat; of the beat being written
  logic [31:0]        done_q;
  logic               last_q;              // the beat being written ends its command
  logic               job_replicate_q;     // of the job
  logic               replicate_q;         // the beat being written goes to all banks, word by word
  logic [IndexBits-1:0] index_q;           // the word that does
  logic [15:0]        banks_left_q;        // that wait for it
  logic [15:0]        want;
  logic [16*RowBits-1:0] want_row;
  logic [Words-1:0]   pending_left;        // behind this cycle
  logic               word_ends;

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
      .data_i(JobBits'({(command_i[esp_abi_pkg::CmdFlagsLsb+:8] & 8'(esp_abi_pkg::FlagReplicate)) != '0,
               command_i[esp_abi_pkg::CmdAddressLsb+:16], command_i[esp_abi_pkg::CmdWordPitchLsb+:16],
               command_i[esp_abi_pkg::CmdPlanesLsb+:16], command_i[esp_abi_pkg::CmdRunLsb+:32]})),
      .full_o(jobs_full),
      .pop_i(!job_active && !jobs_empty),
      .data_o(job),
      .empty_o(jobs_empty),
      .count_o()
  );

  assign job_replicates = Coded != 0 && job[JobBits-1];

  // With FlagReplicate the walk counts rows.
  esp_plane_walk #(
      .AddressBits(16),
      .Scale(Words)
  ) u_walk (
      .clk_i,
      .rst_ni(run_ni),
      .start_i(!job_active && !jobs_empty),
      .address_i(job_replicates ? 16'(job[79:68]) : job[79:64]),
      .run_i(job[31:0]),
      .pitch_i(job_replicates ? 16'(job[63:52]) : job[63:48]),
      .planes_i(job[47:32]),
      .active_o(job_active),
      .address_o(address),
      .gone_o(),
      .last_o(job_ends),
      .step_i(take_beat),
      .beats_i(5'd1)
  );

  esp_beat_banks #(
      .Pixels(Pixels),
      .RowBits(RowBits)
  ) u_banks (
      .address_i(address_q),
      .pending_i(pending_q),
      .want_o(want),
      .row_o(want_row),
      .grant_i,
      .granted_o(granted)
  );

  // Banks that are a multiple of the words of a beat apart see the same word: the beat is rotated once for all of them.
  logic [511:0] rotated;
  always_comb begin
    load_o  = want;
    row_o   = want_row;
    rotated = 'x;
    if (Coded != 0 && replicate_q) begin
      load_o = pending_q != '0 ? banks_left_q : '0;
      for (int b = 0; b < 16; b++) row_o[b*RowBits+:RowBits] = RowBits'(address_q + 16'(index_q));
      for (int unsigned i = 0; i < Words; i++) begin
        rotated[i*Pixels*8+:Pixels*8] = beat_q[32'(index_q)*Pixels*8+:Pixels*8];
      end
    end else if (pending_q != '0) begin
      for (int unsigned i = 0; i < Words; i++) begin
        rotated[i*Pixels*8+:Pixels*8] =
            beat_q[32'(IndexBits'(i-32'(address_q[IndexBits-1:0])))%Words*Pixels*8+:Pixels*8];
      end
    end
  end
  for (genvar b = 0; b < 16; b++) begin : gen_data
    assign data_o[b*Pixels*8+:Pixels*8] = rotated[b%Words*Pixels*8+:Pixels*8];
  end

  assign word_ends    = pending_q != '0 && (banks_left_q & ~grant_i) == '0;
  assign pending_left = Coded != 0 && replicate_q ? (word_ends ? pending_q << 1 : pending_q) : pending_q & ~granted;
  assign take_beat    = job_active && beat_valid_i && pending_left == '0;
  assign beat_pop_o = take_beat;

  always_ff @(posedge clk_i) begin
    if (!run_ni) begin
      pending_q <= '0;
      done_q    <= '0;
      last_q    <= 1'b0;
    end else begin
      pending_q <= take_beat ? '1 : pending_left;
      if (take_beat) last_q <= job_ends;
      if (last_q && pending_q != '0 && pending_left == '0) done_q <= done_q + 32'd1;
    end
    banks_left_q <= take_beat || word_ends ? '1 : banks_left_q & ~grant_i;
    if (word_ends) index_q <= index_q + 1'b1;
    if (!job_active && !jobs_empty) job_replicate_q <= job_replicates;
    if (take_beat) begin
      index_q     <= '0;
      replicate_q <= job_replicate_q;
      beat_q    <= beat_i;
      address_q <= address;
    end
  end
endmodule
