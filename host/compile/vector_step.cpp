#include "compile/vector_step.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "compile/chunks.hpp"
#include "compile/layout.hpp"
#include "compile/weight_code.hpp"
#include "esp_error.hpp"

namespace espalier::compile {
namespace {

/// Rows of a chunk use up to half of the row and scale tables, so that those of the next one are loaded meanwhile; not
/// all lanes have equally many.
constexpr std::size_t TableRows = std::min(abi::RowDepth, abi::ScaleDepth) / 2;
constexpr double RowShare = 15.0 / 16;

constexpr std::uint32_t NoColumn = ~0U;

std::uint16_t word(int address) { return static_cast<std::uint16_t>(address); }

}  // namespace

VectorStep::VectorStep(const StepRows& rows, const Lowered& lowered, const Placement& placement, const StepPlace& place,
                       const abi::Configuration& configuration, const Options& options)
    : rows_(rows),
      step_(rows.step()),
      in_(lowered.images[static_cast<std::size_t>(step_.inputs[0].image)]),
      out_(lowered.images[static_cast<std::size_t>(step_.output)]),
      in_place_(placement.images[static_cast<std::size_t>(step_.inputs[0].image)]),
      out_place_(placement.images[static_cast<std::size_t>(step_.output)]),
      place_(place),
      configuration_(configuration),
      options_(options) {}

/// For each weight of a channel, where the image in memory has the byte that it multiplies.
std::vector<std::uint32_t> VectorStep::weight_columns() const {
  const Layout& layout = in_.layout;
  const Window& window = step_.window;
  std::vector<std::uint32_t> columns(
      static_cast<std::size_t>(step_.input_channels) * static_cast<std::size_t>(window.kernel_y * window.kernel_x),
      NoColumn);
  const auto pixels = static_cast<int>(configuration_.pixels);
  const int plane_bytes =
      in_place_.linear ? in_place_.plane_pitch * pixels : in_place_.plane_beats * static_cast<int>(abi::BeatBytes);
  for (int plane = 0; plane < in_.planes; ++plane) {
    for (int row = 0; row < layout.rows; ++row) {
      for (int column = 0; column < layout.columns; ++column) {
        for (int byte = 0; byte < pixels; ++byte) {
          const std::optional<Pixel> pixel = layout.pixel(byte, row, column);
          const int channel = plane * layout.word.split + byte / layout.word.segment;
          if (!pixel || channel >= step_.input_channels) continue;
          if (pixel->y % window.dilation_y != 0 || pixel->x % window.dilation_x != 0) continue;
          const int y = pixel->y / window.dilation_y, x = pixel->x / window.dilation_x;
          if (y >= window.kernel_y || x >= window.kernel_x) continue;
          auto& known = columns[static_cast<std::size_t>((channel * window.kernel_y + y) * window.kernel_x + x)];
          const int at = plane * plane_bytes + (row * layout.row_pitch + column) * pixels + byte;
          known = std::min(known, static_cast<std::uint32_t>(at));
        }
      }
    }
  }
  return columns;
}

std::vector<VectorRow> VectorStep::matrix() const {
  const std::vector<std::uint32_t> columns = weight_columns();
  std::vector<std::uint32_t> order(columns.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return columns[a] < columns[b]; });
  if (columns[order.back()] == NoColumn) {
    throw Error(ErrorCode::Internal, "an image lacks pixels that its reader multiplies", "image of '" + in_.name + "'");
  }
  std::vector<VectorRow> rows(static_cast<std::size_t>(step_.output_channels));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (const std::uint32_t index : order) {
      const std::int8_t weight = rows_.weight(static_cast<int>(r), index);
      if (weight == 0) continue;
      rows[r].columns.push_back(columns[index]);
      rows[r].weights.push_back(weight);
    }
  }
  return rows;
}

void VectorStep::prepare() {
  const std::vector<VectorRow> rows = matrix();
  for (const VectorRow& row : rows) {
    if (!row.columns.empty()) columns_ = std::max(columns_, row.columns.back() + 1);
  }
  code_ = vector_code(rows, columns_, configuration_, options_.memory);
  const std::size_t most = TableRows / configuration_.lanes;  // of a lane
  const auto chunk_rows = static_cast<int>(static_cast<double>(TableRows) * RowShare);
  const int count = divide_up(step_.output_channels, chunk_rows);
  const int size = divide_up(step_.output_channels, count);
  for (int first = 0; first < step_.output_channels; first += size) {
    Chunk chunk{first, std::min(size, step_.output_channels - first), {}};
    const auto part = std::span(rows).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(chunk.count));
    chunk.stream = vector_stream(part, columns_, code_, most, configuration_);
    chunks_.push_back(std::move(chunk));
  }
}

/// The words of all banks that the vector fills.
Region VectorStep::input_region() const {
  const auto words = static_cast<std::int64_t>(in_place_.beats(in_.planes) * configuration_.words_per_beat());
  return {place_.inputs[0].address[0], words * abi::Banks, 0, 1};
}

void VectorStep::load(ProgramBuilder& builder) const {
  abi::Command command;
  command.flags = static_cast<std::uint8_t>(abi::FlagReplicate);
  command.window = static_cast<std::uint8_t>(in_place_.window);
  command.address = word(place_.inputs[0].address[0]);
  command.offset = in_place_.offset;
  command.run = static_cast<std::uint32_t>(in_place_.beats(in_.planes));
  command.planes = 1;
  builder.load(command);
}

