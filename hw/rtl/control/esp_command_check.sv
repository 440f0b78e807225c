// Decodes a fetched command and finds its first fault: opcode, then fields by bit position.
module esp_command_check #(
    parameter int unsigned Lanes     = 16,
    parameter int unsigned Pixels    = 16,
    parameter int unsigned LineDepth = 4096,
    parameter int unsigned Coded     = 1    // 0: no formats that decode, no WeightsVector, no FlagReplicate
) (
    input  logic [511:0] command_i,
    output logic [4:0]   unit_o,    // one-hot: load, weight, compute, store, mark
    output logic [7:0]   error_o,   // ErrorNone if the command may be dispatched
    output logic [31:0]  detail_o
);
  localparam int unsigned LineWeights = 64 / Lanes;
  localparam int unsigned MaxSplit    = LineWeights < Pixels ? LineWeights : Pixels;
  localparam int unsigned SparseSlots = LineWeights > 2 ? 2 : 1;

  logic [7:0]  opcode, window, format, weights, split;
  logic [31:0] slots;
  logic [15:0] scale;
  logic [7:0]  gap_bits, value_bits;
  logic [31:0] columns;
  logic replicates, format_known, weights_known;
  logic transfers, plane_transfers, dense, single, split_known, fits, scale_aligned, gap_known, value_known, columns_known;

  assign opcode          = command_i[esp_abi_pkg::CmdOpcodeLsb+:8];
  assign window          = command_i[esp_abi_pkg::CmdWindowLsb+:8];
  assign format          = command_i[esp_abi_pkg::CmdFormatLsb+:8];
  assign weights         = command_i[esp_abi_pkg::CmdWeightsLsb+:8];
  assign split           = command_i[esp_abi_pkg::CmdSplitLsb+:8];
  assign gap_bits        = command_i[esp_abi_pkg::CmdGapBitsLsb+:8];
  assign value_bits      = command_i[esp_abi_pkg::CmdValueBitsLsb+:8];
  assign columns         = command_i[esp_abi_pkg::CmdColumnsLsb+:32];
  assign slots           = command_i[esp_abi_pkg::CmdSlotsLsb+:32];
  assign scale           = command_i[esp_abi_pkg::CmdScaleLsb+:16];
  assign unit_o          = {opcode == 8'(esp_abi_pkg::OpMark), opcode == 8'(esp_abi_pkg::OpStore),
                            opcode == 8'(esp_abi_pkg::OpCompute), opcode == 8'(esp_abi_pkg::OpWeight),
                            opcode == 8'(esp_abi_pkg::OpLoad)};
  assign transfers       = unit_o[0] || unit_o[1] || unit_o[3];
  assign plane_transfers = unit_o[0] || unit_o[3];
  assign dense           = unit_o[2] && weights == 8'(esp_abi_pkg::WeightsDense);
  assign single          = command_i[esp_abi_pkg::CmdCountXLsb+:16] == 16'd1 &&
                           command_i[esp_abi_pkg::CmdCountYLsb+:16] == 16'd1;

  assign replicates      = (command_i[esp_abi_pkg::CmdFlagsLsb+:8] & 8'(esp_abi_pkg::FlagReplicate)) != '0;
  assign weights_known   = weights < 8'(esp_abi_pkg::WeightsModes) &&
                           (Coded != 0 || weights != 8'(esp_abi_pkg::WeightsVector));
  assign format_known    = format < 8'(esp_abi_pkg::Formats) &&
                           (Coded != 0 || format < 8'(esp_abi_pkg::FormatPacked) ||
                            (format >= 8'(esp_abi_pkg::FormatRow) && format <= 8'(esp_abi_pkg::FormatPermute)));

    // A split is a power of two; slots that the store holds, and the alignment of the scales, follow from it.
  always_comb begin
    split_known   = 1'b0;
    scale_aligned = 1'b0;
    fits          = weights == 8'(esp_abi_pkg::WeightsSparse) ? slots <= LineDepth * SparseSlots : slots <= LineDepth;
    for (int unsigned s = 1; s <= MaxSplit; s = s * 2) begin
      if (split == 8'(s)) begin
        split_known   = s == 1 || (weights != 8'(esp_abi_pkg::WeightsSparse) && weights != 8'(esp_abi_pkg::WeightsVector));
        scale_aligned = (scale & 16'(s - 1)) == '0;
        if (weights == 8'(esp_abi_pkg::WeightsDense)) fits = slots <= LineDepth * (LineWeights / s);
      end
    end
    if (weights == 8'(esp_abi_pkg::WeightsVector)) fits = 1'b0;
  end

  // Widths of the symbols of coded weights.
  always_comb begin
    gap_known   = 1'b1;
    value_known = 1'b1;
    columns_known = 1'b1;
    case (format)
      8'(esp_abi_pkg::FormatFixed): begin
        gap_known   = gap_bits != '0 && gap_bits <= 8'd8;
        value_known = value_bits <= 8'd8;
      end
      8'(esp_abi_pkg::FormatVector): begin
        gap_known     = gap_bits != '0 && gap_bits <= 8'd8;
        value_known   = (value_bits != '0 && value_bits <= 8'd4) || value_bits == 8'd8;
        columns_known = columns != '0 && columns <= esp_abi_pkg::MostColumns;
      end
      8'(esp_abi_pkg::FormatHuffman):
        value_known = value_bits <= 8'd4 || value_bits == 8'(esp_abi_pkg::ValueHuffman);
      8'(esp_abi_pkg::FormatPacked):
        value_known = value_bits == 8'd1 || value_bits == 8'd2 || value_bits == 8'd4;
      default: ;
    endcase
  end

  always_comb begin
    error_o  = 8'(esp_abi_pkg::ErrorField);
    detail_o = '0;
    if (unit_o == '0) begin
      error_o  = 8'(esp_abi_pkg::ErrorOpcode);
      detail_o = 32'(opcode);
    end else if (unit_o[4] && command_i[esp_abi_pkg::CmdLayerLsb+:16] >= 16'(esp_abi_pkg::MarkDepth)) begin
      detail_o = esp_abi_pkg::CmdLayerLsb;
    end else if (Coded == 0 && unit_o[0] && replicates) begin
      detail_o = esp_abi_pkg::CmdFlagsLsb;
    end else if (dense && (command_i[esp_abi_pkg::CmdTailLanesLsb+:8] == '0 ||
                           32'(command_i[esp_abi_pkg::CmdTailLanesLsb+:8]) > Lanes)) begin
      detail_o = esp_abi_pkg::CmdTailLanesLsb;
    end else if (unit_o[2] && !weights_known) begin
      detail_o = esp_abi_pkg::CmdWeightsLsb;
    end else if (unit_o[2] && !split_known) begin
      detail_o = esp_abi_pkg::CmdSplitLsb;
    end else if (unit_o[2] && !scale_aligned) begin
      detail_o = esp_abi_pkg::CmdScaleLsb;
    end else if (transfers && window >= 8'(esp_abi_pkg::Windows)) begin
      detail_o = esp_abi_pkg::CmdWindowLsb;
    end else if (unit_o[3] && (window == 8'(esp_abi_pkg::WindowProgram) || window == 8'(esp_abi_pkg::WindowInput))) begin
      error_o  = 8'(esp_abi_pkg::ErrorReadOnly);
      detail_o = 32'(window);
    end else if (unit_o[1] && !format_known) begin
      detail_o = esp_abi_pkg::CmdFormatLsb;
    end else if (unit_o[2] && (slots == '0 || (!fits && !single))) begin
      detail_o = esp_abi_pkg::CmdSlotsLsb;
    end else if (transfers && command_i[esp_abi_pkg::CmdRunLsb+:32] == '0) begin
      detail_o = esp_abi_pkg::CmdRunLsb;
    end else if (unit_o[2] && command_i[esp_abi_pkg::CmdCountXLsb+:16] == '0) begin
      detail_o = esp_abi_pkg::CmdCountXLsb;
    end else if (unit_o[2] && command_i[esp_abi_pkg::CmdCountYLsb+:16] == '0) begin
      detail_o = esp_abi_pkg::CmdCountYLsb;
    end else if (plane_transfers && command_i[esp_abi_pkg::CmdPlanesLsb+:16] == '0) begin
      detail_o = esp_abi_pkg::CmdPlanesLsb;
    end else if (unit_o[1] && command_i[esp_abi_pkg::CmdItemsLsb+:32] == '0) begin
      detail_o = esp_abi_pkg::CmdItemsLsb;
    end else if (unit_o[1] && !gap_known) begin
      detail_o = esp_abi_pkg::CmdGapBitsLsb;
    end else if (unit_o[1] && !value_known) begin
      detail_o = esp_abi_pkg::CmdValueBitsLsb;
    end else if (unit_o[1] && !columns_known) begin
      detail_o = esp_abi_pkg::CmdColumnsLsb;
    end else if (unit_o[2] && (command_i[esp_abi_pkg::CmdUnrollLsb+:8] == '0 ||
                               command_i[esp_abi_pkg::CmdUnrollLsb+:8] > 8'd16)) begin
      detail_o = esp_abi_pkg::CmdUnrollLsb;
    end else if (unit_o[2] && command_i[esp_abi_pkg::CmdOperationLsb+:8] >= 8'(esp_abi_pkg::Operations)) begin
      detail_o = esp_abi_pkg::CmdOperationLsb;
    end else if (dense && command_i[esp_abi_pkg::CmdTapCount0Lsb+:8] == '0) begin
      detail_o = esp_abi_pkg::CmdTapCount0Lsb;
    end else if (dense && command_i[esp_abi_pkg::CmdTapCount1Lsb+:8] == '0) begin
      detail_o = esp_abi_pkg::CmdTapCount1Lsb;
    end else if (dense && command_i[esp_abi_pkg::CmdTapCount2Lsb+:16] == '0) begin
      detail_o = esp_abi_pkg::CmdTapCount2Lsb;
    end else begin
      error_o = 8'(esp_abi_pkg::ErrorNone);
    end
  end
endmodule
