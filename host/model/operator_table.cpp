#include "model/operator_table.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <sstream>
#include <tuple>

#include "model/operator_rows.hpp"

namespace espalier::model {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

TypeSet parse_types(const std::string& text) {
  TypeSet set;
  for (const std::string& name : split(text, ',')) {
    [[maybe_unused]] bool known = false;
    for (std::size_t i = 0; i < DataTypes; ++i) {
      const auto type = static_cast<DataType>(i);
      const bool real = is_real(type) && type != DataType::BFloat16;
      const bool positive = is_unsigned(type);
      const bool negative = !is_real(type) && !positive && type != DataType::Bool;
      const bool member = name == to_string(type) || name == "any" || (real && (name == "real" || name == "number")) ||
                          (negative && (name == "signed" || name == "integer" || name == "number")) ||
                          (positive && (name == "unsigned" || name == "integer" || name == "number"));
      if (member) set.add(type);
      known = known || member;
    }
    assert(known);
  }
  return set;
}

std::vector<PortRow> parse_ports(const std::string& text) {
  std::vector<PortRow> ports;
  for (std::string token : split(text, ' ')) {
    PortRow port;
    port.optional = token.ends_with('?');
    port.repeated = token.ends_with('*');
    if (port.optional || port.repeated) token.pop_back();
    port.variable = token;
    ports.push_back(std::move(port));
  }
  return ports;
}

AttributeRow parse_attribute(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::size_t bracket = text.find('(');
  AttributeRow row;
  row.name = text.substr(0, colon);
  const std::string kind = text.substr(colon + 1, bracket == std::string::npos ? bracket : bracket - colon - 1);
  while (kind != to_string(row.kind)) row.kind = static_cast<AttributeKind>(static_cast<int>(row.kind) + 1);
  if (bracket != std::string::npos)
    for (const std::string& value : split(text.substr(bracket + 1, text.size() - bracket - 2), ','))
      row.values.insert(value);
  return row;
}

OperatorRow parse(const OperatorText& text, const char* domain, bool executed) {
  OperatorRow row{text.name, domain, text.first, text.last, {}, {}, {}, {}, executed};
  const std::string signature = text.signature;
  const std::size_t arrow = signature.find("->");
  row.inputs = parse_ports(signature.substr(0, arrow));
  row.outputs = parse_ports(signature.substr(arrow + 2));
  for (const std::string& entry : split(text.types, ' ')) {
    const std::size_t equals = entry.find('=');
    row.types.emplace_back(entry.substr(0, equals), parse_types(entry.substr(equals + 1)));
  }
  for (const std::string& entry : split(text.attributes, ' ')) row.attributes.push_back(parse_attribute(entry));
  return row;
}

auto key(const OperatorRow& row) { return std::tie(row.domain, row.name); }

}  // namespace

const char* to_string(AttributeKind kind) {
  static constexpr const char* names[] = {"int", "float", "text", "ints", "floats", "tensor", "type"};
  return names[static_cast<std::size_t>(kind)];
}

std::string TypeSet::text() const {
  std::string text;
  for (std::size_t i = 0; i < DataTypes; ++i) {
    if (!contains(static_cast<DataType>(i))) continue;
    if (!text.empty()) text += ' ';
    text += to_string(static_cast<DataType>(i));
  }
  return text;
}

std::size_t OperatorRow::least_inputs() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].optional) count = i + 1;
  return count;
}

std::size_t OperatorRow::most_inputs() const {
  return !inputs.empty() && inputs.back().repeated ? std::numeric_limits<std::size_t>::max() : inputs.size();
}

std::size_t OperatorRow::most_outputs() const {
  return outputs.back().repeated ? std::numeric_limits<std::size_t>::max() : outputs.size();
}

const AttributeRow* OperatorRow::attribute(std::string_view key) const {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(), [&](const AttributeRow& row) { return row.name == key; });
  return found == attributes.end() ? nullptr : &*found;
}

const TypeSet& OperatorRow::types_of(std::string_view variable) const {
  const auto found =
      std::find_if(types.begin(), types.end(), [&](const auto& entry) { return entry.first == variable; });
  assert(found != types.end());
  return found->second;
}

std::string OperatorRow::signature() const {
  std::string text;
  const auto add = [&](const std::vector<PortRow>& ports) {
    for (const PortRow& port : ports) {
      if (!text.empty()) text += ' ';
      text += port.variable + (port.optional ? "?" : port.repeated ? "*" : "");
    }
  };
  add(inputs);
  text += text.empty() ? "->" : " ->";
  add(outputs);
  return text;
}

std::string OperatorRow::attribute_text() const {
  std::string text;
  for (const AttributeRow& row : attributes) {
    if (!text.empty()) text += ' ';
    text += row.name + ":" + to_string(row.kind);
    std::string values;
    for (const std::string& value : row.values) values += (values.empty() ? "" : ",") + value;
    if (!values.empty()) text += "(" + values + ")";
  }
  return text;
}

std::span<const OperatorRow> operator_rows() {
  static const std::vector<OperatorRow> table = [] {
    std::vector<OperatorRow> rows;
    for (const OperatorText& text : standard_operators()) rows.push_back(parse(text, "", true));
    for (const OperatorText& text : microsoft_operators()) rows.push_back(parse(text, "com.microsoft", false));
    std::sort(rows.begin(), rows.end(), [](const OperatorRow& a, const OperatorRow& b) {
      return std::tie(a.domain, a.name, a.first) < std::tie(b.domain, b.name, b.first);
    });
    return rows;
  }();
  return table;
}

std::span<const OperatorRow> find_rows(std::string_view name, std::string_view domain) {
  if (domain == "ai.onnx") domain = "";
  const std::span<const OperatorRow> rows = operator_rows();
  const auto wanted = std::make_pair(std::string(domain), std::string(name));
  const auto first = std::find_if(rows.begin(), rows.end(), [&](const OperatorRow& row) {
    return row.domain == wanted.first && row.name == wanted.second;
  });
  if (first == rows.end()) return {};
  const auto last = std::find_if(first, rows.end(), [&](const OperatorRow& row) { return key(row) != key(*first); });
  return {first, last};
}

const OperatorRow* find_row(std::string_view name, std::string_view domain, int opset) {
  for (const OperatorRow& row : find_rows(name, domain))
    if (row.first <= opset && opset <= row.last) return &row;
  return nullptr;
}

}  // namespace espalier::model
