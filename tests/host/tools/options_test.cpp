// Properties: every documented value is understood; anything else is an Error (Usage) that names option and value.
#include "tools/options.hpp"

#include <gtest/gtest.h>

#include "esp_error.hpp"
#include "tools/exit_code.hpp"

namespace espalier::tools {
namespace {

TEST(Options, UnderstandTheDocumentedValues) {
  EXPECT_EQ(parse_array("16x16"), abi::Array16x16);
  EXPECT_EQ(parse_array("8x8"), abi::Array8x8);
  EXPECT_EQ(parse_array("16x16_compact"), abi::Array16x16Compact);
  for (const std::string& text : array_texts()) EXPECT_EQ(array_text(parse_array(text)), text);
  EXPECT_EQ(parse_memory("bytes=32,latency=7").bytes, 32U);
  EXPECT_EQ(parse_memory("latency=7").latency, 7U);
  EXPECT_EQ(parse_memory("latency=7").bytes, 64U);
  EXPECT_EQ(parse_memory_choice("latency=7").parameters.latency, 7U);
  EXPECT_EQ(parse_memory_choice("latency=7").dram, nullptr);
  EXPECT_EQ(parse_memory_choice("ddr4-2400").mhz, 300U);
  EXPECT_EQ(parse_memory_choice("hbm2@450").mhz, 450U);
  EXPECT_EQ(parse_memory_choice("hbm2@450").dram, &dram::find("hbm2"));
  EXPECT_EQ(parse_device("soc-rtl").kind, DeviceKind::SocRtl);
  EXPECT_EQ(device_text(parse_device("soc")), "soc");
  EXPECT_EQ(parse_device("xrt:3").index, 3U);
  EXPECT_EQ(parse_device("xrt:3.1").core, 1U);
  EXPECT_EQ(device_text(parse_device("xrt:3.1")), "xrt:3.1");
  EXPECT_EQ(parse_device("rtl").kind, DeviceKind::Rtl);
  EXPECT_EQ(parse_size("224x112").height, 224);
  EXPECT_EQ(parse_numbers("1,2.5,-3", "--mean"), (std::vector<double>{1, 2.5, -3}));
}

TEST(Options, RefuseEverythingElse) {
  for (const char* text : {"", "16", "16x", "15x15", "16x16x16", "compact", "8x8_compact"})
    EXPECT_THROW(parse_array(text), Error) << text;
  for (const char* text : {"", "bytes", "bytes=", "bytes=63", "bytes=128", "latency=-1", "latency=1,latency=2", "x=1",
                           "bytes=64,", "bytes=64 ,latency=40", "latency=99999999999"})
    EXPECT_THROW(parse_memory(text), Error) << text;
  for (const char* text : {"", "ddr4", "ddr4-2400@", "ddr4-2400@0", "ddr4-2400@9999", "@300", "ddr4-2400@300x"})
    EXPECT_THROW(parse_memory_choice(text), Error) << text;
  for (const char* text : {"", "fpga", "xrt:", "xrt:-1", "xrt:1x", "xrt:1.", "xrt:1.2.3", "rtl:0"})
    EXPECT_THROW(parse_device(text), Error) << text;
  for (const char* text : {"", "28", "0x28", "28x", "28x28x1", "99999x1"})
    EXPECT_THROW(parse_size(text), Error) << text;
  for (const char* text : {"", "1,", "a", "nan", "inf", "1;2"})
    EXPECT_THROW(parse_numbers(text, "--mean"), Error) << text;
}

TEST(Options, ErrorsNameOptionAndValue) {
  try {
    parse_array("9x9");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "--array");
    EXPECT_EQ(error.value(), "9x9");
    EXPECT_FALSE(error.action().empty());
    EXPECT_EQ(exit_code(error.code()), 2);
  }
}

TEST(Options, UnknownDevicesAreAnsweredWithThoseOfTheCommand) {
  const auto action = [](DeviceNames names) {
    try {
      parse_device("fpga", names);
    } catch (const Error& error) {
      return error.action();
    }
    return std::string();
  };
  EXPECT_EQ(action(DeviceNames::Machines), "choose functional, rtl, soc, soc-rtl, xrt, xrt:N or xrt:N.CORE");
  EXPECT_EQ(action(DeviceNames::MachinesAndCpu), "choose cpu, functional, rtl, soc, soc-rtl, xrt, xrt:N or xrt:N.CORE");
}

}  // namespace
}  // namespace espalier::tools
