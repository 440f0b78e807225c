#include "random_program.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "compile/vector_stream.hpp"
#include "compile/weight_code.hpp"
#include "esp_code.hpp"
#include "random_stream.hpp"

namespace espalier::test {
namespace {

class Builder {
 public:
  Builder(const abi::Configuration& configuration, Random& random)
      : configuration_(configuration), random_(random), inputs_(configuration.scratch_words() / 2) {
    program_.image.resize(abi::BeatBytes);  // nothing stands at offset 0, so a lost offset shows
  }

  RandomProgram build(int layers) {
    const int input_beats = random_.between(20, 200);
    input_.resize(static_cast<std::size_t>(input_beats) * abi::BeatBytes);
    for (auto& byte : input_) byte = static_cast<std::uint8_t>(random_.byte());
    output_ = inputs_;
    for (int layer = 0; layer < layers; ++layer) {
      for (int i = random_.between(1, 3); i > 0; --i) load();
      for (int i = random_.between(1, 3); i > 0; --i) chunks(static_cast<std::uint16_t>(layer));
      store();
      abi::Command mark = command(abi::OpMark);
      mark.layer = static_cast<std::uint16_t>(layer);
      mark.wait_store = stores_;
      commands_.push_back(mark);
    }
    program_.command_offset = beats();
    program_.command_count = static_cast<std::uint32_t>(commands_.size());
    for (const abi::Command& c : commands_) append(abi::encode(c));
    program_.input_bytes = input_.size();
    program_.output_bytes = std::max<std::uint64_t>(abi::BeatBytes, std::uint64_t{output_beats_} * abi::BeatBytes);
    return {std::move(program_), std::move(input_)};
  }

 private:
  static constexpr int Permutes = 7;
  static constexpr unsigned StoreMargin = 64;  // words that a store may read beyond the results

  static abi::Command command(unsigned opcode) {
    abi::Command c;
    c.opcode = static_cast<std::uint8_t>(opcode);
    return c;
  }
  std::uint32_t beats() const { return static_cast<std::uint32_t>(program_.image.size() / abi::BeatBytes); }
  void append(std::span<const std::uint8_t> bytes) {
    program_.image.insert(program_.image.end(), bytes.begin(), bytes.end());
  }
  template <typename Word>
  requires std::is_integral_v<Word>
  void append(Word word) {
    for (unsigned b = 0; b < sizeof(Word); ++b) program_.image.push_back(static_cast<std::uint8_t>(word >> (8 * b)));
  }
  void align() {
    program_.image.resize((program_.image.size() + abi::BeatBytes - 1) / abi::BeatBytes * abi::BeatBytes);
  }

  // Loads land in the lower half, which only lanes read; they wait for what read it before.
  void load() {
    abi::Command c = command(abi::OpLoad);
    c.window = abi::WindowInput;
    const int total = static_cast<int>(input_.size() / abi::BeatBytes);
    c.planes = static_cast<std::uint16_t>(random_.between(1, 5));
    c.run = static_cast<std::uint32_t>(random_.between(1, std::max(1, total / c.planes)));
    c.pitch = static_cast<std::uint32_t>(random_.between(0, (total - static_cast<int>(c.run)) / c.planes));
    c.offset = static_cast<std::uint32_t>(
        random_.between(0, total - static_cast<int>(c.run) - static_cast<int>(c.pitch) * (c.planes - 1)));
    const int words = static_cast<int>(c.run * configuration_.words_per_beat());
    const int room = static_cast<int>(inputs_) - words;
    c.word_pitch = static_cast<std::uint16_t>(random_.between(0, std::max(0, std::min(room / c.planes, words + 7))));
    c.address = static_cast<std::uint16_t>(random_.between(0, std::min(300, room - c.word_pitch * (c.planes - 1))));
    c.wait_compute = computes_;
    const int rows = words + (c.address + c.word_pitch * (c.planes - 1)) / static_cast<int>(abi::Banks);
    if (configuration_.coded && random_.chance(0.3) && rows < static_cast<int>(configuration_.bank_rows / 2))
      c.flags = abi::FlagReplicate;
    commands_.push_back(c);
    ++loads_;
  }

  std::uint32_t weight(unsigned format, std::uint16_t address, std::uint32_t items, std::uint32_t offset,
                       std::uint32_t wait_compute = 0) {
    abi::Command c = command(abi::OpWeight);
    c.window = abi::WindowProgram;
    c.format = static_cast<std::uint8_t>(format);
    c.address = address;
    c.items = items;
    c.offset = offset;
    align();
    c.run = beats() - offset;
    c.wait_compute = wait_compute;
    pending_ = c;
    return ++weights_;
  }

