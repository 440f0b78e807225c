// The description of the kernel that tools and XRT read, made from the contract's tables (hw/abi/esp_kernel.hpp).
#pragma once

#include <string>

namespace espalier::bitstreams {

/// The vendor, library, name and version under which the kernel is packaged.
std::string kernel_identity();

/// The <port> lines, `indent` spaces deep.
std::string port_elements(unsigned indent);

/// The <arg> lines, `indent` spaces deep.
std::string argument_elements(unsigned indent);

/// kernel.xml, which `package_xo` takes (version 1.6 of the format).
std::string kernel_xml();

}  // namespace espalier::bitstreams
