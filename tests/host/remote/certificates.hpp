// Certificates for tests, made on the spot.
#pragma once

#include <string>

namespace espalier::test {

struct Certificate {
  std::string certificate, key;  // PEM
};

/// Signed by itself, for localhost and 127.0.0.1, valid from and to so many seconds from now.
Certificate make_certificate(long from, long to);

}  // namespace espalier::test
