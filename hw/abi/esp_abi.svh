// The contract between hardware and software: registers, commands, formats, error codes, limits.
//
// This file is SystemVerilog and C++ at once (esp_abi_pkg.sv and esp_abi.hpp include it), so there is one copy of every
// number. Only the common subset may be used: decimal literals, + - *, line comments. It is also the register manual.
//
// A "beat" is 64 bytes of memory, the width of every AXI4 master; all memory offsets in commands count beats.
// A "word" is one byte for each of the P pixels of the array; all scratchpad addresses count words.
// A split word holds s channels (segments) of P / s pixels: byte p is pixel p mod (P / s) of segment p div (P / s).

localparam int unsigned AbiVersion = 5;

// ---- Control registers: byte offsets in the AXI4-Lite window ------------------------------------------------------
// The first four are the standard XRT kernel control block (ap_ctrl_hs).
localparam int unsigned RegControl         = 0;    // RW bit 0 start, 1 done (cleared by reading), 2 idle, 3 ready
localparam int unsigned RegGlobalInterrupt = 4;    // RW bit 0 enables the interrupt pin
localparam int unsigned RegInterruptEnable = 8;    // RW bit 0 done, bit 1 ready
localparam int unsigned RegInterruptStatus = 12;   // R  bit 0 done, bit 1 ready; writing 1 toggles
// Kernel arguments. An address must be a multiple of 4096, a size is in bytes (a multiple of 64).
localparam int unsigned RegProgramAddress  = 16;   // RW 64 bit: window 0, commands, weights and tables; read only
localparam int unsigned RegProgramBytes    = 24;   // RW 64 bit
localparam int unsigned RegInputAddress    = 32;   // RW 64 bit: window 1, packed network inputs; read only
localparam int unsigned RegInputBytes      = 40;   // RW 64 bit
localparam int unsigned RegOutputAddress   = 48;   // RW 64 bit: window 2, packed network outputs
localparam int unsigned RegOutputBytes     = 56;   // RW 64 bit
localparam int unsigned RegArenaAddress    = 64;   // RW 64 bit: window 3, tensors between layers
localparam int unsigned RegArenaBytes      = 72;   // RW 64 bit
localparam int unsigned RegCommandOffset   = 80;   // RW 32 bit: first command, in beats from the program address
localparam int unsigned RegCommandCount    = 84;   // RW 32 bit: commands to run; at least 1
localparam int unsigned RegTimeout         = 88;   // RW 32 bit: cycles without progress before ErrorTimeout; 0 = never
// Result of the last run; valid once done.
localparam int unsigned RegError           = 256;  // R  error_e
localparam int unsigned RegErrorPosition   = 260;  // R  index of the command at fault
localparam int unsigned RegErrorDetail     = 264;  // R  offending field, offset in beats, or AXI response
// Performance counters of the last run, 32 bit each. Every cycle from start to done is counted in exactly one of the
// six causes, so they sum to RegCycles.
localparam int unsigned RegCycles          = 288;  // R  cycles from start to done
localparam int unsigned RegCyclesComputing = 292;  // R  the lanes were issued a slot
localparam int unsigned RegCyclesWeights   = 296;  // R  waiting for the weight stream
localparam int unsigned RegCyclesOutput    = 300;  // R  waiting for the result writers
localparam int unsigned RegCyclesData      = 304;  // R  a compute command waits for loads, stores or tables
localparam int unsigned RegCyclesWriting   = 308;  // R  no compute command; results or stores in flight
localparam int unsigned RegCyclesControl   = 312;  // R  none of these: command fetch, loads without compute
localparam int unsigned RegReadBeats       = 316;  // R  beats read by all masters
localparam int unsigned RegWriteBeats      = 320;  // R  beats written
localparam int unsigned RegMacs            = 324;  // R  lane entries executed (each is P multiply-accumulates)
// What this machine is.
localparam int unsigned RegVersion         = 384;  // R  AbiVersion
localparam int unsigned RegLanes           = 388;  // R  K
localparam int unsigned RegPixels          = 392;  // R  P
localparam int unsigned RegBankRows        = 396;  // R  words per scratchpad bank
localparam int unsigned RegLineDepth       = 400;  // R  lines in the weight store
localparam int unsigned RegMaxSplit        = 404;  // R  largest CmdSplit: min(64 / K, P)
localparam int unsigned RegWriters         = 408;  // R  requantise-and-write ports: 2 or 4
localparam int unsigned RegCoded           = 412;  // R  1: coded weights, that is the formats and flags that say "RegCoded"
localparam int unsigned RegProgramDepth    = 416;  // R  entries in the write program, modulo which addresses count
localparam int unsigned RegStagingBeats    = 420;  // R  read-ahead of the load and weight units; the store unit has half of it
localparam int unsigned RegMarks           = 4096; // R  MarkDepth cycle stamps, 32 bit each, kept until an OpMark writes them
localparam int unsigned RegWindowBytes     = 8192; //    size of the AXI4-Lite window

