#include "model/model_import.hpp"

#include <fstream>

#include "model/caffe2_import.hpp"
#include "model/onnx_import.hpp"
#include "model/refusal_list.hpp"
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
                "give the path of an ONNX, TensorFlow Lite or Caffe2 file");
  if (size > most_bytes)
    throw Error(ErrorCode::Model, "the file exceeds the memory budget", file.string(), std::to_string(size),
                "use a smaller model or a larger budget");
  std::string bytes(size, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!stream) throw Error(ErrorCode::Input, "the file cannot be read to its end", file.string(), {}, "check the disk");
  return bytes;
}

constexpr std::string_view PredictNet = "predict_net";

/// The weights of a Caffe2 network; empty if the file is none.
std::filesystem::path init_net_of(const std::filesystem::path& file, const ImportOptions& options) {
  if (!options.init_net.empty()) return options.init_net;
  std::string name = file.filename().string();
  const std::size_t at = name.find(PredictNet);
  if (at == std::string::npos || file.extension() != ".pb") return {};
  name.replace(at, PredictNet.size(), "init_net");
  return file.parent_path() / name;
}

ImportedModel import_any(const std::filesystem::path& file, const ImportOptions& options) {
  const std::string bytes = read_bytes(file, options.most_bytes);
  if (const std::filesystem::path init_net = init_net_of(file, options); !init_net.empty())
    return {ModelFormat::Caffe2, import_caffe2_bytes(bytes, read_bytes(init_net, options.most_bytes), options)};
  // A damaged TensorFlow Lite file is better called so than a damaged ONNX file.
  if (file.extension() == ".tflite" || is_tflite(bytes))
    return {ModelFormat::Tflite, import_tflite_bytes(bytes, options)};
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  return {ModelFormat::Onnx, import_onnx_bytes(bytes, folder, options)};
}

}  // namespace

const char* to_string(ModelFormat format) {
  if (format == ModelFormat::Caffe2) return "caffe2";
  return format == ModelFormat::Tflite ? "tflite" : "onnx";
}

ImportedModel import_model(const std::filesystem::path& file, const ImportOptions& options) {
  try {
    return import_any(file, options);
  } catch (const UnsupportedModel& problem) {
    throw problem.within(file.string());
  } catch (const Error& problem) {
    if (problem.code() == ErrorCode::Input) throw;
    throw Error(problem.code(), problem.summary(), file.string() + ": " + problem.where(), problem.value(),
                problem.action());
  }
}

}  // namespace espalier::model
