// Runs commands in process, in a folder of their own, and checks what every answer with --json must have.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tools/command_line.hpp"
#include "tools/files.hpp"

namespace espalier::tools {

class CommandRunner : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(testing::TempDir()) / ("espalier_commands_" + std::to_string(getpid()) + "_" +
                                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& bytes) const {
    write_file(folder_ / name, bytes);
    return path(name);
  }

  /// Runs a command with --json and returns its exit code. The answer is one document with `schema`; a failure has
  /// code, what, where and action and is not a fault of the program.
  int run(std::vector<std::string> arguments) {
    constexpr int internal_fault = 10;
    arguments.insert(arguments.end(), {"--json", "--quiet"});
    SCOPED_TRACE(testing::PrintToString(arguments));
    std::vector<const char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    std::ostringstream out, err;
    const int code = run_command_line(pointers, out, err);
    EXPECT_GE(code, 0);
    EXPECT_LT(code, internal_fault) << err.str();
    answer_ = nlohmann::json::parse(out.str(), nullptr, false);
    EXPECT_TRUE(answer_.is_object() && answer_.contains("schema")) << out.str();
    EXPECT_EQ(answer_.contains("error"), code != 0) << err.str();
    if (code != 0 && answer_.contains("error"))
      for (const char* key : {"code", "what", "where", "action"})
        EXPECT_FALSE(answer_["error"][key].get<std::string>().empty()) << key << ": " << out.str();
    return code;
  }

  /// The last answer.
  const nlohmann::json& answer() const { return answer_; }

 private:
  std::filesystem::path folder_;
  nlohmann::json answer_;
};

}  // namespace espalier::tools
