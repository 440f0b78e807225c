#include "functional/register_file.hpp"

#include "espalier/driver/bus.hpp"

namespace espalier::functional {

namespace {

constexpr std::uint32_t ControlStart = 1;
constexpr std::uint32_t ControlDone = 2;
constexpr std::uint32_t ControlIdle = 4;
constexpr std::uint32_t ControlReady = 8;

}  // namespace

std::uint32_t RegisterFile::read_control(bool busy) {
  const std::uint32_t value = busy ? ControlStart : (ControlIdle | (done_ ? ControlDone | ControlReady : 0));
  done_ = false;
  return value;
}

std::optional<std::uint32_t> RegisterFile::read(std::uint32_t offset) const {
  driver::check_register(offset);
  if (offset <= abi::RegTimeout) return words_[offset / 4];
  switch (offset) {
    case abi::RegVersion:
      return abi::AbiVersion;
    case abi::RegLanes:
      return configuration_.lanes;
    case abi::RegPixels:
      return configuration_.pixels;
    case abi::RegBankRows:
      return configuration_.bank_rows;
    case abi::RegLineDepth:
      return configuration_.line_depth;
    case abi::RegMaxSplit:
      return configuration_.max_split();
    case abi::RegWriters:
      return configuration_.writers;
    case abi::RegCoded:
      return configuration_.coded ? 1 : 0;
    case abi::RegProgramDepth:
      return configuration_.program_depth;
    case abi::RegStagingBeats:
      return configuration_.staging_beats;
    default:
      return {};
  }
}

bool RegisterFile::write(std::uint32_t offset, std::uint32_t value, bool busy) {
  driver::check_register(offset);
  if (offset == abi::RegControl) {
    const bool starts = (value & ControlStart) != 0 && !busy;
    if (starts) done_ = false;
    return starts;
  }
  if (offset == abi::RegInterruptStatus) {
    word(offset) ^= value & 3U;
  } else if (offset == abi::RegGlobalInterrupt) {
    word(offset) = value & 1U;
  } else if (offset == abi::RegInterruptEnable) {
    word(offset) = value & 3U;
  } else if (offset <= abi::RegTimeout && !busy) {
    word(offset) = value;
  }
  return false;
}

void RegisterFile::finish() {
  done_ = true;
  word(abi::RegInterruptStatus) |= word(abi::RegInterruptEnable) & 3U;
}

std::uint64_t RegisterFile::wide(std::uint32_t offset) const {
  return words_[offset / 4] | std::uint64_t{words_[offset / 4 + 1]} << 32;
}

Arguments RegisterFile::arguments() const {
  Arguments arguments;
  arguments.windows = {{{wide(abi::RegProgramAddress), wide(abi::RegProgramBytes)},
                        {wide(abi::RegInputAddress), wide(abi::RegInputBytes)},
                        {wide(abi::RegOutputAddress), wide(abi::RegOutputBytes)},
                        {wide(abi::RegArenaAddress), wide(abi::RegArenaBytes)}}};
  arguments.command_offset = words_[abi::RegCommandOffset / 4];
  arguments.command_count = words_[abi::RegCommandCount / 4];
  arguments.timeout = words_[abi::RegTimeout / 4];
  return arguments;
}

void RegisterFile::clear() {
  words_.fill(0);
  done_ = false;
}

}  // namespace espalier::functional