// ---- Sizes that both sides agree on -------------------------------------------------------------------------------
localparam int unsigned BeatBytes      = 64;
localparam int unsigned BurstBeats     = 16;    // bursts are aligned to 1 KiB and so never cross 4 KiB
localparam int unsigned Banks          = 16;    // scratchpad banks; bank = word address modulo 16
// Lanes 8g .. 8g + 7 are group g. Groups 2c and 2c + 1 read ports A and B of copy c of the banks, so there are copies only
// if K > 16. Port B of a bank is shared with results, stores and loads, which go to all copies at once: they wait in every
// cycle in which a group of odd number (lanes 8..15 or 24..31) reads that bank.
localparam int unsigned LanesPerPort   = 8;     // lanes that share one read port of every bank
localparam int unsigned MostWriters    = 4;     // requantise-and-write ports; writer w of RegWriters serves lanes k with k mod
                                              // RegWriters = w
localparam int unsigned ResultDepth    = 4;     // finished rows a lane can hold until a writer takes them
localparam int unsigned QueueDepth     = 4;     // result words waiting per bank for an idle port cycle
localparam int unsigned RowDepth       = 2048;  // entries in the row table
localparam int unsigned ScaleDepth     = 2048;  // entries in the scale table
localparam int unsigned ProgramDepth   = 2048;  // entries in the write program, at most; RegProgramDepth says how many
localparam int unsigned PermuteDepth   = 256;   // entries in the permutation table
localparam int unsigned MarkDepth      = 1024;
localparam int unsigned CommandQueue   = 8;     // commands queued per unit
localparam int unsigned FetchDepth     = 32;    // commands fetched ahead
localparam int unsigned StagingBeats   = 128;   // read-ahead of the load and weight units, at most; RegStagingBeats says how much
localparam int unsigned StoreBeats     = 64;    // write-behind of the store unit, at most: half of RegStagingBeats
localparam int unsigned VectorDepth    = 16;    // decoded slots of WeightsVector that wait for their turn

// ---- Commands: 512 bits, one beat; field = bits [Lsb + Bits - 1 : Lsb] --------------------------------------------
// Each unit (load, weight, compute, store, mark) runs its commands in order and counts those completed. A command
// starts when the four counters have reached its wait fields. In the list, a command stands after all it waits for.
localparam int unsigned OpLoad    = 1;  // memory -> scratchpad
localparam int unsigned OpWeight  = 2;  // memory -> weight store or a table
localparam int unsigned OpCompute = 3;  // one chunk of rows over a rectangle of positions
localparam int unsigned OpStore   = 4;  // scratchpad -> memory
localparam int unsigned OpMark    = 5;  // stamps the cycle counter into RegMarks[CmdLayer]

