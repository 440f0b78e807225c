// The pairs of LUTs in a site, by netlists whose best pairing is known:
//   - two LUTs pair if they share an input and read at most five nets together; a LUT6 never does
//   - a LUT behind which S of a carry chain is wired pairs with the one of the same bit's DI only, and one behind which a
//     data input of a wide multiplexer is wired with nothing
//   - no LUT is in two pairs, and there are as many pairs as there can be: random netlists against all pairings
//   - modules count each for itself, those of a library not at all
//   - what is no mapped netlist of Yosys is refused with its place, and the program exits with 1
#include "lut_sites.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "esp_error.hpp"
#include "temporary_folder.hpp"

namespace espalier::synth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::json;

/// A module under construction. Nets are numbers of the caller's choice; outputs get their own from 1000 on.
class Module {
 public:
  /// A LUT of as many inputs as given; returns its output.
  int lut(const std::vector<int>& inputs) {
    Json connections = {{"O", {next_}}};
    for (std::size_t i = 0; i < inputs.size(); ++i) connections["I" + std::to_string(i)] = {inputs[i]};
    cell("LUT" + std::to_string(inputs.size()), connections);
    return next_++;
  }
  int inverter(int input) {
    cell("INV", {{"I", {input}}, {"O", {next_}}});
    return next_++;
  }
  void cell(const std::string& type, const Json& connections) {
    cells_["cell" + std::to_string(cells_.size())] = {{"type", type}, {"connections", connections}};
  }

  Json json() const { return {{"attributes", Json::object()}, {"cells", cells_}}; }
  ModuleSites count() const {
    std::istringstream stream(Json{{"modules", {{"top", json()}}}}.dump());
    const auto modules = count_lut_sites(stream, "top.json");
    EXPECT_EQ(modules.size(), 1U);
    return modules.at(0);
  }
  std::size_t sites() const { return count().sites; }

 private:
  Json cells_ = Json::object();
  int next_ = 1000;
};

Module with_luts(const std::vector<std::vector<int>>& luts) {
  Module module;
  for (const auto& inputs : luts) module.lut(inputs);
  return module;
}

TEST(LutSites, TwoLutsThatShareAnInputPair) {
  EXPECT_EQ(with_luts({{2, 3}, {3, 4}}).count(), (ModuleSites{"top", 2, 1}));
  EXPECT_EQ(with_luts({{2, 3, 4, 5, 6}, {6, 5, 4, 3, 2}}).sites(), 1U);
}

TEST(LutSites, WithoutASharedInputThereIsNoPair) { EXPECT_EQ(with_luts({{2, 3}, {4, 5}}).sites(), 2U); }

TEST(LutSites, ThePairReadsFiveNetsAtMost) {
  EXPECT_EQ(with_luts({{2, 3, 4}, {4, 5, 6}}).sites(), 1U);
  EXPECT_EQ(with_luts({{2, 3, 4, 5}, {5, 6, 7}}).sites(), 2U);
}

TEST(LutSites, ALutOfSixInputsHasItsSiteAlone) {
  EXPECT_EQ(with_luts({{2, 3, 4, 5, 6, 7}, {2, 3}}).sites(), 2U);
  EXPECT_EQ(with_luts({{2, 2, 3, 3, 4, 4}, {2, 3}}).sites(), 2U);
}

TEST(LutSites, RepeatedInputsAndConstantsAreNoFurtherNets) {
  Module module = with_luts({{2, 2, 3, 3, 4}, {4, 5, 6}});
  EXPECT_EQ(module.sites(), 1U);
  Module constants;
  constants.cell("LUT3", {{"I0", {"1"}}, {"I1", {2}}, {"I2", {"x"}}, {"O", {100}}});
  constants.cell("LUT2", {{"I0", {"0"}}, {"I1", {"1"}}, {"O", {101}}});
  EXPECT_EQ(constants.sites(), 2U);  // a constant is no shared input
  constants.lut({2, 3, 4, 5, 6});
  EXPECT_EQ(constants.count(), (ModuleSites{"top", 3, 2}));
}

