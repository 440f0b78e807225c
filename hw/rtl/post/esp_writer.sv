// One result writer: takes finished rows from its lanes in rotation, requantises P accumulators per cycle and emits the
// words of the write program, one per cycle.
//
// Stages: select | bias | multiply | round | expand (one word per program entry) | push. The front (select to round)
// holds while the expand stage has more entries for its result; everything holds while the bank queue is full.
`include "esp_assert.svh"

module esp_writer #(
    parameter int unsigned Lanes   = 16,  // of the array
    parameter int unsigned Writers = 2,
    parameter int unsigned Served  = Lanes / Writers,  // of this writer: lanes Writers * i + index_i
    parameter int unsigned Pixels  = 16,
    parameter int unsigned TagBits = 17,  // {context, write program entry}
    parameter int unsigned RowBits = 11,
    parameter int unsigned ProgramDepth = esp_abi_pkg::ProgramDepth,
    localparam int unsigned WriterBits = Writers > 1 ? $clog2(Writers) : 1,
    localparam int unsigned TableGroup = esp_abi_pkg::table_group(Lanes, Pixels),
    localparam int unsigned TableBits  = Pixels * 8 > TableGroup * 64 ? Pixels * 8 : TableGroup * 64
) (
    input  logic                                clk_i,
    input  logic                                rst_ni,
    input  logic [WriterBits-1:0]               index_i,  // of this writer, a constant: all are one module for synthesis
    // Tables, written by the weight unit
    input  logic                                row_write_i,
    input  logic                                scale_write_i,
    input  logic                                program_write_i,
    input  logic                                permute_write_i,
    input  logic [15:0]                         table_addr_i,
    input  logic [TableGroup-1:0]               table_enable_i,  // rows and scales of the group
    input  logic [TableBits-1:0]                table_data_i,
    // Commands in flight, by context: the fields of OpCompute
    input  logic [511:0]                        context0_i,
    input  logic [511:0]                        context1_i,
    // Finished rows of the lanes served
    input  logic [Served-1:0]                   result_valid_i,
    input  logic [Served*(TagBits+RowBits)-1:0] result_tag_i,
    output logic [Served-1:0]                   result_pop_o,
    output logic [ServedBits-1:0]               result_lane_o,  // the lane popped last
    input  logic [Pixels*32-1:0]                result_i,       // the row popped of it
    // Bank queues
    output logic                                push_valid_o,
    input  logic                                push_ready_i,
    output logic [15:0]                         push_addr_o,
    output logic [Pixels-1:0]                   push_enable_o,
    output logic [Pixels*8-1:0]                 push_data_o,
    // A result's last entry leaves
    output logic                                finished_o,
    output logic                                finished_context_o
);
  /* verilator inline_module */  // or simulation copies the ports of every instance

  localparam int unsigned LineWeights       = 64 / Lanes;
  localparam int unsigned MaxSplit          = LineWeights < Pixels ? LineWeights : Pixels;
  localparam int unsigned SplitBits         = $clog2(MaxSplit);
  localparam int unsigned Granule           = Pixels / MaxSplit;
  localparam int unsigned RowAddrBits       = $clog2(esp_abi_pkg::RowDepth);
  localparam int unsigned ScaleAddrBits     = $clog2(esp_abi_pkg::ScaleDepth);
  localparam int unsigned ProgramAddrBits   = $clog2(ProgramDepth);
  localparam int unsigned PermuteAddrBits   = $clog2(esp_abi_pkg::PermuteDepth);
  localparam int unsigned PixelBits         = $clog2(Pixels);
  localparam int unsigned ServedBits        = Served > 1 ? $clog2(Served) : 1;

  // ---- Flow control ----
  logic bias_valid_q, multiply_valid_q, round_valid_q, expand_valid_q, push_valid_q;
  logic push_free, front_moves, chain;

  logic [63:0] entry;
  logic [Pixels-1:0] enable;
  logic push_drop_q;

  assign result_lane_o = bias_lane_q;
  assign push_free   = !push_valid_q || push_drop_q || push_ready_i;
  assign chain       = expand_valid_q && entry[esp_abi_pkg::ProgramNextLsb+:16] != '0;
  assign front_moves = push_free && !chain;

  // ---- Select: the next lane with a finished row, in rotation ----
  logic [ServedBits-1:0] turn_q, chosen, bias_lane_q;
  logic                  any;

  always_comb begin
    any    = 1'b0;
    chosen = turn_q;
    for (int i = 0; i < Served; i++) begin
      if (!any && result_valid_i[ServedBits'(turn_q+ServedBits'(i))]) begin
        any    = 1'b1;
        chosen = ServedBits'(turn_q + ServedBits'(i));
      end
    end
    result_pop_o = '0;
    if (any && front_moves) result_pop_o[chosen] = 1'b1;
  end

  logic [TagBits+RowBits-1:0]   tag;
  logic                         tag_context;
  logic [15:0]                  chunk_row;   // of the chunk: j * K + k
  logic [RowAddrBits-1:0]       row_addr, tag_row;
  logic [ScaleAddrBits-1:0]     scale_addr, tag_scale;  // of segment 0
  logic [1:0]                   tag_split;
  logic [31:0]                  row;
  logic [MaxSplit*64-1:0]       scales;      // entries scale_addr div MaxSplit * MaxSplit ..

  always_comb begin
    tag = '0;
    for (int i = 0; i < Served; i++) begin
      if (chosen == ServedBits'(i)) tag = result_tag_i[i*(TagBits+RowBits)+:TagBits+RowBits];
    end
  end
  assign tag_context = tag[TagBits-1];
  assign tag_row     = tag_context ? context1_i[esp_abi_pkg::CmdRowLsb+:RowAddrBits] :
                                     context0_i[esp_abi_pkg::CmdRowLsb+:RowAddrBits];
  assign tag_scale   = tag_context ? context1_i[esp_abi_pkg::CmdScaleLsb+:ScaleAddrBits] :
                                     context0_i[esp_abi_pkg::CmdScaleLsb+:ScaleAddrBits];
  assign tag_split   = esp_abi_pkg::log2_split(tag_context ? context1_i[esp_abi_pkg::CmdSplitLsb+:8] :
                                                             context0_i[esp_abi_pkg::CmdSplitLsb+:8]);
  assign chunk_row   = 16'(32'(tag[TagBits+:RowBits]) * Lanes + Writers * 32'(chosen) + 32'(index_i));
  assign row_addr    = tag_row + RowAddrBits'(chunk_row);
  assign scale_addr  = tag_scale + ScaleAddrBits'(chunk_row << tag_split);

  // Entry i of the row and scale tables is in memory i mod MaxSplit, so that they are written in groups, and the scales of
  // a row are read at once.
  logic [MaxSplit*32-1:0] rows;
  logic [SplitBits-1:0]   row_place_q;
  always_ff @(posedge clk_i) begin
    if (front_moves) row_place_q <= row_addr[SplitBits-1:0];
  end
  assign row = rows[32'(row_place_q)*32+:32];

  for (genvar i = 0; i < MaxSplit; i++) begin : gen_tables
    esp_ram #(
        .Width(32),
        .Depth(esp_abi_pkg::RowDepth / MaxSplit)
    ) u_rows (
        .clk_i,
        .write_i(row_write_i && table_enable_i[i]),
        .write_addr_i(table_addr_i[RowAddrBits-1:SplitBits]),
        .write_data_i(table_data_i[i*32+:32]),
        .read_i(front_moves),
        .read_addr_i(row_addr[RowAddrBits-1:SplitBits]),
        .read_data_o(rows[i*32+:32])
    );
    esp_ram #(
        .Width(64),
        .Depth(esp_abi_pkg::ScaleDepth / MaxSplit)
    ) u_scales (
        .clk_i,
        .write_i(scale_write_i && table_enable_i[i]),
        .write_addr_i(table_addr_i[ScaleAddrBits-1:SplitBits]),
        .write_data_i(table_data_i[i*64+:64]),
        .read_i(front_moves),
        .read_addr_i(scale_addr[ScaleAddrBits-1:SplitBits]),
        .read_data_o(scales[i*64+:64])
    );
  end

  // ---- Bias, multiply, round ----
  logic                      bias_context_q, multiply_context_q, round_context_q, expand_context_q, push_context_q;
  logic [15:0]               bias_program_q, multiply_program_q, round_program_q;
  // Halves of the accumulator; OperationAdd: low is the first operand and high the second.
  logic [Pixels*16-1:0]      multiply_low_q, multiply_high_q;
  logic                      multiply_adds_q, round_adds_q;
  logic [23:0]               multiply_scale_b_q;
  // Scales by granule of P / MaxSplit pixels, the smallest segment.
  logic [SplitBits-1:0]      bias_first_q;  // of the row's scales among those read
  logic [MaxSplit*24-1:0]    multiply_scale_q;
  logic [MaxSplit*6-1:0]     multiply_shift_q, round_shift_q;
  logic [7:0]                multiply_permute_q, round_permute_q, expand_permute_q;  // of the row
  logic [15:0]               multiply_output_q, round_output_q, expand_output_q;
  logic [Pixels*64-1:0]      round_data;
  logic [Pixels*8-1:0]       expand_data;
  logic [7:0]                round_zero_q, round_low_q, round_high_q, round_fill_q, expand_fill_q, push_fill_q;
  logic [1:0]                bias_split;
  logic [MaxSplit*64-1:0]    granule_scale;
  logic                      adds;
  logic [2:0]                operation;
  logic [15:0]               context_output;
  logic [23:0]               context_scale_b;
  logic [7:0]                context_zero_a, context_zero_b, context_zero, context_low, context_high, context_fill;

  // Fields are cut from both contexts before one is chosen: the simulation would copy 512 bits for each.
  assign operation       = bias_context_q ? context1_i[esp_abi_pkg::CmdOperationLsb+:3] :
                                            context0_i[esp_abi_pkg::CmdOperationLsb+:3];
  assign context_output  = bias_context_q ? context1_i[esp_abi_pkg::CmdOutputLsb+:16] :
                                            context0_i[esp_abi_pkg::CmdOutputLsb+:16];
  assign context_scale_b = bias_context_q ? context1_i[esp_abi_pkg::CmdMultiplierBLsb+:24] :
                                            context0_i[esp_abi_pkg::CmdMultiplierBLsb+:24];
  assign context_zero_a  = bias_context_q ? context1_i[esp_abi_pkg::CmdZeroALsb+:8] :
                                            context0_i[esp_abi_pkg::CmdZeroALsb+:8];
  assign context_zero_b  = bias_context_q ? context1_i[esp_abi_pkg::CmdZeroBLsb+:8] :
                                            context0_i[esp_abi_pkg::CmdZeroBLsb+:8];
  assign context_zero    = multiply_context_q ? context1_i[esp_abi_pkg::CmdZeroLsb+:8] :
                                                context0_i[esp_abi_pkg::CmdZeroLsb+:8];
  assign context_low     = multiply_context_q ? context1_i[esp_abi_pkg::CmdLowLsb+:8] :
                                                context0_i[esp_abi_pkg::CmdLowLsb+:8];
  assign context_high    = multiply_context_q ? context1_i[esp_abi_pkg::CmdHighLsb+:8] :
                                                context0_i[esp_abi_pkg::CmdHighLsb+:8];
  assign context_fill    = multiply_context_q ? context1_i[esp_abi_pkg::CmdFillLsb+:8] :
                                                context0_i[esp_abi_pkg::CmdFillLsb+:8];

  assign bias_split      = esp_abi_pkg::log2_split(bias_context_q ? context1_i[esp_abi_pkg::CmdSplitLsb+:8] :
                                                                    context0_i[esp_abi_pkg::CmdSplitLsb+:8]);

  // Sums or maxima over segments, for the reducing operations: node n of the trees covers nodes 2n and 2n + 1, leaf P + p
  // is pixel p, and node s + g is segment g of s. Maxima are of pixels, so a byte holds them.
  logic [2*Pixels*32-1:0] sums;
  logic [2*Pixels*8-1:0]  maxima;
  logic                   reduces, reduces_maximum;

  assign adds            = operation == 3'(esp_abi_pkg::OperationAdd);
  assign reduces_maximum = operation == 3'(esp_abi_pkg::OperationMaxReduce);
  assign reduces         = operation == 3'(esp_abi_pkg::OperationMacReduce) || reduces_maximum;

  always_comb begin
    sums   = 'x;
    maxima = 'x;
    if (bias_valid_q && reduces) begin
      sums[Pixels*32+:Pixels*32] = result_i;
      for (int p = 0; p < Pixels; p++) maxima[(Pixels+p)*8+:8] = result_i[p*32+:8];
      for (int n = Pixels - 1; n > 0; n--) begin
        sums[n*32+:32] = sums[2*n*32+:32] + sums[(2*n+1)*32+:32];
        maxima[n*8+:8] = $signed(maxima[2*n*8+:8]) > $signed(maxima[(2*n+1)*8+:8]) ? maxima[2*n*8+:8] :
                                                                                   maxima[(2*n+1)*8+:8];
      end
    end
  end

  // Every granule its segment's node, and what is added to its accumulators: the bias, or the zero points of OperationAdd.
  logic [MaxSplit*32-1:0] reduced, addend;
  always_comb begin
    reduced = 'x;
    if (reduces) begin
      for (int unsigned s = 0; s <= SplitBits; s++) begin
        if (bias_split == 2'(s)) begin
          for (int unsigned q = 0; q < MaxSplit; q++) begin
            reduced[q*32+:32] = reduces_maximum ? 32'($signed(maxima[((1<<s)+q/(MaxSplit>>s))*8+:8])) :
                                                  sums[((1<<s)+q/(MaxSplit>>s))*32+:32];
          end
        end
      end
    end
  end

  // The two halves of the accumulator with its bias; or of acc = a - 256 * b, a and b int8, their operands less their zero
  // points. One adder serves both: only sums carry from the low half to the high one.
  function automatic logic [31:0] halves(input logic [31:0] accumulator, input logic [31:0] segment,
                                         input logic [31:0] addend_of, input logic is_reduced, input logic is_sum);
    logic [31:0] value;
    logic [16:0] low;
    logic [7:0]  second;
    logic [15:0] high;
    second = 8'(-(accumulator[15:8] + 8'(accumulator[7])));
    value  = is_reduced ? segment :
             is_sum ? accumulator : {16'($signed(second)), 16'($signed(accumulator[7:0]))};
    low    = {1'b0, addend_of[15:0]} + {1'b0, value[15:0]};
    high   = addend_of[31:16] + value[31:16] + 16'(low[16] && is_sum);
    halves = {high, low[15:0]};
  endfunction

  esp_scaling #(
      .Pixels(Pixels),
      .Granule(Granule)
  ) u_scaling (
      .clk_i,
      .step_i(front_moves && multiply_valid_q),
      .adds_i(multiply_adds_q),
      .low_i(multiply_low_q),
      .high_i(multiply_high_q),
      .scale_i(multiply_scale_q),
      .high_scale_i(multiply_scale_b_q),
      .value_o(round_data)
  );

  esp_requantise #(
      .Pixels(Pixels),
      .Granule(Granule)
  ) u_requantise (
      .clk_i,
      .step_i(front_moves && round_valid_q),
      .value_i(round_data),
      .whole_i(round_adds_q),
      .shift_i(round_shift_q),
      .zero_i(round_zero_q),
      .low_i(round_low_q),
      .high_i(round_high_q),
      .pixel_o(expand_data)
  );

  // The values of OperationAdd come times 2^17. Beyond 63 every one of them rounds to 0, as with a shift of 63.
  function automatic logic [5:0] longer(input logic [5:0] shift);
    logic [6:0] sum;
    sum    = 7'(shift) + 7'd17;
    longer = sum[6] ? 6'd63 : sum[5:0];
  endfunction

  always_ff @(posedge clk_i) begin
    if (front_moves) begin
      if (round_valid_q) begin
        expand_context_q <= round_context_q;
        expand_output_q  <= round_output_q;
        expand_permute_q <= round_permute_q;
        expand_fill_q    <= round_fill_q;
      end
      if (multiply_valid_q) begin
        round_context_q <= multiply_context_q;
        round_program_q <= multiply_program_q;
        round_output_q  <= multiply_output_q;
        round_permute_q <= multiply_permute_q;
        round_adds_q    <= multiply_adds_q;
        for (int q = 0; q < MaxSplit; q++) begin
          round_shift_q[q*6+:6] <= multiply_adds_q ? longer(multiply_shift_q[q*6+:6]) : multiply_shift_q[q*6+:6];
        end
        round_zero_q    <= context_zero;
        round_low_q     <= context_low;
        round_high_q    <= context_high;
        round_fill_q    <= context_fill;
      end
      if (bias_valid_q) begin
        // Blocking: no register, and the simulation computes them only here. The scales of a row are aligned.
        for (int unsigned q = 0; q < MaxSplit; q++) begin
          granule_scale[q*64+:64] =
              scales[32'(SplitBits'(bias_first_q | SplitBits'(q >> (SplitBits - 32'(bias_split)))))*64+:64];
          addend[q*32+:32] = adds ? {16'd0 - 16'($signed(context_zero_b)), 16'd0 - 16'($signed(context_zero_a))} :
                                granule_scale[q*64+esp_abi_pkg::ScaleBiasLsb+:32];
        end
        multiply_context_q <= bias_context_q;
        multiply_program_q <= bias_program_q + 16'(row[esp_abi_pkg::RowStepLsb+:8]);
        multiply_permute_q <= row[esp_abi_pkg::RowPermuteLsb+:8];
        multiply_output_q  <= row[esp_abi_pkg::RowOutputLsb+:16] + context_output;
        for (int q = 0; q < MaxSplit; q++) begin
          multiply_scale_q[q*24+:24] <= granule_scale[q*64+esp_abi_pkg::ScaleMultiplierLsb+:24];
          multiply_shift_q[q*6+:6]   <= granule_scale[q*64+esp_abi_pkg::ScaleShiftLsb+:6];
        end
        multiply_adds_q    <= adds;
        multiply_scale_b_q <= context_scale_b;
        for (int p = 0; p < Pixels; p++) begin
          {multiply_high_q[p*16+:16], multiply_low_q[p*16+:16]} <=
              halves(result_i[p*32+:32], reduced[p/Granule*32+:32], addend[p/Granule*32+:32], reduces, !adds);
        end
      end
      if (any) begin
        bias_lane_q    <= chosen;
        bias_program_q <= tag[15:0];
        bias_context_q <= tag_context;
        bias_first_q   <= scale_addr[SplitBits-1:0];
      end
    end
  end

  // ---- Expand: the entry of the write program is at the RAM's output while its result is in this stage ----
  esp_ram #(
      .Width(64),
      .Depth(ProgramDepth)
  ) u_program (
      .clk_i,
      .write_i(program_write_i),
      .write_addr_i(table_addr_i[ProgramAddrBits-1:0]),
      .write_data_i(table_data_i[63:0]),
      .read_i(push_free),
      .read_addr_i(chain ? entry[esp_abi_pkg::ProgramNextLsb+:ProgramAddrBits] : round_program_q[ProgramAddrBits-1:0]),
      .read_data_o(entry)
  );

  // ---- Push: permute and hand to the bank queue ----
  logic [15:0]         push_addr_q;
  logic                push_final_q;
  logic [Pixels*8-1:0] push_data_q, permutation;

  esp_ram #(
      .Width(Pixels * 8),
      .Depth(esp_abi_pkg::PermuteDepth)
  ) u_permutes (
      .clk_i,
      .write_i(permute_write_i),
      .write_addr_i(table_addr_i[PermuteAddrBits-1:0]),
      .write_data_i(table_data_i[Pixels*8-1:0]),
      .read_i(push_free && expand_valid_q),
      .read_addr_i(PermuteAddrBits'(entry[esp_abi_pkg::ProgramPermuteLsb+:8] + expand_permute_q)),
      .read_data_o(permutation)
  );

  always_ff @(posedge clk_i) begin
    if (push_free && expand_valid_q) begin
      push_addr_q    <= expand_output_q + entry[esp_abi_pkg::ProgramOffsetLsb+:16];
      push_drop_q    <= entry[esp_abi_pkg::ProgramDropLsb];
      push_final_q   <= !chain;
      push_context_q <= expand_context_q;
      push_data_q    <= expand_data;
      push_fill_q    <= expand_fill_q;
    end
  end

`ifdef ESP_DSP48E2
  for (genvar p = 0; p < Pixels; p++) begin : gen_push
    logic [7:0] pixel;

    esp_wide_mux #(
        .Width(8),
        .Choices(Pixels)
    ) u_pixel (
        .words_i(push_data_q),
        .select_i(permutation[p*8+:PixelBits]),
        .word_o(pixel)
    );
    assign enable[p] = permutation[p*8+esp_abi_pkg::PermuteModeLsb+:2] != 2'(esp_abi_pkg::PermuteKeep);
    assign push_data_o[p*8+:8] = permutation[p*8+esp_abi_pkg::PermuteModeLsb+:2] == 2'(esp_abi_pkg::PermuteFill) ?
                                 push_fill_q : pixel;
  end
