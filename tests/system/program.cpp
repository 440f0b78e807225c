#include "program.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace espalier::test {

std::string read_bytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

Folder::Folder() {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  static std::atomic<int> count = 0;
  std::string name = "espalier_" + std::to_string(getpid()) + "_" + std::to_string(count++);
  if (info != nullptr) name += std::string("_") + info->test_suite_name() + "_" + info->name();
  for (char& letter : name)
    if (letter == '/') letter = '_';
  path_ = std::filesystem::path(testing::TempDir()) / name;
  std::filesystem::create_directories(path_);
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::write(const std::string& name, const std::string& bytes) const {
  std::ofstream(path_ / name, std::ios::binary) << bytes;
  return path(name);
}

Outcome run_program(const std::vector<std::string>& arguments) {
  const Folder folder;
  const std::string out = folder.path("stdout");
  const std::string err = folder.path("stderr");
  std::vector<char*> pointers;
  std::string program = ESPALIER_PROGRAM;
  pointers.push_back(program.data());
  std::vector<std::string> copies = arguments;
  for (std::string& argument : copies) pointers.push_back(argument.data());
  pointers.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t process = 0;
  const int failure = posix_spawn(&process, program.c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw std::runtime_error("cannot start " + program);

  int status = 0;
  waitpid(process, &status, 0);
  Outcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  outcome.out = read_bytes(out);
  outcome.err = read_bytes(err);
  return outcome;
}

}  // namespace espalier::test
