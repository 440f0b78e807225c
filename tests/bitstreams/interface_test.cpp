// One interface, described in many places, all of which agree:
//   - kernel.xml has the arguments and ports of the contract, at the offsets of its registers
//   - the image's metadata and connectivity have the same
//   - the pins of the RTL top and of the HLS top are those of the ports
//   - the function that Vitis HLS synthesises takes the same arguments in the same order; its pragmas name the same
//   masters
//   - the HLS top hands it the registers of those arguments
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

#include "bitstreams/kernel_xml.hpp"
#include "bitstreams/xclbin_format.hpp"
#include "bitstreams/xclbin_writer.hpp"
#include "esp_kernel.hpp"
#include "kernel_source.hpp"

namespace espalier::bitstreams {
namespace {

using Attributes = std::map<std::string, std::string>;

std::string source(const std::string& path) {
  return packaging::read_source(std::string(ESPALIER_SOURCE_ROOT "/") + path);
}

/// The attributes of every element of a name, in order.
std::vector<Attributes> elements(const std::string& xml, const std::string& name) {
  std::vector<Attributes> result;
  const std::regex element("<" + name + " ([^>]*?)/?>"), attribute("(\\w+)=\"([^\"]*)\"");
  for (std::sregex_iterator i(xml.begin(), xml.end(), element), end; i != end; ++i) {
    const std::string inside = (*i)[1];
    Attributes attributes;
    for (std::sregex_iterator j(inside.begin(), inside.end(), attribute); j != end; ++j) attributes[(*j)[1]] = (*j)[2];
    result.push_back(attributes);
  }
  return result;
}

std::vector<std::uint8_t> section(const std::vector<std::uint8_t>& image, Section kind) {
  const auto number = [&](std::size_t offset, unsigned bytes) {
    return static_cast<std::size_t>(abi::get_bits(std::span(image).subspan(offset, bytes), 0, 8 * bytes));
  };
  for (std::size_t i = 0; i < number(OffsetSectionCount, 4); ++i) {
    const std::size_t entry = OffsetSections + i * SectionHeaderBytes;
    if (number(entry + SectionKind, 4) != static_cast<std::size_t>(kind)) continue;
    const auto start = image.begin() + static_cast<std::ptrdiff_t>(number(entry + SectionOffset, 8));
    return {start, start + static_cast<std::ptrdiff_t>(number(entry + SectionSize, 8))};
  }
  return {};
}

std::string metadata() {
  const auto bytes = section(make_image(abi::Array16x16), Section::EmbeddedMetadata);
  return {bytes.begin(), bytes.end()};
}

TEST(Interface, KernelXmlHasTheRegistersOfTheContract) {
  const std::vector<std::pair<std::string, std::uint32_t>> registers{{"program", abi::RegProgramAddress},
                                                                     {"program_bytes", abi::RegProgramBytes},
                                                                     {"input", abi::RegInputAddress},
                                                                     {"input_bytes", abi::RegInputBytes},
                                                                     {"output", abi::RegOutputAddress},
                                                                     {"output_bytes", abi::RegOutputBytes},
                                                                     {"arena", abi::RegArenaAddress},
                                                                     {"arena_bytes", abi::RegArenaBytes},
                                                                     {"command_offset", abi::RegCommandOffset},
                                                                     {"command_count", abi::RegCommandCount},
                                                                     {"timeout", abi::RegTimeout}};
  const auto arguments = elements(kernel_xml(), "arg");
  ASSERT_EQ(arguments.size(), registers.size());
  for (std::size_t i = 0; i < registers.size(); ++i) {
    Attributes argument = arguments[i];
    EXPECT_EQ(argument["name"], registers[i].first);
    EXPECT_EQ(argument["id"], std::to_string(i));
    EXPECT_EQ(std::stoul(argument["offset"], nullptr, 16), registers[i].second);
    const std::uint32_t next = i + 1 < registers.size() ? registers[i + 1].second : abi::RegTimeout + 4;
    EXPECT_EQ(std::stoul(argument["size"], nullptr, 16), next - registers[i].second);
    EXPECT_EQ(argument["addressQualifier"] == "1", argument["port"] != "s_axi_control");
  }
}

TEST(Interface, KernelXmlHasThePortsAndEveryMasterHasAnAddress) {
  const std::string xml = kernel_xml();
  auto kernel = elements(xml, "kernel").at(0);
  EXPECT_EQ(kernel["name"], "espalier");
  EXPECT_EQ(kernel["hwControlProtocol"], "ap_ctrl_hs");
  std::map<std::string, Attributes> ports;
  for (Attributes& port : elements(xml, "port")) ports[port["name"]] = port;
  EXPECT_EQ(ports.size(), 4U);
  EXPECT_EQ(std::stoul(ports["s_axi_control"]["range"], nullptr, 16), +abi::RegWindowBytes);
  for (const char* master : {"m_axi_command", "m_axi_weight", "m_axi_data"}) {
    EXPECT_EQ(ports[master]["mode"], "master");
    EXPECT_EQ(ports[master]["dataWidth"], std::to_string(8 * abi::BeatBytes));
    EXPECT_THAT(elements(xml, "arg"), testing::Contains(testing::Contains(testing::Pair("port", master))));
  }
}

TEST(Interface, MetadataOfImagesIsThatOfKernelXml) {
  EXPECT_EQ(elements(metadata(), "arg"), elements(kernel_xml(), "arg"));
  EXPECT_EQ(elements(metadata(), "port"), elements(kernel_xml(), "port"));
  auto kernel = elements(metadata(), "kernel").at(0);
  EXPECT_EQ(kernel["vlnv"], elements(kernel_xml(), "kernel").at(0)["vlnv"]);
  EXPECT_EQ(elements(metadata(), "instance").at(0)["name"], abi::instance_name(0));
}

TEST(Interface, ConnectivityHasTheAddressesAndNothingElse) {
  const auto bytes = section(make_image(abi::Array16x16), Section::Connectivity);
  std::vector<std::size_t> connected;
  for (std::size_t entry = ConnectionFirst; entry < bytes.size(); entry += ConnectionBytes)
    connected.push_back(bytes[entry]);
  std::vector<std::size_t> addresses;
  for (std::size_t i = 0; i < abi::KernelArguments.size(); ++i) {
    if (abi::KernelArguments[i].is_address()) addresses.push_back(i);
  }
  EXPECT_EQ(connected, addresses);
}

/// Width by name of all pins that belong to a port.
std::map<std::string, unsigned> port_pins(const std::string& text, const std::string& module) {
  std::map<std::string, unsigned> result;
  for (const packaging::Pin& pin : packaging::read_pins(text, module)) {
    for (const abi::KernelPort& port : abi::KernelPorts) {
      if (pin.name.starts_with(port.name)) result[pin.name] = pin.bits;
    }
  }
  return result;
}

TEST(Interface, PinsOfTheRtlAreThoseOfThePorts) {
  const auto pins = port_pins(source("hw/rtl/esp_top.sv"), "esp_top");
  for (const abi::KernelPort& port : abi::KernelPorts) {
    const std::string name(port.name);
    EXPECT_EQ(pins.at(name + "_rdata"), port.data_bits);
    EXPECT_EQ(pins.at(name + "_araddr"), port.address_bits);
    EXPECT_EQ(pins.count(name + "_wdata"), port.writes ? 1U : 0U) << name;
    EXPECT_EQ(pins.count(name + "_arlen"), port.master ? 1U : 0U) << name;
  }
}

TEST(Interface, TheHlsTopHasThePinsOfTheRtl) {
  EXPECT_EQ(port_pins(source("hls/rtl/esp_hls_top.sv"), "esp_hls_top"),
            port_pins(source("hw/rtl/esp_top.sv"), "esp_top"));
}

/// The name of an argument in the HLS sources: addresses say so.
std::string hls_name(const abi::KernelArgument& argument) {
  return std::string(argument.name) + (argument.is_address() ? "_address" : "");
}

TEST(Interface, TheHlsFunctionTakesTheArgumentsInOrder) {
  const std::string text = source("hls/kernels/esp_machine_core.hpp");
  const std::regex parameter(R"(std::uint(32|64)_t (\w+)[,)])");
  std::vector<std::pair<std::string, unsigned>> found, expected;
  for (std::sregex_iterator i(text.begin(), text.end(), parameter), end; i != end; ++i)
    found.emplace_back((*i)[2], static_cast<unsigned>(std::stoul((*i)[1])) / 8);
  for (const abi::KernelArgument& argument : abi::KernelArguments)
    expected.emplace_back(hls_name(argument), argument.bytes());
  EXPECT_EQ(found, expected);
}

TEST(Interface, ThePragmasOfHlsNameTheMastersAndArguments) {
  const std::string text = source("hls/kernels/esp_machine_core.cpp");
  const std::regex master(R"(INTERFACE mode = m_axi port = \w+ bundle = (\w+) offset = (\w+) .*burst_length = (\d+))");
  std::set<std::string> bundles, masters;
  for (std::sregex_iterator i(text.begin(), text.end(), master), end; i != end; ++i) {
    bundles.insert("m_axi_" + (*i)[1].str());
    EXPECT_EQ((*i)[2], "off");  // addresses come as arguments, not from a register file of the tool's own
    EXPECT_EQ((*i)[3], std::to_string(+abi::BurstBeats));
  }
  for (const abi::KernelPort& port : abi::KernelPorts) {
    if (port.master) masters.insert(std::string(port.name));
  }
  EXPECT_EQ(bundles, masters);
  EXPECT_NE(text.find("INTERFACE mode = ap_ctrl_hs port = return"), std::string::npos);
  for (const abi::KernelArgument& argument : abi::KernelArguments)
    EXPECT_NE(text.find("INTERFACE mode = ap_stable port = " + hls_name(argument) + "\n"), std::string::npos);
}

TEST(Interface, TheHlsTopHandsOverTheRegistersOfTheArguments) {
  const std::string text = source("hls/rtl/esp_hls_top.sv");
  const std::regex connection(R"(\.(\w+)\(arguments\[(\d+)\*32\+:(\d+)\]\))");
  std::map<std::string, std::pair<std::uint32_t, unsigned>> found, expected;
  for (std::sregex_iterator i(text.begin(), text.end(), connection), end; i != end; ++i) {
    found[(*i)[1]] = {abi::RegProgramAddress + 4 * static_cast<std::uint32_t>(std::stoul((*i)[2])),
                      static_cast<unsigned>(std::stoul((*i)[3])) / 8};
  }
  for (const abi::KernelArgument& argument : abi::KernelArguments) {
    if (argument.offset != abi::RegTimeout) expected[hls_name(argument)] = {argument.offset, argument.bytes()};
  }
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace espalier::bitstreams
