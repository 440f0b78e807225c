// What an independent executor computed: the files that tflite_oracle.cjs and onnx_oracle.cjs write.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cpu/float_reference.hpp"
#include "cpu/reference.hpp"

namespace espalier::test {

struct OracleTensor {
  std::string name;
  std::string type;  // "int8" or "float32"
  std::vector<std::int64_t> shape;
  std::size_t bytes = 0;
  std::size_t offset = 0;  // in a sample
};

class OracleFile {
 public:
  /// Throws std::runtime_error if the file cannot be read or is cut short.
  explicit OracleFile(const std::filesystem::path& path);

  std::size_t samples() const { return samples_; }
  const std::vector<OracleTensor>& tensors() const { return tensors_; }
  std::optional<std::size_t> find(const std::string& name) const;

  /// An int8 tensor channels first, from the file's channels last.
  cpu::Tensor channels_first(std::size_t sample, std::size_t tensor) const;
  /// The values of a tensor in the order of the file.
  cpu::FloatTensor values(std::size_t sample, std::size_t tensor) const;

 private:
  const char* data(std::size_t sample, std::size_t tensor) const;

  std::size_t samples_ = 0;
  std::vector<OracleTensor> tensors_;
  std::size_t sample_bytes_ = 0;
  std::string bytes_;  // behind the line of JSON
};

}  // namespace espalier::test
