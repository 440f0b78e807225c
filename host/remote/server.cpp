#include "remote/server.hpp"

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

#include <utility>

#include "esp_error.hpp"
#include "remote/callback_threads.hpp"
#include "remote/http_port.hpp"
#include "remote/metrics.hpp"
#include "remote/service.hpp"

namespace espalier::remote {

struct Server::State {
  Engine* engine;
  Service service;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<HttpPort> http;
  int port = 0;
};

namespace {

std::shared_ptr<grpc::ServerCredentials> credentials(const Tls& tls) {
  if (!tls.used()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(tls.authority.empty()
                                                ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                                : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls.authority;
  options.pem_key_cert_pairs.push_back({tls.key, tls.certificate});
  return grpc::SslServerCredentials(options);
}

Page page_of(const Engine& engine, const std::string& path) {
  if (path == "/metrics") return {200, metrics_text(engine.counts())};
  if (path == "/v2/health/live") return {200, "live\n"};
  if (path == "/v2/health/ready") return engine.draining() ? Page{503, "ending\n"} : Page{200, "ready\n"};
  return {404, "no such page\n"};
}

}  // namespace

Server::Server(Engine& engine, ServerSettings settings)
    : state_(new State{&engine, Service(engine, {settings.version, settings.token, std::move(settings.reload)}),
                       nullptr, nullptr, 0}) {
  keep_callback_threads();
  grpc::ResourceQuota quota("espalier");
  quota.Resize(settings.most_memory_bytes);
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(settings.most_message_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, settings.most_calls_per_connection);
  // Two servers on one port would share its connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(settings.address + ":" + std::to_string(settings.port), credentials(settings.tls),
                           &state_->port);
  builder.RegisterService(&state_->service);
  state_->server = builder.BuildAndStart();
  if (state_->server == nullptr || state_->port == 0)
    throw Error(ErrorCode::Usage, "the server cannot listen", settings.address, std::to_string(settings.port),
                "give an address of this machine and a free port, and a certificate with its key");
  if (settings.metrics_port)
    state_->http = std::make_unique<HttpPort>(settings.address, *settings.metrics_port,
                                              [&engine](const std::string& path) { return page_of(engine, path); });
}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

std::uint16_t Server::port() const { return static_cast<std::uint16_t>(state_->port); }

std::optional<std::uint16_t> Server::metrics_port() const {
  if (state_->http == nullptr) return {};
  return state_->http->port();
}

bool Server::stop(std::chrono::milliseconds grace) {
  const bool clean = state_->engine->drain(grace);
  // All is answered; this is for answers that are still on their way.
  if (state_->server != nullptr) state_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  return clean;
}

}  // namespace espalier::remote
