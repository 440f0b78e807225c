// The scheduler part of the card: packets that XRT puts into command buffers become jobs of the engine.
#include <cerrno>
#include <chrono>
#include <cstring>

#include "card/card.hpp"

namespace espalier::card {

namespace {

ert_packet* packet_of(const BufferPtr& buffer) { return reinterpret_cast<ert_packet*>(buffer->host); }

std::uint64_t wide(std::uint32_t low, std::uint32_t high) { return low | std::uint64_t{high} << 32; }

}  // namespace

int Card::execute(Client& client, unsigned handle) {
  const BufferPtr buffer = buffers_.find(handle);
  if (!buffer || buffer->host == nullptr || buffer->bytes < sizeof(ert_packet)) return -EINVAL;
  const ert_packet* packet = packet_of(buffer);
  if (packet->state != ERT_CMD_STATE_NEW || (packet->count + std::size_t{1}) * 4 > buffer->bytes) return -EINVAL;
  Command command{buffer, &client, 0};
  {
    const std::lock_guard lock(mutex_);
    if (active_.contains(handle)) return -EBUSY;
    command.job = next_job_++;
    active_[handle] = command;
    ++client.pending;
  }
  switch (packet->opcode) {
    case ERT_START_CU:
      return start_kernel(command);
    case ERT_START_COPYBO:
      start_copy(command);
      return 0;
    case ERT_ABORT:
      abort(command);
      return 0;
    default:
      finish(command, ERT_CMD_STATE_ERROR);
      return 0;
  }
}

/// The payload is a mask of compute units and an image of the register window from offset 0, whose first 16 bytes are
/// the control block.
Job Card::kernel_job(const Command& command) {
  const auto* packet = reinterpret_cast<const ert_start_kernel_cmd*>(command.packet->host);
  const std::size_t masks = 1 + std::size_t{packet->extra_cu_masks};
  const std::uint32_t* window = &packet->cu_mask + masks;
  Job job;
  job.id = command.job;
  for (std::size_t word = abi::RegProgramAddress / 4; word + masks < packet->count; ++word) {
    job.registers.emplace_back(static_cast<std::uint32_t>(word * 4), window[word]);
  }
  job.before = [this, command](Machine& machine) {
    packet_of(command.packet)->state = ERT_CMD_STATE_RUNNING;
    buffers_.publish_host_only(machine);
  };
  job.after = [this](Machine& machine) { buffers_.collect_host_only(machine); };
  job.ended = [this, command](JobEnd end) {
    finish(command, end == JobEnd::Completed ? ERT_CMD_STATE_COMPLETED
                    : end == JobEnd::Aborted ? ERT_CMD_STATE_ABORT
                                             : ERT_CMD_STATE_ERROR);
  };
  return job;
}

int Card::start_kernel(const Command& command) {
  const auto* packet = reinterpret_cast<const ert_start_kernel_cmd*>(command.packet->host);
  const bool ours = (packet->cu_mask & 1U) != 0 && packet->count > packet->extra_cu_masks;
  if (!ours || !loaded()) {
    finish(command, ERT_CMD_STATE_ERROR);
  } else {
    engine_.submit(kernel_job(command));
  }
  return 0;
}

bool Card::copy(Machine& machine, const ert_start_copybo_cmd& packet) {
  const BufferPtr source = buffers_.find(packet.src_bo_hdl);
  const BufferPtr destination = buffers_.find(packet.dst_bo_hdl);
  if (!source || !destination) return false;
  // The address fields hold offsets into the buffers.
  return buffers_.copy(machine, *destination, wide(packet.dst_addr_lo, packet.dst_addr_hi), *source,
                       wide(packet.src_addr_lo, packet.src_addr_hi), wide(packet.size, packet.size_hi));
}

void Card::start_copy(const Command& command) {
  if (!loaded()) return finish(command, ERT_CMD_STATE_ERROR);
  engine_.post([this, command](Machine& machine) {
    bool copied = false;
    try {
      copied = copy(machine, *reinterpret_cast<const ert_start_copybo_cmd*>(command.packet->host));
    } catch (...) {
      copied = false;
    }
    finish(command, copied ? ERT_CMD_STATE_COMPLETED : ERT_CMD_STATE_ERROR);
  });
}

void Card::abort(const Command& command) {
  const auto* packet = reinterpret_cast<const ert_abort_cmd*>(command.packet->host);
  std::uint64_t victim = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = active_.find(static_cast<unsigned>(packet->exec_bo_handle));
    if (found != active_.end()) victim = found->second.job;
  }
  if (victim != 0) engine_.abort(victim);
  finish(command, ERT_CMD_STATE_COMPLETED);
}

void Card::finish(const Command& command, ert_cmd_state state) {
  const std::lock_guard lock(mutex_);
  active_.erase(command.packet->handle);
  // The state stands before the wake-up: XRT reads it as soon as wait() returns.
  auto* packet = reinterpret_cast<volatile ert_packet*>(command.packet->host);
  packet->state = state & 15U;
  ++command.client->completions;
  --command.client->pending;
  ended_.notify_all();
}

int Card::wait(Client& client, int milliseconds) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return client.completions != 0; };
  if (milliseconds < 0) {
    ended_.wait(lock, ready);
  } else if (!ended_.wait_for(lock, std::chrono::milliseconds(milliseconds), ready)) {
    return 0;
  }
  --client.completions;
  return 1;
}

}  // namespace espalier::card
