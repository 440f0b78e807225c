// Emits one step: loads, tables, weight streams, compute commands and stores.
#pragma once

#include <optional>
#include <vector>

#include "compile/chunks.hpp"
#include "compile/generate.hpp"
#include "compile/program_builder.hpp"
#include "compile/rows.hpp"
#include "compile/vector_step.hpp"
#include "compile/weight_format.hpp"

namespace espalier::compile {

class StepGenerator {
 public:
  StepGenerator(const StepRows& rows, const Lowered& lowered, const Placement& placement, const StepPlace& place,
                const abi::Configuration& configuration, const Options& options);

  /// Chooses how weights are streamed and schedules them; nothing that earlier steps decide is used, so that steps can
  /// be prepared at the same time.
  void prepare();

  /// Before anything is emitted. `before_first_compute` is called once, after the loads and tables of the first compute
  /// command.
  void begin(ProgramBuilder& builder, LayerWork& work, const std::function<void()>& before_first_compute);

  /// Emits a prepared step as a whole.
  void emit();

  /// Emits one strip or piece of a step that runs together with others; in order.
  void emit_turn(int turn);
  int turns() const;

 private:
  /// Rows and lines of positions computed from one set of staged inputs.
  struct Job {
    Range piece;
    int y = 0;
    int height = 1;
    int index = 0;
    bool last_strip = true;
  };

  /// How a whole image is brought in: not at all, all planes with the first strips, or the planes of each chunk.
  enum class Loading { None, Rows, Planes };

  /// A chunk with its streams, one per pass and stretch.
  struct Chunk {
    Range rows;
    std::vector<std::vector<Stream>> streams;
  };

  /// Passes whose permutations are in the table at the same time.
  struct PassSet {
    std::size_t first = 0;
    std::size_t count = 0;
    int permute_table = -1;  // -1: not loaded
  };

  void choose_mode();
  void choose_format();
  void load_codes();
  int reads(const Pass& pass) const;
  int most_slots(const abi::Command& command) const;
  Job first_job(int piece) const;
  void emit_piece(std::size_t piece);
  void emit_strip(std::size_t piece, std::size_t strip);
  void choose_pass_sets();
  void load_permutations(PassSet& set);
  int strip_rows() const;
  std::size_t entries(const Pass& pass, int y, int height) const;
  ChunkProblem problem(const Job& job) const;
  std::vector<OperandView> views(const Job& job) const;
  Range input_planes(const Job& job) const;
  Range group_planes(Range rows) const;
  int first_input_row(std::size_t operand, const Job& job) const;
  int base_address(std::size_t operand, const Job& job) const;
  int buffer(const Residence& residence, int turn) const;
  void load_inputs(const Job& job);
  void load_image(std::size_t operand, Range planes, int first_row, int rows, int address, int pitch);
  void load_words(std::size_t operand, int words);
  std::vector<std::vector<int>> write_programs(const Job& job, const PassSet& set);
  std::vector<abi::ProgramEntry> program_entries(const Job& job, const Pass& pass, const Stretch& stretch,
                                                 int permute_first) const;
  std::vector<Chunk> make_chunks(const Job& job) const;
  Chunk make_chunk(const ChunkProblem& problem, Range chunk_rows, const std::vector<Row>& rows) const;
  void compute(const Job& job, const Chunk& chunk, const PassSet& set, const std::vector<std::vector<int>>& programs);
  void compute_stretch(const Job& job, const Chunk& chunk, const PassSet& set, std::size_t pass, std::size_t stretch,
                       int program);
  Range output_planes(const Chunk& chunk) const;
  void store(const Job& job, const Chunk& chunk);
  void store_words(const Job& job, const Chunk& chunk);
  std::vector<Region> reads(const Job& job, const Chunk& chunk) const;
  Region output_region(const Job& job, const Chunk& chunk) const;
  int output_base(const Job& job) const;
  int output_plane(const Job& job) const;
  int strip_offset(const Job& job) const;
  void choose_loading();
  bool shared_in_group(int image) const;
  void load_planes(const Chunk& chunk);
  std::vector<Range> choose_strips(int most) const;
  bool linear(std::size_t operand) const {
    return placement_.images[static_cast<std::size_t>(step_.inputs[operand].image)].linear;
  }
  int rows_per_beat(const Layout& layout) const;
  int loadable_rows(std::size_t operand, const Job& job) const;
  /// Index of a tile's position in the write plan.
  std::size_t position_index(int row, int x) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(step_.tiling.width) + static_cast<std::size_t>(x);
  }
  int storable_rows(const Job& job) const;

  const StepRows& rows_;
  const Step& step_;
  const Lowered& lowered_;
  const Placement& placement_;
  const StepPlace& place_;
  const abi::Configuration& configuration_;
  const Options& options_;
  std::optional<VectorStep> vector_;   // instead of all that follows
  ProgramBuilder* builder_ = nullptr;  // while the step is emitted
  LayerWork* work_ = nullptr;
  std::vector<std::vector<Chunk>> pieces_;  // chunks of every piece
  std::vector<Range> strips_;               // of rows of positions
  StreamMode stream_mode_ = StreamMode::Sparse;
  std::vector<std::vector<Stretch>> stretches_;  // per pass
  std::vector<int> permute_first_;               // per pass, from the start of its set's table
  std::vector<PassSet> pass_sets_;
  SlotEstimate estimate_;
  CodedWeights coded_;
  std::vector<Loading> loading_;      // per operand
  std::vector<int> loaded_;           // per operand, rows or planes; beats of a linear image
  int stored_rows_ = 0;               // of the current piece
  int stored_beats_ = 0;              // of a linear output
  bool by_planes_ = false;            // chunks of one row per lane are loaded one by one
  bool row_loads_ = false;            // a strip of rows can be loaded by itself
  bool rows_match_ = false;           // row y of positions is written to row y of the output alone
  bool weights_after_loads_ = false;  // at the start, the input goes before the weights
  std::uint32_t first_weights_ = 0;   // weight commands up to the first stream; later strips are loaded after it
  std::function<void()> before_first_compute_;
};

}  // namespace espalier::compile
