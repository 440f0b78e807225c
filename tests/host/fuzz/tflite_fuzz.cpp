// TensorFlow Lite files: import, all rewrites, lowering of what is quantised.
#include "compress/quantise.hpp"
#include "fuzz_target.hpp"
#include "model/rewrites.hpp"
#include "model/tflite_import.hpp"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::expect_only_errors([&] {
    const model::Graph graph =
        model::import_tflite_bytes(test::as_text(data, size), {.most_bytes = test::FuzzBytes, .shapes = {}});
    if (model::is_quantised(graph))
      compress::lower_quantised(graph);
    else
      model::canonicalise(graph);
  });
  return 0;
}
