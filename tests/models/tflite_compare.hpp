// An int8 network beside the tensors that TensorFlow Lite computed for it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compress/quantised.hpp"
#include "oracle_file.hpp"

namespace espalier::test {

/// How often two int8 tensors differ by how much: ours minus the oracle's.
class Differences {
 public:
  void add(const cpu::Tensor& ours, const cpu::Tensor& theirs);
  int largest() const;
  std::string text() const;

 private:
  std::map<int, std::uint64_t> count_;
};

/// The oracle's tensor for every feature of a network, by the name of the layer that writes it.
using Match = std::vector<std::optional<std::size_t>>;
Match match(const compress::Quantised& quantised, const OracleFile& oracle);

/// Every layer on the oracle's own input.
struct LayerComparison {
  std::size_t compared = 0;
  Differences all;
  std::string wrong;  // layers more than one step apart or without a tensor; empty if none
};
LayerComparison compare_layers(const compress::Quantised& quantised, const OracleFile& oracle, const Match& matched);

/// The whole network from its input, before the softmax.
struct AnswerComparison {
  Differences all;
  std::size_t same = 0;   // inputs with the same largest output
  std::size_t ties = 0;   // others, where the oracle's two are at most one step apart
  bool reference = true;  // the fast executor gave the bits of the reference
};
AnswerComparison compare_answers(const compress::Quantised& quantised, const OracleFile& oracle, const Match& matched);

}  // namespace espalier::test