  /// Lines of a chunk: mostly few; some fill a good part of the store or more than all of it.
  std::uint32_t chunk_size() {
    const auto depth = static_cast<int>(configuration_.line_depth);
    if (random_.chance(0.03)) return static_cast<std::uint32_t>(depth + random_.between(1, 100));
    if (random_.chance(0.04)) return static_cast<std::uint32_t>(random_.between(depth / 4, depth));
    return static_cast<std::uint32_t>(random_.between(1, std::min(40, depth)));
  }

  // One weight stream, the tables of its chunks and the commands that run them.
  void chunks(std::uint16_t layer) {
    if (configuration_.coded && random_.chance(0.2)) return vector_chunk(layer);
    constexpr std::array Formats{abi::FormatSparse, abi::FormatDense, abi::FormatBlock};
    const unsigned format = Formats[static_cast<std::size_t>(random_.between(0, 2))];
    RandomStream streams(configuration_, random_);
    std::vector<RandomChunk> chunks{streams.chunk(format, chunk_size())};
    std::uint32_t lines = chunks[0].lines;
    // A second chunk of the same stream starts with a new line.
    const unsigned per_line = configuration_.line_slots(abi::WeightsSparse, 1);
    if (random_.chance(0.3) && (format != abi::FormatSparse || chunks[0].compute.slots % per_line == 0)) {
      chunks.push_back(streams.chunk(format, static_cast<std::uint32_t>(random_.between(1, 20))));
      lines += chunks[1].lines;
      if (lines > configuration_.line_depth) {  // the tables of the second one would stand behind lines without room
        chunks.pop_back();
        lines = chunks[0].lines;
      }
    }
    write_stream(format, chunks);
    const bool whole = lines <= configuration_.line_depth;
    const std::size_t first = commands_.size();
    commands_.push_back(pending_);
    run(layer, chunks[0], whole && random_.chance(0.5) ? std::nullopt : std::optional(first));
    for (std::size_t i = 1; i < chunks.size(); ++i) run(layer, chunks[i], std::nullopt);
  }

  /// Rows of a matrix for WeightsVector.
  std::vector<compile::VectorRow> matrix(std::uint32_t columns) {
    const auto count = static_cast<std::size_t>(random_.between(1, 3 * static_cast<int>(configuration_.lanes)));
    const bool few = random_.chance(0.5);
    const double density = random_.unit();
    std::vector<compile::VectorRow> rows(count);
    for (compile::VectorRow& row : rows) {
      for (std::uint32_t column = 0; column < columns; ++column) {
        if (!random_.chance(density * density)) continue;
        row.columns.push_back(column);
        row.weights.push_back(few ? static_cast<std::int8_t>(random_.between(-5, 5)) : random_.byte());
      }
    }
    return rows;
  }

  /// A product of a matrix and what the lower half of the banks holds.
  void vector_chunk(std::uint16_t layer) {
    const std::uint32_t most = (configuration_.bank_rows / 2 - 20) * configuration_.pixels;
    const auto columns = static_cast<std::uint32_t>(random_.between(1, static_cast<int>(std::min(most, 700U))));
    const std::vector<compile::VectorRow> rows = matrix(columns);
    const compile::VectorCode code = compile::vector_code(rows, columns, configuration_, {});
    const compile::VectorStream stream = compile::vector_stream(rows, columns, code, 100, configuration_);
    std::vector<std::uint32_t> symbols;
    for (const std::int8_t weight : code.weights)
      symbols.push_back(abi::encode(abi::Symbol{weight, 0, false, false, 0}));
    if (!symbols.empty()) code_table(0, symbols);
    const std::uint32_t offset = beats();
    append(stream.bytes);
    weight(abi::FormatVector, 0, stream.slots, offset);
    pending_.gap_bits = static_cast<std::uint8_t>(code.gap_bits);
    pending_.value_bits = static_cast<std::uint8_t>(code.value_bits);
    pending_.columns = columns;
    const std::size_t first = commands_.size();
    commands_.push_back(pending_);
    RandomChunk chunk;
    chunk.compute = command(abi::OpCompute);
    chunk.compute.weights = static_cast<std::uint8_t>(abi::WeightsVector);
    chunk.compute.slots = stream.slots;
    chunk.lines = configuration_.line_depth + 1;  // one position
    chunk.rows.resize(configuration_.lanes);
    for (std::size_t i = 0; i < stream.rows.size(); ++i)
      chunk.rows[i % configuration_.lanes] += stream.rows[i] < 0 ? 0 : 1;
    run(layer, chunk, first);
  }

