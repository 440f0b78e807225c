#include "child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include <array>

namespace espalier::test {

ServeProcess::ServeProcess(const std::vector<std::string>& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = program;
  words.emplace_back("serve");
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.insert(words.end(), {"--json", "--quiet"});
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  const int failure = posix_spawnp(&process_, pointers.front(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe[1]);
  std::string text;
  std::array<char, 4096> bytes{};
  ssize_t got = 0;
  while (failure == 0 && port_ == 0 && (got = read(pipe[0], bytes.data(), bytes.size())) > 0) {
    text.append(bytes.data(), static_cast<std::size_t>(got));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_object()) port_ = json.value("port", std::uint16_t{0});
  }
  close(pipe[0]);
  if (port_ == 0) {
    if (failure == 0) waitpid(process_, nullptr, 0);
    throw std::runtime_error("espalier serve did not start: " + text);
  }
}

ServeProcess::~ServeProcess() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

}  // namespace espalier::test
