// From a board and the area report to the files for the vendor's tools:
//   - cores are placed up to the limits of filling, region by region, and not one more; the limiting resource is named
//   - the array that computes most is chosen; wishes are kept or refused
//   - the boards of this project can be read, and the report names arrays of the contract
//   - link configuration, settings, overlay and manifest follow from the placement
//   - the kernel's source is one file without includes, with one top that has the kernel's pins
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "board_files.hpp"
#include "esp_error.hpp"
#include "esp_kernel.hpp"
#include "kernel_source.hpp"
#include "temporary_folder.hpp"

namespace espalier::packaging {
namespace {

using testing::HasSubstr;
using testing::Not;

Resources cells(double lut, double ff, double dsp, double bram, double uram) {
  Resources resources;
  resources[Resource::Lut] = lut;
  resources[Resource::Ff] = ff;
  resources[Resource::Dsp] = dsp;
  resources[Resource::Bram] = bram;
  resources[Resource::Uram] = uram;
  return resources;
}

/// Two regions of 1000 LUT, the first with 100 reserved, and two sites in each.
Board sample_board(BoardKind kind = BoardKind::Card) {
  Board board;
  board.name = "sample";
  board.title = "Sample";
  board.kind = kind;
  board.platform = "vendor_sample_1";
  board.part = "xcsample";
  board.device_names = {"vendor_sample"};
  board.clock_mhz = 250;
  board.bytes_per_cycle = 32;
  board.regions = {{"SLR0", cells(1000, 2000, 100, 100, 10), cells(100, 0, 0, 0, 0)},
                   {"SLR1", cells(1000, 2000, 100, 100, 10), cells(0, 0, 0, 0, 0)}};
  for (const char* region : {"SLR0", "SLR1", "SLR0", "SLR1"})
    board.sites.push_back({region, "MEM[0]", "MEM[1]", "MEM[2]"});
  return board;
}

CoreArea core(const std::string& array, double lut, double bram = 1) {
  return {array, configuration_of(array), cells(lut, 2, 1, bram, 0)};
}

TEST(Placement, FillsUpToTheLimitAndNotBeyond) {
  const Board board = sample_board();
  // 0.7 x 1000 LUT: 600 of the first region are free, 700 of the second.
  EXPECT_EQ(place(board, {core("8x8", 300)}).cores.size(), 4U);
  EXPECT_EQ(place(board, {core("8x8", 301)}).cores.size(), 3U);
  EXPECT_EQ(place(board, {core("8x8", 351)}).cores.size(), 2U);
  EXPECT_EQ(place(board, {core("8x8", 601)}).cores.size(), 1U);
  EXPECT_EQ(place(board, {core("8x8", 601)}).cores.front().region, "SLR1");
  EXPECT_EQ(place(board, {core("8x8", 10)}).cores.size(), 4U);  // no more than there are sites
  const Placement placement = place(board, {core("8x8", 300)});
  for (const RegionFill& region : placement.regions) EXPECT_LE(region.fill.front(), fill_limit(Resource::Lut));
}

TEST(Placement, NamesWhatIsShort) {
  for (const auto& [area, resource] : {std::pair{core("8x8", 701), "lut"}, {core("8x8", 10, 81), "bram"}}) {
    try {
      place(sample_board(), {area});
      FAIL() << resource;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unsupported);
      EXPECT_THAT(error.value(), HasSubstr(std::string(resource) + " of a core"));
    }
  }
  EXPECT_THAT(placement_table(sample_board(), {core("8x8", 10, 81)}), HasSubstr("bram"));
}

TEST(Placement, TakesWhatComputesMost) {
  const Board board = sample_board();
  EXPECT_EQ(place(board, {core("8x8", 100), core("16x16", 600)}).area.array, "16x16");
  EXPECT_EQ(place(board, {core("8x8", 100), core("16x16", 900)}).area.array, "8x8");
  // 4 x 64 = 1 x 256: of equals the larger cores.
  EXPECT_EQ(place(board, {core("8x8", 300), core("16x16", 650)}).area.array, "16x16");
  // Of the same size the one with all formats of weights, unless two of the other fit where one of it does.
  EXPECT_EQ(place(board, {core("16x16_compact", 600), core("16x16", 600)}).area.array, "16x16");
  EXPECT_EQ(place(board, {core("16x16", 600), core("16x16_compact", 600)}).area.array, "16x16");
  const Placement compact = place(board, {core("16x16", 600), core("16x16_compact", 300)});
  EXPECT_EQ(compact.area.array, "16x16_compact");
  EXPECT_EQ(compact.cores.size(), 4U);
  EXPECT_EQ(compact.area.configuration, abi::Array16x16Compact);
  // Where nothing fits, the smallest core says why.
  try {
    place(board, {core("16x16", 3000), core("8x8", 2000)});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.value(), HasSubstr("2000"));
  }
}