  /// The lines of chunks of one format, as they are or coded: OpWeight is then pending, its code table is not.
  void write_stream(unsigned format, const std::vector<RandomChunk>& chunks) {
    std::vector<std::uint8_t> bytes;
    std::uint32_t items = 0;
    for (const RandomChunk& chunk : chunks) {
      bytes.insert(bytes.end(), chunk.bytes.begin(), chunk.bytes.end());
      items += chunk.items;
    }
    const bool coded = configuration_.coded;
    if (coded && format == abi::FormatSparse && random_.chance(0.6)) return write_coded(bytes, items);
    if (coded && format == abi::FormatDense && random_.chance(0.5)) return write_packed(items);
    const auto fits = [](const RandomChunk& chunk) { return chunk.fits_short; };
    const bool are_short = std::all_of(chunks.begin(), chunks.end(), fits) && random_.chance(0.6);
    const std::uint32_t offset = beats();
    append(are_short ? shortened(bytes, items) : bytes);
    weight(format, 0, items, offset);
    if (are_short) pending_.gap_bits = static_cast<std::uint8_t>(abi::ShortBits);
  }

  /// Lines of FormatBlock with short entries; anything may stand behind them.
  std::vector<std::uint8_t> shortened(const std::vector<std::uint8_t>& bytes, std::uint32_t items) {
    const std::size_t size = bytes.size() / items;
    std::vector<std::uint8_t> lines;
    for (std::size_t line = 0; line < items; ++line) {
      const std::uint8_t* const from = &bytes[line * size];
      lines.insert(lines.end(), from, from + abi::BeatBytes);
      for (unsigned k = 0; k < configuration_.lanes; ++k) {
        const auto entry = static_cast<std::uint32_t>(abi::get_bits({from + abi::BeatBytes + 4 * k, 4}, 0, 32));
        const std::uint16_t bits = abi::encode_short(abi::decode_entry(entry));
        lines.push_back(static_cast<std::uint8_t>(bits));
        lines.push_back(static_cast<std::uint8_t>(bits >> 8));
      }
      while (lines.size() % abi::BeatBytes != 0) lines.push_back(static_cast<std::uint8_t>(random_.byte()));
    }
    return lines;
  }

  void write_coded(const std::vector<std::uint8_t>& bytes, std::uint32_t items) {
    std::vector<abi::Entry> entries;
    for (std::size_t i = 0; i < bytes.size(); i += 4) {
      entries.push_back(abi::decode_entry(static_cast<std::uint32_t>(abi::get_bits({&bytes[i], 4}, 0, 32))));
    }
    const std::vector<compile::GapKey> keys = compile::gap_keys(entries, configuration_.lanes);
    compile::SymbolCounts counts;
    counts.add(entries, keys);
    std::optional<compile::WeightCode> code;
    if (random_.chance(0.6)) code = compile::huffman_code(counts, random_.chance(0.6));
    if (!code) code = compile::fixed_code(counts);
    code_table(code->table_first(), code->table());
    const std::uint32_t offset = beats();
    append(compile::encode_slots(*code, entries, keys, configuration_.lanes));
    if (random_.chance(0.2)) program_.image.resize(program_.image.size() + 3 * abi::BeatBytes);  // beats behind the end
    weight(code->format, 0, items, offset);
    pending_.gap_bits = static_cast<std::uint8_t>(code->gap_bits);
    pending_.value_bits = static_cast<std::uint8_t>(code->value_bits);
  }

  /// Any symbols and any weights.
  void write_packed(std::uint32_t lines) {
    std::vector<std::uint32_t> symbols;
    for (int i = random_.between(16, 40); i > 0; --i)
      symbols.push_back(static_cast<std::uint32_t>(random_.between(0, 255)));
    code_table(0, symbols);
    const unsigned bits = 1U << random_.between(0, 2);
    const std::uint32_t offset = beats();
    for (std::size_t i = 0; i < std::size_t{lines} * 8 * bits; ++i) append(static_cast<std::uint8_t>(random_.byte()));
    weight(abi::FormatPacked, 0, lines, offset);
    pending_.value_bits = static_cast<std::uint8_t>(bits);
  }

  void code_table(unsigned first, const std::vector<std::uint32_t>& entries) {
    const std::uint32_t offset = beats();
    for (const std::uint32_t entry : entries) append(entry);
    weight(abi::FormatCode, static_cast<std::uint16_t>(first), static_cast<std::uint32_t>(entries.size()), offset);
    commands_.push_back(pending_);
  }

