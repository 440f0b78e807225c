// Emits a step that runs as the product of a sparse matrix and a vector.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "compile/generate.hpp"
#include "compile/program_builder.hpp"
#include "compile/rows.hpp"
#include "compile/vector_stream.hpp"

namespace espalier::compile {

class VectorStep {
 public:
  VectorStep(const StepRows& rows, const Lowered& lowered, const Placement& placement, const StepPlace& place,
             const abi::Configuration& configuration, const Options& options);

  /// Codes the weights.
  void prepare();

  /// Emits the step. `before_first_compute` is called once, after the loads and tables of the first compute command.
  void emit(ProgramBuilder& builder, LayerWork& work, std::function<void()> before_first_compute);

 private:
  /// Rows that are computed together.
  struct Chunk {
    int first = 0, count = 0;
    VectorStream stream;
  };

  /// Where the tables of the whole step are.
  struct Tables {
    int permute = 0, program = 0;
  };

  std::vector<std::uint32_t> weight_columns() const;
  std::vector<VectorRow> matrix() const;
  Region input_region() const;
  void load(ProgramBuilder& builder) const;
  Tables load_tables(ProgramBuilder& builder, LayerWork& work) const;
  void compute(ProgramBuilder& builder, LayerWork& work, const Chunk& chunk, const Tables& tables,
               std::function<void()>& before_first_compute) const;
  void store(ProgramBuilder& builder) const;

  const StepRows& rows_;
  const Step& step_;
  const Image& in_;
  const Image& out_;
  const ImagePlace& in_place_;
  const ImagePlace& out_place_;
  const StepPlace& place_;
  const abi::Configuration& configuration_;
  const Options& options_;
  VectorCode code_;
  std::uint32_t columns_ = 1;
  std::vector<Chunk> chunks_;
};

}  // namespace espalier::compile
