#include "remote/client.hpp"

#include <grpcpp/grpcpp.h>
#include <open_inference.grpc.pb.h>

#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <utility>

#include "esp_error.hpp"
#include "remote/callback_threads.hpp"
#include "remote/tensors.hpp"

namespace espalier::remote {
namespace {

using plan::RemoteFailure;

struct Flight {
  grpc::ClientContext context;
  inference::ModelInferRequest request;
  inference::ModelInferResponse response;
  RemoteRequest asked;
};

std::shared_ptr<grpc::ChannelCredentials> credentials(const Tls& tls) {
  if (!tls.used()) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({tls.authority, tls.key, tls.certificate});
}

RemoteFailure failure_of(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return RemoteFailure::Refused;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return RemoteFailure::Late;
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::FAILED_PRECONDITION:
      return RemoteFailure::Stale;
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
      return RemoteFailure::Stranger;
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::INTERNAL:
      return RemoteFailure::WrongAnswer;
    default:
      break;
  }
  // A handshake that fails is reported as a server that is not there.
  const bool handshake = status.error_message().find("andshake") != std::string::npos ||
                         status.error_message().find("ertificate") != std::string::npos;
  return handshake ? RemoteFailure::Stranger : RemoteFailure::Unreachable;
}

Reply failed(RemoteFailure failure, const std::string& text) {
  Reply reply;
  reply.failure = failure;
  reply.text = text;
  return reply;
}

Reply reply_of(const grpc::Status& status, const Flight& flight) {
  if (!status.ok()) return failed(failure_of(status), status.error_message());
  const inference::ModelInferResponse& response = flight.response;
  const RemoteRequest& asked = flight.asked;
  Reply reply;
  reply.version = response.model_version();
  reply.plan_id = text_parameter(response.parameters(), "plan_id").value_or("");
  if (!asked.version.empty() && reply.version != asked.version)
    return failed(RemoteFailure::Stale, "the answer is of version " + reply.version);
  if (!asked.plan_id.empty() && reply.plan_id != asked.plan_id)
    return failed(RemoteFailure::Stale, "the answer is of plan " + reply.plan_id);
  std::vector<std::size_t> outputs = asked.outputs;
  if (asked.exit) outputs = {static_cast<std::size_t>(*asked.exit)};
  try {
    reply.outputs = read_outputs(response, asked.ports, outputs);
  } catch (const Error& error) {
    return failed(RemoteFailure::WrongAnswer, error.what());
  }
  reply.bound_ns = integer_parameter(response.parameters(), "bound_ns");
  reply.executed_ns = integer_parameter(response.parameters(), "executed_ns");
  reply.waited_ns = integer_parameter(response.parameters(), "waited_ns");
  reply.predicted_cycles = integer_parameter(response.parameters(), "predicted_cycles");
  reply.measured_cycles = integer_parameter(response.parameters(), "measured_cycles");
  reply.exit = integer_parameter(response.parameters(), "exit");
  return reply;
}

void fill(Flight& flight) {
  const RemoteRequest& asked = flight.asked;
  flight.request.set_model_name(asked.model);
  flight.request.set_model_version(asked.version);
  auto& parameters = *flight.request.mutable_parameters();
  if (!asked.plan_id.empty()) parameters["plan_id"].set_string_param(asked.plan_id);
  if (!asked.network_id.empty()) parameters["network_id"].set_string_param(asked.network_id);
  if (!asked.part.empty()) parameters["part"].set_string_param(asked.part);
  for (const std::size_t output : asked.outputs)
    flight.request.add_outputs()->set_name(asked.ports.outputs.at(output).name);
  if (asked.exit) parameters["exit"].set_int64_param(*asked.exit);
  if (asked.budget) {
    parameters["deadline_ns"].set_int64_param(*asked.budget);
    flight.context.set_deadline(std::chrono::system_clock::now() + std::chrono::nanoseconds(*asked.budget));
  }
  write_inputs(asked.inputs, asked.ports, flight.request);
}

}  // namespace

struct Client::State {
  std::string address, token;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub;
  mutable std::mutex mutex;
  std::condition_variable ended;
  std::map<std::uint64_t, std::shared_ptr<Flight>> flights;
  std::uint64_t tickets = 0;

