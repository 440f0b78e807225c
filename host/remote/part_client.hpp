// A server as a machine that runs parts of a plan: requests with the parameter `part`, see README.md.
//
//   RemoteRunner server(client, {.address = "127.0.0.1:8001", .model = "digits", .network_id = id}, 2);
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "remote/client.hpp"
#include "run/shared_session.hpp"

namespace espalier::remote {

struct RemoteModel {
  std::string address;     // in errors
  std::string model;       // name on the server
  std::string version;     // empty: the one in service
  std::string network_id;  // of the whole network; the server must have the same
};

/// A request for a part, without inputs.
RemoteRequest part_request(const RemoteModel& model, const run::WantedPart& part);
/// Values as requests carry them, and outputs of an answer as features.
std::vector<std::vector<float>> as_values(const std::vector<run::Feature>& features);
std::vector<run::Feature> as_features(const std::vector<run::Output>& outputs);

class RemoteRunner final : public run::PartRunner {
 public:
  /// `most` requests under way. The client must outlive the runner.
  RemoteRunner(Client& client, RemoteModel model, std::size_t most)
      : client_(&client), model_(std::move(model)), most_(most) {}

  std::string name() const override { return model_.address; }
  std::size_t most() const override { return most_; }
  /// Runs the part once on zeros, so that the server has compiled it. Throws as to_error().
  void prepare(const run::WantedPart& part) override;
  void start(const run::WantedPart& part, std::vector<run::Feature> inputs,
             std::function<void(run::PartResult)> done) override;

 private:
  Client* client_;
  RemoteModel model_;
  std::size_t most_;
};

}  // namespace espalier::remote