localparam int unsigned CmdOpcodeLsb      = 0;
localparam int unsigned CmdOpcodeBits     = 8;
localparam int unsigned CmdFlagsLsb       = 8;
localparam int unsigned CmdFlagsBits      = 8;
localparam int unsigned CmdLayerLsb       = 16;   // layer index, for marks and error reports
localparam int unsigned CmdLayerBits      = 16;
localparam int unsigned CmdWaitLoadLsb    = 32;   // completed loads needed before this command starts
localparam int unsigned CmdWaitWeightLsb  = 64;
localparam int unsigned CmdWaitComputeLsb = 96;
localparam int unsigned CmdWaitStoreLsb   = 128;
localparam int unsigned CmdWaitBits       = 24;
// OpLoad, OpStore: for plane in 0..planes-1: move `run` beats between memory beat offset + plane * pitch and
// scratchpad word address + plane * word_pitch. OpWeight uses offset and run only.
localparam int unsigned CmdWindowLsb      = 160;
localparam int unsigned CmdWindowBits     = 8;
localparam int unsigned CmdFormatLsb      = 168;  // OpWeight
localparam int unsigned CmdFormatBits     = 8;
localparam int unsigned CmdAddressLsb     = 176;  // scratchpad word, or first table entry (OpWeight)
localparam int unsigned CmdAddressBits    = 16;
localparam int unsigned CmdOffsetLsb      = 192;
localparam int unsigned CmdOffsetBits     = 32;
localparam int unsigned CmdRunLsb         = 224;  // beats, at least 1
localparam int unsigned CmdRunBits        = 32;
localparam int unsigned CmdPitchLsb       = 256;
localparam int unsigned CmdPitchBits      = 32;
localparam int unsigned CmdPlanesLsb      = 288;  // at least 1
localparam int unsigned CmdPlanesBits     = 16;
localparam int unsigned CmdWordPitchLsb   = 304;
localparam int unsigned CmdWordPitchBits  = 16;
localparam int unsigned CmdItemsLsb       = 320;  // OpWeight: items of the format in the run, at least 1
localparam int unsigned CmdItemsBits      = 32;
localparam int unsigned CmdGapBitsLsb     = 352;  // OpWeight, FormatFixed, FormatVector: bits of a gap symbol, 1..8;
localparam int unsigned CmdGapBitsBits    = 8;    // FormatBlock: ShortBits if entries are short
localparam int unsigned CmdValueBitsLsb   = 360;  // OpWeight, FormatFixed: bits of a value symbol, 0..8;
localparam int unsigned CmdValueBitsBits  = 8;    // FormatHuffman: 0..4, or ValueHuffman; FormatPacked: 1, 2 or 4;
                                                  // FormatVector: 1..4 or 8
localparam int unsigned CmdColumnsLsb     = 368;  // OpWeight, FormatVector: columns of the matrix, 1..MostColumns
localparam int unsigned CmdColumnsBits    = 32;
// OpCompute: for y in 0..count_y-1, x in 0..count_x-1: run the chunk's slots with
// base = address + x * step_x + y * step_y; position index n = y * count_x + x.
localparam int unsigned CmdTailLanesLsb   = 56;   // WeightsDense: lanes in use in the last row of the chunk, 1..K
localparam int unsigned CmdTailLanesBits  = 8;
localparam int unsigned CmdWeightsLsb     = 88;   // WeightsSparse, ..
localparam int unsigned CmdWeightsBits    = 8;
localparam int unsigned CmdSplitLsb       = 120;  // s, segments of a word: 1, 2, 4 .. RegMaxSplit; WeightsSparse, ..Vector: 1
localparam int unsigned CmdSplitBits      = 8;
localparam int unsigned CmdScaleLsb       = 160;  // first entry of the chunk in the scale table, a multiple of s
localparam int unsigned CmdScaleBits      = 16;
localparam int unsigned CmdSlotsLsb       = 192;  // slots, at least 1; more than fit, or WeightsVector: one position only
localparam int unsigned CmdSlotsBits      = 32;
localparam int unsigned CmdCountXLsb      = 224;
localparam int unsigned CmdCountXBits     = 16;
localparam int unsigned CmdCountYLsb      = 240;
localparam int unsigned CmdCountYBits     = 16;
localparam int unsigned CmdStepXLsb       = 256;
localparam int unsigned CmdStepXBits      = 16;
localparam int unsigned CmdStepYLsb       = 272;
localparam int unsigned CmdStepYBits      = 16;
localparam int unsigned CmdRowLsb         = 288;  // first entry of the chunk in the row table
localparam int unsigned CmdRowBits        = 16;
localparam int unsigned CmdProgramLsb     = 304;  // first entry of the layer in the write program
localparam int unsigned CmdProgramBits    = 16;
localparam int unsigned CmdOutputLsb      = 320;  // scratchpad word added to every destination
localparam int unsigned CmdOutputBits     = 16;
localparam int unsigned CmdUnrollLsb      = 336;  // positions scheduled together, 1..16
localparam int unsigned CmdUnrollBits     = 8;
localparam int unsigned CmdOperationLsb   = 344;  // operation_e
localparam int unsigned CmdOperationBits  = 8;
localparam int unsigned CmdZeroLsb        = 352;  // int8: zero point of the output
localparam int unsigned CmdZeroBits       = 8;
localparam int unsigned CmdLowLsb         = 360;  // int8: lower clamp
localparam int unsigned CmdLowBits        = 8;
localparam int unsigned CmdHighLsb        = 368;  // int8: upper clamp
localparam int unsigned CmdHighBits       = 8;
localparam int unsigned CmdFillLsb        = 376;  // int8: written where a permutation says PermuteFill
localparam int unsigned CmdFillBits       = 8;
localparam int unsigned CmdZeroALsb       = 384;  // int8: OperationAdd, zero point of the first operand
localparam int unsigned CmdZeroABits      = 8;
localparam int unsigned CmdZeroBLsb       = 392;  // int8: OperationAdd, zero point of the second operand
localparam int unsigned CmdZeroBBits      = 8;
localparam int unsigned CmdMultiplierBLsb = 400;  // OperationAdd, multiplier of the second operand
localparam int unsigned CmdMultiplierBBits = 24;
// WeightsDense: slots run over i2 in 0..tap_count2-1, i1, i0 and, if FlagBroadcast, segment g in 0..s-1, innermost; all
// lanes read base + i0 * tap_step0 + i1 * tap_step1 + i2 * tap_step2. After the last of them, and with the last slot of
// the chunk, the rows of the lanes end. In the last row of the chunk lanes from tail_lanes on idle and end no row; a row
// is the last if no more slots than a whole row has are left at its first slot.
localparam int unsigned CmdTapCount0Lsb   = 424;
localparam int unsigned CmdTapCount0Bits  = 8;
localparam int unsigned CmdTapCount1Lsb   = 432;
localparam int unsigned CmdTapCount1Bits  = 8;
localparam int unsigned CmdTapCount2Lsb   = 440;
localparam int unsigned CmdTapCount2Bits  = 16;
localparam int unsigned CmdTapStep0Lsb    = 456;
localparam int unsigned CmdTapStep0Bits   = 16;
localparam int unsigned CmdTapStep1Lsb    = 472;
localparam int unsigned CmdTapStep1Bits   = 16;
localparam int unsigned CmdTapStep2Lsb    = 488;
localparam int unsigned CmdTapStep2Bits   = 16;

