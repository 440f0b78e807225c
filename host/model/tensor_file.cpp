#include "model/tensor_file.hpp"

#include <climits>

#include "model/onnx_tensor.hpp"

namespace espalier::model {

Array parse_tensor_file(std::span<const std::uint8_t> bytes, const std::string& where) {
  const auto fail = [&](const std::string& summary, const std::string& value) {
    throw Error(ErrorCode::Input, summary, where, value, "give a TensorProto file with one complete tensor");
  };
  onnx::TensorProto proto;
  if (bytes.size() > INT_MAX || !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    fail("not a TensorProto", std::to_string(bytes.size()) + " bytes");
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) fail("the tensor's data is in another file", proto.name());
  try {
    Budget budget(std::uint64_t{4} << 30);
    return read_tensor(proto, {}, budget);
  } catch (const Error& error) {
    fail(error.summary(), error.value());
  }
  return {};
}

}  // namespace espalier::model
