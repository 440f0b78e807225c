// ESPALIER_CARD: kinds with and without an array; other text is an error.
#include <gtest/gtest.h>

#include "card/settings.hpp"
#include "esp_arrays.hpp"
#include "esp_error.hpp"

namespace espalier::card {
namespace {

TEST(Settings, KindsWithAndWithoutAnArray) {
  EXPECT_EQ(parse_settings("functional").kind, "functional");
  EXPECT_FALSE(parse_settings("functional").array);
  for (const abi::NamedArray& array : abi::Arrays) {
    const Settings settings = parse_settings("rtl:" + std::string(array.name));
    EXPECT_EQ(settings.kind, "rtl");
    EXPECT_EQ(settings.array, array.configuration);
  }
}

TEST(Settings, OtherTextIsAnError) {
  for (const char* text :
       {"rtl:", "rtl:16", "rtl:16x", "rtl:16x16x", "rtl:axb", "rtl:16x16 ", "rtl:16x8", "rtl:compact"}) {
    EXPECT_THROW(parse_settings(text), Error) << text;
  }
}

TEST(Settings, FaultsByName) {
  EXPECT_EQ(parse_fault("read-error"), functional::MemoryFaultKind::ReadError);
  EXPECT_EQ(parse_fault("write-error"), functional::MemoryFaultKind::WriteError);
  EXPECT_EQ(parse_fault("no-answer"), functional::MemoryFaultKind::NoAnswer);
  EXPECT_THROW(parse_fault("slow"), Error);
}

TEST(Settings, MemoryByParameters) {
  EXPECT_EQ(parse_memory("").parameters.latency, +abi::MemoryLatency);
  EXPECT_EQ(parse_memory("latency=7").parameters.latency, 7U);
  EXPECT_EQ(parse_memory("bytes=16,latency=100").parameters.bytes, 16U);
  for (const char* text : {"bytes=0", "bytes=48", "bytes=128", "latency=0", "latency=1x", "speed=3", "latency="}) {
    EXPECT_THROW(parse_memory(text), Error) << text;
  }
}

}  // namespace
}  // namespace espalier::card
