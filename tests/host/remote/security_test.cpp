// Properties:
//   - without the token nothing but health answers
//   - over TLS a client trusts only servers of its authority whose certificate is valid today; a server that asks for
//     certificates answers no client without one
//   - secrets are compared whole
#include "remote/security.hpp"

#include <gtest/gtest.h>

#include "certificates.hpp"
#include "esp_error.hpp"
#include "remote/client.hpp"
#include "remote/server.hpp"
#include "serving.hpp"

namespace espalier::remote {
namespace {

constexpr long Day = 86400;

RemoteRequest request(const test::Serving& serving) {
  RemoteRequest request;
  request.model = "layer";
  request.ports = serving.engine->find("layer", "")->executable.ports;
  request.inputs = {test::ramp(3 * 6 * 6)};
  request.budget = 60'000'000'000;
  return request;
}

/// The failure of a request of this client to this server.
std::optional<plan::RemoteFailure> failure(ServerSettings server_settings, const ClientSettings& client_settings) {
  test::Serving serving;
  serving.load();
  const Server server(*serving.engine, std::move(server_settings));
  Client client("127.0.0.1:" + std::to_string(server.port()), client_settings);
  return client.infer(request(serving)).failure;
}

TEST(Security, ATokenIsNeeded) {
  EXPECT_EQ(failure({.token = "secret"}, {.tls = {}, .token = "secret"}), std::nullopt);
  EXPECT_EQ(failure({.token = "secret"}, {.tls = {}, .token = "secre"}), plan::RemoteFailure::Stranger);
  EXPECT_EQ(failure({.token = "secret"}, {}), plan::RemoteFailure::Stranger);
}

TEST(Security, CertificatesAreChecked) {
  const test::Certificate server = test::make_certificate(-Day, Day);
  const test::Certificate other = test::make_certificate(-Day, Day);
  const test::Certificate expired = test::make_certificate(-2 * Day, -Day);
  ServerSettings settings;
  settings.tls = {server.certificate, server.key, {}};
  EXPECT_EQ(failure(settings, {.tls = {{}, {}, server.certificate}, .token = {}}), std::nullopt);
  EXPECT_EQ(failure(settings, {.tls = {{}, {}, other.certificate}, .token = {}}), plan::RemoteFailure::Stranger);
  settings.tls = {expired.certificate, expired.key, {}};
  EXPECT_EQ(failure(settings, {.tls = {{}, {}, expired.certificate}, .token = {}}), plan::RemoteFailure::Stranger);
}

TEST(Security, ClientsCanBeAskedForCertificates) {
  const test::Certificate server = test::make_certificate(-Day, Day), client = test::make_certificate(-Day, Day);
  ServerSettings settings;
  settings.tls = {server.certificate, server.key, client.certificate};
  EXPECT_EQ(failure(settings, {.tls = {client.certificate, client.key, server.certificate}, .token = {}}),
            std::nullopt);
  EXPECT_TRUE(failure(settings, {.tls = {{}, {}, server.certificate}, .token = {}}).has_value());
}

TEST(Security, SecretsAreComparedWhole) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abd", "abc"));
  EXPECT_FALSE(same_secret("ab", "abc"));
  EXPECT_FALSE(same_secret("abcabc", "abc"));
  EXPECT_FALSE(same_secret("", "abc"));
  EXPECT_TRUE(is_loopback("127.0.0.1"));
  EXPECT_FALSE(is_loopback("0.0.0.0"));
}

}  // namespace
}  // namespace espalier::remote
