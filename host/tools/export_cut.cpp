#include "export_cut.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <numeric>

#include "compress/onnx_export.hpp"
#include "esp_error.hpp"
#include "run/part.hpp"

namespace espalier::tools {
namespace {

int layer_index(const model::Network& network, const std::string& text) {
  const auto named = std::find_if(network.layers.begin(), network.layers.end(),
                                  [&](const model::Layer& layer) { return layer.name == text; });
  int index = static_cast<int>(named - network.layers.begin());
  if (named == network.layers.end()) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (failure != std::errc{} || end != text.data() + text.size()) index = -1;
  }
  if (index < 0 || index + 1 >= static_cast<int>(network.layers.size()))
    throw Error(ErrorCode::Usage, "no layer to cut behind", "--export-cut", text,
                "give a name that espalier inspect lists, or an index, and not the last layer");
  return index;
}

template <typename Port>
Json ports_json(const std::vector<Port>& ports) {
  Json json = Json::array();
  for (const Port& port : ports)
    json.push_back({{"name", port.name}, {"type", run::type_name(port.type)}, {"shape", port.shape}});
  return json;
}

Json export_half(const run::Part& part, const std::filesystem::path& file) {
  compress::export_onnx({part.network, part.ports.inputs, part.ports.outputs}, file);
  return {{"file", file.string()},
          {"layers", part.layers.size()},
          {"inputs", ports_json(part.ports.inputs)},
          {"outputs", ports_json(part.ports.outputs)}};
}

}  // namespace

Json export_cut(const QuantisedModel& model, const std::string& layer, const std::string& folder) {
  const model::Network& network = model.network;
  const int last = layer_index(network, layer);
  std::vector<int> front(static_cast<std::size_t>(last) + 1), back(network.layers.size() - front.size());
  std::iota(front.begin(), front.end(), 0);
  std::iota(back.begin(), back.end(), last + 1);
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure)
    throw Error(ErrorCode::Usage, "the folder cannot be made", "--export-cut", folder, "give a folder to write into");
  const std::filesystem::path path(folder);
  const run::Part first = run::make_part(network, model.ports, front, run::PartEdge::Ports);
  const run::Part second = run::make_part(network, model.ports, back, run::PartEdge::Ports);
  Json json{{"layer", network.layers[front.size() - 1].name}, {"index", last}, {"crossing", Json::array()}};
  for (std::size_t i = 0; i < second.inputs.size(); ++i) {
    const auto& feature = network.features[static_cast<std::size_t>(second.inputs[i])];
    if (std::find(first.outputs.begin(), first.outputs.end(), second.inputs[i]) == first.outputs.end()) continue;
    json["crossing"].push_back({{"name", second.ports.inputs[i].name},
                                {"shape", second.ports.inputs[i].shape},
                                {"bytes", feature.elements()},
                                {"scale", feature.scale},
                                {"zero", feature.zero}});
  }
  json["front"] = export_half(first, path / "front.onnx");
  json["back"] = export_half(second, path / "back.onnx");
  return json;
}

std::string cut_text(const Json& json) {
  std::string text = fmt::format("cut behind layer {} ({})\n", json["layer"].get<std::string>(), json["index"].dump());
  for (const Json& tensor : json["crossing"])
    text += fmt::format("  {} {}: {} bytes cross\n", tensor["name"].get<std::string>(), tensor["shape"].dump(),
                        tensor["bytes"].dump());
  for (const char* half : {"front", "back"})
    text += fmt::format("{}: {} layers\n", json[half]["file"].get<std::string>(), json[half]["layers"].dump());
  return text;
}

}  // namespace espalier::tools