localparam int unsigned FlagDrain     = 1;  // OpCompute: also wait until every bank queue is empty (input just made)
localparam int unsigned FlagBroadcast = 2;  // OpCompute: one segment of a word is given to all of the lane
localparam int unsigned FlagReplicate = 4;  // OpLoad: every word goes to all banks, see WeightsVector; RegCoded

// ---- Operations ---------------------------------------------------------------------------------------------------
// Reducing operations work within each segment: over its P / s pixels, the result is given to every one of them.
localparam int unsigned OperationMac       = 0;  // acc = sum of a * w
localparam int unsigned OperationMax       = 1;  // acc = max of a, from -128; weights are not used
localparam int unsigned OperationAdd       = 2;  // acc = a - 256 * b: taps a * 1, b * -128, b * -128; post separates
localparam int unsigned OperationMacReduce = 3;  // as Mac, then the sum over the pixels
localparam int unsigned OperationMaxReduce = 4;  // as Max, then the maximum over the pixels
localparam int unsigned Operations         = 5;

// ---- Weights ------------------------------------------------------------------------------------------------------
// The weight store is a ring of lines. A line holds W = 64 / K weights for each lane, and addresses; OpWeight fills it
// and OpCompute reads it in order. Every OpWeight into the store and every chunk starts with a new line.
//   WeightsSparse  a line is min(2, W / 2) slots; in a slot every lane has a weight and an offset of its own
//   WeightsDense   a line is W / s slots; slot j uses weights j * s .. j * s + s - 1 of every lane
//   WeightsBlock   a line is a slot; a lane has its own offset and segment, and uses its first s weights
//   WeightsVector  a matrix times a vector; slots are not lines of the store but wait in a queue of VectorDepth; RegCoded
// A lane multiplies pixel p of its word with weight p div (P / s) of the slot. With FlagBroadcast, pixel p is instead
// that of one segment: byte g * P / s + p mod (P / s) of the word.
// WeightsVector: the vector is in every bank; byte c of it is byte c mod P of row CmdAddress div 16 + c div P. OpLoad with
// FlagReplicate brings it there: word i of a plane goes to row address div 16 + plane * (word_pitch div 16) + i of all
// banks, a word per cycle. Lane k reads banks 2 m and 2 m + 1, m = k mod 8, each at a row of its own. It has
// V = min(4, RegMaxSplit) products per slot, each of a byte of one of the two words and a weight of its own. That of symbol i
// of the slot is in pixel i * P / V; one that the slot does not have is of byte 0 of the first word and weight 0. Those of
// the other pixels are of bytes 0, and FlagBroadcast means nothing.
localparam int unsigned WeightsSparse = 0;
localparam int unsigned WeightsDense  = 1;
localparam int unsigned WeightsBlock  = 2;
localparam int unsigned WeightsVector = 3;
localparam int unsigned WeightsModes  = 4;

