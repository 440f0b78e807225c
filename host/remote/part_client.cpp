#include "remote/part_client.hpp"

#include <utility>

#include "esp_error.hpp"

namespace espalier::remote {
namespace {

constexpr plan::Nanoseconds ReadyWithin = 5'000'000'000;
constexpr plan::Nanoseconds PreparedWithin = 600'000'000'000;  // the server may have to compile a large part

}  // namespace

RemoteRequest part_request(const RemoteModel& model, const run::WantedPart& part) {
  RemoteRequest request;
  request.model = model.model;
  request.version = model.version;
  request.network_id = model.network_id;
  request.part = run::part_text(part.part.layers);
  request.ports = part.part.ports;
  request.outputs = part.outputs;
  return request;
}

std::vector<std::vector<float>> as_values(const std::vector<run::Feature>& features) {
  std::vector<std::vector<float>> values;
  for (const run::Feature& feature : features) values.emplace_back(feature.begin(), feature.end());
  return values;
}

std::vector<run::Feature> as_features(const std::vector<run::Output>& outputs) {
  std::vector<run::Feature> features;
  for (const run::Output& output : outputs) {
    run::Feature& feature = features.emplace_back();
    for (const double value : output.values) feature.push_back(static_cast<std::int8_t>(value));
  }
  return features;
}

void RemoteRunner::prepare(const run::WantedPart& part) {
  Reply absent;
  absent.failure = plan::RemoteFailure::Unreachable;
  if (!client_->ready(ReadyWithin)) throw to_error(absent, model_.address);
  RemoteRequest request = part_request(model_, part);
  for (const compress::Input& port : part.part.ports.inputs)
    request.inputs.emplace_back(static_cast<std::size_t>(model::count_elements(port.shape, port.name)), 0.0F);
  request.budget = PreparedWithin;
  const Reply reply = client_->infer(request);
  if (reply.failure) throw to_error(reply, model_.address);
}

void RemoteRunner::start(const run::WantedPart& part, std::vector<run::Feature> inputs,
                         std::function<void(run::PartResult)> done) {
  RemoteRequest request = part_request(model_, part);
  request.inputs = as_values(inputs);
  client_->send(request, [address = model_.address, done = std::move(done)](const Reply& reply) {
    run::PartResult result;
    if (reply.failure) {
      result.failure = std::make_exception_ptr(to_error(reply, address));
    } else {
      result.outputs = as_features(reply.outputs);
      if (reply.predicted_cycles) result.predicted_cycles = static_cast<std::uint64_t>(*reply.predicted_cycles);
      if (reply.measured_cycles) result.measured_cycles = static_cast<std::uint64_t>(*reply.measured_cycles);
    }
    done(std::move(result));
  });
}

}  // namespace espalier::remote
