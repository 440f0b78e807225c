#include "card/card.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "bitstreams/xclbin_check.hpp"
#include "esp_error.hpp"

namespace espalier::card {

namespace {

constexpr unsigned VirtualUnit = ~0U;  // the context that XRT opens besides those of compute units

void tell(const std::string& text) { std::fprintf(stderr, "espalier card: %s\n", text.c_str()); }

const axlf_section_header* section(const axlf* image, axlf_section_kind kind) {
  for (std::uint32_t i = 0; i < image->m_header.m_numSections; ++i) {
    if (image->m_sections[i].m_sectionKind == static_cast<std::uint32_t>(kind)) return &image->m_sections[i];
  }
  return nullptr;
}

/// The banks of a checked image.
std::vector<Bank> banks_of(const axlf* image) {
  const auto* start = reinterpret_cast<const char*>(image);
  const auto* topology = reinterpret_cast<const mem_topology*>(start + section(image, MEM_TOPOLOGY)->m_sectionOffset);
  std::vector<Bank> banks;
  for (int i = 0; i < topology->m_count; ++i) {
    const mem_data& data = topology->m_mem_data[i];
    const auto* tag = reinterpret_cast<const char*>(data.m_tag);
    banks.push_back({std::string(tag, strnlen(tag, sizeof data.m_tag)), data.m_base_address,
                     data.m_used != 0 ? data.m_size * 1024 : 0, 0});
  }
  return banks;
}

}  // namespace

bool Card::loaded() {
  const std::lock_guard lock(mutex_);
  return loaded_;
}

bool Card::in_use() {
  const std::lock_guard lock(mutex_);
  return open_ != 0 || !active_.empty();
}

int Card::load(const axlf* image) {
  const std::lock_guard loading(load_mutex_);
  std::optional<abi::Configuration> configuration;
  try {
    const auto info = bitstreams::check_image(
        {reinterpret_cast<const std::uint8_t*>(image), static_cast<std::size_t>(image->m_header.m_length)}, "image");
    configuration = info.configuration;
  } catch (const Error& error) {
    tell(error.what());
    return error.summary() == bitstreams::AnotherDesign ? -EOPNOTSUPP : -EINVAL;
  }
  if (!configuration) {
    tell("image: made for a board, not for the simulated card");
    return -EOPNOTSUPP;
  }
  if (settings_.array && *settings_.array != *configuration) {
    tell("image: for another array than ESPALIER_CARD says");
    return -EOPNOTSUPP;
  }
  {
    const std::lock_guard lock(mutex_);
    if (loaded_ && std::memcmp(uuid_.data(), image->m_header.uuid, uuid_.size()) == 0) return 0;
  }
  if (in_use()) return -EBUSY;
  return install(image, *configuration);
}

int Card::install(const axlf* image, const abi::Configuration& configuration) {
  if (loaded() && buffers_.device_buffers() != 0) {
    tell("image: buffers of the image before it are still allocated");
    return -EBUSY;
  }
  try {
    engine_.install(make_machine(settings_, configuration));
  } catch (const Error& error) {
    tell(error.what());
    return -EOPNOTSUPP;
  }
  const std::vector<Bank> banks = banks_of(image);
  buffers_.set_banks(banks);
  const std::lock_guard lock(mutex_);
  banks_ = banks.size();
  memory_bytes_ = 0;
  for (const Bank& bank : banks) memory_bytes_ += bank.bytes;
  std::memcpy(uuid_.data(), image->m_header.uuid, uuid_.size());
  loaded_ = true;
  return 0;
}

int Card::open_context(Client& client, const unsigned char* uuid, unsigned unit, bool shared) {
  const std::lock_guard lock(mutex_);
  if (!loaded_ || std::memcmp(uuid, uuid_.data(), uuid_.size()) != 0) return -EBUSY;
  if (unit == VirtualUnit) {
    ++client.contexts[unit];
  } else {
    if (unit != 0) return -EINVAL;
    if (exclusive_ || (!shared && shared_ != 0)) return -EBUSY;
    if (shared) {
      ++shared_;
    } else {
      exclusive_ = true;
    }
    client.contexts[unit] += shared ? 1 : -1;
  }
  ++open_;
  return 0;
}

int Card::close_context(Client& client, unsigned unit) {
  const std::lock_guard lock(mutex_);
  const auto found = client.contexts.find(unit);
  if (found == client.contexts.end() || found->second == 0) return -EINVAL;
  if (unit == VirtualUnit) {
    --found->second;
  } else if (found->second < 0) {
    exclusive_ = false;
    ++found->second;
  } else {
    --shared_;
    --found->second;
  }
  --open_;
  return 0;
}

void Card::leave(Client& client) {
  std::vector<std::uint64_t> jobs;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [handle, command] : active_) {
      if (command.client == &client) jobs.push_back(command.job);
    }
  }
  for (const std::uint64_t job : jobs) engine_.abort(job);
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return client.pending == 0; });
  for (auto& [unit, count] : client.contexts) {
    open_ -= count < 0 ? -count : count;
    if (unit == VirtualUnit) continue;
    if (count < 0) exclusive_ = false;
    if (count > 0) shared_ -= count;
  }
  client.contexts.clear();
}

int Card::read_register(unsigned unit, std::uint32_t offset, std::uint32_t& value) {
  if (unit != 0 || offset % 4 != 0 || offset >= abi::RegWindowBytes) return -EINVAL;
  engine_.call([&](Machine& machine) { value = machine.bus().read_register(offset); });
  return 0;
}

int Card::write_register(unsigned unit, std::uint32_t offset, std::uint32_t value) {
  if (unit != 0 || offset % 4 != 0 || offset >= abi::RegWindowBytes) return -EINVAL;
  engine_.call([&](Machine& machine) { machine.bus().write_register(offset, value); });
  return 0;
}

xclDeviceInfo2 Card::info() {
  xclDeviceInfo2 info;
  std::memset(&info, 0, sizeof info);
  info.mMagic = 0x586C0C6C;
  std::snprintf(info.mName, sizeof info.mName, "espalier_simulation");
  info.mHALMajorVersion = 2;
  info.mHALMinorVersion = 1;
  info.mVendorId = 0x10ee;
  info.mDataAlignment = 4096;
  info.mDMAThreads = 1;
  info.mOCLFrequency[0] = 300;
  info.mNumClocks = 1;
  const std::lock_guard lock(mutex_);
  info.mDDRSize = memory_bytes_;
  info.mDDRBankCount = static_cast<std::uint16_t>(banks_);
  return info;
}

}  // namespace espalier::card
