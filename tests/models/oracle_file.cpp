#include "oracle_file.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace espalier::test {

OracleFile::OracleFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  if (!std::getline(file, line)) throw std::runtime_error("cannot read " + path.string());
  const auto header = nlohmann::json::parse(line);
  samples_ = header.at("samples").get<std::size_t>();
  for (const auto& each : header.at("tensors")) {
    OracleTensor tensor{each.at("name"), each.at("type"), {}, each.at("bytes"), sample_bytes_};
    std::istringstream shape(each.at("shape").get<std::string>());
    for (std::string size; std::getline(shape, size, ',');) tensor.shape.push_back(std::stoll(size));
    sample_bytes_ += tensor.bytes;
    tensors_.push_back(std::move(tensor));
  }
  bytes_.assign(std::istreambuf_iterator<char>(file), {});
  if (bytes_.size() != samples_ * sample_bytes_) throw std::runtime_error("cut short: " + path.string());
}

std::optional<std::size_t> OracleFile::find(const std::string& name) const {
  const auto found =
      std::find_if(tensors_.begin(), tensors_.end(), [&](const auto& each) { return each.name == name; });
  if (found == tensors_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - tensors_.begin());
}

const char* OracleFile::data(std::size_t sample, std::size_t tensor) const {
  return bytes_.data() + sample * sample_bytes_ + tensors_.at(tensor).offset;
}

cpu::Tensor OracleFile::channels_first(std::size_t sample, std::size_t tensor) const {
  const OracleTensor& facts = tensors_.at(tensor);
  const auto channels = static_cast<std::size_t>(facts.shape.back());
  const std::size_t map = facts.bytes / channels;
  cpu::Tensor result(facts.bytes);
  const char* source = data(sample, tensor);
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t i = 0; i < map; ++i) result[c * map + i] = static_cast<std::int8_t>(source[i * channels + c]);
  return result;
}

cpu::FloatTensor OracleFile::values(std::size_t sample, std::size_t tensor) const {
  const OracleTensor& facts = tensors_.at(tensor);
  const char* source = data(sample, tensor);
  if (facts.type == "int8") {
    const auto* begin = reinterpret_cast<const std::int8_t*>(source);
    return {begin, begin + facts.bytes};
  }
  cpu::FloatTensor result(facts.bytes / sizeof(float));
  std::memcpy(result.data(), source, facts.bytes);
  return result;
}

}  // namespace espalier::test