// Formats of OpWeight in memory. Items are packed without gaps, but lines of Dense and Block start on a beat. Lines or
// entries that the beats of the run do not hold in full are not written.
// Formats with RegCoded are of machines with coded weights. For others they are a fault, as WeightsVector and
// FlagReplicate are: ErrorField at CmdFormatLsb, CmdWeightsLsb and CmdFlagsLsb.
localparam int unsigned FormatSparse  = 0;   // items are slots: K entries of 32 bits, lane 0 first
localparam int unsigned FormatDense   = 1;   // items are lines: a beat, byte k * W + i is weight i of lane k
localparam int unsigned FormatBlock   = 2;   // items are lines: a beat as FormatDense, then K entries, lane 0 first
localparam int unsigned FormatPacked  = 3;   // items are lines: 64 symbols in the order of FormatDense, low bits first; RegCoded
localparam int unsigned FormatFixed   = 4;   // items are slots of WeightsSparse: a coded stream, symbols of fixed width; RegCoded
localparam int unsigned FormatHuffman = 5;   // items are slots of WeightsSparse: a coded stream, Huffman codes; RegCoded
localparam int unsigned FormatRow     = 6;   // 32-bit entries into the row table
localparam int unsigned FormatScale   = 7;   // 64-bit entries into the scale table
localparam int unsigned FormatProgram = 8;   // 64-bit entries into the write program
localparam int unsigned FormatPermute = 9;   // P bytes per entry into the permutation table
localparam int unsigned FormatCode    = 10;  // 32-bit entries into the code table; RegCoded
localparam int unsigned FormatVector  = 11;  // items are slots of WeightsVector: a coded stream in natural order; RegCoded
localparam int unsigned Formats       = 12;

