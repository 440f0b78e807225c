// ./run proof soc: ResNet-50 and MobileNetV1 with DDR4-2400 at 300 MHz. The timed model takes the cycles of the RTL
// within 2 % in every layer; the prediction is within 5 % of the simulation, also of two cores. Prints frames per
// second and the shares of lost cycles.
#include <gtest/gtest.h>

#include <iostream>

#include "program.hpp"

namespace espalier::test {
namespace {

using Json = nlohmann::json;
using Line = std::vector<std::string>;

Json bench(Line line) {
  line.insert(line.begin(), "bench");
  line.insert(line.end(), {"--memory", "ddr4-2400@300", "--json"});
  const Outcome outcome = run_program(line);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return outcome.code == 0 ? outcome.json() : Json::object();
}

double ratio(const Json& a, const Json& b) { return a.get<double>() / b.get<double>(); }

void check_network(const std::string& network, const std::string& array) {
  const Json timed = bench({"network", network, "--array", array, "--device", "soc"});
  const Json rtl = bench({"network", network, "--array", array, "--device", "soc-rtl"});
  ASSERT_EQ(timed["layers"].size(), rtl["layers"].size());
  double worst = 0;
  for (std::size_t i = 0; i < timed["layers"].size(); ++i) {
    const Json &a = timed["layers"][i]["measured_cycles"], &b = rtl["layers"][i]["measured_cycles"];
    if (b == 0) {
      EXPECT_EQ(a, b);
      continue;
    }
    worst = std::max(worst, std::abs(ratio(a, b) - 1));
  }
  EXPECT_LE(worst, 0.02);
  const Json& totals = rtl["totals"];
  EXPECT_NEAR(ratio(totals["predicted_cycles"], totals["measured_cycles"]), 1.0, 0.05);
  EXPECT_EQ(totals["bit_exact"], true);
  std::cout << network << " on " << array << ": " << totals["measured_cycles"] << " cycles, predicted "
            << totals["predicted_cycles"] << ", worst layer of the timed model off by " << 100 * worst << " %, "
            << totals["frames_per_second"] << " frames per second, lost " << totals["lost_share"] << "\n";
}

TEST(SocProof, Resnet50On16x16) { check_network("resnet50", "16x16"); }
TEST(SocProof, Resnet50On32x32) { check_network("resnet50", "32x32"); }
TEST(SocProof, MobilenetV1On16x16) { check_network("mobilenet_v1", "16x16"); }
TEST(SocProof, MobilenetV1On32x32) { check_network("mobilenet_v1", "32x32"); }

TEST(SocProof, Resnet50OnTwoCores) {
  const Json cores = bench({"cores", "resnet50", "--cores", "2", "--array", "16x16", "--device", "soc"});
  const Json& totals = cores["totals"];
  EXPECT_NEAR(ratio(totals["predicted_cycles"], totals["measured_cycles"]), 1.0, 0.05);
  std::cout << "resnet50 on two cores of 16x16: " << totals["measured_cycles"] << " cycles, predicted "
            << totals["predicted_cycles"] << ", " << totals["frames_per_second"] << " frames per second, lost "
            << cores["cores"][0]["lost_share"] << "\n";
}

}  // namespace
}  // namespace espalier::test
