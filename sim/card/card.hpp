// A simulated card as a kernel driver and an embedded scheduler would present it: images, contexts, buffers, commands.
#pragma once

#include <ert.h>
#include <xclbin.h>
#include <xrt.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "card/buffers.hpp"
#include "card/engine.hpp"
#include "card/settings.hpp"

namespace espalier::card {

class Card;

/// One opening of the card.
struct Client {
  Card* card = nullptr;
  std::uint64_t completions = 0;     // commands that ended and were not waited for yet
  std::uint64_t pending = 0;         // commands queued or running
  std::map<unsigned, int> contexts;  // compute unit -> shared contexts, or -1 for an exclusive one
  std::shared_ptr<void> device;      // keeps XRT's device object alive
};

/// Thread-safe. Functions return 0 or a negative errno, as XRT expects; what went wrong is told on standard error.
class Card {
 public:
  explicit Card(Settings settings) : settings_(std::move(settings)), buffers_(engine_) {}

  /// Checks an image and becomes what it describes. The image that is loaded already is accepted and changes nothing.
  /// -EBUSY while contexts are open or commands run, -EOPNOTSUPP for another design, -EINVAL for damage.
  int load(const axlf* image);

  int open_context(Client& client, const unsigned char* uuid, unsigned unit, bool shared);
  int close_context(Client& client, unsigned unit);
  /// Aborts the client's commands and gives back all that it holds.
  void leave(Client& client);

  Buffers& buffers() { return buffers_; }

  /// Starts the command in a command buffer; never waits for its end.
  int execute(Client& client, unsigned handle);
  /// Takes one ended command: 1, or 0 if `milliseconds` pass first (negative: no limit).
  int wait(Client& client, int milliseconds);

  int read_register(unsigned unit, std::uint32_t offset, std::uint32_t& value);
  int write_register(unsigned unit, std::uint32_t offset, std::uint32_t value);

  xclDeviceInfo2 info();

 private:
  struct Command {
    BufferPtr packet;
    Client* client = nullptr;
    std::uint64_t job = 0;
  };

  int install(const axlf* image, const abi::Configuration& configuration);
  Job kernel_job(const Command& command);
  int start_kernel(const Command& command);
  void start_copy(const Command& command);
  bool copy(Machine& machine, const ert_start_copybo_cmd& packet);
  void abort(const Command& command);
  void finish(const Command& command, ert_cmd_state state);
  bool loaded();
  bool in_use();

  const Settings settings_;
  std::mutex load_mutex_;  // one load at a time; taken before mutex_
  std::mutex mutex_;
  std::condition_variable ended_;
  std::array<unsigned char, 16> uuid_{};
  bool loaded_ = false;
  std::uint64_t memory_bytes_ = 0;
  std::size_t banks_ = 0;
  int shared_ = 0;  // contexts on the compute unit
  bool exclusive_ = false;
  int open_ = 0;                        // contexts of any kind
  std::map<unsigned, Command> active_;  // by handle of the command buffer
  std::uint64_t next_job_ = 1;
  Engine engine_;
  Buffers buffers_;
};

}  // namespace espalier::card