`else
  always_comb begin
    push_data_o = 'x;
    enable      = 'x;
    if (push_valid_q) begin
      for (int p = 0; p < Pixels; p++) begin
        enable[p] = permutation[p*8+esp_abi_pkg::PermuteModeLsb+:2] != 2'(esp_abi_pkg::PermuteKeep);
        push_data_o[p*8+:8] = permutation[p*8+esp_abi_pkg::PermuteModeLsb+:2] == 2'(esp_abi_pkg::PermuteFill) ?
                              push_fill_q : push_data_q[32'(permutation[p*8+:PixelBits])*8+:8];
      end
    end
  end
`endif

  assign push_valid_o       = push_valid_q && !push_drop_q;
  assign push_addr_o        = push_addr_q;
  assign push_enable_o      = enable;
  assign finished_o         = push_valid_q && push_final_q && push_free;
  assign finished_context_o = push_context_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      turn_q           <= '0;
      bias_valid_q     <= 1'b0;
      multiply_valid_q <= 1'b0;
      round_valid_q    <= 1'b0;
      expand_valid_q   <= 1'b0;
      push_valid_q     <= 1'b0;
    end else begin
      if (front_moves) begin
        if (any) turn_q <= chosen + 1'b1;
        bias_valid_q     <= any;
        multiply_valid_q <= bias_valid_q;
        round_valid_q    <= multiply_valid_q;
        expand_valid_q   <= round_valid_q;
      end
      if (push_free) push_valid_q <= expand_valid_q;
    end
  end

  // Assertions
  // A word offered to a bank queue stays until it is taken.
  `ESP_ASSERT(PushStable, !$past(rst_ni) || !($past(push_valid_o && !push_ready_i)) ||
              (push_valid_o && $stable(push_addr_o)))
  `ESP_COVER(QueueFull, push_valid_o && !push_ready_i)
  `ESP_COVER(Chained, chain)
endmodule
