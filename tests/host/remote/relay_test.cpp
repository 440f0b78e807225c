// Properties:
//   - a server behind the relay answers as without it; behind a cut link a request ends by its deadline, with a failure
#include "relay.hpp"

#include <gtest/gtest.h>

#include "remote/client.hpp"
#include "remote/server.hpp"
#include "serving.hpp"

namespace espalier::test {
namespace {

remote::Reply ask(const LinkPhase& phase, plan::Nanoseconds budget) {
  Serving serving;
  serving.load();
  const remote::Server server(*serving.engine, {});
  const Relay relay(server.port(), LinkSchedule({phase}, 1), LinkSchedule({phase}, 2));
  remote::Client client("127.0.0.1:" + std::to_string(relay.port()), {});
  remote::RemoteRequest request;
  request.model = "layer";
  request.ports = serving.engine->find("layer", "")->executable.ports;
  request.inputs = {ramp(3 * 6 * 6)};
  request.budget = budget;
  return client.infer(request);
}

TEST(Relay, CarriesAnswers) {
  const remote::Reply reply = ask({0, 10'000'000, 1'000'000, 0}, 60'000'000'000);
  ASSERT_FALSE(reply.failure.has_value()) << reply.text;
  EXPECT_EQ(reply.outputs.at(0).values, expected_outputs(SmallLayer, ramp(3 * 6 * 6)));
}

TEST(Relay, ACutLinkEndsWithTheDeadline) { EXPECT_TRUE(ask({0, 0, 0, 0}, 100'000'000).failure.has_value()); }

}  // namespace
}  // namespace espalier::test
