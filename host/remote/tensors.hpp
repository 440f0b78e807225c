// Tensors of the protocol: from messages to the values that a session takes, and back.
#pragma once

#include <open_inference.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/report.hpp"
#include "run/session.hpp"

namespace espalier::remote {

/// The protocol's name of an element type: FP32, INT8 or UINT8.
const char* datatype(model::ElementType type);

/// One vector of values in C order per input of the network, whatever their order in the request. Throws Error (Input)
/// naming the tensor for one that is unknown, missing, given twice, of another datatype or shape, of the wrong size, or
/// that holds values that are not finite.
std::vector<std::vector<float>> read_inputs(const inference::ModelInferRequest& request, const run::Ports& ports);

/// The inputs of a request, as raw bytes.
void write_inputs(const std::vector<std::vector<float>>& values, const run::Ports& ports,
                  inference::ModelInferRequest& request);

enum class Contents { Raw, Typed };

/// Appends an output.
void write_output(const run::Output& output, Contents contents, inference::ModelInferResponse& response);

/// The outputs of an answer. Throws Error (Mismatch) if a size, datatype or name is not what the ports say; `outputs`
/// are the indices that were asked for, none: all.
std::vector<run::Output> read_outputs(const inference::ModelInferResponse& response, const run::Ports& ports,
                                      const std::vector<std::size_t>& outputs);

/// The ports that metadata describes; scale and zero are left as they are by default.
run::Ports read_ports(const inference::ModelMetadataResponse& metadata);

/// Parameters by name; none if absent or of another type.
using Parameters = google::protobuf::Map<std::string, inference::InferParameter>;
std::optional<std::int64_t> integer_parameter(const Parameters& parameters, const std::string& name);
std::optional<std::string> text_parameter(const Parameters& parameters, const std::string& name);

}  // namespace espalier::remote
