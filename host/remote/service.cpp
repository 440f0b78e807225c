#include "remote/service.hpp"

#include <chrono>
#include <numeric>
#include <utility>

#include "esp_error.hpp"
#include "remote/security.hpp"
#include "remote/tensors.hpp"

namespace espalier::remote {
namespace {

constexpr const char* Bearer = "Bearer ";

grpc::StatusCode status_code(Failure failure) {
  switch (failure) {
    case Failure::NotFound:
      return grpc::StatusCode::NOT_FOUND;
    case Failure::Invalid:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case Failure::Full:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case Failure::Draining:
      return grpc::StatusCode::UNAVAILABLE;
    case Failure::Late:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case Failure::Cancelled:
      return grpc::StatusCode::CANCELLED;
    case Failure::Device:
      return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::INTERNAL;
}

grpc::ServerUnaryReactor* finished(grpc::CallbackServerContext* context, const grpc::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

grpc::Status stranger() { return {grpc::StatusCode::UNAUTHENTICATED, "a token of this server is needed"}; }

grpc::Status not_found(const std::string& model, const std::string& version) {
  return {grpc::StatusCode::NOT_FOUND, "no model " + model + (version.empty() ? "" : ", version " + version)};
}

/// What an inference request asks for beside its tensors.
struct Wish {
  std::optional<Nanoseconds> budget;
  std::vector<std::size_t> outputs;  // in this order; none: all
  std::optional<std::int64_t> exit;
  Contents contents = Contents::Typed;
};

/// The smaller of the caller's deadline and the parameter.
std::optional<Nanoseconds> budget_of(const grpc::CallbackServerContext& context,
                                     const inference::ModelInferRequest& request) {
  std::optional<Nanoseconds> budget = integer_parameter(request.parameters(), "deadline_ns");
  if (budget && *budget < 0)
    throw Error(ErrorCode::Input, "the deadline lies in the past", "deadline_ns", std::to_string(*budget), "");
  const auto deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return budget;
  const Nanoseconds left =
      std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - std::chrono::system_clock::now()).count();
  // A caller's deadline may lie further away than time is counted.
  return std::min(budget.value_or(plan::Impossible), std::clamp<Nanoseconds>(left, 0, plan::Impossible));
}

/// For the choice of a model; what is wrong with the deadline is said later.
std::optional<Nanoseconds> budget_or_none(const grpc::CallbackServerContext& context,
                                          const inference::ModelInferRequest& request) {
  try {
    return budget_of(context, request);
  } catch (const Error&) {
    return {};
  }
}

Wish wish_of(const grpc::CallbackServerContext& context, const inference::ModelInferRequest& request,
             const Version& version) {
  Wish wish;
  wish.budget = budget_of(context, request);
  const std::vector<compress::Output>& ports = version.executable.ports.outputs;
  wish.exit = integer_parameter(request.parameters(), "exit");
  if (wish.exit) {
    if (*wish.exit < 0 || static_cast<std::size_t>(*wish.exit) >= ports.size())
      throw Error(ErrorCode::Input, "the model has no such exit", "exit", std::to_string(*wish.exit),
                  "give 0 to " + std::to_string(ports.size() - 1));
    wish.outputs = {static_cast<std::size_t>(*wish.exit)};
  }
  for (const auto& wanted : request.outputs()) {
    std::size_t index = 0;
    while (index < ports.size() && ports[index].name != wanted.name()) ++index;
    if (index == ports.size())
      throw Error(ErrorCode::Input, "the model has no such output", "outputs", wanted.name(), "see its metadata");
    if (!wish.exit) wish.outputs.push_back(index);
  }
  if (wish.outputs.empty()) {
    wish.outputs.resize(ports.size());
    std::iota(wish.outputs.begin(), wish.outputs.end(), std::size_t{0});
  }
  if (request.raw_input_contents_size() != 0) wish.contents = Contents::Raw;
  return wish;
}

void set(inference::ModelInferResponse& response, const std::string& name, std::int64_t value) {
  (*response.mutable_parameters())[name].set_int64_param(value);
}

void write_answer(const Answer& answer, const Wish& wish, inference::ModelInferResponse& response) {
  response.set_model_name(answer.version->model);
  response.set_model_version(answer.version->version);
  if (!answer.version->part.empty()) (*response.mutable_parameters())["part"].set_string_param(answer.version->part);
  (*response.mutable_parameters())["plan_id"].set_string_param(answer.version->plan_id);
  set(response, "bound_ns", answer.version->bound);
  set(response, "executed_ns", answer.executed);
  set(response, "waited_ns", answer.waited);
  set(response, "predicted_cycles", static_cast<std::int64_t>(answer.version->cycles));
  const run::Totals& totals = answer.report.totals;
  if (totals.measured_cycles) set(response, "measured_cycles", static_cast<std::int64_t>(*totals.measured_cycles));
  if (wish.exit) set(response, "exit", *wish.exit);
  if (answer.cached) (*response.mutable_parameters())["cached"].set_bool_param(true);
  for (const std::size_t index : wish.outputs) write_output(answer.report.outputs[index], wish.contents, response);
}

/// One inference: finishes when the engine answers, cancels when the caller goes away.
class Inference final : public grpc::ServerUnaryReactor {
 public:
  Inference(Engine& engine, Wish wish, inference::ModelInferResponse* response)
      : engine_(&engine), wish_(std::move(wish)), response_(response) {}

  // gRPC calls OnCancel and OnDone only after the method that made this has returned: the ticket is known then.
  void submit(VersionPtr version, std::vector<std::vector<float>> inputs) {
    ticket_ = engine_->submit(
        {std::move(version), std::move(inputs), wish_.budget, [this](const Result& result) { finish(result); }});
  }
  void OnCancel() override { engine_->cancel(ticket_); }
  void OnDone() override { delete this; }

 private:
  void finish(const Result& result) {
    if (const Refusal* refusal = std::get_if<Refusal>(&result)) {
      Finish({status_code(refusal->failure), refusal->text});
      return;
    }
    write_answer(std::get<Answer>(result), wish_, *response_);
    Finish(grpc::Status::OK);
  }

  Engine* engine_;
  Wish wish_;
  inference::ModelInferResponse* response_;
  std::uint64_t ticket_ = 0;
};

template <typename Port>
void describe(const Port& port, inference::ModelMetadataResponse::TensorMetadata& tensor) {
  tensor.set_name(port.name);
  tensor.set_datatype(datatype(port.type));
  for (const std::int64_t size : port.shape) tensor.add_shape(size);
}

}  // namespace

bool Service::known(const grpc::CallbackServerContext& context) const {
  if (settings_.token.empty()) return true;
  const auto found = context.client_metadata().find("authorization");
  if (found == context.client_metadata().end()) return false;
  return same_secret({found->second.data(), found->second.size()}, Bearer + settings_.token);
}

// Health is open to everyone: who watches a server need not be able to use it.
grpc::ServerUnaryReactor* Service::ServerLive(grpc::CallbackServerContext* context,
                                              const inference::ServerLiveRequest* /*request*/,
                                              inference::ServerLiveResponse* response) {
  response->set_live(true);
  return finished(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* Service::ServerReady(grpc::CallbackServerContext* context,
                                               const inference::ServerReadyRequest* /*request*/,
                                               inference::ServerReadyResponse* response) {
  response->set_ready(!engine_->draining());
  return finished(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* Service::ModelReady(grpc::CallbackServerContext* context,
                                              const inference::ModelReadyRequest* request,
                                              inference::ModelReadyResponse* response) {
  if (!known(*context)) return finished(context, stranger());
  response->set_ready(!engine_->draining() && engine_->choose(request->name(), request->version(), {}) != nullptr);
  return finished(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* Service::ServerMetadata(grpc::CallbackServerContext* context,
                                                  const inference::ServerMetadataRequest* /*request*/,
                                                  inference::ServerMetadataResponse* response) {
  if (!known(*context)) return finished(context, stranger());
  response->set_name("espalier");
  response->set_version(settings_.version);
  response->add_extensions("model_repository");
  return finished(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* Service::ModelMetadata(grpc::CallbackServerContext* context,
                                                 const inference::ModelMetadataRequest* request,
                                                 inference::ModelMetadataResponse* response) {
  if (!known(*context)) return finished(context, stranger());
  const VersionPtr version = engine_->choose(request->name(), request->version(), {});
  if (version == nullptr) return finished(context, not_found(request->name(), request->version()));
  response->set_name(version->model);
  for (const VersionPtr& known_version : engine_->versions(version->model))
    response->add_versions(known_version->version);
  response->set_platform("espalier_esp");
  for (const auto& port : version->executable.ports.inputs) describe(port, *response->add_inputs());
  for (const auto& port : version->executable.ports.outputs) describe(port, *response->add_outputs());
  return finished(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* Service::ModelInfer(grpc::CallbackServerContext* context,
                                              const inference::ModelInferRequest* request,
                                              inference::ModelInferResponse* response) {
  if (!known(*context)) return finished(context, stranger());
  const std::string& name = request->model_name();
  VersionPtr version = engine_->choose(name, request->model_version(), budget_or_none(*context, *request));
  if (version == nullptr) {
    engine_->count(name, Failure::NotFound);
    return finished(context, not_found(name, request->model_version()));
  }
  const auto other = [&](const std::string& what) {
    engine_->count(name, Failure::Invalid);
    return finished(context, {grpc::StatusCode::FAILED_PRECONDITION, what});
  };
  const std::string network = text_parameter(request->parameters(), "network_id").value_or(version->network_id);
  if (network != version->network_id) return other("the model in service has network " + version->network_id);
  try {
    const std::optional<std::string> part = text_parameter(request->parameters(), "part");
    if (part) version = engine_->part(version, *part);
    const std::string plan = text_parameter(request->parameters(), "plan_id").value_or(version->plan_id);
    if (plan != version->plan_id) return other("the model in service has plan " + version->plan_id);
    Wish wish = wish_of(*context, *request, *version);
    std::vector<std::vector<float>> inputs = read_inputs(*request, version->executable.ports);
    response->set_id(request->id());
    auto* inference = new Inference(*engine_, std::move(wish), response);  // deletes itself in OnDone
    inference->submit(version, std::move(inputs));
    return inference;
  } catch (const Error& error) {
    engine_->count(name, Failure::Invalid);
    return finished(context, {grpc::StatusCode::INVALID_ARGUMENT, error.what()});
  }
}

grpc::ServerUnaryReactor* Service::RepositoryIndex(grpc::CallbackServerContext* context,
                                                   const inference::RepositoryIndexRequest* /*request*/,
                                                   inference::RepositoryIndexResponse* response) {
  if (!known(*context)) return finished(context, stranger());
  for (const std::string& model : engine_->models()) {
    bool active = true;
    for (const VersionPtr& version : engine_->versions(model)) {
      auto* entry = response->add_models();
      entry->set_name(model);
      entry->set_version(version->version);
      entry->set_state("READY");
      if (!active) entry->set_reason("the version before");
      active = false;
    }
  }
  return finished(context, grpc::Status::OK);
}

grpc::ServerUnaryReactor* Service::RepositoryModelLoad(grpc::CallbackServerContext* context,
                                                       const inference::RepositoryModelLoadRequest* request,
                                                       inference::RepositoryModelLoadResponse* /*response*/) {
  if (!known(*context)) return finished(context, stranger());
  if (!settings_.reload)
    return finished(context, {grpc::StatusCode::PERMISSION_DENIED, "this server does not load models by call"});
  const std::string& model = request->model_name();
  if (engine_->find(model, {}) == nullptr) return finished(context, not_found(model, {}));
  const auto back = request->parameters().find("rollback");
  try {
    if (back != request->parameters().end() && back->second.bool_param()) {
      engine_->roll_back(model);
    } else {
      settings_.reload(model);
    }
    return finished(context, grpc::Status::OK);
  } catch (const Error& error) {
    return finished(context, {grpc::StatusCode::FAILED_PRECONDITION, error.what()});
  }
}

}  // namespace espalier::remote