VectorStep::Tables VectorStep::load_tables(ProgramBuilder& builder, LayerWork& work) const {
  const WritePlan& plan = rows_.passes().front().plan;
  Tables tables;
  tables.permute = builder.permute_table(plan.permutations);
  std::vector<abi::ProgramEntry> entries;
  for (const WordWrite& write : plan.positions.front()) {
    abi::ProgramEntry entry;
    entry.offset = word(write.plane * place_.output.plane_pitch + write.offset);
    entry.permute = static_cast<std::uint8_t>(tables.permute + write.permute);
    entries.push_back(entry);
    if (entries.size() > 1) entries[entries.size() - 2].next = static_cast<std::uint16_t>(entries.size() - 1);
  }
  tables.program = builder.program_tables(std::vector<std::vector<abi::ProgramEntry>>{entries}).front();
  if (code_.value_bits < 8) {
    std::vector<std::uint32_t> codes(abi::CodeDepth - CodeTableFirst, 0);
    for (const std::int8_t weight : code_.weights)
      codes.push_back(abi::encode(abi::Symbol{weight, 0, false, false, 0}));
    work.code_beats += builder.code_table(codes, CodeTableFirst);
  }
  return tables;
}

void VectorStep::compute(ProgramBuilder& builder, LayerWork& work, const Chunk& chunk, const Tables& tables,
                         std::function<void()>& before_first_compute) const {
  std::vector<abi::Row> rows(chunk.stream.rows.size());
  std::vector<abi::ScaleEntry> scales(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (chunk.stream.rows[i] < 0) continue;
    const int row = chunk.first + chunk.stream.rows[i];
    rows[i].output = word(rows_.output_plane(row) * place_.output.plane_pitch);
    rows[i].permute = static_cast<std::uint8_t>(rows_.variant(row));
    scales[i] = rows_.scale(row, rows_.passes().front());
  }
  const int row = builder.row_table(rows);
  const int scale = builder.scale_table(scales);
  abi::Command stream;
  stream.format = static_cast<std::uint8_t>(abi::FormatVector);
  stream.items = chunk.stream.slots;
  stream.gap_bits = static_cast<std::uint8_t>(code_.gap_bits);
  stream.value_bits = static_cast<std::uint8_t>(code_.value_bits);
  stream.columns = columns_;
  builder.weights(stream, chunk.stream.bytes, false);

  abi::Command command = rows_.command();
  command.operation = static_cast<std::uint8_t>(abi::OperationMacReduce);
  command.weights = static_cast<std::uint8_t>(abi::WeightsVector);
  command.address = word(place_.inputs[0].address[0]);
  command.output = word(place_.output.address[0]);
  command.slots = chunk.stream.slots;
  command.count_x = command.count_y = 1;
  const int first = rows_.output_plane(chunk.first), planes = rows_.output_planes(chunk.first, chunk.count);
  const Region output{place_.output.address[0] + first * place_.output.plane_pitch, out_.layout.plane_words(),
                      place_.output.plane_pitch, planes};
  if (before_first_compute) before_first_compute();
  before_first_compute = nullptr;
  builder.compute(command, {row, scale, tables.program, tables.permute}, {input_region()}, {output});

  const std::size_t beats = (chunk.stream.bytes.size() + abi::BeatBytes - 1) / abi::BeatBytes;
  work.stream_beats += beats;
  work.weight_beats += beats;
  work.alignment_bits += static_cast<double>(beats * abi::BeatBytes * 8);
  work.slots += chunk.stream.slots;
  work.result_words += static_cast<std::uint64_t>(chunk.count) * rows_.passes().front().plan.positions.front().size();
}

void VectorStep::store(ProgramBuilder& builder) const {
  if (!out_place_.in_memory) return;
  const int words_per_beat = static_cast<int>(configuration_.words_per_beat());
  abi::Command command;
  command.window = static_cast<std::uint8_t>(out_place_.window);
  command.address = word(place_.output.address[0]);
  command.offset = out_place_.offset;
  command.run = static_cast<std::uint32_t>(out_place_.linear ? out_place_.linear_beats
                                                             : divide_up(out_.layout.plane_words(), words_per_beat));
  command.pitch = static_cast<std::uint32_t>(out_place_.plane_beats);
  command.planes = static_cast<std::uint16_t>(out_place_.linear ? 1 : out_.planes);
  command.word_pitch = static_cast<std::uint16_t>(out_place_.linear ? 0 : place_.output.plane_pitch);
  builder.store(command);
}

void VectorStep::emit(ProgramBuilder& builder, LayerWork& work, std::function<void()> before_first_compute) {
  work.sparse = true;
  work.split = 1;
  work.weight_format = abi::FormatVector;
  work.entropy_bits += code_.entropy_bits;
  work.alignment_bits -= code_.bits;
  work.lower_bound += static_cast<std::uint64_t>(code_.bits / (code_.gap_bits + code_.value_bits) /
                                                 configuration_.lanes / configuration_.vector_products());
  load(builder);
  const Tables tables = load_tables(builder, work);
  for (const Chunk& chunk : chunks_) compute(builder, work, chunk, tables, before_first_compute);
  store(builder);
}

}  // namespace espalier::compile
