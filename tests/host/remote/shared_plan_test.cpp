// Properties, over loopback:
//   - plans with parts on the CPU here and on a server give the bits of the whole network, whatever crosses: return
//     cuts, two tensors, all on the server; frames overlap
//   - another network, a part that is none and a compiled file without layers are refused, each with its kind
//   - a server keeps a bounded number of parts and makes forgotten ones again; a model that is loaded anew has its own
//   - a server that is not there is an error with its address
#include <gtest/gtest.h>

#include "cpu/reference.hpp"
#include "edge_serving.hpp"
#include "esp_error.hpp"
#include "remote/part_client.hpp"
#include "run/part_runners.hpp"
#include "run/shared_session.hpp"

namespace espalier::remote {
namespace {

class SharedPlan : public testing::Test {
 protected:
  SharedPlan() : input_(std::size_t{3} * 32 * 32) {
    for (std::size_t i = 0; i < input_.size(); ++i) input_[i] = static_cast<std::int8_t>(i * 37 % 251 - 125);
  }

  const model::Network& network() const { return serving_.quantised.network; }
  RemoteModel model() const { return {"the server", "edge", {}, serving_.id}; }
  RemoteRequest request(const std::string& text) const { return part_request(model(), {serving_.part(text), {}}); }

  std::optional<plan::RemoteFailure> failure(RemoteRequest request) {
    for (const compress::Input& port : request.ports.inputs)
      request.inputs.emplace_back(static_cast<std::size_t>(model::count_elements(port.shape, port.name)), 0.0F);
    const Reply reply = client_.infer(request);
    failure_text_ = reply.text;
    return reply.failure;
  }

  test::EdgeServing serving_;
  Client client_{serving_.address(), {}};
  run::Feature input_;
  std::string failure_text_;  // of the last reply
};

std::vector<run::PlacedPart> placed(const std::vector<std::pair<std::size_t, std::string>>& texts) {
  std::vector<run::PlacedPart> parts;
  for (const auto& [runner, text] : texts) parts.push_back({runner, run::parse_part(text, 9)});
  return parts;
}

TEST_F(SharedPlan, GivesTheBitsOfTheWholeNetwork) {
  run::HostRunner here;
  RemoteRunner there(client_, model(), 3);
  const std::vector<run::Feature> expected{
      cpu::run(network(), std::vector<run::Feature>{input_})[static_cast<std::size_t>(network().outputs[0])]};
  for (const auto& parts :
       {placed({{0, "0-4"}, {1, "5-8"}}), placed({{1, "0-2"}, {0, "3-8"}}), placed({{0, "0"}, {1, "1-4"}, {0, "5-8"}}),
        placed({{1, "0-1"}, {0, "2"}, {1, "3-8"}}), placed({{1, "0-8"}})}) {
    run::SharedSession session(network(), serving_.ports(), parts, {&here, &there}, 3);
    const std::vector<std::vector<run::Feature>> frames(5, {input_});
    for (const run::SharedFrame& frame : session.run(frames)) EXPECT_EQ(frame.outputs, expected);
  }
}

TEST_F(SharedPlan, RefusesOtherNetworksAndParts) {
  RemoteRequest asked = request("0-4");
  EXPECT_FALSE(failure(asked));
  asked.network_id = "0123456789abcdef";
  EXPECT_EQ(failure(asked), plan::RemoteFailure::Stale);
  asked = request("0-4");
  for (const char* text : {"9", "4-0", "x", "0-4;", "5-8"}) {
    asked.part = text;
    EXPECT_EQ(failure(asked), plan::RemoteFailure::WrongAnswer) << text;
  }
  serving_.load(false);
  asked = request("0-4");
  asked.network_id.clear();
  EXPECT_EQ(failure(asked), plan::RemoteFailure::WrongAnswer);
}

TEST_F(SharedPlan, KeepsABoundedNumberOfParts) {
  for (const char* text : {"0-4", "5-8", "0-4", "5-8"}) EXPECT_FALSE(failure(request(text)));
  EXPECT_EQ(serving_.made, 2);
  EXPECT_FALSE(failure(request("0-2"))) << failure_text_;
  EXPECT_FALSE(failure(request("5-8")));
  EXPECT_EQ(serving_.made, 3);
  EXPECT_FALSE(failure(request("0-4")));
  EXPECT_EQ(serving_.made, 4);
  serving_.load(true);
  EXPECT_FALSE(failure(request("0-4")));
  EXPECT_EQ(serving_.made, 5);
}

TEST_F(SharedPlan, AServerThatIsGoneIsAnError) {
  RemoteRunner there(client_, model(), 1);
  serving_.server->stop(std::chrono::seconds(1));
  try {
    run::SharedSession(network(), serving_.ports(), placed({{0, "0-8"}}), {&there}, 1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the server"), std::string::npos);
  }
}

}  // namespace
}  // namespace espalier::remote
