// The calls of the protocol on an engine.
#pragma once

#include <grpcpp/grpcpp.h>
#include <open_inference.grpc.pb.h>

#include <functional>
#include <string>

#include "remote/engine.hpp"

namespace espalier::remote {

struct ServiceSettings {
  std::string version;  // of the program
  std::string token;    // empty: every caller is known
  /// Reads the file of a model again; null: models cannot be loaded by call. Throws Error.
  std::function<void(const std::string& model)> reload;
};

class Service final : public inference::GRPCInferenceService::CallbackService {
 public:
  Service(Engine& engine, ServiceSettings settings) : engine_(&engine), settings_(std::move(settings)) {}

  grpc::ServerUnaryReactor* ServerLive(grpc::CallbackServerContext* context, const inference::ServerLiveRequest*,
                                       inference::ServerLiveResponse* response) override;
  grpc::ServerUnaryReactor* ServerReady(grpc::CallbackServerContext* context, const inference::ServerReadyRequest*,
                                        inference::ServerReadyResponse* response) override;
  grpc::ServerUnaryReactor* ModelReady(grpc::CallbackServerContext* context,
                                       const inference::ModelReadyRequest* request,
                                       inference::ModelReadyResponse* response) override;
  grpc::ServerUnaryReactor* ServerMetadata(grpc::CallbackServerContext* context,
                                           const inference::ServerMetadataRequest*,
                                           inference::ServerMetadataResponse* response) override;
  grpc::ServerUnaryReactor* ModelMetadata(grpc::CallbackServerContext* context,
                                          const inference::ModelMetadataRequest* request,
                                          inference::ModelMetadataResponse* response) override;
  grpc::ServerUnaryReactor* ModelInfer(grpc::CallbackServerContext* context,
                                       const inference::ModelInferRequest* request,
                                       inference::ModelInferResponse* response) override;
  grpc::ServerUnaryReactor* RepositoryIndex(grpc::CallbackServerContext* context,
                                            const inference::RepositoryIndexRequest*,
                                            inference::RepositoryIndexResponse* response) override;
  grpc::ServerUnaryReactor* RepositoryModelLoad(grpc::CallbackServerContext* context,
                                                const inference::RepositoryModelLoadRequest* request,
                                                inference::RepositoryModelLoadResponse*) override;

 private:
  bool known(const grpc::CallbackServerContext& context) const;

  Engine* engine_;
  ServiceSettings settings_;
};

}  // namespace espalier::remote
