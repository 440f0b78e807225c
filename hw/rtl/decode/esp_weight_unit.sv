// Weight unit: decodes the weight stream into lines of the weight store, and fills the tables of the writers.
//
// Each cycle takes one piece from the oldest staged beat: a slot (FormatSparse; 16 entries if K > 16), the weights or
// up to 16 entries of a line (FormatBlock; all K if they are short), a whole line (FormatDense, FormatPacked) or a table
// entry. Slots of the coded formats come from esp_code_decoder, which takes the beats itself. A piece for the store waits
// for a free line, of which it is written as a part (see esp_line_store).
`include "esp_assert.svh"

module esp_weight_unit #(
    parameter int unsigned Lanes  = 16,
    parameter int unsigned Pixels = 16,
    parameter int unsigned LineBits = 53,  // of a lane
    parameter int unsigned Coded    = 1,   // 0: there are no formats that decode
    localparam int unsigned LineParts = esp_abi_pkg::line_parts(Lanes),
    localparam int unsigned VectorBits = esp_abi_pkg::vector_bits(Lanes, Pixels),
    localparam int unsigned TableGroup = esp_abi_pkg::table_group(Lanes, Pixels),
    localparam int unsigned TableBits  = Pixels * 8 > TableGroup * 64 ? Pixels * 8 : TableGroup * 64
) (
    input  logic                clk_i,
    input  logic                run_ni,
    input  logic                halt_i,
    // Head of the weight queue; its waits are met
    input  logic                command_valid_i,
    input  logic [511:0]        command_i,
    output logic                command_pop_o,
    output logic [31:0]         done_o,
    // Read DMA
    output logic                request_o,
    input  logic                request_ready_i,
    input  logic                beat_valid_i,
    input  logic [511:0]        beat_i,
    output logic                beat_pop_o,
    // Weight store: parts of the next line that are written, and whether it ends with them
    output logic [LineParts-1:0] line_part_o,
    output logic                line_end_o,
    output logic [Lanes*LineBits-1:0] line_o,
    input  logic                line_space_i,
    // Queue of WeightsVector
    output logic                vector_write_o,
    output logic [Lanes*VectorBits-1:0] vector_o,
    input  logic                vector_space_i,
    // Tables. Rows and scales are written in groups, one entry for each remainder of the address modulo TableGroup, if
    // the first entry of the command begins a group; otherwise one by one.
    output logic                row_write_o,
    output logic                scale_write_o,
    output logic                program_write_o,
    output logic                permute_write_o,
    output logic [15:0]         table_addr_o,
    output logic [TableGroup-1:0] table_enable_o,  // entries of the group: rows and scales
    output logic [TableBits-1:0] table_data_o      // the first, or those of the group
);
  localparam int unsigned LineWeights    = 64 / Lanes;
  localparam int unsigned LineSlots      = LineWeights > 2 ? 2 : 1;  // FormatSparse
  localparam int unsigned EntryPieces    = Lanes > 16 ? Lanes / 16 : 1;
  localparam int unsigned PieceLanes     = Lanes > 16 ? 16 : Lanes;
  localparam int unsigned SlotsPerBeat   = 16 / PieceLanes;
  localparam int unsigned PermutePerBeat = 64 / Pixels;
  localparam int unsigned StoredBits     = esp_abi_pkg::EntryLastLsb + 1;  // of an entry of FormatSparse
  localparam int unsigned BlockBits      = 21;                             // {segment, last, valid, offset}

  localparam int unsigned FieldsEnd = Coded != 0 ? esp_abi_pkg::CmdColumnsLsb + esp_abi_pkg::CmdColumnsBits :
                                                   esp_abi_pkg::CmdGapBitsLsb + esp_abi_pkg::CmdGapBitsBits;
  localparam int unsigned JobBits   = 24 + 32 + FieldsEnd - esp_abi_pkg::CmdItemsLsb;

  logic               jobs_full, jobs_empty;
  logic [JobBits-1:0] job_fields;
  logic [511:0]       job;  // the fields that are used here

  assign request_o     = command_valid_i && !jobs_full && !halt_i;
  assign command_pop_o = request_o && request_ready_i;

  always_comb begin
    job = '0;
    job[esp_abi_pkg::CmdFormatLsb+:24] = job_fields[23:0];  // format, address
    job[esp_abi_pkg::CmdRunLsb+:32] = job_fields[55:24];
    job[FieldsEnd-1:esp_abi_pkg::CmdItemsLsb] = job_fields[JobBits-1:56];
  end

  esp_fifo #(
      .Width(JobBits),
      .Depth(4)
  ) u_jobs (
      .clk_i,
      .rst_ni(run_ni),
      .push_i(command_pop_o),
      .data_i({command_i[FieldsEnd-1:esp_abi_pkg::CmdItemsLsb], command_i[esp_abi_pkg::CmdRunLsb+:32],
               command_i[esp_abi_pkg::CmdFormatLsb+:24]}),
      .full_o(jobs_full),
      .pop_i(!active_q && !jobs_empty),
      .data_o(job_fields),
      .empty_o(jobs_empty),
      .count_o()
  );

  logic        active_q;
  logic [3:0]  format_q;
  logic        two_bits_q, four_bits_q;  // of a symbol of FormatPacked; otherwise 1
  logic        short_q;                  // entries of FormatBlock
  logic [esp_abi_pkg::ShortBits-1:0] short_entry;
  logic [15:0] table_addr_q;
  // Complements of what is left, which count up to all ones: a sum costs no inverters.
  logic [31:0] beats_gone_q, items_gone_q, done_q;
  logic [31:0] items_left;
  logic [3:0]  sub_q, sub_last;      // piece within the beat
  logic [1:0]  phase_q, phase_last;  // piece within the line
  logic        is_line, is_coded, is_vector, emit, take, beat_ends, item_ends, line_ends, start, more;
  logic        grouped_q, slot_space, last_items;
  logic [3:0]  items;                // of the piece

  assign done_o     = done_q;
  assign is_line    = format_q <= 4'(esp_abi_pkg::FormatHuffman);
  assign is_vector  = Coded != 0 && format_q == 4'(esp_abi_pkg::FormatVector);
  assign is_coded   = Coded != 0 && (format_q == 4'(esp_abi_pkg::FormatFixed) ||
                                     format_q == 4'(esp_abi_pkg::FormatHuffman) || is_vector);
  assign slot_space = is_vector ? vector_space_i : line_space_i;
  assign items      = grouped_q ? 4'(TableGroup) : 4'd1;
  assign last_items = items_left[31:4] == '0 && items_left[3:0] <= items;
  assign start    = run_ni && !active_q && !jobs_empty;
  assign more     = beats_gone_q != '1;
  assign items_left = ~items_gone_q;

  always_comb begin
    sub_last   = '0;
    phase_last = '0;
    case (format_q)
      4'(esp_abi_pkg::FormatSparse): begin
        sub_last   = 4'(SlotsPerBeat - 1);
        phase_last = 2'(LineSlots * EntryPieces - 1);
      end
      4'(esp_abi_pkg::FormatFixed), 4'(esp_abi_pkg::FormatHuffman):
                                      phase_last = 2'(LineSlots - 1);
      4'(esp_abi_pkg::FormatDense):   ;
      4'(esp_abi_pkg::FormatPacked):  sub_last = four_bits_q ? 4'd1 : two_bits_q ? 4'd3 : 4'd7;
      4'(esp_abi_pkg::FormatBlock):   phase_last = short_q ? 2'd1 : 2'(EntryPieces);
      4'(esp_abi_pkg::FormatCode):    sub_last = 4'd15;
      4'(esp_abi_pkg::FormatRow):     sub_last = grouped_q ? 4'(16 / TableGroup - 1) : 4'd15;
      4'(esp_abi_pkg::FormatScale):   sub_last = grouped_q ? 4'(8 / TableGroup - 1) : 4'd7;
      4'(esp_abi_pkg::FormatProgram): sub_last = 4'd7;
      default:                        sub_last = 4'(PermutePerBeat - 1);
    endcase
  end

  // An item of several pieces ends with the last of them.
  always_comb begin
    item_ends = 1'b1;
    if (format_q == 4'(esp_abi_pkg::FormatSparse)) item_ends = EntryPieces == 1 || phase_q == 2'(EntryPieces - 1);
    if (format_q == 4'(esp_abi_pkg::FormatBlock)) item_ends = phase_q == phase_last;
  end

  // Beats behind the last item are dropped.
  assign emit       = is_coded ? slot_valid && slot_space
                               : active_q && beat_valid_i && items_left != 32'd0 && (!is_line || line_space_i);
  assign take       = active_q && !is_coded && beat_valid_i && (items_left == 32'd0 || emit);
  assign line_ends  = phase_q == phase_last || (items_left == 32'd1 && item_ends);
  assign beat_ends  = items_left == 32'd0 || (last_items && item_ends) || sub_q == sub_last;
  assign beat_pop_o = is_coded ? stream_pop || (over && more && beat_valid_i) : take && beat_ends;

  // ---- Coded formats ----
  logic over, stream_ended, stream_pop, slot_valid;
  logic [Lanes*StoredBits-1:0] entries;
  logic [511:0] packed_weights;

  assign over = active_q && is_coded && (items_left == 32'd0 || stream_ended);

  if (Coded != 0) begin : gen_coded
    logic streams, code_write;

    assign streams    = active_q && is_coded && items_left != 32'd0;
    assign code_write = emit && format_q == 4'(esp_abi_pkg::FormatCode);

    esp_code_decoder #(
        .Lanes(Lanes),
        .Pixels(Pixels)
    ) u_code (
        .clk_i,
        .rst_ni(run_ni),
        .start_i(start),
        .command_i(job),
        .run_i(streams),
        .code_write_i(code_write),
        .code_addr_i(table_addr_q[8:0]),
        .code_data_i(table_data_o[31:0]),
        .more_i(more),
        .beat_valid_i,
        .beat_i,
        .beat_pop_o(stream_pop),
        .slot_valid_o(slot_valid),
        .slot_ready_i(slot_space),
        .slot_o(entries),
        .vector_o,
        .ended_o(stream_ended)
    );

    esp_packed_decoder u_packed (
        .clk_i,
        .code_write_i(code_write),
        .code_addr_i(table_addr_q[8:0]),
        .code_data_i(table_data_o[esp_abi_pkg::CodeWeightLsb+:8]),
        .run_i(emit && format_q == 4'(esp_abi_pkg::FormatPacked)),
        .beat_i,
        .line_i(sub_q[2:0]),
        .two_i(two_bits_q),
        .four_i(four_bits_q),
        .weights_o(packed_weights)
    );
  end else begin : gen_raw
    assign {stream_pop, slot_valid, stream_ended} = '0;
    assign entries        = '0;
    assign vector_o       = '0;
    assign packed_weights = '0;
  end

  assign line_end_o      = emit && is_line && line_ends;
  assign vector_write_o  = emit && is_vector;
  assign row_write_o     = emit && format_q == 4'(esp_abi_pkg::FormatRow);
  assign scale_write_o   = emit && format_q == 4'(esp_abi_pkg::FormatScale);
  assign program_write_o = emit && format_q == 4'(esp_abi_pkg::FormatProgram);
  assign permute_write_o = emit && format_q == 4'(esp_abi_pkg::FormatPermute);
  assign table_addr_o    = table_addr_q;

  // ---- A piece of the line: its parts, and the bits of all of them ----
  localparam int unsigned WeightBits = LineWeights * 8;
  localparam int unsigned SecondLsb  = WeightBits - 8;  // of the weight of the second of two slots

  logic                 is_slot;      // the piece is a slot of WeightsSparse, or 16 lanes of one; otherwise weights or addresses
  logic [LineParts-1:0] piece_lanes;  // parts of the lanes of the piece
  logic [3:0]           piece_parts;  // of a lane

  assign is_slot = is_coded || format_q == 4'(esp_abi_pkg::FormatSparse);

  always_comb begin
    piece_lanes = '1;
    if (LineParts > 4 && !is_coded) begin
      for (int unsigned i = 0; i < LineParts; i++) begin
        if (is_slot) piece_lanes[i] = 32'(phase_q) == i / 4;
        else if (phase_q != '0 && !short_q) piece_lanes[i] = 32'(phase_q) == 1 + i / 4;
      end
    end
    if (!is_slot) piece_parts = phase_q == '0 ? 4'b0011 : 4'b1100;
    else if (LineSlots == 1) piece_parts = 4'b0101;
    else piece_parts = phase_q == '0 ? 4'b1001 : 4'b0110;
    line_part_o = emit && is_line ? piece_lanes & {LineParts / 4{piece_parts}} : '0;
  end

  logic [StoredBits-1:0] entry;  // of the lane at hand
  logic [BlockBits-1:0]  address;

  always_comb begin
    line_o      = 'x;
    short_entry = '0;
    entry       = 'x;
    address     = 'x;
    if (emit && is_line) begin
      for (int k = 0; k < Lanes; k++) begin
        entry   = is_coded ? entries[k*StoredBits+:StoredBits] :
                             beat_i[(32'(sub_q)*PieceLanes+k%PieceLanes)*32+:StoredBits];
        address = beat_i[(k%PieceLanes)*32+esp_abi_pkg::EntryOffsetLsb+:BlockBits];
        if (short_q) begin
          short_entry = beat_i[k*esp_abi_pkg::ShortBits+:esp_abi_pkg::ShortBits];
          address     = {2'd0, short_entry[esp_abi_pkg::ShortSegmentLsb], short_entry[esp_abi_pkg::ShortLastLsb],
                         short_entry[esp_abi_pkg::ShortValidLsb],
                         16'(short_entry[esp_abi_pkg::ShortOffsetLsb+:esp_abi_pkg::ShortOffsetBits])};
        end
        if (is_slot) begin
          line_o[k*LineBits+:8] = entry[7:0];
          if (LineSlots > 1) line_o[k*LineBits+8+:16] = entry[23:8];
          if (LineSlots > 1) line_o[k*LineBits+SecondLsb+:8] = entry[7:0];
          line_o[k*LineBits+WeightBits+:BlockBits] = {1'b0, entry[25:24], entry[25:8]};
        end else begin
          line_o[k*LineBits+:WeightBits] = Coded != 0 && format_q == 4'(esp_abi_pkg::FormatPacked) ?
                                           packed_weights[k*WeightBits+:WeightBits] : beat_i[k*WeightBits+:WeightBits];
          line_o[k*LineBits+WeightBits+:BlockBits] = address;
        end
      end
    end
  end

  // ---- A piece of a table: an entry or a group of entries of 32, 64, .. bits, at a multiple of its size in the beat ----
  localparam int unsigned MostHalvings = 4;  // of a beat, to the 32 bits of a row

  logic [2:0]   halvings;               // of the beat, to the size of the piece
  logic [3:0]   place;                  // in units of 32 bits
  logic [511:0] half[MostHalvings+1];   // the half of the half .. of the beat that the piece is in, over and over again

  always_comb begin
    case (format_q)
      4'(esp_abi_pkg::FormatRow):     halvings = grouped_q ? 3'(MostHalvings - $clog2(TableGroup)) : 3'(MostHalvings);
      4'(esp_abi_pkg::FormatScale):   halvings = grouped_q ? 3'(MostHalvings - 1 - $clog2(TableGroup)) : 3'(MostHalvings - 1);
      4'(esp_abi_pkg::FormatProgram): halvings = 3'(MostHalvings - 1);
      4'(esp_abi_pkg::FormatPermute): halvings = 3'($clog2(PermutePerBeat));
      default:                        halvings = 3'(MostHalvings);
    endcase
    place = sub_q << (3'(MostHalvings) - halvings);
  end

  // An entry stands in all places of the group, of which one is written if it comes alone.
  always_comb begin
    for (int unsigned i = 0; i <= MostHalvings; i++) half[i] = 'x;
    table_data_o   = 'x;
    table_enable_o = '0;
    if (emit && !is_line && !is_vector) begin
      for (int unsigned i = 0; i < TableGroup; i++) begin
        table_enable_o[i] = grouped_q ? i < items_left : 32'(table_addr_q) % TableGroup == i;
      end
      half[0] = beat_i;
      half[1] = {2{place[3] ? half[0][511:256] : half[0][255:0]}};
      half[2] = {4{place[2] ? half[1][255:128] : half[1][127:0]}};
      half[3] = {8{place[1] ? half[2][127:64] : half[2][63:0]}};
      half[4] = {16{place[0] ? half[3][63:32] : half[3][31:0]}};
      case (halvings)
        3'd0:    table_data_o = TableBits'(half[0]);
        3'd1:    table_data_o = TableBits'(half[1]);
        3'd2:    table_data_o = TableBits'(half[2]);
        3'd3:    table_data_o = TableBits'(half[3]);
        default: table_data_o = TableBits'(half[4]);
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (!run_ni) begin
      active_q <= 1'b0;
      done_q   <= '0;
    end else if (start) begin
      active_q      <= 1'b1;
      format_q      <= job[esp_abi_pkg::CmdFormatLsb+:4];
      two_bits_q    <= job[esp_abi_pkg::CmdValueBitsLsb+1];
      four_bits_q   <= job[esp_abi_pkg::CmdValueBitsLsb+2];
      short_q       <= job[esp_abi_pkg::CmdGapBitsLsb+:8] == 8'(esp_abi_pkg::ShortBits);
      grouped_q     <= (job[esp_abi_pkg::CmdFormatLsb+:4] == 4'(esp_abi_pkg::FormatRow) ||
                        job[esp_abi_pkg::CmdFormatLsb+:4] == 4'(esp_abi_pkg::FormatScale)) &&
                       32'(job[esp_abi_pkg::CmdAddressLsb+:16]) % TableGroup == 0;
      table_addr_q  <= job[esp_abi_pkg::CmdAddressLsb+:16];
      beats_gone_q  <= ~job[esp_abi_pkg::CmdRunLsb+:32];
      items_gone_q  <= ~job[esp_abi_pkg::CmdItemsLsb+:32];
      sub_q         <= '0;
      phase_q       <= '0;
    end else if (active_q) begin
      if (emit) begin
        if (item_ends) items_gone_q <= last_items ? '1 : items_gone_q + 32'(items);
        table_addr_q <= table_addr_q + 16'(items);
        phase_q      <= line_ends ? '0 : phase_q + 2'd1;
      end
      if (take) sub_q <= beat_ends ? '0 : sub_q + 4'd1;
      if (beat_pop_o) beats_gone_q <= beats_gone_q + 32'd1;
      // A coded stream goes on when its beats are taken.
      if (is_coded ? over && !more : beat_pop_o && beats_gone_q == ~32'd1) begin
        active_q <= 1'b0;
        done_q   <= done_q + 32'd1;
      end
    end
  end
endmodule
