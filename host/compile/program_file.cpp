#include "compile/program_file.hpp"

#include <algorithm>

#include "compile/sealed_bytes.hpp"
#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "program_file_generated.h"

namespace espalier::compile {
namespace {

constexpr const char* Recompile = "compile the network again";
constexpr std::size_t MaxImageBytes = std::size_t{1} << 30;       // a FlatBuffer ends below 2 GiB
constexpr std::uint64_t MaxWindowBytes = std::uint64_t{1} << 32;  // no sum or product of checked fields overflows

file::Layout pack_layout(const Layout& l) {
  return {l.height,   l.width, l.grid_y,  l.grid_x,    l.step_y,     l.step_x,      l.origin_y,
          l.origin_x, l.rows,  l.columns, l.row_pitch, l.word.split, l.word.segment};
}

Layout unpack_layout(const file::Layout& l) {
  return {l.height(),   l.width(),    l.grid_y(), l.grid_x(),  l.step_y(),    l.step_x(),
          l.origin_y(), l.origin_x(), l.rows(),   l.columns(), l.row_pitch(), {l.split(), l.segment()}};
}

flatbuffers::Offset<file::Feature> write_feature(flatbuffers::FlatBufferBuilder& builder, const PackedFeature& f) {
  const auto layout = pack_layout(f.layout);
  return file::CreateFeature(builder, builder.CreateString(f.name), f.index, f.channels, f.scale, f.zero, &layout,
                             f.fill, f.offset, f.plane_bytes);
}

flatbuffers::Offset<file::Layer> write_layer(flatbuffers::FlatBufferBuilder& builder, const LayerReport& l) {
  return file::CreateLayer(
      builder, builder.CreateString(l.name), builder.CreateString(l.op), builder.CreateString(l.shape), l.macs,
      l.nonzero_macs, l.density, l.sparse, l.predicted_cycles, l.dram_read_bytes, l.dram_write_bytes,
      static_cast<std::uint8_t>(l.bound), l.scheduled_slots, l.lower_bound_cycles, l.mark, l.split, l.weight_bytes,
      l.code_table_bytes, l.weight_alignment_bytes, l.weight_entropy_bytes, l.natural_entropy_bytes,
      builder.CreateString(l.weight_format), l.group, builder.CreateString(l.pattern), l.nonzero_weights);
}

PackedFeature read_feature(const file::Feature& f) {
  PackedFeature result;
  result.name = f.name()->str();
  result.index = f.index();
  result.channels = f.channels();
  result.scale = f.scale();
  result.zero = f.zero();
  result.layout = unpack_layout(*f.layout());
  result.fill = f.fill();
  result.offset = f.offset();
  result.plane_bytes = f.plane_bytes();
  return result;
}

LayerReport read_layer(const file::Layer& l) {
  LayerReport result;
  result.name = l.name()->str();
  result.op = l.op()->str();
  result.shape = l.shape()->str();
  result.macs = l.macs();
  result.nonzero_macs = l.nonzero_macs();
  result.density = l.density();
  result.sparse = l.sparse();
  result.predicted_cycles = l.predicted_cycles();
  result.dram_read_bytes = l.dram_read_bytes();
  result.dram_write_bytes = l.dram_write_bytes();
  result.bound = static_cast<Bound>(l.bound());
  result.scheduled_slots = l.scheduled_slots();
  result.lower_bound_cycles = l.lower_bound_cycles();
  result.mark = l.mark();
  result.split = l.split();
  result.weight_bytes = l.weight_bytes();
  result.code_table_bytes = l.code_table_bytes();
  result.weight_alignment_bytes = l.weight_alignment_bytes();
  result.weight_entropy_bytes = l.weight_entropy_bytes();
  result.natural_entropy_bytes = l.natural_entropy_bytes();
  if (l.weight_format() != nullptr) result.weight_format = l.weight_format()->str();
  result.group = l.group();
  result.nonzero_weights = l.nonzero_weights();
  if (l.pattern() != nullptr) result.pattern = l.pattern()->str();
  return result;
}

/// Refuses a file, naming it.
class Checker {
 public:
  explicit Checker(std::string where) : where_(std::move(where)) {}

  void require(bool holds, const std::string& problem, const std::string& value = {},
               const std::string& action = Recompile) const {
    if (!holds) throw Error(ErrorCode::Program, problem, where_, value, action);
  }

  /// The FlatBuffer without its checksum, verified.
  const file::Program& verified(std::span<const std::uint8_t> bytes) const {
    const bool named = bytes.size() > SealBytes + 8 && file::ProgramBufferHasIdentifier(bytes.data());
    require(named, "not a compiled network", std::to_string(bytes.size()) + " bytes", "give a file made by compile");
    const auto body = unseal(bytes, where_);
    flatbuffers::Verifier verifier(body.data(), body.size());
    require(file::VerifyProgramBuffer(verifier), "the file is damaged: its structure is wrong");
    return *file::GetProgram(body.data());
  }