TEST(Placement, KeepsOrRefusesWishes) {
  const Board board = sample_board();
  const std::vector<CoreArea> areas{core("8x8", 300), core("16x16", 600)};
  EXPECT_EQ(place(board, areas, {.array = "8x8", .cores = {}}).cores.size(), 4U);
  EXPECT_EQ(place(board, areas, {.array = "8x8", .cores = 2}).cores.size(), 2U);
  EXPECT_EQ(place(board, areas, {.array = {}, .cores = 3}).area.array, "8x8");
  EXPECT_THROW(place(board, areas, {.array = "16x16", .cores = 3}), Error);
  EXPECT_THROW(place(board, areas, {.array = "32x32", .cores = {}}), Error);
}

TEST(Boards, OfThisProjectCanBeRead) {
  const std::filesystem::path root = ESPALIER_SOURCE_ROOT;
  const auto areas = read_areas(root / "hw" / "synth" / "area.json");
  EXPECT_FALSE(areas.empty());
  for (const char* name : {"u50", "u250", "kv260", "zcu104"}) {
    const Board board = read_board(root / "bitstreams" / "boards" / name / "board.json");
    EXPECT_EQ(board.name, name);
    EXPECT_EQ(placements(board, areas).size(), areas.size());
    EXPECT_TRUE(std::filesystem::exists(root / "bitstreams" / "boards" / name / "README.md")) << name;
  }
}

TEST(Boards, Kv260TakesACoreOf8x8) {
  const std::filesystem::path root = ESPALIER_SOURCE_ROOT;
  const auto areas = read_areas(root / "hw" / "synth" / "area.json");
  const Placement placement = place(read_board(root / "bitstreams" / "boards" / "kv260" / "board.json"), areas);
  EXPECT_EQ(placement.area.array, "8x8");
  EXPECT_EQ(placement.cores.size(), 1U);
}

// The LUT sites are for the reader; cores fit by their LUTs.
TEST(Boards, AreaReportsMayHaveLutSites) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() / "area.json")
      << R"({"schema": 1, "arrays": {"8x8": {"lut": 300, "lut_sites": 200, "ff": 2, "dsp": 3, "bram": 4.5, "uram": 0}}})";
  const auto areas = read_areas(folder.path() / "area.json");
  ASSERT_EQ(areas.size(), 1U);
  EXPECT_EQ(areas[0].array, "8x8");
  EXPECT_EQ(areas[0].cells[Resource::Lut], 300);
  EXPECT_EQ(areas[0].cells[Resource::Bram], 4.5);
}

TEST(Boards, DamagedDescriptionsAreErrors) {
  const test::TemporaryFolder folder;
  const std::string good = read_source(std::string(ESPALIER_SOURCE_ROOT "/bitstreams/boards/kv260/board.json"));
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::ofstream(folder.path() / "board.json") << std::string(good).replace(good.find(from), from.size(), to);
    EXPECT_THROW(read_board(folder.path() / "board.json"), Error) << to;
  };
  refused("{", "");
  refused("\"schema\": 1", "\"schema\": 2");
  refused("\"zynq\"", "\"boat\"");
  refused("\"part\"", "\"port\"");
  refused("\"region\": \"PL\"", "\"region\": \"PS\"");
  refused("\"bytes_per_cycle\": 16", "\"bytes_per_cycle\": 65");
  refused("117120", "\"many\"");
  EXPECT_THROW(read_board(folder.path() / "nothing.json"), Error);
}

TEST(BoardFiles, TheLinkerIsToldCoresRegionsAndMemories) {
  const Board board = sample_board();
  const Placement placement = place(board, {core("8x8", 351)});
  const std::string text = link_configuration(board, placement);
  for (const char* line :
       {"platform=vendor_sample_1\n", "kernel_frequency=250\n", "nk=espalier:2:espalier_1.espalier_2\n",
        "slr=espalier_1:SLR0\n", "slr=espalier_2:SLR1\n", "sp=espalier_1.m_axi_command:MEM[0]\n",
        "sp=espalier_2.m_axi_weight:MEM[1]\n", "sp=espalier_2.m_axi_data:MEM[2]\n"})
    EXPECT_THAT(text, HasSubstr(line));
  const std::string zynq = link_configuration(sample_board(BoardKind::Zynq), placement);
  EXPECT_THAT(zynq, HasSubstr("freqHz=250000000:espalier_2.ap_clk\n"));
  EXPECT_THAT(zynq, Not(HasSubstr("slr=")));
}

TEST(BoardFiles, ToolsAreToldTheArguments) {
  const Board board = sample_board();
  const std::string text = tool_settings(board, place(board, {core("8x8", 351)}));
  EXPECT_THAT(text, HasSubstr("set object espalier_8x8.xo\n"));
  EXPECT_THAT(text, HasSubstr("set masters {m_axi_command m_axi_weight m_axi_data}\n"));
  for (const abi::KernelArgument& argument : abi::KernelArguments) {
    EXPECT_THAT(text, HasSubstr("{" + std::string(argument.name) + " " + std::to_string(argument.offset) + " " +
                                std::to_string(8 * argument.bytes()) + " "));
  }
}