TEST(LutSites, WhatDrivesACarryChainPairsWithNoOther) {
  for (const auto& [type, width] : {std::pair{"CARRY4", 4}, {"CARRY8", 8}}) {
    Module module;
    const int wired = module.lut({2, 3});
    module.lut({2, 3});
    Json select(static_cast<std::size_t>(width), "0");
    select.back() = wired;
    const Json data(static_cast<std::size_t>(width), "0");
    module.cell(type, {{"S", select}, {"DI", data}, {"O", Json::array()}});
    EXPECT_EQ(module.sites(), 2U) << type;
    module.lut({3, 4});
    EXPECT_EQ(module.count(), (ModuleSites{"top", 3, 2})) << type;
  }
}

TEST(LutSites, WhatDrivesTheDataOfACarryChainPairs) {
  Module module;
  const int data = module.lut({2, 3});
  module.lut({2, 3});
  module.cell("CARRY4", {{"S", {"0", "0", "0", "0"}}, {"DI", {data, "0", "0", "0"}}});
  EXPECT_EQ(module.sites(), 1U);
}

TEST(LutSites, WhatDrivesACarryChainPairsWithTheDataOfItsBit) {
  for (const int bit : {1, 2}) {
    Module module;
    const int select = module.lut({2, 3, 4, 5});
    const int data = module.lut({2, 3, 4, 5});
    Json pins(4, "0");
    pins[1] = select;
    Json inputs(4, "0");
    inputs[static_cast<std::size_t>(bit)] = data;
    module.cell("CARRY4", {{"S", pins}, {"DI", inputs}});
    EXPECT_EQ(module.sites(), bit == 1 ? 1U : 2U);
  }
}

TEST(LutSites, WhatDrivesAWideMultiplexerPairsWithNothing) {
  for (const char* type : {"MUXF7", "MUXF8"}) {
    for (const char* pin : {"I0", "I1"}) {
      Module module;
      const int wired = module.lut({2, 3});
      module.lut({2, 3});
      Json connections = {{"I0", {"0"}}, {"I1", {"0"}}, {"S", {9}}, {"O", {10}}};
      connections[pin] = {wired};
      module.cell(type, connections);
      EXPECT_EQ(module.sites(), 2U) << type << ' ' << pin;
    }
    Module module;
    const int selection = module.lut({2, 3});
    module.lut({2, 3});
    module.cell(type, {{"I0", {"0"}}, {"I1", {"0"}}, {"S", {selection}}, {"O", {10}}});
    EXPECT_EQ(module.sites(), 1U) << type;
  }
}

TEST(LutSites, AnInverterPairsWithALutOfTheSameNet) {
  Module module = with_luts({{2, 3, 4, 5, 6}});
  module.inverter(2);
  EXPECT_EQ(module.count(), (ModuleSites{"top", 2, 1}));
  Module other = with_luts({{2, 3, 4}});
  other.inverter(5);
  EXPECT_EQ(other.sites(), 2U);
}

TEST(LutSites, OfThreeOneIsSingle) { EXPECT_EQ(with_luts({{2, 3}, {2, 3}, {2, 3}}).sites(), 2U); }

// The LUT in the middle of a chain takes one neighbour; the best pairing takes the ends first.
TEST(LutSites, AChainPairsFromItsEnds) { EXPECT_EQ(with_luts({{3, 4, 5}, {5, 6, 7}, {2, 3}, {7, 8}}).sites(), 2U); }

