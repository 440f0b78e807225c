#include "cpu/onednn/program.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace espalier::cpu::onednn {
namespace {

constexpr std::size_t Alignment = 64;
constexpr std::size_t AlwaysKept = SIZE_MAX;

std::size_t aligned(std::size_t bytes) { return (bytes + Alignment - 1) / Alignment * Alignment; }

}  // namespace

Program::Program() : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

Operand Program::temporary(const Desc& desc) {
  const int index = static_cast<int>(buffers_.size());
  buffers_.push_back({.bytes = aligned(desc.get_size()), .memories = {}});
  return view({index, {}}, desc);
}

Operand Program::view(const Operand& operand, const Desc& desc) {
  if (operand.buffer == Operand::Constant)
    return {Operand::Constant, dnnl::memory(desc, engine_, operand.memory.get_data_handle())};
  dnnl::memory memory(desc, engine_, DNNL_MEMORY_NONE);
  buffers_[static_cast<std::size_t>(operand.buffer)].memories.push_back(memory);
  return {operand.buffer, memory};
}

Operand Program::constant(const Desc& desc, std::span<const float> values) {
  dnnl::memory given(row_major(desc.dims()), engine_);
  std::copy(values.begin(), values.end(), static_cast<float*>(given.get_data_handle()));
  constants_.push_back(given);  // views name its memory
  if (given.get_desc() == desc) return {Operand::Constant, given};
  dnnl::memory stored(desc, engine_);
  dnnl::reorder(given, stored).execute(stream_, given, stored);
  stream_.wait();
  constants_.back() = stored;
  return {Operand::Constant, stored};
}

void Program::use(const Operand& operand, std::size_t step) {
  if (operand.buffer == Operand::Constant) return;
  Buffer& buffer = buffers_[static_cast<std::size_t>(operand.buffer)];
  if (!buffer.used) buffer.first = step;
  buffer.used = true;
  buffer.first = std::min(buffer.first, step);
  buffer.last = std::max(buffer.last, step);
}

void Program::add(const dnnl::primitive& primitive, const std::map<int, Operand>& arguments) {
  Step step{primitive, {}, {}, {}};
  for (const auto& [name, operand] : arguments) {
    use(operand, steps_.size());
    step.arguments.emplace(name, operand.memory);
  }
  steps_.push_back(std::move(step));
}

void Program::add(Call call, const std::vector<Operand>& operands) {
  Step step{{}, {}, std::move(call), {}};
  for (const Operand& operand : operands) {
    use(operand, steps_.size());
    step.operands.push_back(operand.memory);
  }
  steps_.push_back(std::move(step));
}

void Program::keep(const Operand& operand) {
  use(operand, 0);
  use(operand, AlwaysKept);
}

void Program::place() {
  std::vector<std::size_t> order(buffers_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return buffers_[a].bytes > buffers_[b].bytes; });
  std::vector<std::size_t> placed;  // by offset
  std::size_t end = 0;
  for (const std::size_t index : order) {
    Buffer& buffer = buffers_[index];
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      const Buffer& taken = buffers_[other];
      if (taken.last < buffer.first || buffer.last < taken.first) continue;
      if (offset + buffer.bytes <= taken.offset) break;
      offset = std::max(offset, taken.offset + taken.bytes);
    }
    buffer.offset = offset;
    end = std::max(end, offset + buffer.bytes);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), index,
                         [&](std::size_t a, std::size_t b) { return buffers_[a].offset < buffers_[b].offset; }),
        index);
  }
  storage_.resize(end + Alignment);
  const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
  unsigned char* const base = storage_.data() + (aligned(address) - address);
  for (Buffer& buffer : buffers_) {
    for (dnnl::memory& memory : buffer.memories) memory.set_data_handle(base + buffer.offset);
  }
}

void Program::run() {
  std::vector<float*> addresses;
  for (const Step& step : steps_) {
    if (!step.call) {
      step.primitive.execute(stream_, step.arguments);
      continue;
    }
    stream_.wait();
    addresses.clear();
    for (const dnnl::memory& operand : step.operands)
      addresses.push_back(static_cast<float*>(operand.get_data_handle()));
    step.call(addresses);
  }
  stream_.wait();
}

}  // namespace espalier::cpu::onednn
