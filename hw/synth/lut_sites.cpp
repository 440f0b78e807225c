#include "lut_sites.hpp"

#include <algorithm>
#include <array>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/max_cardinality_matching.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "esp_error.hpp"

namespace espalier::synth {

namespace {

using Json = nlohmann::json;
using Net = std::uint64_t;

constexpr std::size_t SharedInputs = 5;  // pins that the two LUTs of a site have in common
constexpr std::array<const char*, 6> LutPins{"I0", "I1", "I2", "I3", "I4", "I5"};

/// A cell of a module, with what a message needs to name it.
struct Cell {
  const std::string& file;
  const std::string& module;
  const std::string& name;
  const Json& value;

  [[noreturn]] void refuse(const std::string& what_wrong, const std::string& pin) const {
    throw Error(ErrorCode::Input, what_wrong, file + ", module " + module + ", cell " + name, pin,
                "write the netlist with write_json of Yosys after synth_xilinx");
  }

  /// The bits of a pin; none for constants (0, 1, x, z).
  std::vector<std::optional<Net>> bits(const char* pin, std::size_t width) const {
    const auto connections = value.find("connections");
    if (connections == value.end() || !connections->is_object()) refuse("a cell has no connections", pin);
    const auto found = connections->find(pin);
    if (found == connections->end()) refuse("a cell is not connected at a pin", pin);
    if (!found->is_array() || found->size() != width) refuse("a pin of a cell has the wrong width", pin);
    std::vector<std::optional<Net>> result;
    for (const Json& bit : *found) {
      if (bit.is_number_unsigned()) {
        result.emplace_back(bit.get<Net>());
      } else if (bit == "0" || bit == "1" || bit == "x" || bit == "z") {
        result.emplace_back();
      } else {
        refuse("a pin of a cell has a bit that is neither net nor constant", pin);
      }
    }
    return result;
  }

  /// The same without the constants.
  std::vector<Net> nets(const char* pin, std::size_t width) const {
    std::vector<Net> result;
    for (const std::optional<Net>& bit : bits(pin, width)) {
      if (bit) result.push_back(*bit);
    }
    return result;
  }