  /// Tables and command of a chunk. `stream`: index of its OpWeight if the command may start with the first line; the
  /// stream then comes after the tables.
  void run(std::uint16_t layer, const RandomChunk& chunk, std::optional<std::size_t> stream) {
    abi::Command c = chunk.compute;
    c.layer = layer;
    const int positions = chunk.lines > configuration_.line_depth ? 1 : chunk.lines > 300 ? 2 : 4;
    c.count_x = static_cast<std::uint16_t>(random_.between(1, positions));
    c.count_y = static_cast<std::uint16_t>(random_.between(1, positions > 2 ? 3 : 1));
    c.step_x = static_cast<std::uint16_t>(random_.between(0, 20));
    c.step_y = static_cast<std::uint16_t>(random_.between(0, 40));
    c.address = static_cast<std::uint16_t>(chunk.below + random_.between(0, 300));
    c.unroll = static_cast<std::uint8_t>(random_.between(1, 2));
    c.operation = static_cast<std::uint8_t>(random_.between(0, abi::Operations - 1));
    c.zero = random_.byte();
    c.low = static_cast<std::int8_t>(random_.between(-128, 0));
    c.high = static_cast<std::int8_t>(random_.between(0, 127));
    c.fill = random_.byte();
    c.zero_a = random_.byte();
    c.zero_b = random_.byte();
    c.multiplier_b = static_cast<std::uint32_t>(random_.between(0, (1 << 24) - 1));

    const std::uint32_t words = tables(c, chunk.rows);
    c.wait_load = loads_;
    c.wait_weight = weights_;
    // No room: what was computed and not stored is overwritten, once all of it is in place.
    const bool full = output_ + words + StoreMargin > configuration_.scratch_words();
    if (full) {
      output_ = inputs_;
      c.wait_store = stores_;
    }
    c.output = static_cast<std::uint16_t>(output_);
    output_ += words;
    if (full || random_.chance(0.3)) {
      c.flags |= abi::FlagDrain;
      c.wait_compute = computes_;
    }
    if (stream) {
      const auto at = commands_.begin() + static_cast<std::ptrdiff_t>(*stream);
      std::rotate(at, at + 1, commands_.end());
      --c.wait_weight;
    }
    commands_.push_back(c);
    ++computes_;
  }

  // Write program, permutations, rows and scales. Every result has words of its own: row plane + entry of the position.
  // Returns the words of all results.
  std::uint32_t tables(abi::Command& c, const std::vector<int>& rows) {
    const auto permute = static_cast<std::uint8_t>(random_.between(0, 255));      // first entry of the permutations
    const auto row_permute = static_cast<std::uint8_t>(random_.between(0, 255));  // what rows add at least
    const auto plane = program_table(c, static_cast<std::uint8_t>(permute - row_permute));
    permutations(permute);

    const unsigned lanes = configuration_.lanes;
    const auto count = static_cast<unsigned>(*std::max_element(rows.begin(), rows.end())) * lanes;
    std::uint32_t start = beats();
    std::uint16_t planes = 0;
    for (unsigned i = 0; i < count; ++i) {
      abi::Row row;
      row.step = static_cast<std::uint8_t>(random_.between(0, c.unroll - 1));
      row.permute = static_cast<std::uint8_t>(row_permute + random_.between(0, Permutes));
      if (static_cast<int>(i / lanes) < rows[i % lanes]) row.output = static_cast<std::uint16_t>(plane * planes++);
      append(abi::encode(row));
    }
    weight(abi::FormatRow, rows_, count, start, computes_);
    commands_.push_back(pending_);
    c.row = rows_;
    rows_ = static_cast<std::uint16_t>((rows_ + count) % abi::RowDepth);

    start = beats();
    scales_ = static_cast<std::uint16_t>((scales_ + c.split - 1U) / c.split * c.split % abi::ScaleDepth);
    for (unsigned i = 0; i < count * c.split; ++i) {
      abi::ScaleEntry scale;
      scale.bias = random_.between(-8000, 8000);
      scale.multiplier = static_cast<std::uint32_t>(random_.between(1 << 23, (1 << 24) - 1));
      scale.shift = static_cast<std::uint8_t>(random_.between(24, 36));
      append(abi::encode(scale));
    }
    weight(abi::FormatScale, scales_, count * c.split, start, computes_);
    commands_.push_back(pending_);
    c.scale = scales_;
    scales_ = static_cast<std::uint16_t>((scales_ + count * c.split) % abi::ScaleDepth);
    return std::uint32_t{plane} * planes;
  }

