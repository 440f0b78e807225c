#include "random_program.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

namespace espalier::test {
namespace {

constexpr int BankStep = abi::Banks;  // words from one row of a bank to the next

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
      for (int i = random_.between(1, 3); i > 0; --i) chunk(static_cast<std::uint16_t>(layer));
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
  static abi::Command command(unsigned opcode) {
    abi::Command c;
    c.opcode = static_cast<std::uint8_t>(opcode);
    return c;
  }
  std::uint32_t beats() const { return static_cast<std::uint32_t>(program_.image.size() / abi::BeatBytes); }
  void append(std::span<const std::uint8_t> bytes) {
    program_.image.insert(program_.image.end(), bytes.begin(), bytes.end());
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

  // K entries per slot; lanes of a group that meet in a bank read the same word.
  std::uint32_t sparse_slots(std::vector<int>& rows, double density, int offsets) {
    const unsigned lanes = configuration_.lanes;
    const auto slots = static_cast<std::uint32_t>(random_.between(1, 40));
    const std::uint32_t offset = beats();
    rows.assign(lanes, 0);
    for (std::uint32_t s = 0; s < slots; ++s) {
      std::map<unsigned, std::uint16_t> taken;
      for (unsigned k = 0; k < lanes; ++k) {
        if (k % abi::LanesPerPort == 0) taken.clear();
        abi::Entry entry;
        entry.weight = random_.byte();
        entry.valid = random_.chance(density);
        const auto wanted = static_cast<std::uint16_t>(random_.between(0, offsets - 1));
        entry.offset = taken.try_emplace(wanted % abi::Banks, wanted).first->second;
        entry.last = s + 1 == slots ? random_.chance(0.9) : random_.chance(0.1);
        if (s + 1 == slots && rows[k] == 0) entry.last = true;
        rows[k] += entry.last ? 1 : 0;
        const std::uint32_t bits = abi::encode(entry);
        for (unsigned b = 0; b < 4; ++b) program_.image.push_back(static_cast<std::uint8_t>(bits >> (8 * b)));
        // A row that is cut off by the chunk's end would run on into the next position: end it.
      }
    }
    // Every lane ends its last row with the chunk.
    for (unsigned k = 0; k < lanes; ++k) {
      const std::size_t at = program_.image.size() - (lanes - k) * 4 + abi::EntryLastLsb / 8;
      const auto bit = static_cast<std::uint8_t>(1U << (abi::EntryLastLsb % 8));
      if ((program_.image[at] & bit) == 0) ++rows[k];
      program_.image[at] = static_cast<std::uint8_t>(program_.image[at] | bit);
    }
    weight(abi::FormatSparse, 0, slots, offset);
    commands_.push_back(pending_);
    return slots;
  }

  // All lanes read one word. Crowded: always in the same bank.
  std::uint32_t dense_slots(std::vector<int>& rows, int offsets, bool crowded) {
    const unsigned lanes = configuration_.lanes;
    const std::uint32_t offset = beats();
    const int groups = random_.between(1, crowded ? 2 : 3);
    std::array<std::uint16_t, 3> count{};
    std::array<std::uint16_t, 3> step{};
    for (unsigned i = 0; i < 3; ++i) {
      count[i] = static_cast<std::uint16_t>(random_.between(1, 4));
      step[i] =
          static_cast<std::uint16_t>(crowded ? BankStep * random_.between(0, 3) : random_.between(0, offsets / 16));
    }
    const std::uint32_t row_slots = 1U * count[0] * count[1] * count[2];
    const auto slots = static_cast<std::uint32_t>(groups) * row_slots;
    for (std::uint32_t i = 0; i < slots * lanes; ++i)
      program_.image.push_back(static_cast<std::uint8_t>(random_.byte()));
    weight(abi::FormatDense, 0, slots, offset);
    pending_.count = count;
    pending_.step = step;
    pending_.tail_lanes = static_cast<std::uint8_t>(random_.between(1, static_cast<int>(lanes)));
    rows.assign(lanes, groups - 1);
    for (unsigned k = 0; k < pending_.tail_lanes; ++k) ++rows[k];
    commands_.push_back(pending_);
    return slots;
  }

  void chunk(std::uint16_t layer) {
    const unsigned lanes = configuration_.lanes;
    const int offsets = random_.between(1, 200);
    const std::size_t first = commands_.size();
    std::vector<int> rows;
    // Crowded: operands and results meet in one bank.
    const bool crowded = random_.chance(0.2);
    const std::uint32_t slots = !crowded && random_.chance(0.6) ? sparse_slots(rows, random_.unit(), offsets)
                                                                : dense_slots(rows, offsets, crowded);
    const abi::Command stream = pending_;
    abi::Command c = command(abi::OpCompute);
    c.layer = layer;
    c.slots = slots;
    c.count_x = static_cast<std::uint16_t>(random_.between(1, 4));
    c.count_y = static_cast<std::uint16_t>(random_.between(1, 3));
    c.step_x = static_cast<std::uint16_t>(random_.between(0, 20));
    c.step_y = static_cast<std::uint16_t>(random_.between(0, 40));
    c.address = static_cast<std::uint16_t>(random_.between(0, 300));
    c.unroll = static_cast<std::uint8_t>(random_.between(1, 2));
    if (crowded) {
      c.count_y = c.unroll = 1;
      c.count_x = static_cast<std::uint16_t>(random_.between(1, 3));
      c.step_x = BankStep;
    }
    c.operation = static_cast<std::uint8_t>(random_.between(0, abi::Operations - 1));
    c.zero = random_.byte();
    c.low = static_cast<std::int8_t>(random_.between(-128, 0));
    c.high = static_cast<std::int8_t>(random_.between(0, 127));
    c.fill = random_.byte();
    c.zero_a = random_.byte();
    c.zero_b = random_.byte();
    c.multiplier_b = static_cast<std::uint32_t>(random_.between(0, (1 << 24) - 1));

    const int row_count = *std::max_element(rows.begin(), rows.end());
    const std::uint32_t words = tables(c, row_count * static_cast<int>(lanes), rows, crowded ? BankStep : 1);
    c.wait_load = loads_;
    c.wait_weight = weights_;
    // No room: what was computed and not stored is overwritten, once all of it is in place.
    const bool full = output_ + words > configuration_.scratch_words();
    if (full) {
      output_ = inputs_;
      c.wait_store = stores_;
    }
    c.output = static_cast<std::uint16_t>(output_);
    if (crowded) c.address = static_cast<std::uint16_t>(c.address / BankStep * BankStep + c.output % BankStep);
    output_ += words;
    if (full || random_.chance(0.3)) {
      c.flags = abi::FlagDrain;
      c.wait_compute = computes_;
    }
    // Slots may come before or after the tables; if after, the command may start with the first slot.
    if (random_.chance(0.5)) {
      const auto at = commands_.begin() + static_cast<std::ptrdiff_t>(first);
      std::rotate(at, at + 1, commands_.end());
      --c.wait_weight;
    }
    commands_.push_back(c);
    ++computes_;
    if (random_.chance(0.4)) repeat(c, stream, words);
  }

  // The same chunk again and again, with slots and results of its own: nothing stands between two of its commands, and
  // there may be more of them than a unit's queue holds.
  void repeat(abi::Command c, const abi::Command& stream, std::uint32_t words) {
    for (int i = random_.between(1, 12); i > 0 && output_ + words <= configuration_.scratch_words(); --i) {
      commands_.push_back(stream);
      ++weights_;
      c.flags = 0;
      c.wait_weight = weights_;
      c.output = static_cast<std::uint16_t>(output_);
      output_ += words;
      commands_.push_back(c);
      ++computes_;
    }
  }

  // Write program, permutations and parameters. Every result has words of its own: row plane + entry of the position,
  // `step` words apart. Returns how many words that takes.
  std::uint32_t tables(abi::Command& c, int parameter_rows, const std::vector<int>& rows, int step) {
    const int positions = c.count_x * c.count_y * c.unroll;
    std::vector<abi::ProgramEntry> entries(static_cast<std::size_t>(positions));
    const auto base = program_entries_;
    std::uint16_t offset = 0;
    for (int p = 0; p < positions; ++p) {
      std::size_t at = static_cast<std::size_t>(p);
      for (int chain = random_.chance(0.3) ? random_.between(1, 3) : 0;; --chain) {
        entries[at].offset = std::exchange(offset, static_cast<std::uint16_t>(offset + step));
        entries[at].permute = static_cast<std::uint8_t>(random_.between(0, 7));
        entries[at].drop = random_.chance(0.1);
        if (chain == 0) break;
        entries[at].next = static_cast<std::uint16_t>(base + entries.size());
        at = entries.size();
        entries.emplace_back();
      }
    }
    const std::uint16_t plane = offset;
    std::uint32_t start = beats();
    for (const auto& entry : entries) {
      const std::uint64_t bits = abi::encode(entry);
      for (unsigned b = 0; b < 8; ++b) program_.image.push_back(static_cast<std::uint8_t>(bits >> (8 * b)));
    }
    weight(abi::FormatProgram, base, static_cast<std::uint32_t>(entries.size()), start, computes_);
    commands_.push_back(pending_);
    c.program = base;
    program_entries_ = static_cast<std::uint16_t>((base + entries.size()) % (abi::ProgramDepth / 2));
    if (program_entries_ == 0) program_entries_ = 1;

    start = beats();
    for (unsigned i = 0; i < 8; ++i) {
      for (unsigned p = 0; p < configuration_.pixels; ++p) {
        const auto source = static_cast<unsigned>(random_.between(0, static_cast<int>(configuration_.pixels) - 1));
        const auto mode = static_cast<unsigned>(random_.between(0, 2));
        program_.image.push_back(static_cast<std::uint8_t>(source | (mode << abi::PermuteModeLsb)));
      }
    }
    weight(abi::FormatPermute, 0, 8, start, computes_);
    commands_.push_back(pending_);

    start = beats();
    const unsigned lanes = configuration_.lanes;
    std::uint16_t plane_index = 0;
    for (int i = 0; i < parameter_rows; ++i) {
      abi::Parameter parameter;
      parameter.bias = random_.between(-100000, 100000);
      parameter.multiplier = static_cast<std::uint32_t>(random_.between(1 << 23, (1 << 24) - 1));
      parameter.shift = static_cast<std::uint8_t>(random_.between(24, 40));
      parameter.step = static_cast<std::uint8_t>(random_.between(0, c.unroll - 1));
      if (i / static_cast<int>(lanes) < rows[static_cast<unsigned>(i) % lanes]) {
        parameter.output = static_cast<std::uint16_t>(plane * plane_index++);
      }
      append(abi::encode(parameter));
    }
    weight(abi::FormatParameter, parameter_rows_, static_cast<std::uint32_t>(parameter_rows), start, computes_);
    commands_.push_back(pending_);
    c.parameter = parameter_rows_;
    parameter_rows_ = static_cast<std::uint16_t>((parameter_rows_ + static_cast<unsigned>(parameter_rows)) %
                                                 (abi::ParameterDepth / 2));
    return static_cast<std::uint32_t>(plane) * plane_index;
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
  std::uint16_t program_entries_ = 1, parameter_rows_ = 0;
};

}  // namespace

RandomProgram random_program(const abi::Configuration& configuration, Random& random, int layers) {
  return Builder(configuration, random).build(layers);
}

}  // namespace espalier::test