// ---- Coded weights ------------------------------------------------------------------------------------------------
// A coded stream is a string of 32-bit words, of which every lane reads its own bits, the most significant bit of a word
// first. A lane holds up to 3 words. Words are dealt in rounds: every lane that holds at most 2 takes the next word of the
// stream, lane 0 first, and then all lanes decode a step; in the first round every lane takes a word, in the second a
// second one, and nothing is decoded. A word of which all bits were read is given up after the step. When the run has no
// more words, lanes go without, and bits that a lane does not have are 0. The stream ends with its last item, or before a
// step at which the run has no more words and no lane holds one; slots that follow are not written.
//
// In each slot a lane reads a gap symbol and as many extra bits as the symbol says. The gap and the number in the extra
// bits are added to the lane's address (modulo 2^16; 0 at the start of the command); if the symbol has CodeStep, not the
// number n but the gap of step n mod CodeSteps. If the symbol has CodeValid, a value symbol follows. The slot's entry has
// the address as offset, the flags of the gap symbol and the weight of the value symbol. Steps are any numbers: multiples
// of the pitch of planes, between which gaps are rare, fill the codes of a symbol with few extra bits.
//   FormatFixed    a gap symbol is the number of an entry of the code table in gap_bits bits, a value symbol in value_bits;
//                  in 0 bits it is entry 0; a slot is a step
//   FormatHuffman  a gap symbol has a code of 1..12 bits, a value symbol value_bits as in FormatFixed; a slot is a step.
//                  With ValueHuffman the value symbol has a code as well, and is read in a second step: two steps a slot
// Codes are canonical: let c be the next 12 bits, l the least length whose limit is above c. The code is the first l bits
// of c, the entry of the symbol (base + (c >> (12 - l))) mod 256. If there is no such length it has 12 bits, and the
// entry is 0. A code in which symbol n has n + 1 bits is the unary code of a run length, which is the same bits as a bitmap.
// In FormatPacked the weight of symbol n is that of entry n.
// FormatVector: a symbol is a gap in gap_bits bits and a value in value_bits bits; 8 bits are the weight itself, fewer the
// number of the entry of the code table that has it. The column of a symbol is the next column plus the gap; at the start
// of a row the next column is 0. A symbol whose column is not less than CmdColumns ends the row with this slot; if bit 0
// of its value is set the lane reads no more, if bit 1 is set it reads no more and no row ends. Such a lane gives up the
// words it holds and takes no more. Any other symbol whose gap is all ones makes its column the next one, and that is all.
// The rest are products of their weight and the byte of the vector in their column; the next column follows it. A step is
// a slot. In it a lane sees 64 bits, of the words that it held before the round, and reads symbols as long as all their
// bits are there, they are at most V, their products take bytes of at most two words, and none has ended a row: none or
// more. The word of the first product is read in bank 2 m. The stream ends with its last item, or before a step in which
// no lane would read a symbol, if the run has no more words or no lane takes one.
// Each round takes a cycle, or more if it deals more than 16 words or the weights have not arrived; FormatPacked writes a
// line per cycle.
localparam int unsigned WordsPerBeat      = 16;
localparam int unsigned LaneWords         = 3;
localparam int unsigned ValueHuffman      = 15;
localparam int unsigned MostColumns       = 65536;
localparam int unsigned VectorProducts    = 4;    // of a lane and slot of WeightsVector, at most
localparam int unsigned CodeDepth         = 512;  // entries of the code table, modulo which addresses count
localparam int unsigned CodeSymbols       = 256;  // entries 0..255: symbols
localparam int unsigned CodeMaxLength     = 12;
localparam int unsigned CodeSteps         = 64;   // steps
localparam int unsigned CodeStepZero      = 479;  // entry CodeStepZero - n: step n, of which CodeGap counts
localparam int unsigned CodeGapLengths    = 480;  // entry CodeGapLengths + l - 1: codes of l bits of gap symbols
localparam int unsigned CodeValueLengths  = 496;  // of value symbols; other entries are not used
localparam int unsigned CodeBits          = 32;
localparam int unsigned CodeWeightLsb     = 0;    // int8, of a value symbol
localparam int unsigned CodeWeightBits    = 8;
localparam int unsigned CodeGapLsb        = 8;    // of a gap symbol
localparam int unsigned CodeGapBits       = 16;
localparam int unsigned CodeValidLsb      = 24;   // 0: the lane is idle, as in EntryValid
localparam int unsigned CodeLastLsb       = 25;   // the lane's row ends with this slot
localparam int unsigned CodeExtraLsb      = 26;   // of a gap symbol: extra bits, 0..15; 16 and above: 16
localparam int unsigned CodeExtraBits     = 5;
localparam int unsigned CodeStepLsb       = 31;   // of a gap symbol: the number in its extra bits is that of a step
localparam int unsigned CodeLimitLsb      = 0;    // of a length: 2^(12 - l) times one more than the last code of l bits
localparam int unsigned CodeLimitBits     = 13;
localparam int unsigned CodeBaseLsb       = 16;   // entry of the first code of l bits less that code, modulo 2^8
localparam int unsigned CodeBaseBits      = 8;

// A lane's entry in a slot.
localparam int unsigned EntryBits        = 32;
localparam int unsigned EntryWeightLsb   = 0;   // int8; FormatSparse only
localparam int unsigned EntryWeightBits  = 8;
localparam int unsigned EntryOffsetLsb   = 8;   // word offset added to the position's base, modulo 2^16
localparam int unsigned EntryOffsetBits  = 16;
localparam int unsigned EntryValidLsb    = 24;  // 0: idle, nothing is read or accumulated
localparam int unsigned EntryLastLsb     = 25;  // the lane's row ends with this entry, valid or not
localparam int unsigned EntrySegmentLsb  = 26;  // FormatBlock with FlagBroadcast: segment read
localparam int unsigned EntrySegmentBits = 3;