  void versions(const file::Program& program) const {
    require(program.format_version() == FileFormatVersion, "the file has another format version",
            std::to_string(program.format_version()) + " instead of " + std::to_string(FileFormatVersion));
    require(program.abi_version() == abi::AbiVersion, "the file was compiled for another version of the hardware",
            std::to_string(program.abi_version()) + " instead of " + std::to_string(abi::AbiVersion));
  }

  void known_array(const abi::Configuration& compiled) const {
    const auto is_compiled = [&](const abi::NamedArray& array) { return array.configuration == compiled; };
    require(std::any_of(abi::Arrays.begin(), abi::Arrays.end(), is_compiled),
            "the file was compiled for an unknown array", array_text(compiled),
            std::string("compile the network for ") + abi::ArrayNames);
  }

  void array(const abi::Configuration& compiled, const abi::Configuration& wanted) const {
    require(compiled == wanted, "the file was compiled for another array", array_text(compiled),
            "compile the network for " + array_text(wanted));
  }

  void fields(const file::Program& program) const {
    const bool vectors = program.name() != nullptr && program.image() != nullptr && program.inputs() != nullptr &&
                         program.outputs() != nullptr && program.layers() != nullptr;
    require(vectors, "the file is damaged: a field is missing");
    for (const std::uint64_t bytes : {program.input_bytes(), program.output_bytes(), program.arena_bytes()})
      require(bytes <= MaxWindowBytes, "a window is too large", std::to_string(bytes) + " bytes");
    for (const auto* feature : *program.inputs()) this->feature(*feature, program, program.input_bytes());
    for (const auto* feature : *program.outputs()) {
      this->feature(*feature, program, program.output_bytes());
      const Layout layout = unpack_layout(*feature->layout());
      require(covering(layout) == layout, "an output lacks some of its pixels",
              "feature '" + feature->name()->str() + "'");
    }
    require(program.layers()->size() < abi::MarkDepth, "more layers than the machine has marks",
            std::to_string(program.layers()->size()));
    for (const auto* layer : *program.layers()) {
      require(layer->name() != nullptr && layer->op() != nullptr && layer->shape() != nullptr &&
                  layer->bound() <= static_cast<unsigned>(Bound::Output),
              "the file is damaged: a layer is incomplete");
    }
    const std::uint64_t beats = program.image()->size() / abi::BeatBytes;
    require(program.image()->size() % abi::BeatBytes == 0 &&
                std::uint64_t{program.command_offset()} + program.command_count() <= beats,
            "the commands lie outside the program", std::to_string(program.command_offset()));
    if (program.stages() != nullptr) stages(program);
  }

  /// Stages divide commands and layers in their order.
  void stages(const file::Program& program) const {
    std::uint64_t command = program.command_offset();
    std::int64_t layer = 0;
    for (const file::Stage* stage : *program.stages()) {
      require(stage->offset() == command && stage->count() > 0 && stage->first_layer() == layer && stage->layers() > 0,
              "the stages do not divide the program", std::to_string(stage->offset()));
      command += stage->count();
      layer += stage->layers();
    }
    const bool all = command == std::uint64_t{program.command_offset()} + program.command_count() &&
                     layer == static_cast<std::int64_t>(program.layers()->size());
    require((all && program.stages()->size() > 1) || program.stages()->size() == 0,
            "the stages do not divide the program", std::to_string(program.stages()->size()));
  }

 private:
  static std::string array_text(const abi::Configuration& c) {
    return abi::array_name(c) + " with " + std::to_string(c.bank_rows) + " rows per bank, " +
           std::to_string(c.line_depth) + " lines, " + std::to_string(c.writers) + " writers, " +
           std::to_string(c.program_depth) + " entries of the write program, " + std::to_string(c.staging_beats) +
           " beats ahead and " + (c.coded ? "" : "no ") + "coded weights";
  }

  void feature(const file::Feature& feature, const file::Program& program, std::uint64_t window_bytes) const {
    require(feature.name() != nullptr && feature.layout() != nullptr, "the file is damaged: a feature is incomplete");
    const Layout layout = unpack_layout(*feature.layout());
    const std::string name = "feature '" + feature.name()->str() + "'";
    const int limit = 1 << 20;
    const auto positive = [](int value) { return value >= 1 && value <= limit; };
    require(feature.index() >= 0 && positive(feature.channels()) && positive(layout.height) && positive(layout.width) &&
                positive(layout.grid_y) && positive(layout.grid_x) && positive(layout.step_y) &&
                positive(layout.step_x) && positive(layout.rows) && positive(layout.columns) &&
                layout.columns <= layout.row_pitch && positive(layout.row_pitch) && layout.origin_y >= 0 &&
                layout.origin_x >= 0 && layout.origin_y < layout.rows && layout.origin_x < layout.columns,
            "a layout is out of range", name);
    const WordShape word = layout.word;
    require(positive(word.split) && positive(word.segment) &&
                std::int64_t{word.split} * word.segment == std::int64_t{program.pixels()},
            "a layout has words of another size", name);
    require(std::int64_t{layout.grid_y} * layout.grid_x <= std::int64_t{word.segment},
            "a layout has more tiles than a segment has bytes", name);
    const std::uint64_t words = static_cast<std::uint64_t>(layout.rows) * static_cast<std::uint64_t>(layout.row_pitch);
    const std::uint64_t last = words - static_cast<std::uint64_t>(layout.row_pitch - layout.columns);
    const auto planes = static_cast<std::uint64_t>(layout.planes(feature.channels()));
    const std::uint64_t end = last * program.pixels() + (planes - 1) * feature.plane_bytes();
    const bool inside = feature.plane_bytes() >= 1 && feature.plane_bytes() <= window_bytes &&
                        feature.offset() <= window_bytes / abi::BeatBytes &&
                        feature.offset() * abi::BeatBytes + end <= window_bytes;
    require(inside, "a feature lies outside its window", name);
  }

