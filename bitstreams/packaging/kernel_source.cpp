#include "kernel_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "esp_kernel.hpp"

namespace espalier::packaging {

namespace {

namespace filesystem = std::filesystem;

/// Appends files with their include lines replaced by the file of that name, once.
class Joiner {
 public:
  explicit Joiner(const std::vector<filesystem::path>& files) {
    for (const filesystem::path& file : files) by_name_[file.filename().string()] = file;
  }

  void append(const filesystem::path& file) {
    if (!joined_.insert(file.filename().string()).second) return;
    static const std::regex Include("\\s*`include\\s+\"([^\"]+)\".*");
    std::istringstream lines(read_source(file));
    for (std::string line; std::getline(lines, line);) {
      std::smatch match;
      if (!std::regex_match(line, match, Include)) {
        text_ += line + "\n";
        continue;
      }
      const auto included = by_name_.find(match[1].str());
      if (included == by_name_.end()) {
        throw Error(ErrorCode::Input, "an included file is not part of the kernel", file.string(), match[1].str(),
                    "put it into hw/abi or hw/rtl");
      }
      append(included->second);
    }
  }

  const std::string& text() const { return text_; }

 private:
  std::map<std::string, filesystem::path> by_name_;
  std::set<std::string> joined_;
  std::string text_;
};

std::vector<filesystem::path> files_below(const filesystem::path& folder) {
  std::vector<filesystem::path> files;
  std::error_code failure;
  for (const auto& entry : filesystem::recursive_directory_iterator(folder, failure)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".sv" || extension == ".svh") files.push_back(entry.path());
  }
  if (failure || files.empty())
    throw Error(ErrorCode::Input, "there is no RTL", folder.string(), {}, "give the root of the source tree");
  std::sort(files.begin(), files.end());
  return files;
}

bool is_kernel_pin(const std::string& name) {
  if (name == "ap_clk" || name == "ap_rst_n" || name == "interrupt") return true;
  return std::any_of(abi::KernelPorts.begin(), abi::KernelPorts.end(),
                     [&](const abi::KernelPort& port) { return name.starts_with(std::string(port.name) + "_"); });
}

const char* top_name(Machine machine) { return machine == Machine::Rtl ? "esp_top" : "esp_hls_top"; }

filesystem::path top_file(const filesystem::path& root, Machine machine) {
  return machine == Machine::Rtl ? root / "hw" / "rtl" / "esp_top.sv" : root / "hls" / "rtl" / "esp_hls_top.sv";
}

/// The modules of the machine; around the exported block, those that its register file consists of.
std::vector<filesystem::path> machine_modules(const filesystem::path& root, Machine machine) {
  if (machine == Machine::Rtl) return files_below(root / "hw" / "rtl");
  std::vector<filesystem::path> modules = files_below(root / "hw" / "rtl" / "common");
  modules.push_back(root / "hw" / "rtl" / "control" / "esp_registers.sv");
  modules.push_back(top_file(root, machine));
  return modules;
}

/// Two products share a multiplier where an even number of pixels shares a weight in every split.
unsigned pack_products(const abi::Configuration& c) { return c.pixels * c.lanes / 64 % 2 == 0 ? 1 : 0; }

/// The compact array leaves UltraRAM to its banks: its weight store lies in block RAM.
unsigned ultra_store(const abi::Configuration& c) { return c == abi::Array16x16Compact ? 0 : 1; }

std::string top_module(const std::vector<Pin>& pins, const abi::Configuration& c, Machine machine) {
  const std::string packed = machine == Machine::Rtl ? fmt::format(",\n      .PackProducts({}),\n      .UltraStore({})",
                                                                   pack_products(c), ultra_store(c))
                                                     : std::string();
  std::string declared, connected;
  for (const Pin& pin : pins) {
    const bool outside = is_kernel_pin(pin.name);
    if (!outside && pin.direction == "input")
      throw Error(ErrorCode::Internal, "an input of the machine is no pin of the kernel", top_name(machine), pin.name);
    if (outside) declared += fmt::format("{}    {}", declared.empty() ? "" : ",\n", pin.text);
    connected += fmt::format("{}      .{}({})", connected.empty() ? "" : ",\n", pin.name, outside ? pin.name : "");
  }
  return fmt::format(
      "\n// The kernel: the machine of {}.\nmodule {} (\n{}\n);\n"
      "  {} #(\n      .Lanes({}),\n      .Pixels({}),\n      .BankRows({}),\n      .LineDepth({}),\n"
      "      .Writers({}),\n      .Coded({}),\n      .ProgramDepth({}),\n      .StagingBeats({}){}\n"
      "  ) u_machine (\n{}\n  );\nendmodule\n",
      abi::array_name(c), abi::KernelName, declared, top_name(machine), c.lanes, c.pixels, c.bank_rows, c.line_depth,
      c.writers, c.coded ? 1 : 0, c.program_depth, c.staging_beats, packed, connected);
}

}  // namespace

std::string read_source(const filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw Error(ErrorCode::Input, "a source cannot be read", file.string(), {}, "check the path");
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<Pin> read_pins(const std::string& text, const std::string& module) {
  const std::size_t start = text.find("module " + module);
  const std::size_t end = start == std::string::npos ? start : text.find(");", start);
  if (end == std::string::npos)
    throw Error(ErrorCode::Input, "the source has no such module", module, {}, "check the file");
  static const std::regex Line(R"(\s*((input|output)\s+logic\s+(?:\[(\d+):0\]\s*)?(\w+)),?\s*(?://.*)?)");
  std::vector<Pin> pins;
  std::istringstream lines(text.substr(start, end - start));
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, Line)) continue;
    const unsigned bits = match[3].matched ? static_cast<unsigned>(std::stoul(match[3].str())) + 1 : 1;
    pins.push_back({match[4].str(), match[2].str(), bits, match[1].str()});
  }
  return pins;
}

std::string kernel_source(const filesystem::path& root, const abi::Configuration& configuration, Machine machine) {
  const filesystem::path top = top_file(root, machine);
  std::vector<filesystem::path> modules = machine_modules(root, machine);
  std::vector<filesystem::path> files = files_below(root / "hw" / "abi");
  for (const filesystem::path& file : files_below(root / "hw" / "rtl")) files.push_back(file);
  Joiner joiner(files);
  joiner.append(root / "hw" / "abi" / "esp_abi_pkg.sv");
  for (const filesystem::path& file : modules) {
    if (file.extension() == ".sv") joiner.append(file);
  }
  const auto pins = read_pins(read_source(top), top_name(machine));
  return "`ifndef SYNTHESIS\n`define SYNTHESIS\n`endif\n`ifndef ESP_DSP48E2\n`define ESP_DSP48E2\n`endif\n" +
         joiner.text() + top_module(pins, configuration, machine);
}

}  // namespace espalier::packaging
