#include "verify.hpp"

#include <algorithm>
#include <functional>

namespace espalier::tools {
namespace {

using Value = std::optional<std::uint64_t>;

Quantity make_quantity(const std::string& name, std::uint64_t expected, const std::vector<MachineRun>& runs,
                       const std::function<Value(const MachineRun&)>& value) {
  Quantity quantity{name, expected, {}};
  for (const MachineRun& run : runs) quantity.values.push_back(value(run));
  return quantity;
}

/// Elements at which both are the same, as far as both go.
template <typename Element>
std::uint64_t count_equal(const std::vector<Element>& a, const std::vector<Element>& b) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) count += a[i] == b[i] ? 1 : 0;
  return count;
}

Quantity output_bytes(const std::vector<MachineRun>& runs) {
  const std::vector<std::uint8_t>& first = runs.front().result.output;
  return make_quantity("equal output bytes", first.size(), runs,
                       [&](const MachineRun& run) { return count_equal(run.result.output, first); });
}

Quantity output_values(const Expectation& expectation, const std::vector<MachineRun>& runs) {
  std::uint64_t total = 0;
  for (const auto& output : *expectation.outputs) total += output.size();
  return make_quantity("values of the CPU reference", total, runs, [&](const MachineRun& run) {
    const auto outputs = compile::unpack(expectation.compiled, run.result.output);
    std::uint64_t same = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) same += count_equal(outputs[i], (*expectation.outputs)[i]);
    return same;
  });
}

/// Counters of every machine, then those of machines with a clock.
void add_counters(std::vector<Quantity>& rows, const compile::Prediction& predicted,
                  const std::vector<MachineRun>& runs) {
  struct Counter {
    const char* name;
    std::uint32_t compile::Prediction::*expected;
    std::uint32_t driver::Counters::*counted;
    bool timed;
  };
  using P = compile::Prediction;
  using C = driver::Counters;
  static constexpr Counter Counters[] = {{"beats read", &P::read_beats, &C::read_beats, false},
                                         {"beats written", &P::write_beats, &C::write_beats, false},
                                         {"lane entries", &P::macs, &C::macs, false},
                                         {"cycles", &P::cycles, &C::cycles, true},
                                         {"cycles computing", &P::computing, &C::computing, true},
                                         {"cycles weights", &P::weights, &C::weights, true},
                                         {"cycles output", &P::output, &C::output, true},
                                         {"cycles data", &P::data, &C::data, true},
                                         {"cycles writing", &P::writing, &C::writing, true},
                                         {"cycles control", &P::control, &C::control, true}};
  for (const Counter& counter : Counters) {
    rows.push_back(make_quantity(counter.name, predicted.*counter.expected, runs, [&](const MachineRun& run) {
      return counter.timed && !run.has_clock() ? Value{} : Value{run.result.counters.*counter.counted};
    }));
  }
}

void add_marks(std::vector<Quantity>& rows, const Expectation& expectation, const std::vector<MachineRun>& runs) {
  const auto add = [&](const std::string& name, std::size_t mark) {
    rows.push_back(make_quantity(name, expectation.prediction.marks[mark], runs, [&](const MachineRun& run) {
      return run.has_clock() && mark < run.result.marks.size() ? Value{run.result.marks[mark]} : Value{};
    }));
  };
  add("mark prologue", 0);
  for (const compile::LayerReport& layer : expectation.compiled.layers) {
    add("mark " + layer.name, static_cast<std::size_t>(layer.mark));
  }
}

}  // namespace

bool Quantity::equal() const {
  return std::all_of(values.begin(), values.end(), [&](const Value& value) { return !value || *value == expected; });
}

std::vector<Quantity> compare(const Expectation& expectation, const std::vector<MachineRun>& runs) {
  std::vector<Quantity> rows{output_bytes(runs)};
  if (expectation.outputs) rows.push_back(output_values(expectation, runs));
  add_counters(rows, expectation.prediction, runs);
  add_marks(rows, expectation, runs);
  return rows;
}

}  // namespace espalier::tools
