#include "run/executable_file.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "compile/program_file.hpp"
#include "compile/sealed_bytes.hpp"
#include "esp_error.hpp"
#include "executable_file_generated.h"
#include "model/array_bytes.hpp"

namespace espalier::run {
namespace {

constexpr const char* Remake = "compile the model again";

[[noreturn]] void refuse(const std::string& summary, const std::string& where, const std::string& value) {
  throw Error(ErrorCode::Program, summary, where, value, Remake);
}

std::uint8_t type_code(model::ElementType type) {
  if (type == model::ElementType::Int8) return 1;
  return type == model::ElementType::UInt8 ? 2 : 0;
}

model::ElementType element_type(std::uint8_t code, const std::string& where) {
  switch (code) {
    case 0:
      return model::ElementType::Float;
    case 1:
      return model::ElementType::Int8;
    case 2:
      return model::ElementType::UInt8;
    default:
      refuse("a port has an unknown type", where, std::to_string(code));
  }
}

using Builder = flatbuffers::FlatBufferBuilder;
using PortOffset = flatbuffers::Offset<file::Port>;

// The fields that inputs and outputs share.
compress::Input as_input(const compress::Output& port) {
  return {port.name, port.type, port.shape, port.scale, port.zero};
}

PortOffset write_port(Builder& builder, const compress::Input& port, int softmax_axis) {
  const auto name = builder.CreateString(port.name);
  const auto shape = builder.CreateVector(port.shape);
  return file::CreatePort(builder, name, type_code(port.type), shape, port.scale, port.zero, softmax_axis);
}

std::string text(const flatbuffers::String* string) { return string == nullptr ? std::string() : string->str(); }

compress::Input read_port(const file::Port& port, const std::string& where) {
  compress::Input result;
  result.name = text(port.name());
  result.type = element_type(port.type(), where);
  // Elements of 8 bytes: the verifier does not say that they are aligned.
  if (const auto* shape = port.shape(); shape != nullptr)
    result.shape = std::get<model::Shape>(model::decode_elements({shape->Data(), shape->size() * sizeof(std::int64_t)},
                                                                 shape->size(), model::ElementType::Int64));
  result.scale = port.scale();
  result.zero = port.zero();
  return result;
}

void check_port(const compress::Input& port, const compile::PackedFeature& feature, const std::string& where) {
  const model::Shape sizes{feature.channels, feature.layout.height, feature.layout.width};
  if (model::count_elements(port.shape, where, ErrorCode::Program) !=
      model::count_elements(sizes, where, ErrorCode::Program))
    refuse("a port differs from its feature in size", where,
           port.name + " " + model::to_string(port.shape) + " and " + model::to_string(sizes));
  if (!std::isfinite(port.scale) || port.scale <= 0 || port.zero < -128 || port.zero > 127)
    refuse("a port has an impossible scale or zero point", where, port.name);
}

// Every port stands for a packed feature of the program, with as many elements.
void check_ports(const Executable& executable, const std::string& where) {
  const compile::Compiled& compiled = executable.compiled;
  const Ports& ports = executable.ports;
  for (const compress::Output& port : ports.outputs)
    if (port.softmax_axis && (*port.softmax_axis < 0 || *port.softmax_axis >= static_cast<int>(port.shape.size())))
      refuse("a port's Softmax axis is outside its shape", where, port.name);
  for (const compile::PackedFeature& feature : compiled.inputs) {
    if (feature.index < 0 || static_cast<std::size_t>(feature.index) >= ports.inputs.size())
      refuse("the program has an input that the file does not describe", where, feature.name);
    check_port(ports.inputs[static_cast<std::size_t>(feature.index)], feature, where);
  }
  if (compiled.outputs.size() != ports.outputs.size())
    refuse("the program's outputs differ from those the file describes", where,
           std::to_string(compiled.outputs.size()) + " and " + std::to_string(ports.outputs.size()));
  for (std::size_t i = 0; i < ports.outputs.size(); ++i)
    check_port(as_input(ports.outputs[i]), compiled.outputs[i], where);
}

std::span<const std::uint8_t> checked_body(std::span<const std::uint8_t> bytes, const std::string& where) {
  if (bytes.size() < 2 * compile::SealBytes + 8) refuse("the file is too short", where, std::to_string(bytes.size()));
  if (!file::ExecutableBufferHasIdentifier(bytes.data())) refuse("not a compiled network (.esp)", where, {});
  const std::span<const std::uint8_t> body = compile::unseal(bytes, where);
  flatbuffers::Verifier verifier(body.data(), body.size());
  if (!file::VerifyExecutableBuffer(verifier)) refuse("the file's structure is damaged", where, {});
  return body;
}

}  // namespace

std::vector<std::uint8_t> serialise(const Executable& executable) {
  Builder builder;
  std::vector<PortOffset> inputs;
  std::vector<PortOffset> outputs;
  for (const compress::Input& port : executable.ports.inputs) inputs.push_back(write_port(builder, port, -1));
  for (const compress::Output& port : executable.ports.outputs)
    outputs.push_back(write_port(builder, as_input(port), port.softmax_axis.value_or(-1)));
  const auto name = builder.CreateString(executable.name);
  const auto program = builder.CreateVector(compile::serialise(executable.compiled));
  const auto input_vector = builder.CreateVector(inputs);
  const auto output_vector = builder.CreateVector(outputs);
  file::FinishExecutableBuffer(
      builder, file::CreateExecutable(builder, ExecutableFormatVersion, name, program, input_vector, output_vector));
  return compile::seal({builder.GetBufferPointer(), builder.GetSize()});
}

Executable deserialise(std::span<const std::uint8_t> bytes, const std::string& where,
                       const std::optional<abi::Configuration>& array) {
  const std::span<const std::uint8_t> body = checked_body(bytes, where);
  const file::Executable& source = *file::GetExecutable(body.data());
  if (source.format_version() != ExecutableFormatVersion)
    refuse("the file has another format version", where,
           std::to_string(source.format_version()) + ", this program reads " + std::to_string(ExecutableFormatVersion));
  if (source.program() == nullptr || source.inputs() == nullptr || source.outputs() == nullptr)
    refuse("the file lacks its program or ports", where, {});
  Executable executable;
  executable.name = text(source.name());
  // A copy, because nothing aligns a buffer inside a buffer.
  const std::vector<std::uint8_t> program(source.program()->begin(), source.program()->end());
  executable.compiled = compile::deserialise(program, where, array);
  for (const file::Port* port : *source.inputs()) executable.ports.inputs.push_back(read_port(*port, where));
  for (const file::Port* port : *source.outputs()) {
    const compress::Input common = read_port(*port, where);
    compress::Output output{common.name, common.type, common.shape, common.scale, common.zero, {}};
    if (port->softmax_axis() != -1) output.softmax_axis = port->softmax_axis();
    executable.ports.outputs.push_back(std::move(output));
  }
  check_ports(executable, where);
  return executable;
}

void save(const Executable& executable, const std::string& path) {
  const std::vector<std::uint8_t> bytes = serialise(executable);
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  stream.flush();
  if (!stream) throw Error(ErrorCode::Usage, "file cannot be written", path, {}, "give a path in a writable folder");
}

Executable load(const std::string& path, const std::optional<abi::Configuration>& array) {
  std::error_code error;
  std::ifstream stream;
  if (std::filesystem::is_regular_file(path, error)) stream.open(path, std::ios::binary);
  if (!stream.is_open())
    throw Error(ErrorCode::Input, "file cannot be read", path, {}, "check the path and its permissions");
  const std::vector<char> bytes((std::istreambuf_iterator<char>(stream)), {});
  return deserialise({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, path, array);
}

bool is_executable(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;  // opening a pipe would wait for its writer
  std::ifstream stream(path, std::ios::binary);
  std::string head(8, '\0');
  stream.read(head.data(), 8);
  return stream.gcount() == 8 && std::string_view(head).substr(4) == file::ExecutableIdentifier();
}

}  // namespace espalier::run
