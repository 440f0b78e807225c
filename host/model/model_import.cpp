#include "model/model_import.hpp"

#include <fstream>

#include "model/onnx_import.hpp"
#include "model/tflite_import.hpp"

namespace espalier::model {
namespace {

std::string read_bytes(const std::filesystem::path& file, std::uint64_t most_bytes) {
  std::error_code error;
  // Looked at before it is opened: opening a pipe would wait for its writer.
  const bool is_file = std::filesystem::is_regular_file(file, error);
  const std::uint64_t size = is_file ? std::filesystem::file_size(file, error) : 0;
  std::ifstream stream;
  if (is_file && !error) stream.open(file, std::ios::binary);
  if (!stream.is_open())
    throw Error(ErrorCode::Input, "the file cannot be read", file.string(), {},
                "give the path of an ONNX or TensorFlow Lite file");
  if (size > most_bytes)
    throw Error(ErrorCode::Model, "the file exceeds the memory budget", file.string(), std::to_string(size),
                "use a smaller model or a larger budget");
  std::string bytes(size, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!stream) throw Error(ErrorCode::Input, "the file cannot be read to its end", file.string(), {}, "check the disk");
  return bytes;
}

}  // namespace

const char* to_string(ModelFormat format) { return format == ModelFormat::Tflite ? "tflite" : "onnx"; }

ModelFormat model_format(std::string_view bytes) { return is_tflite(bytes) ? ModelFormat::Tflite : ModelFormat::Onnx; }

ImportedModel import_model(const std::filesystem::path& file, const ImportOptions& options) {
  const std::string bytes = read_bytes(file, options.most_bytes);
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  // A damaged TensorFlow Lite file is better called so than a damaged ONNX file.
  const ModelFormat format = file.extension() == ".tflite" ? ModelFormat::Tflite : model_format(bytes);
  try {
    if (format == ModelFormat::Tflite) return {format, import_tflite_bytes(bytes, options)};
    return {format, import_onnx_bytes(bytes, folder, options)};
  } catch (const Error& problem) {
    throw Error(problem.code(), problem.summary(), file.string() + ": " + problem.where(), problem.value(),
                problem.action());
  }
}

}  // namespace espalier::model
