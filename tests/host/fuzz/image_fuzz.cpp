// PNG and JPEG images, decoded to one, three or four planes and resized.
#include "fuzz_target.hpp"
#include "tools/image.hpp"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int channels[] = {1, 3, 4};
  constexpr int side = 16;
  for (const int count : channels)
    test::expect_only_errors([&] {
      tools::parse_image({data, size}, "fuzz", count, {side, side, tools::Fit::Letterbox, 0, false});
    });
  return 0;
}
