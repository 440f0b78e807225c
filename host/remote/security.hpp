// Who may talk to a server, and how a client knows it.
#pragma once

#include <string>

namespace espalier::remote {

/// PEM texts; empty: none. A server with a certificate speaks TLS only; with a client authority it also demands a
/// certificate of every client. A client with an authority speaks TLS only.
struct Tls {
  std::string certificate, key;
  std::string authority;  // of the other side
  bool used() const { return !certificate.empty() || !authority.empty(); }
};

/// Whether two secrets are equal, in a time that does not depend on where they differ.
bool same_secret(const std::string& given, const std::string& secret);

/// Whether a listening address reaches this machine only.
bool is_loopback(const std::string& address);

}  // namespace espalier::remote
