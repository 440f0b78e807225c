// A board: its device, what of it is free, where cores may stand and which memory they see there.
//
//   const Board board = read_board("bitstreams/boards/u50/board.json");  // throws espalier::Error
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace espalier::packaging {

/// Cells of a device or a core. BRAM counts blocks of 36 Kbit, URAM blocks of 288 Kbit.
enum class Resource { Lut, Ff, Dsp, Bram, Uram };
inline constexpr std::array<Resource, 5> AllResources{Resource::Lut, Resource::Ff, Resource::Dsp, Resource::Bram,
                                                      Resource::Uram};

/// "lut"; the key in files.
const char* to_string(Resource resource);

class Resources {
 public:
  double operator[](Resource resource) const { return amounts_[static_cast<std::size_t>(resource)]; }
  double& operator[](Resource resource) { return amounts_[static_cast<std::size_t>(resource)]; }

 private:
  std::array<double, AllResources.size()> amounts_{};
};

/// A part of the device that a core must not leave: a super logic region, or all of a small device.
struct Region {
  std::string name;
  Resources total;     // what the platform leaves
  Resources reserved;  // of it, for memory controllers and interconnect that linking adds
};

/// A place for one core: its region, and the memory of each master as the linker calls it.
struct Site {
  std::string region;
  std::string command, weight, data;
};

enum class BoardKind {
  Card,  // Alveo: the image is loaded by XRT
  Zynq,  // the image is firmware with a device-tree overlay
};

struct Board {
  std::string name;   // "u50"
  std::string title;  // "Alveo U50"
  BoardKind kind = BoardKind::Card;
  std::string part;
  std::string platform;                   // of Vitis
  std::vector<std::string> device_names;  // what XRT calls it: one of these is the start of the name
  unsigned clock_mhz = 0;                 // asked for; routing decides
  unsigned bytes_per_cycle = 0;           // that the memory of a site gives each direction at this clock, 1..64
  std::vector<Region> regions;
  std::vector<Site> sites;  // in the order in which they are taken
};

/// Reads board.json. Throws Error Input naming the file and the key that is missing or wrong.
Board read_board(const std::filesystem::path& file);

}  // namespace espalier::packaging