  /// Chains of the write program; their permutations are `permute` and up. Returns the words of a row's results.
  std::uint16_t program_table(abi::Command& c, std::uint8_t permute) {
    const int positions = c.count_x * c.count_y * c.unroll;
    std::vector<abi::ProgramEntry> entries(static_cast<std::size_t>(positions));
    const auto base = program_entries_;
    std::uint16_t offset = 0;
    for (int p = 0; p < positions; ++p) {
      std::size_t at = static_cast<std::size_t>(p);
      for (int chain = random_.chance(0.3) ? random_.between(1, 3) : 0;; --chain) {
        entries[at].offset = offset++;
        entries[at].permute = static_cast<std::uint8_t>(permute + random_.between(0, Permutes));
        entries[at].drop = random_.chance(0.1);
        if (chain == 0) break;
        entries[at].next = static_cast<std::uint16_t>(base + entries.size());
        at = entries.size();
        entries.emplace_back();
      }
    }
    const std::uint32_t start = beats();
    for (const auto& entry : entries) append(abi::encode(entry));
    weight(abi::FormatProgram, base, static_cast<std::uint32_t>(entries.size()), start, computes_);
    commands_.push_back(pending_);
    c.program = base;
    program_entries_ = static_cast<std::uint16_t>((base + entries.size()) % (configuration_.program_depth / 2));
    if (program_entries_ == 0) program_entries_ = 1;
    return offset;
  }

  /// What program entries and rows add up to: 2 * Permutes + 1 entries from `first`, modulo the depth of the table.
  void permutations(std::uint8_t first) {
    const std::uint32_t start = beats();
    for (int i = 0; i < 2 * Permutes + 1; ++i) {
      for (unsigned p = 0; p < configuration_.pixels; ++p) {
        const auto source = static_cast<unsigned>(random_.between(0, static_cast<int>(configuration_.pixels) - 1));
        const auto mode = static_cast<unsigned>(random_.between(0, 2));
        program_.image.push_back(static_cast<std::uint8_t>(source | (mode << abi::PermuteModeLsb)));
      }
    }
    weight(abi::FormatPermute, first, 2 * Permutes + 1, start, computes_);
    commands_.push_back(pending_);
  }

  void store() {
    abi::Command c = command(abi::OpStore);
    c.window = abi::WindowOutput;
    c.wait_compute = computes_;
    const unsigned words = output_ - inputs_;
    const unsigned per_beat = configuration_.words_per_beat();
    c.planes = static_cast<std::uint16_t>(random_.between(1, 3));
    c.run = std::max(1U, words / per_beat / c.planes + 1U);
    c.word_pitch = static_cast<std::uint16_t>(c.run * per_beat + static_cast<unsigned>(random_.between(0, 3)));
    c.pitch = c.run + static_cast<std::uint32_t>(random_.between(0, 2));
    c.address = static_cast<std::uint16_t>(inputs_ + static_cast<unsigned>(random_.between(0, 3)));
    c.offset = output_beats_;
    output_beats_ += c.pitch * c.planes;
    // What is stored beyond the results stays untouched by the computes that follow.
    output_ = std::max(output_, c.address + c.word_pitch * (c.planes - 1U) + c.run * per_beat);
    commands_.push_back(c);
    ++stores_;
    // The next layer writes anew once this is out.
    if (random_.chance(0.3)) {
      abi::Command wait = command(abi::OpLoad);
      wait.window = abi::WindowInput;
      wait.run = wait.planes = 1;
      wait.wait_store = stores_;
      wait.wait_compute = computes_;
      commands_.push_back(wait);
      ++loads_;
      output_ = inputs_;
    }
  }

  const abi::Configuration& configuration_;
  Random& random_;
  std::uint32_t inputs_;
  std::uint32_t output_ = 0;
  compile::DeviceProgram program_;
  std::vector<std::uint8_t> input_;
  std::vector<abi::Command> commands_;
  abi::Command pending_;
  std::uint32_t loads_ = 0, weights_ = 0, computes_ = 0, stores_ = 0, output_beats_ = 0;
  std::uint16_t program_entries_ = 1, rows_ = 0, scales_ = 0;
};

}  // namespace

RandomProgram random_program(const abi::Configuration& configuration, Random& random, int layers) {
  return Builder(configuration, random).build(layers);
}

}  // namespace espalier::test
