#include "bitstreams/kernel_xml.hpp"

#include <fmt/format.h>

#include "esp_kernel.hpp"

namespace espalier::bitstreams {

namespace {

const char* argument_type(const abi::KernelArgument& argument) {
  if (argument.is_address()) return "void*";
  return argument.kind == abi::ArgumentKind::Wide ? "ulong" : "uint";
}

}  // namespace

std::string kernel_identity() { return fmt::format("{0}:kernel:{0}:1.0", abi::KernelName); }

std::string port_elements(unsigned indent) {
  std::string text;
  for (const abi::KernelPort& port : abi::KernelPorts) {
    const std::string range = port.master ? "0xFFFFFFFFFFFFFFFF" : fmt::format("{:#x}", +abi::RegWindowBytes);
    text += fmt::format(
        "{:{}}<port name=\"{}\" mode=\"{}\" range=\"{}\" dataWidth=\"{}\" portType=\"addressable\" base=\"0x0\"/>\n",
        "", indent, port.name, port.master ? "master" : "slave", range, port.data_bits);
  }
  return text;
}

std::string argument_elements(unsigned indent) {
  std::string text;
  unsigned id = 0;
  for (const abi::KernelArgument& argument : abi::KernelArguments) {
    text += fmt::format(
        "{:{}}<arg name=\"{}\" addressQualifier=\"{}\" id=\"{}\" port=\"{}\" size=\"{:#x}\" offset=\"{:#x}\" "
        "hostOffset=\"0x0\" hostSize=\"{:#x}\" type=\"{}\"/>\n",
        "", indent, argument.name, argument.is_address() ? 1 : 0, id++, argument.port, argument.bytes(),
        argument.offset, argument.bytes(), argument_type(argument));
  }
  return text;
}

std::string kernel_xml() {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<root versionMajor=\"1\" versionMinor=\"6\">\n"
      "  <kernel name=\"{}\" language=\"ip_c\" vlnv=\"{}\" attributes=\"\" preferredWorkGroupSizeMultiple=\"0\" "
      "workGroupSize=\"1\" interrupt=\"true\" hwControlProtocol=\"ap_ctrl_hs\">\n"
      "    <ports>\n{}    </ports>\n"
      "    <args>\n{}    </args>\n"
      "  </kernel>\n"
      "</root>\n",
      abi::KernelName, kernel_identity(), port_elements(6), argument_elements(6));
}

}  // namespace espalier::bitstreams
