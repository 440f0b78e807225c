#include "digits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "compile/compile.hpp"
#include "compress/quantise.hpp"
#include "cpu/fast.hpp"
#include "espalier/driver/device.hpp"
#include "functional/functional_bus.hpp"
#include "model/model_import.hpp"
#include "other_compiler.hpp"
#include "rtl/rtl_bus.hpp"

namespace espalier::test {
namespace {

constexpr std::size_t ImageHeader = 16, LabelHeader = 8, ImageBytes = 28 * 28;

std::vector<std::uint8_t> read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  EXPECT_TRUE(stream.good()) << file;
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The network on one machine, its program resident.
class Runner {
 public:
  Runner(driver::Bus& bus, const compile::Compiled& compiled)
      : compiled_(compiled),
        device_(bus),
        loaded_(device_.load({compiled.program.image, compiled.program.command_offset, compiled.program.command_count,
                              compiled.program.input_bytes, compiled.program.output_bytes, compiled.program.arena_bytes,
                              static_cast<std::uint32_t>(compiled.layers.size()) + 1})) {}

  driver::RunResult run(const std::vector<std::uint8_t>& packed) { return loaded_.run(packed); }

  void expect_predicted_cycles(const driver::RunResult& result) const {
    const compile::LayerCycles measured = compile::layer_cycles(compiled_, result.marks, result.counters.cycles);
    EXPECT_EQ(result.counters.cycles, compiled_.total_cycles);
    EXPECT_EQ(measured.prologue, compiled_.prologue_cycles);
    EXPECT_EQ(measured.epilogue, compiled_.epilogue_cycles);
    for (std::size_t i = 0; i < compiled_.layers.size(); ++i) {
      EXPECT_EQ(measured.layers[i], compiled_.layers[i].predicted_cycles) << compiled_.layers[i].name;
    }
  }

 private:
  const compile::Compiled& compiled_;
  driver::Device device_;
  driver::Loaded loaded_;
};

/// Says every few hundred images how far a long run is.
class Progress {
 public:
  explicit Progress(int all) : all_(all) {}

  void done(int images) const {
    if (images % Step > 0) return;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
    std::cout << images << " of " << all_ << " images, " << std::lround(elapsed.count()) << " s so far, about "
              << std::lround(elapsed.count() * (all_ - images) / images) << " s to go" << std::endl;
  }

 private:
  static constexpr int Step = 500;
  int all_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

DigitScore check_digits(const std::filesystem::path& model, const DigitFiles& files, int count) {
  const compress::Quantised quantised = compress::lower_quantised(model::import_model(model).graph);
  const compile::Compiled compiled = compile::compile(quantised.network, abi::Array16x16);
  const cpu::FastExecutor reference(quantised.network);
  functional::FunctionalBus functional_bus(abi::Array16x16);
  Runner functional(functional_bus, compiled);
  functional::FunctionalBus other_bus(make_other_core(abi::Array16x16));
  Runner other(other_bus, compiled);
  rtl::RtlBus rtl_bus(abi::Array16x16);
  Runner rtl(rtl_bus, compiled);

  const std::vector<std::uint8_t> pixels = read(files.images);
  const std::vector<std::uint8_t> labels = read(files.labels);
  const int available = static_cast<int>(labels.size()) - static_cast<int>(LabelHeader);
  const int wanted = count == 0 ? available : count;
  DigitScore score;
  if (wanted < 1 || wanted > available || pixels.size() < ImageHeader + static_cast<std::size_t>(wanted) * ImageBytes) {
    ADD_FAILURE() << files.images << " and " << files.labels << " hold fewer than " << wanted << " images";
    return score;
  }
  Progress progress(wanted);
  for (; score.images < wanted; ++score.images) {
    const auto at = static_cast<std::size_t>(score.images);
    std::vector<float> values(ImageBytes);
    for (std::size_t i = 0; i < ImageBytes; ++i) {
      values[i] = static_cast<float>(pixels[ImageHeader + at * ImageBytes + i]) / 255.0F;
    }
    const std::vector<cpu::Tensor> input{compress::to_int8(quantised.inputs.front(), values)};
    const cpu::Tensor expected = reference.run(input)[static_cast<std::size_t>(quantised.network.outputs.front())];
    const std::vector<std::uint8_t> packed = compile::pack(compiled, input);
    const driver::RunResult functional_result = functional.run(packed);
    EXPECT_EQ(compile::unpack(compiled, functional_result.output).front(), expected) << "image " << at;
    EXPECT_EQ(other.run(packed).output, functional_result.output) << "image " << at;
    const driver::RunResult rtl_result = rtl.run(packed);
    EXPECT_EQ(rtl_result.output, functional_result.output) << "image " << at;
    rtl.expect_predicted_cycles(rtl_result);
    if (::testing::Test::HasFailure()) return score;
    const auto answer = std::max_element(expected.begin(), expected.end()) - expected.begin();
    score.right += answer == labels[LabelHeader + at] ? 1 : 0;
    progress.done(score.images + 1);
  }
  return score;
}

}  // namespace espalier::test
