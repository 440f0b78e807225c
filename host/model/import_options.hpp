// What every importer is told, and what is left of the memory that a model may use.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "esp_error.hpp"
#include "model/array.hpp"

namespace espalier::model {

struct ImportOptions {
  std::uint64_t most_bytes = std::uint64_t{2} << 30;  // of the file and of all its tensors together
  std::map<std::string, Shape> shapes;                // of inputs whose file leaves sizes free, by name
  std::string init_net;                               // the weights of a Caffe2 network; empty: beside its file
};

class Budget {
 public:
  explicit Budget(std::uint64_t bytes) : left_(bytes) {}

  /// Throws Error(Model) if `bytes` more exceed the budget.
  void take(std::uint64_t bytes, const std::string& where) {
    if (bytes > left_)
      throw Error(ErrorCode::Model, "the tensors of the model exceed the memory budget", where, std::to_string(bytes),
                  "use a smaller model or a larger budget");
    left_ -= bytes;
  }

 private:
  std::uint64_t left_;
};

// What files may hold at most, so that no file makes an importer work for long.
inline constexpr std::size_t MostNodes = 20000;
inline constexpr std::size_t MostConnections = 200000;  // inputs of all nodes together
inline constexpr std::size_t MostRank = 8;

}  // namespace espalier::model
