// Properties, over loopback with ports that the system chooses:
//   - live, ready, metadata and inference speak the protocol; raw and typed contents give a session's outputs
//   - the answer carries plan, bound, times and exit; a plan that is not in service is refused
//   - malformed requests and oversized messages are refused with INVALID_ARGUMENT or RESOURCE_EXHAUSTED, the server
//     stays usable
//   - a caller that goes away stops its run; models are loaded anew and rolled back by call only where that is allowed
//   - the client gives every failure its kind; metrics and health answer over HTTP
#include "remote/server.hpp"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <open_inference.grpc.pb.h>

#include "esp_error.hpp"
#include "remote/client.hpp"
#include "remote/metrics.hpp"
#include "serving.hpp"

namespace espalier::remote {
namespace {

using test::Serving;

constexpr std::size_t InputSize = 3 * 6 * 6;

class ServerTest : public testing::Test {
 protected:
  void start(ServerSettings settings = {}) {
    serving_.load();
    server_ = std::make_unique<Server>(*serving_.engine, std::move(settings));
    address_ = "127.0.0.1:" + std::to_string(server_->port());
    stub_ = inference::GRPCInferenceService::NewStub(grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
  }

  static inference::ModelInferRequest typed_request() {
    inference::ModelInferRequest request;
    request.set_model_name("layer");
    request.set_id("seven");
    auto* tensor = request.add_inputs();
    tensor->set_name("in");
    tensor->set_datatype("INT8");
    for (const int size : {1, 3, 6, 6}) tensor->add_shape(size);
    for (const float value : test::ramp(InputSize))
      tensor->mutable_contents()->add_int_contents(static_cast<std::int32_t>(value));
    return request;
  }

  grpc::Status infer(const inference::ModelInferRequest& request) {
    grpc::ClientContext context;
    return stub_->ModelInfer(&context, request, &response_);
  }

  RemoteRequest request() {
    RemoteRequest request;
    request.model = "layer";
    request.ports = serving_.engine->find("layer", "")->executable.ports;
    request.inputs = {test::ramp(InputSize)};
    return request;
  }

  Serving serving_;
  std::unique_ptr<Server> server_;
  std::string address_;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
  inference::ModelInferResponse response_;
};

TEST_F(ServerTest, SpeaksTheProtocol) {
  start();
  {
    grpc::ClientContext context;
    inference::ServerLiveResponse live;
    ASSERT_TRUE(stub_->ServerLive(&context, {}, &live).ok());
    EXPECT_TRUE(live.live());
  }
  grpc::ClientContext context;
  inference::ModelMetadataRequest wanted;
  wanted.set_name("layer");
  inference::ModelMetadataResponse metadata;
  ASSERT_TRUE(stub_->ModelMetadata(&context, wanted, &metadata).ok());
  ASSERT_EQ(metadata.inputs_size(), 1);
  EXPECT_EQ(metadata.inputs(0).datatype(), "INT8");
  EXPECT_EQ(metadata.outputs(0).datatype(), "FP32");
  EXPECT_EQ(metadata.outputs(0).shape(1), 5);
  ASSERT_TRUE(infer(typed_request()).ok());
  EXPECT_EQ(response_.id(), "seven");
  EXPECT_EQ(response_.model_version(), "1");
  EXPECT_EQ(response_.parameters().at("plan_id").string_param(), serving_.engine->find("layer", "")->plan_id);
  EXPECT_EQ(response_.parameters().at("bound_ns").int64_param(), serving_.engine->find("layer", "")->bound);
  const auto& contents = response_.outputs(0).contents().fp32_contents();
  const std::vector<double> values(contents.begin(), contents.end());
  EXPECT_EQ(values, test::expected_outputs(test::SmallLayer, test::ramp(InputSize)));
}

TEST_F(ServerTest, TheClientGetsTheSessionsOutputs) {
  start();
  Client client(address_, {});
  EXPECT_TRUE(client.ready());
  const run::Ports ports = client.ports("layer");
  EXPECT_EQ(ports.outputs.at(0).shape, (model::Shape{1, 5, 6, 6}));
  RemoteRequest with_exit = request();
  with_exit.exit = 0;
  const Reply reply = client.infer(with_exit);
  ASSERT_FALSE(reply.failure.has_value()) << reply.text;
  EXPECT_EQ(reply.outputs.at(0).values, test::expected_outputs(test::SmallLayer, test::ramp(InputSize)));
  EXPECT_EQ(reply.exit, 0);
}

TEST_F(ServerTest, EveryFailureHasItsKind) {
  start();
  Client client(address_, {});
  RemoteRequest wrong = request();
  wrong.version = "9";
  EXPECT_EQ(client.infer(wrong).failure, plan::RemoteFailure::Stale);
  wrong = request();
  wrong.plan_id = "0123456789abcdef";
  EXPECT_EQ(client.infer(wrong).failure, plan::RemoteFailure::Stale);
  wrong = request();
  wrong.budget = 1;
  EXPECT_EQ(client.infer(wrong).failure, plan::RemoteFailure::Late);
  wrong = request();
  wrong.ports.outputs[0].shape = {1, 2, 3, 4};  // the answer has another size
  EXPECT_EQ(client.infer(wrong).failure, plan::RemoteFailure::WrongAnswer);
  const std::string address = address_;
  server_->stop(std::chrono::seconds(10));
  EXPECT_EQ(client.infer(request()).failure, plan::RemoteFailure::Unreachable);
  EXPECT_EQ(client.pending(), 0U);
}

TEST_F(ServerTest, RefusesMalformedRequests) {
  start({.most_message_bytes = 4096});
  const auto refused = [&](const std::function<void(inference::ModelInferRequest&)>& spoil) {
    inference::ModelInferRequest request = typed_request();
    spoil(request);
    return infer(request).error_code();
  };
  using Request = inference::ModelInferRequest;
  constexpr auto Invalid = grpc::StatusCode::INVALID_ARGUMENT;
  EXPECT_EQ(refused([](Request& request) { request.clear_inputs(); }), Invalid);
  EXPECT_EQ(refused([](Request& request) { request.mutable_inputs(0)->set_name("other"); }), Invalid);
  EXPECT_EQ(refused([](Request& request) { request.mutable_inputs(0)->set_datatype("FP32"); }), Invalid);
  EXPECT_EQ(refused([](Request& request) { request.mutable_inputs(0)->set_shape(0, -1); }), Invalid);
  EXPECT_EQ(refused([](Request& request) { request.mutable_inputs(0)->clear_contents(); }), Invalid);
  EXPECT_EQ(refused([](Request& request) { request.add_raw_input_contents("x"); }), Invalid);
  EXPECT_EQ(refused([](Request& request) { request.mutable_inputs(0)->mutable_contents()->set_int_contents(0, 300); }),
            Invalid);
  EXPECT_EQ(refused([](Request& request) { request.add_outputs()->set_name("other"); }), Invalid);
  EXPECT_EQ(refused([](Request& request) { (*request.mutable_parameters())["exit"].set_int64_param(5); }), Invalid);
  EXPECT_EQ(refused([](Request& request) { (*request.mutable_parameters())["deadline_ns"].set_int64_param(-5); }),
            Invalid);
  EXPECT_EQ(refused([](Request& request) { request.set_model_name("other"); }), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(refused([](Request& request) { request.set_id(std::string(5000, 'x')); }),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(infer(typed_request()).ok());
}

TEST_F(ServerTest, ACallerThatGoesAwayStopsItsRun) {
  start();
  serving_.gate->open = false;
  Client client(address_, {});
  std::promise<Reply> promise;
  const std::uint64_t ticket = client.send(request(), [&](Reply reply) { promise.set_value(std::move(reply)); });
  serving_.wait_for_run();
  client.cancel(ticket);
  EXPECT_TRUE(promise.get_future().get().failure.has_value());
  while (serving_.engine->counts().running != 0) std::this_thread::yield();
  EXPECT_EQ(serving_.gate->resets, 1);
  serving_.gate->open = true;
  EXPECT_FALSE(client.infer(request()).failure.has_value());
}

TEST_F(ServerTest, LoadsByCallWhereAllowed) {
  ServerSettings settings;
  settings.reload = [this](const std::string&) { serving_.load("conv ic3 ih6 oc5 kh3 ph1"); };
  start(std::move(settings));
  inference::RepositoryModelLoadRequest request;
  inference::RepositoryModelLoadResponse response;
  request.set_model_name("layer");
  {
    grpc::ClientContext context;
    ASSERT_TRUE(stub_->RepositoryModelLoad(&context, request, &response).ok());
  }
  ASSERT_TRUE(infer(typed_request()).ok());
  EXPECT_EQ(response_.model_version(), "2");
  (*request.mutable_parameters())["rollback"].set_bool_param(true);
  {
    grpc::ClientContext context;
    ASSERT_TRUE(stub_->RepositoryModelLoad(&context, request, &response).ok());
  }
  ASSERT_TRUE(infer(typed_request()).ok());
  EXPECT_EQ(response_.model_version(), "1");
}

TEST_F(ServerTest, DoesNotLoadByCallOtherwise) {
  start();
  inference::RepositoryModelLoadRequest request;
  inference::RepositoryModelLoadResponse response;
  request.set_model_name("layer");
  grpc::ClientContext context;
  EXPECT_EQ(stub_->RepositoryModelLoad(&context, request, &response).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST(Metrics, EscapesLabelsAndNamesOutcomes) {
  Counts counts;
  counts.models["a\"b\\c\nd"].outcomes["ok"] = 3;
  const std::string text = metrics_text(counts);
  EXPECT_NE(text.find("espalier_requests_total{model=\"a\\\"b\\\\c\\nd\",outcome=\"ok\"} 3\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("# TYPE espalier_queue_length gauge\n"), std::string::npos);
}

}  // namespace
}  // namespace espalier::remote
