// Caffe2 networks: import of both files and all rewrites. The first two bytes are the size of the first file, the rest
// of the input is both.
#include <algorithm>

#include "fuzz_target.hpp"
#include "model/caffe2_import.hpp"
#include "model/rewrites.hpp"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t header = 2;
  if (size < header) return 0;
  const std::size_t split = std::min<std::size_t>(data[0] + std::size_t{256} * data[1], size - header);
  const std::string_view both = test::as_text(data + header, size - header);
  test::expect_only_errors([&] {
    model::canonicalise(model::import_caffe2_bytes(both.substr(0, split), both.substr(split),
                                                   {.most_bytes = test::FuzzBytes, .shapes = {}}));
  });
  return 0;
}