// A short entry of FormatBlock. It has the segments of s = 2; K of them are a beat at most.
localparam int unsigned ShortBits       = 16;
localparam int unsigned ShortOffsetLsb  = 0;
localparam int unsigned ShortOffsetBits = 13;
localparam int unsigned ShortSegmentLsb = 13;
localparam int unsigned ShortValidLsb   = 14;
localparam int unsigned ShortLastLsb    = 15;

// Row j of lane k in a chunk is entry CmdRow + j * K + k of the row table; its segment g is scaled by entry
// CmdScale + (j * K + k) * s + g of the scale table.
localparam int unsigned RowBits        = 32;
localparam int unsigned RowOutputLsb   = 0;   // word added to the destination (the channel's plane)
localparam int unsigned RowOutputBits  = 16;
localparam int unsigned RowStepLsb     = 16;  // which of the unrolled positions this row belongs to
localparam int unsigned RowStepBits    = 8;
localparam int unsigned RowPermuteLsb  = 24;  // added to the permutation of every program entry, modulo 2^8
localparam int unsigned RowPermuteBits = 8;

localparam int unsigned ScaleBits           = 64;
localparam int unsigned ScaleBiasLsb        = 0;   // int32, added to the accumulator (not used by OperationAdd)
localparam int unsigned ScaleBiasBits       = 32;
localparam int unsigned ScaleMultiplierLsb  = 32;  // unsigned
localparam int unsigned ScaleMultiplierBits = 24;
localparam int unsigned ScaleShiftLsb       = 56;  // 0..63
localparam int unsigned ScaleShiftBits      = 6;

// Entry of the write program: position n, unrolled step t starts at entry CmdProgram + n * CmdUnroll + t and follows
// `next` until it is 0. Destination word = CmdOutput + row output + offset.
localparam int unsigned ProgramBits        = 64;
localparam int unsigned ProgramOffsetLsb   = 0;
localparam int unsigned ProgramOffsetBits  = 16;
localparam int unsigned ProgramPermuteLsb  = 16;  // entry of the permutation table
localparam int unsigned ProgramPermuteBits = 8;
localparam int unsigned ProgramDropLsb     = 24;  // 1: nothing is written
localparam int unsigned ProgramNextLsb     = 32;  // entry that follows for the same result; 0: none
localparam int unsigned ProgramNextBits    = 16;

// Byte p of a permutation says what byte p of the destination word becomes.
localparam int unsigned PermuteSourceLsb  = 0;  // source pixel
localparam int unsigned PermuteSourceBits = 6;
localparam int unsigned PermuteModeLsb    = 6;
localparam int unsigned PermuteModeBits   = 2;
localparam int unsigned PermuteKeep       = 0;  // byte is not written
localparam int unsigned PermuteCopy       = 1;  // byte of the source pixel
localparam int unsigned PermuteFill       = 2;  // CmdFill

// ---- Windows and errors -------------------------------------------------------------------------------------------
localparam int unsigned WindowProgram = 0;
localparam int unsigned WindowInput   = 1;
localparam int unsigned WindowOutput  = 2;
localparam int unsigned WindowArena   = 3;
localparam int unsigned Windows       = 4;

localparam int unsigned ErrorNone          = 0;
localparam int unsigned ErrorArgument      = 1;  // misaligned address or size, or no commands; detail = register
localparam int unsigned ErrorOpcode        = 2;  // unknown opcode; detail = opcode
localparam int unsigned ErrorField         = 3;  // field out of range; detail = Lsb of the field
localparam int unsigned ErrorWindow        = 4;  // access outside its window; detail = offset in beats
localparam int unsigned ErrorReadOnly      = 5;  // store into a read-only window; detail = window
localparam int unsigned ErrorReadResponse  = 6;  // AXI read answered with an error; detail = response
localparam int unsigned ErrorWriteResponse = 7;  // AXI write answered with an error; detail = response
localparam int unsigned ErrorTimeout       = 8;  // no progress; position = oldest command not completed, detail = RegTimeout

// ---- Memory model of cycle counts (esp_memory_model.hpp) ----------------------------------------------------------
localparam int unsigned MasterCommand      = 0;   // masters in order of priority
localparam int unsigned MasterWeight       = 1;
localparam int unsigned MasterData         = 2;   // the only one that writes
localparam int unsigned Masters            = 3;
localparam int unsigned MemoryOutstanding  = 16;  // bursts per direction, all masters together
localparam int unsigned MemoryLatency      = 40;  // default
