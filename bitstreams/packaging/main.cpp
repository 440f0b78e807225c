// espalier_board: from the contract and a board to the files from which the vendor's tools make its image.
//
//   espalier_board list
//   espalier_board plan u50
//   espalier_board make u50 --output build/boards/u50
//   espalier_board make u50 --kernel hls --array 16x16 --cores 1 --output build/boards/u50_hls
//   espalier_board seal build/boards/u50
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>

#include "bitstreams/manifest.hpp"
#include "board_files.hpp"
#include "esp_arrays.hpp"
#include "esp_error.hpp"

namespace {

using espalier::Error;
using espalier::ErrorCode;
namespace filesystem = std::filesystem;
namespace packaging = espalier::packaging;

struct Options {
  std::string root = ESPALIER_SOURCE_ROOT;
  std::string board, output;
  packaging::Wish wish;
  packaging::Machine machine = packaging::Machine::Rtl;
};

filesystem::path boards_folder(const Options& options) {
  return filesystem::path(options.root) / "bitstreams" / "boards";
}

std::vector<std::string> board_names(const Options& options) {
  std::vector<std::string> names;
  std::error_code failure;
  for (const auto& entry : filesystem::directory_iterator(boards_folder(options), failure)) {
    if (filesystem::exists(entry.path() / "board.json")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

packaging::Board read_board(const Options& options) {
  const std::vector<std::string> names = board_names(options);
  if (std::find(names.begin(), names.end(), options.board) == names.end()) {
    throw Error(ErrorCode::Usage, "not a board of this project", "board", options.board,
                fmt::format("choose one of {}", fmt::join(names, ", ")));
  }
  return packaging::read_board(boards_folder(options) / options.board / "board.json");
}

std::vector<packaging::CoreArea> read_areas(const Options& options) {
  return packaging::read_areas(filesystem::path(options.root) / "hw" / "synth" / "area.json");
}

void write(const filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush())
    throw Error(ErrorCode::Usage, "a file cannot be written", path.string(), {}, "check the output folder");
}

void make(const Options& options) {
  const packaging::Board board = read_board(options);
  const packaging::Placement placement = options.machine == packaging::Machine::Hls
                                             ? packaging::place_hls(board, options.wish)
                                             : packaging::place(board, read_areas(options), options.wish);
  filesystem::create_directories(options.output);
  for (const auto& [name, text] : packaging::board_files(board, placement, options.root))
    write(filesystem::path(options.output) / name, text);
  fmt::print("{}: {} cores of {}, {} MACs per cycle, {} MHz asked for; files in {}\n", board.title,
             placement.cores.size(), placement.area.array, placement.multipliers(), board.clock_mhz, options.output);
}

void seal(const std::string& folder) {
  const filesystem::path file = filesystem::path(folder) / espalier::bitstreams::ManifestName;
  const auto manifest = espalier::bitstreams::sealed(espalier::bitstreams::read_manifest(file));
  write(file, to_text(manifest));
  fmt::print("{}: digest {}\n", manifest.image_path().string(), manifest.image_digest);
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("Makes the files from which the vendor's tools make the image of a board");
  app.require_subcommand(1);
  app.add_option("--root", options.root, "Source tree; default: the one this program was built from");
  auto* list = app.add_subcommand("list", "Print the boards");
  auto* plan = app.add_subcommand("plan", "Print how many cores of each array fit");
  plan->add_option("board", options.board)->required();
  auto* files = app.add_subcommand("make", "Write the files of a board");
  files->add_option("board", options.board)->required();
  files->add_option("--output", options.output, "Folder for the files")->required();
  files->add_option("--array", options.wish.array,
                    std::string(espalier::abi::ArrayNames) + "; default: what computes most");
  files->add_option("--cores", options.wish.cores, "default: as many as fit")->check(CLI::PositiveNumber);
  const std::map<std::string, packaging::Machine> machines{{"rtl", packaging::Machine::Rtl},
                                                           {"hls", packaging::Machine::Hls}};
  files->add_option("--kernel", options.machine, "rtl (default), or hls: the core that Vitis HLS exports")
      ->transform(CLI::CheckedTransformer(machines));
  auto* seal_command = app.add_subcommand("seal", "Write the digest of a finished image into its manifest");
  std::string folder;
  seal_command->add_option("folder", folder, "With manifest and image")->required();
  CLI11_PARSE(app, argc, argv);
  if (*list) {
    for (const std::string& name : board_names(options)) fmt::print("{}\n", name);
  } else if (*plan) {
    const packaging::Board board = read_board(options);
    fmt::print("{}", packaging::placement_table(board, read_areas(options)));
  } else if (*files) {
    make(options);
  } else {
    seal(folder);
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "espalier_board: {}\n", error.what());
  return 1;
}
