// What an executor does for every run: a list of primitives on buffers that share one piece of memory.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "cpu/onednn/layout.hpp"

namespace espalier::cpu::onednn {

/// A tensor of the program: a description of what lies in a buffer, or in the memory of a constant.
struct Operand {
  static constexpr int Constant = -1;
  int buffer = Constant;
  dnnl::memory memory;

  Desc desc() const { return memory.get_desc(); }
};

/// A step that is no primitive: gets the addresses of its operands, in the order in which they were given.
using Call = std::function<void(std::span<float* const>)>;

class Program {
 public:
  Program();

  /// A new buffer. Its contents last from the first step that names it to the last.
  Operand temporary(const Desc& desc);
  /// What lies in the buffer of `operand`, described differently.
  Operand view(const Operand& operand, const Desc& desc);
  /// Memory of its own, filled once; `values` row-major in the shape of `desc`, converted to its layout.
  Operand constant(const Desc& desc, std::span<const float> values);

  void add(const dnnl::primitive& primitive, const std::map<int, Operand>& arguments);
  /// The operands are read and written; none is empty.
  void add(Call call, const std::vector<Operand>& operands);
  /// The buffer is written before the first step, or read after the last.
  void keep(const Operand& operand);

  /// Gives every buffer its place, the same one to buffers that are not needed at the same time. To be called once,
  /// after all steps.
  void place();
  void run();

  const dnnl::engine& engine() const { return engine_; }
  /// Bytes of all buffers after place().
  std::size_t bytes() const { return storage_.size(); }

 private:
  struct Buffer {
    std::size_t bytes = 0;
    std::size_t first = 0, last = 0;  // steps
    bool used = false;
    std::size_t offset = 0;
    std::vector<dnnl::memory> memories;  // that look at it
  };
  struct Step {
    dnnl::primitive primitive;
    std::unordered_map<int, dnnl::memory> arguments;
    Call call;  // instead of the primitive
    std::vector<dnnl::memory> operands;
  };

  void use(const Operand& operand, std::size_t step);

  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<Buffer> buffers_;
  std::vector<Step> steps_;
  std::vector<dnnl::memory> constants_;
  std::vector<unsigned char> storage_;
};

}  // namespace espalier::cpu::onednn
