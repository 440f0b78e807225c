// One target of the fuzzer: a reader, called with any bytes. A reader may throw espalier::Error and nothing else; a
// crash, a hang, another exception or what a sanitizer reports is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "esp_error.hpp"

namespace espalier::test {

/// What any file and its tensors may take while it is read.
inline constexpr std::uint64_t FuzzBytes = std::uint64_t{1} << 24;

template <typename Reader>
void expect_only_errors(Reader&& read) {
  try {
    read();
  } catch (const Error&) {  // the answer to most inputs
  }
}

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace espalier::test

// The entry point that the fuzzer and the replay of its corpus call.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
