#include "board_files.hpp"

#include <fmt/format.h>

#include "bitstreams/kernel_xml.hpp"
#include "esp_kernel.hpp"
#include "kernel_source.hpp"

namespace espalier::packaging {

namespace {

/// The memory that a site gives to a master of the contract.
const std::string& memory_of(const Site& site, std::string_view port) {
  if (port == "m_axi_command") return site.command;
  if (port == "m_axi_weight") return site.weight;
  return site.data;
}

/// Of the array, and of the machine unless that is the RTL: "16x16", "16x16_hls".
std::string core_name(const Placement& placement) {
  return placement.area.array + (placement.machine == Machine::Hls ? "_hls" : "");
}

std::string object_name(const Placement& placement) { return "espalier_" + core_name(placement) + ".xo"; }

/// The block that hls/scripts/vitis.tcl exports; none for the RTL.
std::string exported_block(const Placement& placement) {
  return placement.machine == Machine::Hls ? "esp_machine_core_" + placement.area.array : "{}";
}

/// Clock constraint of the kernel alone; in the image, the platform's clock takes its place.
std::string clock_constraint(const Board& board) {
  return fmt::format("create_clock -name ap_clk -period {:.3f} [get_ports ap_clk]\n", 1000.0 / board.clock_mhz);
}

constexpr const char* ShellDescription = "{\n  \"shell_type\": \"XRT_FLAT\",\n  \"num_slots\": \"1\"\n}\n";

std::string boot_image_format(const std::string& application) {
  return fmt::format("all:\n{{\n  {}.bit\n}}\n", application);
}

}  // namespace

std::string application_name(const Board& board, const Placement& placement) {
  return fmt::format("espalier_{}_{}", board.name, core_name(placement));
}

bitstreams::Manifest make_manifest(const Board& board, const Placement& placement) {
  bitstreams::Manifest manifest;
  manifest.image = application_name(board, placement) + ".xclbin";
  manifest.board = board.name;
  manifest.part = board.part;
  manifest.platform = board.platform;
  manifest.device_names = board.device_names;
  manifest.contract_digest = bitstreams::contract_digest();
  manifest.kernel = abi::KernelName;
  manifest.configuration = placement.area.configuration;
  manifest.clock_mhz = board.clock_mhz;
  manifest.bytes_per_cycle = board.bytes_per_cycle;
  unsigned core = 0;
  for (const Site& site : placement.cores)
    manifest.cores.push_back({abi::instance_name(core++), site.region, site.command, site.weight, site.data});
  return manifest;
}

std::string link_configuration(const Board& board, const Placement& placement) {
  const auto cores = static_cast<unsigned>(placement.cores.size());
  std::string text = fmt::format("platform={}\n", board.platform);
  if (board.kind == BoardKind::Card) text += fmt::format("kernel_frequency={}\n", board.clock_mhz);
  std::string names;
  for (unsigned core = 0; core < cores; ++core) names += (core == 0 ? "" : ".") + abi::instance_name(core);
  text += fmt::format("\n[connectivity]\nnk={}:{}:{}\n", abi::KernelName, cores, names);
  for (unsigned core = 0; core < cores; ++core) {
    const Site& site = placement.cores[core];
    if (board.kind == BoardKind::Card) text += fmt::format("slr={}:{}\n", abi::instance_name(core), site.region);
    for (const abi::KernelPort& port : abi::KernelPorts) {
      if (port.master)
        text += fmt::format("sp={}.{}:{}\n", abi::instance_name(core), port.name, memory_of(site, port.name));
    }
  }
  if (board.kind == BoardKind::Zynq) {
    text += "\n[clock]\n";
    for (unsigned core = 0; core < cores; ++core)
      text += fmt::format("freqHz={}000000:{}.ap_clk\n", board.clock_mhz, abi::instance_name(core));
  }
  text +=
      "\n[vivado]\nprop=run.impl_1.STEPS.OPT_DESIGN.ARGS.DIRECTIVE=Explore\n"
      "prop=run.impl_1.STEPS.PHYS_OPT_DESIGN.IS_ENABLED=true\n"
      "prop=run.impl_1.STEPS.PHYS_OPT_DESIGN.ARGS.DIRECTIVE=AggressiveExplore\n";
  return text;
}

std::string tool_settings(const Board& board, const Placement& placement) {
  std::string masters, arguments;
  for (const abi::KernelPort& port : abi::KernelPorts) {
    if (port.master) masters += fmt::format("{}{}", masters.empty() ? "" : " ", port.name);
  }
  for (const abi::KernelArgument& argument : abi::KernelArguments) {
    arguments += fmt::format("  {{{} {} {} {}}}\n", argument.name, argument.offset, 8 * argument.bytes(),
                             argument.is_address() ? argument.port : "{}");
  }
  const bool zynq = board.kind == BoardKind::Zynq;
  return fmt::format(
      "set application {}\nset part {}\nset platform {}\nset kernel {}\nset array {}\nset exported_block {}\nset "
      "object {}\n"
      "set clock_mhz {}\nset zynq {}\n"
      "set control_port {}\nset window_bytes {}\nset masters {{{}}}\n# name, offset, bits, master\nset arguments "
      "{{\n{}}}\n",
      application_name(board, placement), board.part, board.platform, abi::KernelName, placement.area.array,
      exported_block(placement), object_name(placement), board.clock_mhz, zynq ? 1 : 0, abi::ControlPort,
      +abi::RegWindowBytes, masters, arguments);
}

std::string device_tree_overlay(const Board& board, const Placement& placement) {
  return fmt::format(R"(/* {0}: loads the image and binds XRT's driver. */
/dts-v1/;
/plugin/;

&fpga_full {{
  #address-cells = <2>;
  #size-cells = <2>;
  firmware-name = "{1}.bit.bin";
  resets = <&zynqmp_reset 116>, <&zynqmp_reset 117>, <&zynqmp_reset 118>, <&zynqmp_reset 119>;
}};

&amba {{
  /* Widths of the ports between processor and logic: 128 bits for all memory ports, 32 for the control ports. */
  afi0: afi0 {{
    compatible = "xlnx,afi-fpga";
    config-afi = <0 0>, <1 0>, <2 0>, <3 0>, <4 0>, <5 0>, <6 0>, <7 0>, <8 0>, <9 0>, <10 0>, <11 0>, <12 0>, <13 0>,
                 <14 0x0>, <15 0x0>;
  }};

  /* The reference of the platform's clock generator. */
  clocking0: clocking0 {{
    compatible = "xlnx,fclk";
    #clock-cells = <0>;
    clocks = <&zynqmp_clk 71>;
    assigned-clocks = <&zynqmp_clk 71>;
    assigned-clock-rates = <99999001>;
    clock-output-names = "fabric_clk";
  }};

  /* Without interrupts: the driver polls. XRT finds the device by the name of this node. */
  zyxclmm_drm {{
    compatible = "xlnx,zocl";
    status = "okay";
  }};
}};
)",
                     board.title, application_name(board, placement));
}

std::map<std::string, std::string> board_files(const Board& board, const Placement& placement,
                                               const std::filesystem::path& root) {
  const std::string application = application_name(board, placement);
  std::map<std::string, std::string> files{
      {"kernel.xml", bitstreams::kernel_xml()},
      {"kernel.xdc", clock_constraint(board)},
      {"kernel.sv", kernel_source(root, placement.area.configuration, placement.machine)},
      {"settings.tcl", tool_settings(board, placement)},
      {"link.cfg", link_configuration(board, placement)},
      {bitstreams::ManifestName, to_text(make_manifest(board, placement))}};
  if (board.kind == BoardKind::Zynq) {
    files[application + ".dtso"] = device_tree_overlay(board, placement);
    files[application + ".bif"] = boot_image_format(application);
    files["shell.json"] = ShellDescription;
  }
  return files;
}

}  // namespace espalier::packaging
