// A card whose memory misbehaves: the machine's error reaches the host through XRT, again and again.
#include <gtest/gtest.h>

#include <cstdlib>

#include "driver/list_builder.hpp"
#include "esp_error.hpp"
#include "xrt/xrt_bus.hpp"

namespace espalier {
namespace {

/// The summary of the error of a copy on a card with this fault; the environment stands before XRT opens the card.
std::string error_with(const char* fault) {
  setenv("ESPALIER_CARD_FAULT", fault, 1);
  xrt::XrtBus bus({0, std::string(ESPALIER_IMAGE_DIRECTORY) + "/espalier_sim_8x8.xclbin"});
  driver::Device device(bus);
  std::string summary;
  for (unsigned i = 0; i < 2; ++i) {
    test::ListBuilder list;
    try {
      device.run({test::copy_program(list, 2), {}, {5000, std::chrono::hours(1)}});
      return "no error";
    } catch (const Error& error) {
      summary = error.summary();
    }
  }
  return summary;
}

TEST(CardFault, ReadErrors) { EXPECT_EQ(error_with("read-error"), "memory answered a read with an error"); }
TEST(CardFault, WriteErrors) { EXPECT_EQ(error_with("write-error"), "memory answered a write with an error"); }
TEST(CardFault, NoAnswer) { EXPECT_EQ(error_with("no-answer"), "no progress within the time-out"); }

}  // namespace
}  // namespace espalier