TEST(LutSites, CellsOfOtherKindsAreNotCounted) {
  Module module = with_luts({{2, 3}});
  module.cell("FDRE", {{"C", {2}}, {"D", {3}}, {"Q", {4}}});
  module.cell("RAM32M16", {{"DIA", {2, 3}}, {"DOA", {4, 5}}});
  module.cell("SRL16E", {{"D", {2}}, {"Q", {6}}});
  module.cell("LUT6_2", {{"I0", {2}}});
  EXPECT_EQ(module.count(), (ModuleSites{"top", 1, 1}));
  EXPECT_EQ(Module().count(), (ModuleSites{"top", 0, 0}));
}

TEST(LutSites, EveryModuleCountsForItselfAndTheLibraryNotAtAll) {
  Json library = Module().json();
  library["attributes"]["blackbox"] = "00000000000000000000000000000001";
  const Json netlist = {{"modules",
                         {{"$paramod$1\\inner", with_luts({{2, 3}, {2, 4}}).json()},
                          {"LUT2", library},
                          {"outer", with_luts({{2, 3}, {4, 5}}).json()}}}};
  std::istringstream stream(netlist.dump());
  EXPECT_THAT(count_lut_sites(stream, "two.json"),
              ElementsAre(ModuleSites{"$paramod$1\\inner", 2, 1}, ModuleSites{"outer", 2, 2}));
}

/// The most pairs of `luts` from `first` on, by trying all.
std::size_t most_pairs(const std::vector<std::set<int>>& luts, std::vector<bool>& used, std::size_t first = 0) {
  while (first < luts.size() && used[first]) ++first;
  if (first >= luts.size()) return 0;
  std::size_t best = most_pairs(luts, used, first + 1);
  for (std::size_t other = first + 1; other < luts.size(); ++other) {
    std::set<int> together = luts[first];
    together.insert(luts[other].begin(), luts[other].end());
    if (used[other] || together.size() > 5 || together.size() == luts[first].size() + luts[other].size()) continue;
    used[other] = true;
    best = std::max(best, 1 + most_pairs(luts, used, first + 1));
    used[other] = false;
  }
  return best;
}

TEST(LutSites, NoPairingIsBetter) {
  const auto seed = static_cast<unsigned>(testing::UnitTest::GetInstance()->random_seed());
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    Module module;
    std::vector<std::set<int>> luts;
    const int nets = std::uniform_int_distribution<>(5, 14)(random);
    const int size = std::uniform_int_distribution<>(1, 9)(random);
    for (int i = 0; i < size; ++i) {
      std::vector<int> inputs(std::uniform_int_distribution<std::size_t>(1, 5)(random));
      for (int& net : inputs) net = std::uniform_int_distribution<>(2, nets)(random);
      module.lut(inputs);
      luts.emplace_back(inputs.begin(), inputs.end());
    }
    std::vector<bool> used(luts.size(), false);
    EXPECT_EQ(module.sites(), luts.size() - most_pairs(luts, used)) << "seed " << seed << ", round " << round;
  }
}