  std::string where_;
};

}  // namespace

std::vector<std::uint8_t> serialise(const Compiled& compiled) {
  if (compiled.program.image.size() > MaxImageBytes) {
    throw Error(ErrorCode::Unsupported, "the compiled program is too large for a file",
                "network '" + compiled.name + "'", std::to_string(compiled.program.image.size()) + " bytes",
                "compile parts of the network; a program may have " + std::to_string(MaxImageBytes) + " bytes");
  }
  flatbuffers::FlatBufferBuilder builder(compiled.program.image.size() + 4096);
  std::vector<flatbuffers::Offset<file::Feature>> inputs, outputs;
  std::vector<flatbuffers::Offset<file::Layer>> layers;
  for (const auto& feature : compiled.inputs) inputs.push_back(write_feature(builder, feature));
  for (const auto& feature : compiled.outputs) outputs.push_back(write_feature(builder, feature));
  for (const auto& layer : compiled.layers) layers.push_back(write_layer(builder, layer));
  const auto image = builder.CreateVector(compiled.program.image);
  const auto name = builder.CreateString(compiled.name);
  const auto input_vector = builder.CreateVector(inputs);
  const auto output_vector = builder.CreateVector(outputs);
  const auto layer_vector = builder.CreateVector(layers);
  std::vector<file::Stage> stages;
  for (std::size_t i = 0; i < compiled.stages.size(); ++i) {
    const CommandRange range = compiled.program.stages[i];
    const Stage& stage = compiled.stages[i];
    stages.emplace_back(range.offset, range.count, stage.first_layer, stage.layers, stage.cycles, stage.epilogue);
  }
  const auto stage_vector = builder.CreateVectorOfStructs(stages);
  const abi::Configuration& array = compiled.configuration;
  const DeviceProgram& program = compiled.program;
  builder.Finish(
      file::CreateProgram(builder, FileFormatVersion, abi::AbiVersion, array.lanes, array.pixels, array.bank_rows,
                          array.line_depth, array.writers, name, compiled.memory.bytes, compiled.memory.latency, image,
                          program.command_offset, program.command_count, program.input_bytes, program.output_bytes,
                          program.arena_bytes, input_vector, output_vector, layer_vector, compiled.prologue_cycles,
                          compiled.epilogue_cycles, compiled.total_cycles, compiled.memory.pause_every,
                          compiled.memory.pause, compiled.memory.one_bus, stage_vector, array.coded,
                          array.program_depth, array.staging_beats),
      file::ProgramIdentifier());
  return seal({builder.GetBufferPointer(), builder.GetSize()});
}

Compiled deserialise(std::span<const std::uint8_t> bytes, const std::string& where,
                     const std::optional<abi::Configuration>& configuration) {
  const Checker checker(where);
  const file::Program& program = checker.verified(bytes);
  checker.versions(program);
  Compiled compiled;
  compiled.configuration = {program.lanes(),   program.pixels(), program.bank_rows(),     program.line_depth(),
                            program.writers(), program.coded(),  program.program_depth(), program.staging_beats()};
  checker.known_array(compiled.configuration);
  if (configuration) checker.array(compiled.configuration, *configuration);
  checker.fields(program);
  compiled.name = program.name()->str();
  compiled.memory = {program.memory_bytes(), program.memory_latency(), program.memory_pause_every(),
                     program.memory_pause(), program.memory_one_bus()};
  compiled.program.image.assign(program.image()->begin(), program.image()->end());
  compiled.program.command_offset = program.command_offset();
  compiled.program.command_count = program.command_count();
  compiled.program.input_bytes = program.input_bytes();
  compiled.program.output_bytes = program.output_bytes();
  compiled.program.arena_bytes = program.arena_bytes();
  for (const auto* feature : *program.inputs()) compiled.inputs.push_back(read_feature(*feature));
  for (const auto* feature : *program.outputs()) compiled.outputs.push_back(read_feature(*feature));
  for (const auto* layer : *program.layers()) compiled.layers.push_back(read_layer(*layer));
  compiled.prologue_cycles = program.prologue_cycles();
  compiled.epilogue_cycles = program.epilogue_cycles();
  compiled.total_cycles = program.total_cycles();
  if (program.stages() != nullptr) {
    for (const file::Stage* stage : *program.stages()) {
      compiled.program.stages.push_back({stage->offset(), stage->count()});
      compiled.stages.push_back({stage->first_layer(), stage->layers(), stage->cycles(), stage->epilogue()});
    }
  }
  return compiled;
}

}  // namespace espalier::compile
