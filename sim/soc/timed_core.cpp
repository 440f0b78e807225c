#include "soc/timed_core.hpp"

#include <cstring>

namespace espalier::soc {

using functional::ListRunner;

namespace {

constexpr unsigned CommandsPerPiece = 16;

}  // namespace

TimedCore::TimedCore(const sc_core::sc_module_name& name, Clock& clock, unsigned index,
                     const abi::Configuration& configuration, functional::DeviceMemory& memory)
    : Core(name, clock, index),
      configuration_(configuration),
      memory_(memory),
      runner_(functional::make_kernel_core(configuration), memory),
      registers_(configuration) {}

void TimedCore::power_on() {
  runner_.reset();
  registers_.clear();
  machine_.reset();
  bridge.reset();
  rules_.reset();
  counted_ = {};
  running_ = false;
}

bool TimedCore::access(tlm::tlm_generic_payload& payload) {
  const auto offset = static_cast<std::uint32_t>(payload.get_address() % RegisterStride);
  std::uint32_t value = 0;
  if (payload.is_write()) {
    std::memcpy(&value, payload.get_data_ptr(), sizeof value);
    if (registers_.write(offset, value, busy())) start();
  } else {
    value = read(offset);
    std::memcpy(payload.get_data_ptr(), &value, sizeof value);
  }
  return true;
}

std::uint32_t TimedCore::read(std::uint32_t offset) {
  if (offset == abi::RegControl) return registers_.read_control(busy());
  const std::optional<std::uint32_t> value = registers_.read(offset);
  return value ? *value : result(offset);
}

std::uint32_t TimedCore::result(std::uint32_t offset) const {
  const compile::Prediction& c = counted_;
  switch (offset) {
    case abi::RegError:
      return runner_.fault().code;
    case abi::RegErrorPosition:
      return runner_.fault().position;
    case abi::RegErrorDetail:
      return runner_.fault().detail;
    case abi::RegCycles:
      return c.cycles;
    case abi::RegCyclesComputing:
      return c.computing;
    case abi::RegCyclesWeights:
      return c.weights;
    case abi::RegCyclesOutput:
      return c.output;
    case abi::RegCyclesData:
      return c.data;
    case abi::RegCyclesWriting:
      return c.writing;
    case abi::RegCyclesControl:
      return c.control;
    case abi::RegReadBeats:
      return c.read_beats;
    case abi::RegWriteBeats:
      return c.write_beats;
    case abi::RegMacs:
      return c.macs;
    default:
      break;
  }
  const std::uint32_t mark = (offset - abi::RegMarks) / 4;
  return offset >= abi::RegMarks && mark < c.marks.size() ? c.marks[mark] : 0;
}

void TimedCore::start() {
  counted_ = {};
  running_ = true;
  const functional::Arguments arguments = registers_.arguments();
  const functional::Arguments::Window& window = arguments.windows[abi::WindowProgram];
  // The program as it is when the machine starts: what it reads of itself does not change while it runs.
  program_ = {};
  if (const std::uint8_t* image = memory_.find(window.address, window.bytes)) {
    program_.image.assign(image, image + window.bytes);
  }
  program_.command_offset = arguments.command_offset;
  program_.command_count = arguments.command_count;
  runner_.start(arguments);
}

bool TimedCore::prepare() {
  if (!running_) return false;
  for (unsigned i = 0; i < CommandsPerPiece && runner_.status() == ListRunner::Status::Running; ++i) runner_.step();
  if (runner_.status() == ListRunner::Status::Running) return true;
  if (runner_.status() != ListRunner::Status::Done) return false;
  running_ = false;
  if (runner_.fault().code == abi::ErrorNone) {
    begin_time();
  } else {
    registers_.finish();
  }
  return false;
}

void TimedCore::begin_time() {
  std::array<std::uint64_t, abi::Windows> windows{};
  const functional::Arguments arguments = registers_.arguments();
  for (unsigned w = 0; w < abi::Windows; ++w) windows[w] = arguments.windows[w].address;
  machine_ = std::make_unique<compile::timing::Machine>(program_, configuration_, windows);
}

void TimedCore::present() {
  pins_ = machine_->request();
  bridge.present(pins_, nullptr);
}

void TimedCore::edge() {
  const abi::MemoryResponse& response = bridge.response();
  rules_.cycle(pins_, response, nullptr);
  const bool goes_on = machine_->clock(response);
  bridge.finish();
  if (goes_on) return;
  counted_ = machine_->prediction();
  machine_.reset();
  registers_.finish();
}

}  // namespace espalier::soc