std::string refusal(const std::string& netlist) {
  std::istringstream stream(netlist);
  try {
    count_lut_sites(stream, "hostile.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Input);
    EXPECT_THAT(error.what(), HasSubstr("hostile.json"));
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << netlist;
  return {};
}

std::string refusal(const std::string& type, const Json& connections) {
  Module module;
  module.cell(type, connections);
  std::string message = refusal(Json{{"modules", {{"top", module.json()}}}}.dump());
  EXPECT_THAT(message, HasSubstr("module top, cell cell0"));
  return message;
}

TEST(LutSites, WhatIsNoNetlistIsRefused) {
  const std::string netlist = Json{{"modules", {{"top", with_luts({{2, 3}, {3, 4}}).json()}}}}.dump();
  for (std::size_t size = 0; size < netlist.size(); ++size)
    EXPECT_THAT(refusal(netlist.substr(0, size)), HasSubstr("not JSON, or it is cut off"));
  EXPECT_THAT(refusal(netlist + "}"), HasSubstr("not JSON"));
  for (const char* foreign : {"[]", "1", "null", "{}", R"({"modules": []})", R"({"modules": {}})", R"({"modules": 1})"})
    EXPECT_THAT(refusal(foreign), HasSubstr("it has no modules")) << foreign;
  for (const char* module : {"{}", "1", R"({"cells": []})", R"({"cells": null})"}) {
    EXPECT_THAT(refusal(std::string(R"({"modules": {"top": )") + module + "}}"),
                AllOf(HasSubstr("a module has no cells"), HasSubstr("module top")))
        << module;
  }
  for (const char* cell : {"{}", "1", R"({"type": 1})"}) {
    EXPECT_THAT(refusal(std::string(R"({"modules": {"top": {"cells": {"a": )") + cell + "}}}}"),
                AllOf(HasSubstr("a cell has no type"), HasSubstr("cell a")))
        << cell;
  }
}

TEST(LutSites, ACellWithDamagedPinsIsRefused) {
  EXPECT_THAT(refusal("LUT1", {{"I0", {2}}}), HasSubstr("not connected at a pin"));
  EXPECT_THAT(refusal("LUT1", {{"I0", {2}}, {"O", {"x"}}}), HasSubstr("drives no net"));
  EXPECT_THAT(refusal("LUT1", {{"I0", {2}}, {"O", Json::array()}}), HasSubstr("wrong width"));
  EXPECT_THAT(refusal("LUT1", {{"I0", {2, 3}}, {"O", {4}}}), HasSubstr("wrong width"));
  EXPECT_THAT(refusal("LUT1", {{"I0", 2}, {"O", {4}}}), HasSubstr("wrong width"));
  EXPECT_THAT(refusal("LUT2", {{"I0", {2}}, {"O", {4}}}), HasSubstr("not connected at a pin"));
  EXPECT_THAT(refusal("LUT1", Json::array()), HasSubstr("has no connections"));
  EXPECT_THAT(refusal("INV", {{"I0", {2}}, {"O", {4}}}), HasSubstr("not connected at a pin"));
  for (const Json& bit : std::initializer_list<Json>{-1, 1.5, "y", nullptr, Json::object()}) {
    EXPECT_THAT(refusal("LUT1", {{"I0", Json::array({bit})}, {"O", {4}}}), HasSubstr("neither net nor constant"));
  }
  EXPECT_THAT(refusal("CARRY8", {{"S", {"0", "0", "0", "0"}}}), HasSubstr("wrong width"));
  EXPECT_THAT(refusal("MUXF7", {{"I0", {2}}}), HasSubstr("not connected at a pin"));
}

TEST(LutSites, TheProgramPrintsALinePerModuleAndExitsWithOneOnErrors) {
  const test::TemporaryFolder folder;
  const auto run = [&](const std::string& arguments) {
    const std::string command = std::string("'") + LUT_SITES_PROGRAM + "' " + arguments + " > '" +
                                (folder.path() / "out").string() + "' 2> '" + (folder.path() / "err").string() + "'";
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  const auto text = [&](const char* name) {
    std::ifstream stream(folder.path() / name);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const std::string netlist = Json{{"modules", {{"top", with_luts({{2, 3}, {3, 4}}).json()}}}}.dump();
  const std::string good = (folder.path() / "good.json").string();
  const std::string cut = (folder.path() / "cut.json").string();
  std::ofstream(good) << netlist;
  std::ofstream(cut) << netlist.substr(0, netlist.size() / 2);
  EXPECT_EQ(run(good), 0);
  EXPECT_EQ(text("out"), "2 1 top\n");
  EXPECT_EQ(text("err"), "");
  const std::string twice = good + " " + good;
  for (const std::string& arguments : {cut, cut + ".absent", folder.path().string(), twice, std::string()}) {
    EXPECT_EQ(run(arguments), 1) << arguments;
    EXPECT_EQ(text("out"), "") << arguments;
    EXPECT_THAT(text("err"), testing::StartsWith("lut_sites: ")) << arguments;
  }
}

}  // namespace
}  // namespace espalier::synth
