#include "exits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "compress/quantise.hpp"
#include "cpu/fast.hpp"
#include "functional/functional_bus.hpp"
#include "model/model_import.hpp"
#include "model/stages.hpp"
#include "plan/planners/exit_rule.hpp"
#include "rtl/rtl_bus.hpp"
#include "run/exit_session.hpp"

namespace espalier::test {
namespace {

constexpr std::size_t ImageHeader = 16, LabelHeader = 8, ImageBytes = 28 * 28;

const std::filesystem::path Folder = ESPALIER_DIGITS;

std::vector<std::uint8_t> read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  EXPECT_TRUE(stream.good()) << file;
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The first policy of the file of exits.
run::ExitRule shipped_rule() {
  std::ifstream stream(Folder / "digits_exits.json");
  const nlohmann::json file = nlohmann::json::parse(stream);
  run::ExitRule rule;
  for (const auto& nat : file["policies"][0]["thresholds"])
    rule.thresholds.push_back(static_cast<std::int32_t>(nat.get<double>() * plan::EntropyUnit));
  return rule;
}

/// The network in stages, ready to run, and to ask what every exit says.
struct Shipped {
  model::Network network;
  run::Executable executable;
};

Shipped shipped_network() {
  compress::Quantised quantised =
      compress::lower_quantised(model::import_model(Folder / "digits_exits_int8.onnx").graph);
  model::Staged staged = model::in_stages(quantised.network);
  compile::Options options;
  options.stages.assign(staged.firsts.begin() + 1, staged.firsts.end());
  compile::Compiled compiled = compile::compile(staged.network, abi::Array16x16, options);
  return {std::move(staged.network),
          {"digits_exits", std::move(compiled), {std::move(quantised.inputs), std::move(quantised.outputs)}}};
}

std::ptrdiff_t answer(const run::Feature& logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

void expect_same(const run::ExitRun& rtl, const run::ExitRun& functional, std::uint64_t predicted) {
  EXPECT_EQ(rtl.exit, functional.exit);
  EXPECT_EQ(rtl.logits, functional.logits);
  EXPECT_EQ(rtl.entropies, functional.entropies);
  EXPECT_EQ(rtl.report.totals.measured_cycles, predicted);
  for (const run::LayerRow& row : rtl.report.layers) EXPECT_EQ(row.measured_cycles, row.predicted_cycles) << row.name;
}

}  // namespace

int ExitScores::right() const {
  int sum = 0;
  for (const ExitScore& exit : exits) sum += exit.right;
  return sum;
}

double ExitScores::mean_cycles() const {
  double sum = 0;
  for (const ExitScore& exit : exits) sum += static_cast<double>(exit.cycles) * exit.left;
  return images == 0 ? 0 : sum / images;
}

ExitScores check_exits(const DigitFiles& files, int count, int on_rtl) {
  const Shipped shipped = shipped_network();
  const cpu::FastExecutor reference(shipped.network);
  functional::FunctionalBus functional_bus(abi::Array16x16);
  driver::Device functional_device(functional_bus);
  run::ExitSession functional(functional_device, shipped.executable, shipped_rule(),
                              {.device = "functional", .memory = {}, .limits = {}});
  rtl::RtlBus rtl_bus(abi::Array16x16);
  driver::Device rtl_device(rtl_bus);
  run::ExitSession rtl(rtl_device, shipped.executable, shipped_rule(), {.device = "rtl", .memory = {}, .limits = {}});

  const std::vector<std::uint8_t> pixels = read(files.images), labels = read(files.labels);
  const std::size_t available = labels.size() - LabelHeader;
  const std::size_t wanted = count == 0 ? available : static_cast<std::size_t>(count);
  ExitScores scores;
  EXPECT_TRUE(wanted <= available && pixels.size() >= ImageHeader + wanted * ImageBytes) << files.images;
  for (const std::uint64_t cycles : functional.predicted()) scores.exits.push_back({0, 0, cycles, 0});
  for (std::size_t image = 0; image < wanted && !::testing::Test::HasFailure(); ++image) {
    SCOPED_TRACE("image " + std::to_string(image));
    std::vector<float> values(ImageBytes);
    for (std::size_t i = 0; i < ImageBytes; ++i)
      values[i] = static_cast<float>(pixels[ImageHeader + image * ImageBytes + i]) / 255.0F;
    const std::vector<run::Feature> input{compress::to_int8(shipped.executable.ports.inputs.front(), values)};
    const std::vector<cpu::Tensor> features = reference.run(input);
    const run::ExitRun run = functional.run_features(input);
    for (std::size_t exit = 0; exit < run.entropies.size(); ++exit) {
      const cpu::Tensor& logits = features[static_cast<std::size_t>(shipped.network.outputs[exit])];
      EXPECT_EQ(run.entropies[exit], run::exit_entropy(shipped.executable.ports.outputs[exit], logits));
      if (exit == run.exit) EXPECT_EQ(run.logits, logits);
    }
    ExitScore& exit = scores.exits[run.exit];
    if (exit.on_rtl < on_rtl) {
      ++exit.on_rtl;
      expect_same(rtl.run_features(input), run, exit.cycles);
    }
    const std::ptrdiff_t truth = labels[LabelHeader + image];
    ++scores.images;
    ++exit.left;
    exit.right += answer(run.logits) == truth ? 1 : 0;
    scores.right_at_last += answer(features[static_cast<std::size_t>(shipped.network.outputs.back())]) == truth ? 1 : 0;
  }
  return scores;
}

}  // namespace espalier::test