TEST(BoardFiles, AKernelOfHlsNamesTheExportedBlock) {
  const Board board = sample_board();
  const Placement placement = place_hls(board, {.array = "16x16", .cores = 2});
  EXPECT_EQ(placement.cores.size(), 2U);
  EXPECT_EQ(application_name(board, placement), "espalier_sample_16x16_hls");
  const std::string text = tool_settings(board, placement);
  EXPECT_THAT(text, HasSubstr("set exported_block esp_machine_core_16x16\n"));
  EXPECT_THAT(text, HasSubstr("set object espalier_16x16_hls.xo\n"));
  EXPECT_EQ(make_manifest(board, placement).kernel, make_manifest(board, place(board, {core("16x16", 600)})).kernel);
  EXPECT_THROW(place_hls(board, {.array = "16x16", .cores = {}}), Error);
  EXPECT_THROW(place_hls(board, {.array = "16x17", .cores = 1}), Error);
  EXPECT_THROW(place_hls(board, {.array = "8x8", .cores = 1000}), Error);
}

TEST(BoardFiles, FirmwareIsForZynqOnly) {
  const Board card = sample_board(), zynq = sample_board(BoardKind::Zynq);
  const Placement placement = place(card, {core("8x8", 351)});
  const auto files = board_files(zynq, placement, ESPALIER_SOURCE_ROOT);
  EXPECT_THAT(files.at("espalier_sample_8x8.dtso"), HasSubstr("firmware-name = \"espalier_sample_8x8.bit.bin\""));
  EXPECT_THAT(files.at("espalier_sample_8x8.bif"), HasSubstr("espalier_sample_8x8.bit\n"));
  EXPECT_THAT(files.at("shell.json"), HasSubstr("XRT_FLAT"));
  for (const char* name : {"kernel.xml", "kernel.xdc", "kernel.sv", "settings.tcl", "link.cfg", "manifest.json"})
    EXPECT_EQ(files.count(name), 1U) << name;
  EXPECT_EQ(board_files(card, placement, ESPALIER_SOURCE_ROOT).count("shell.json"), 0U);
  EXPECT_EQ(board_files(card, placement, ESPALIER_SOURCE_ROOT), board_files(card, placement, ESPALIER_SOURCE_ROOT));
}

TEST(BoardFiles, TheManifestHasCoresAndContract) {
  const Board board = sample_board();
  const bitstreams::Manifest manifest = make_manifest(board, place(board, {core("16x16", 600)}));
  EXPECT_EQ(manifest.image, "espalier_sample_16x16.xclbin");
  EXPECT_EQ(manifest.configuration, abi::Array16x16);
  EXPECT_EQ(manifest.contract_version, +abi::AbiVersion);
  EXPECT_EQ(manifest.cores.size(), 2U);
  EXPECT_EQ(manifest.cores[1].name, "espalier_2");
  EXPECT_EQ(manifest.clock_mhz, 250U);
}

TEST(KernelSource, IsOneFileWithTheKernelAsItsTop) {
  const std::string text = kernel_source(ESPALIER_SOURCE_ROOT, abi::Array16x16, Machine::Rtl);
  EXPECT_THAT(text, Not(HasSubstr("`include")));
  const std::size_t top = text.find("module espalier (");
  ASSERT_NE(top, std::string::npos);
  for (const char* parameter : {".Lanes(16)", ".BankRows(4096)", ".Writers(4)", ".Coded(1)", ".ProgramDepth(2048)",
                                ".StagingBeats(128)", ".PackProducts(1)", ".UltraStore(1)"})
    EXPECT_NE(text.find(parameter, top), std::string::npos) << parameter;
  for (const Pin& pin : read_pins(text, "espalier")) EXPECT_THAT(pin.name, Not(HasSubstr("idle_state")));
  EXPECT_EQ(read_pins(text, "espalier").front().name, "ap_clk");
  EXPECT_THAT(kernel_source(ESPALIER_SOURCE_ROOT, abi::Array8x8, Machine::Rtl), HasSubstr(".PackProducts(0)"));
  const std::string compact = kernel_source(ESPALIER_SOURCE_ROOT, abi::Array16x16Compact, Machine::Rtl);
  for (const char* parameter : {".LineDepth(2048)", ".Writers(2)", ".Coded(0)", ".ProgramDepth(1024)",
                                ".StagingBeats(64)", ".PackProducts(1)", ".UltraStore(0)"})
    EXPECT_NE(compact.find(parameter, compact.find("module espalier (")), std::string::npos) << parameter;
  const std::string around = kernel_source(ESPALIER_SOURCE_ROOT, abi::Array32x32, Machine::Hls);
  EXPECT_THAT(around, HasSubstr("esp_machine_core u_core"));
  EXPECT_THAT(around, Not(HasSubstr("module esp_machine_core")));
  EXPECT_EQ(read_pins(around, "espalier").size(), read_pins(text, "espalier").size());
  EXPECT_THROW(kernel_source("/nonexistent", abi::Array8x8, Machine::Rtl), Error);
}

}  // namespace
}  // namespace espalier::packaging