  Net output() const {
    const std::vector<Net> nets_of_output = nets("O", 1);
    if (nets_of_output.empty()) refuse("the output of a cell drives no net", "O");
    return nets_of_output.front();
  }
};

struct Lut {
  std::vector<Net> inputs;  // sorted, each net once
  Net output = 0;
  bool shares = false;  // its size lets it share a site
  bool wired = false;   // O6 is wired to what it drives
  std::vector<Net> beside;  // wired: the nets that may come from the other output of its site
};

/// The inputs of a LUT by the name of its type, 0 if it is none.
std::size_t lut_width(const std::string& type) {
  if (type == "INV") return 1;
  if (type.size() != 4 || type.compare(0, 3, "LUT") != 0 || type[3] < '1' || type[3] > '6') return 0;
  return static_cast<std::size_t>(type[3] - '0');
}

Lut read_lut(const Cell& cell, const std::string& type) {
  Lut lut;
  const std::size_t width = lut_width(type);
  for (std::size_t pin = 0; pin < width; ++pin) {
    for (const Net net : cell.nets(type == "INV" ? "I" : LutPins[pin], 1)) lut.inputs.push_back(net);
  }
  std::sort(lut.inputs.begin(), lut.inputs.end());
  lut.inputs.erase(std::unique(lut.inputs.begin(), lut.inputs.end()), lut.inputs.end());
  lut.output = cell.output();
  lut.shares = width <= SharedInputs;
  return lut;
}

/// Nets that come from a LUT through O6 alone: S of a carry chain and the data inputs of a wide multiplexer are wired
/// to it inside the slice. With each S, the net of the same bit's DI, which is wired to O5.
using Wired = std::unordered_map<Net, std::vector<Net>>;

void add_wired(const Cell& cell, const std::string& type, Wired& wired) {
  if (type == "MUXF7" || type == "MUXF8") {
    for (const char* const pin : {"I0", "I1"}) {
      for (const Net net : cell.nets(pin, 1)) wired[net];
    }
  }
  if (type != "CARRY4" && type != "CARRY8") return;
  const std::size_t width = type == "CARRY4" ? 4 : 8;
  const std::vector<std::optional<Net>> selects = cell.bits("S", width), data = cell.bits("DI", width);
  for (std::size_t i = 0; i < width; ++i) {
    if (!selects[i]) continue;
    std::vector<Net>& beside = wired[*selects[i]];
    if (data[i]) beside.push_back(*data[i]);
  }
}

/// Whether the outputs let both be in one site.
bool outputs_fit(const Lut& a, const Lut& b) {
  if (!a.wired && !b.wired) return true;
  if (a.wired && b.wired) return false;
  const Lut& wired = a.wired ? a : b;
  return std::find(wired.beside.begin(), wired.beside.end(), (a.wired ? b : a).output) != wired.beside.end();
}

/// The smallest net that both read, and the number of different nets they read together.
std::pair<const Net*, std::size_t> overlap(const Lut& a, const Lut& b) {
  const Net* first = nullptr;
  std::size_t together = a.inputs.size() + b.inputs.size();
  for (auto i = a.inputs.begin(), j = b.inputs.begin(); i != a.inputs.end() && j != b.inputs.end();) {
    if (*i < *j) {
      ++i;
    } else if (*j < *i) {
      ++j;
    } else {
      if (first == nullptr) first = &*i;
      --together;
      ++i;
      ++j;
    }
  }
  return {first, together};
}

/// The most pairs among `luts`, no LUT in two of them: a maximum matching of the graph of those that may share a site.
std::size_t count_pairs(const std::vector<Lut>& luts) {
  using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS>;
  Graph graph(luts.size());
  std::unordered_map<Net, std::vector<std::size_t>> readers;
  for (std::size_t i = 0; i < luts.size(); ++i) {
    for (const Net net : luts[i].inputs) readers[net].push_back(i);
  }
  for (const auto& [net, indices] : readers) {
    for (std::size_t i = 0; i < indices.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        // Two that share several nets meet at each of them; the smallest one makes the edge.
        const auto [first, together] = overlap(luts[indices[i]], luts[indices[j]]);
        if (together <= SharedInputs && *first == net && outputs_fit(luts[indices[i]], luts[indices[j]])) {
          boost::add_edge(indices[j], indices[i], graph);
        }
      }
    }
  }
  std::vector<boost::graph_traits<Graph>::vertex_descriptor> mates(luts.size());
  boost::edmonds_maximum_cardinality_matching(graph, mates.data());
  const auto alone = std::count(mates.begin(), mates.end(), boost::graph_traits<Graph>::null_vertex());
  return (luts.size() - static_cast<std::size_t>(alone)) / 2;
}

/// Yosys marks what it took from a library.
bool of_library(const Json& module) {
  const auto attributes = module.find("attributes");
  return attributes != module.end() && attributes->is_object() &&
         (attributes->contains("blackbox") || attributes->contains("whitebox"));
}

ModuleSites count_module(const std::string& file, const std::string& name, const Json& cells) {
  std::vector<Lut> luts;
  Wired wired;
  for (const auto& [cell_name, value] : cells.items()) {
    const Cell cell{file, name, cell_name, value};
    const auto type = value.is_object() ? value.find("type") : value.end();
    if (!value.is_object() || type == value.end() || !type->is_string()) cell.refuse("a cell has no type", {});
    const std::string kind = type->get<std::string>();
    if (lut_width(kind) > 0) {
      luts.push_back(read_lut(cell, kind));
    } else {
      add_wired(cell, kind, wired);
    }
  }
  std::vector<Lut> candidates;
  for (Lut& lut : luts) {
    if (const auto found = wired.find(lut.output); found != wired.end()) {
      lut.wired = true;
      lut.beside = found->second;
    }
    if (lut.shares && (!lut.wired || !lut.beside.empty())) candidates.push_back(lut);
  }
  return {name, luts.size(), luts.size() - count_pairs(candidates)};
}

Json parse(std::istream& netlist, const std::string& file) {
  try {
    return Json::parse(netlist);
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::Input, "the netlist is not JSON, or it is cut off", file, error.what(),
                "write it anew with write_json of Yosys");
  }
}

}  // namespace

std::vector<ModuleSites> count_lut_sites(std::istream& netlist, const std::string& file) {
  const Json json = parse(netlist, file);
  const auto modules = json.is_object() ? json.find("modules") : json.end();
  if (!json.is_object() || modules == json.end() || !modules->is_object() || modules->empty()) {
    throw Error(ErrorCode::Input, "not a netlist of Yosys: it has no modules", file, {},
                "write it with write_json of Yosys after synth_xilinx");
  }
  std::vector<ModuleSites> result;
  for (const auto& [name, module] : modules->items()) {
    const auto cells = module.is_object() ? module.find("cells") : module.end();
    if (!module.is_object() || cells == module.end() || !cells->is_object()) {
      throw Error(ErrorCode::Input, "not a netlist of Yosys: a module has no cells", file, "module " + name,
                  "write it with write_json of Yosys after synth_xilinx");
    }
    if (!of_library(module)) result.push_back(count_module(file, name, *cells));
  }
  return result;
}

}  // namespace espalier::synth
