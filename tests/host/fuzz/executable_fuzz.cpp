// Compiled files (.esp). Checksums are made right, so that what lies behind them is reached: the first byte chooses the
// file (even) or the program inside it (odd).
#include "compile/program_file.hpp"
#include "compile/sealed_bytes.hpp"
#include "fuzz_target.hpp"
#include "run/executable_file.hpp"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::vector<std::uint8_t> bytes = compile::seal({data + 1, size - 1});
  test::expect_only_errors([&] {
    if (data[0] % 2 == 0)
      run::deserialise(bytes, "fuzz");
    else
      compile::deserialise(bytes, "fuzz");
  });
  return 0;
}
