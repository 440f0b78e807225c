// Properties of `espalier run --plan`, with a server in this process:
//   - plans of every shape give the outputs of `espalier run` on the device alone, also with frames in flight
//   - under a deadline every frame is answered with the same outputs: by the plan, and by the device alone when the
//     server is gone; a deadline that nothing meets is refused
//   - a plan of another network, with tiles, or with a server that has no address is an error
//   - --export-cut writes halves; what is no layer to cut behind is refused
#include <gtest/gtest.h>

#include <fstream>

#include "compress/onnx_export.hpp"
#include "edge_serving.hpp"
#include "host/tools/command_runner.hpp"
#include "plan/policy/reserve.hpp"

namespace espalier::tools {
namespace {

class PlanRun : public CommandRunner {
 protected:
  void SetUp() override {
    CommandRunner::SetUp();
    model_ = path("edge.onnx");
    compress::export_onnx(serving_.quantised, model_);
    std::string header("\x93NUMPY\x01\x00", 8),
        fields = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 32, 32), }";
    fields.resize(118, ' ');
    header += std::string("\x76\x00", 2) + fields;
    std::vector<float> values(std::size_t{3} * 3 * 32 * 32);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 37 % 251) / 16 - 8;
    input_ = write("x.npy", header + std::string(reinterpret_cast<const char*>(values.data()), values.size() * 4));
  }

  /// A plan document with these steps: first, last, device (0 accelerator, 1 server).
  std::string plan(const std::vector<std::array<int, 3>>& steps) {
    if (document_.is_null()) {
      EXPECT_EQ(run({"plan", model_, "--array", "8x8", "--cpu", "none", "--no-tiles", "--positions", "0"}), 0);
      document_ = answer();
    }
    nlohmann::json changed = document_;
    changed["plans"][0]["certificate"] = nullptr;
    changed["plans"][0]["steps"] = nlohmann::json::array();
    for (const auto& [first, last, device] : steps)
      changed["plans"][0]["steps"].push_back(
          {{"first", first}, {"last", last}, {"device", device}, {"tiles", nlohmann::json::array()}});
    return write("plan.json", changed.dump());
  }

  std::vector<std::string> command(const std::string& plan) const {
    return {"run",  model_,   "--array", "8x8",      "--input",          input_,           "--layout",
            "nchw", "--plan", plan,      "--remote", serving_.address(), "--remote-model", "edge"};
  }

  std::vector<nlohmann::json> outputs() const {
    std::vector<nlohmann::json> data;
    for (const nlohmann::json& output : answer()["outputs"]) data.push_back(output["data"]);
    return data;
  }

  std::vector<nlohmann::json> expected() {
    EXPECT_EQ(run({"run", model_, "--array", "8x8", "--input", input_}), 0);
    EXPECT_EQ(answer()["outputs"].size(), 3U);
    return outputs();
  }

  test::EdgeServing serving_;
  std::string model_, input_;
  nlohmann::json document_;
};

TEST_F(PlanRun, GivesTheOutputsOfTheDeviceAlone) {
  const std::vector<nlohmann::json> same = expected();
  for (const auto& steps : {std::vector<std::array<int, 3>>{{0, 4, 0}, {5, 8, 1}},
                            {{0, 2, 1}, {3, 8, 0}},
                            {{0, 0, 0}, {1, 4, 1}, {5, 8, 0}},
                            {{0, 3, 1}, {4, 8, 1}}}) {
    ASSERT_EQ(run(command(plan(steps))), 0);
    EXPECT_EQ(outputs(), same);
  }
}

TEST_F(PlanRun, AnswersInTimeWithAServerAndWithout) {
  const std::vector<nlohmann::json> same = expected();
  const std::string file = plan({{0, 2, 0}, {3, 5, 1}, {6, 8, 0}});
  std::vector<std::string> words = command(file);
  words.insert(words.end(), {"--deadline", "1000s"});
  ASSERT_EQ(run(words), 0);
  EXPECT_EQ(outputs(), same);
  serving_.server->stop(std::chrono::seconds(1));
  ASSERT_EQ(run(words), 0);
  EXPECT_EQ(outputs(), same);
  for (const nlohmann::json& sample : answer()["samples"]) {
    EXPECT_EQ(sample["from"], "device");
    EXPECT_GT(sample["slack_ns"], 0);
  }
  words.back() = "1us";
  EXPECT_EQ(run(words), 8);
}

TEST_F(PlanRun, RefusesWhatDoesNotFit) {
  std::vector<std::string> words = command(plan({{0, 4, 0}, {5, 8, 1}}));
  words.erase(std::find(words.begin(), words.end(), "--remote"), words.end());
  EXPECT_EQ(run(words), 2);
  EXPECT_NE(run(command(plan({{0, 4, 0}}))), 0);
  document_["problem"]["layers"][2]["name"] = "other";
  EXPECT_EQ(run(command(plan({{0, 8, 0}}))), 3);
  document_["problem"]["layers"][2]["name"] = serving_.quantised.network.layers[2].name;
  document_["plans"] = nlohmann::json::array();
  EXPECT_EQ(run(command(write("none.json", document_.dump()))), 2);
  EXPECT_EQ(run(command(write("text.json", "plan"))), 3);
}

TEST_F(PlanRun, ExportsTheHalvesOfACut) {
  ASSERT_EQ(run({"plan", model_, "--export-cut", "second", path("halves")}), 0);
  EXPECT_EQ(answer()["cut"]["crossing"].size(), 2U);
  EXPECT_EQ(answer()["cut"]["front"]["layers"], 3);
  for (const char* half : {"halves/front.onnx", "halves/back.onnx"}) EXPECT_EQ(run({"inspect", path(half)}), 0) << half;
  EXPECT_EQ(run({"plan", model_, "--export-cut", "0", path("halves")}), 0);
  for (const char* layer : {"8", "answer", "-1", "9", "", "nothing", "1x"})
    EXPECT_EQ(run({"plan", model_, "--export-cut", layer, path("halves")}), 2) << layer;
}

TEST(Reserve, GoesOnOnlyWhileTheRestStillFits) {
  EXPECT_EQ(plan::next_part({5, 3}, 5), plan::NextPart::AsPlanned);
  EXPECT_EQ(plan::next_part({5, 3}, 4), plan::NextPart::Rest);
  EXPECT_EQ(plan::next_part({5, 3}, 3), plan::NextPart::Rest);
  EXPECT_EQ(plan::next_part({5, 3}, 2), plan::NextPart::Refuse);
}

}  // namespace
}  // namespace espalier::tools