  void introduce(grpc::ClientContext& context) const {
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  }
};

Client::Client(const std::string& address, const ClientSettings& settings) : state_(std::make_shared<State>()) {
  keep_callback_threads();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(settings.most_message_bytes);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // After a failure the connection is tried again within a second; what to send meanwhile is the policy's decision.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  state_->address = address;
  state_->token = settings.token;
  state_->stub = inference::GRPCInferenceService::NewStub(
      grpc::CreateCustomChannel(address, credentials(settings.tls), arguments));
}

Client::~Client() {
  std::unique_lock lock(state_->mutex);
  for (const auto& [ticket, flight] : state_->flights) flight->context.TryCancel();
  state_->ended.wait(lock, [this] { return state_->flights.empty(); });
}

bool Client::ready(plan::Nanoseconds limit) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::nanoseconds(limit));
  inference::ServerReadyResponse response;
  return state_->stub->ServerReady(&context, {}, &response).ok() && response.ready();
}

run::Ports Client::ports(const std::string& model, plan::Nanoseconds limit) {
  grpc::ClientContext context;
  state_->introduce(context);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::nanoseconds(limit));
  inference::ModelMetadataRequest request;
  request.set_name(model);
  inference::ModelMetadataResponse response;
  const grpc::Status status = state_->stub->ModelMetadata(&context, request, &response);
  if (!status.ok()) throw to_error(failed(failure_of(status), status.error_message()), state_->address);
  return read_ports(response);
}

std::uint64_t Client::send(const RemoteRequest& request, std::function<void(Reply)> done) {
  auto flight = std::make_shared<Flight>();
  flight->asked = request;
  fill(*flight);
  state_->introduce(flight->context);
  std::uint64_t ticket = 0;
  {
    const std::scoped_lock lock(state_->mutex);
    ticket = ++state_->tickets;
    state_->flights[ticket] = flight;
  }
  state_->stub->async()->ModelInfer(
      &flight->context, &flight->request, &flight->response,
      [state = state_, flight, ticket, done = std::move(done)](const grpc::Status& status) {
        done(reply_of(status, *flight));
        const std::scoped_lock lock(state->mutex);
        state->flights.erase(ticket);
        state->ended.notify_all();
      });
  return ticket;
}

void Client::cancel(std::uint64_t ticket) {
  const std::scoped_lock lock(state_->mutex);
  const auto found = state_->flights.find(ticket);
  if (found != state_->flights.end()) found->second->context.TryCancel();
}

Reply Client::infer(const RemoteRequest& request) {
  std::promise<Reply> promise;
  const std::uint64_t ticket = send(request, [&promise](Reply reply) { promise.set_value(std::move(reply)); });
  Reply reply = promise.get_future().get();
  // The callback is done with the promise, and the request is no longer pending.
  std::unique_lock lock(state_->mutex);
  state_->ended.wait(lock, [&] { return !state_->flights.contains(ticket); });
  return reply;
}

std::size_t Client::pending() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->flights.size();
}

Error to_error(const Reply& reply, const std::string& address) {
  const std::string where = "server " + address;
  switch (reply.failure.value_or(RemoteFailure::Unreachable)) {
    case RemoteFailure::Refused:
      return {ErrorCode::Device, "the server has no room for the request", where, reply.text, "try again later"};
    case RemoteFailure::Late:
      return {ErrorCode::Timeout, "the server did not answer in time", where, reply.text, "give a later --deadline"};
    case RemoteFailure::Stale:
      return {ErrorCode::Program, "the server does not have this model", where, reply.text,
              "see the models that espalier serve names"};
    case RemoteFailure::Stranger:
      return {ErrorCode::Usage, "server and client do not trust each other", where, reply.text,
              "check --token-file and the certificates, and that they are valid today"};
    case RemoteFailure::WrongAnswer:
      return {ErrorCode::Mismatch, "the server's answer does not fit the request", where, reply.text,
              "check that the server has the same model"};
    case RemoteFailure::Unreachable:
      break;
  }
  return {ErrorCode::Device, "the server cannot be reached", where, reply.text, "check address, port and network"};
}

}  // namespace espalier::remote
