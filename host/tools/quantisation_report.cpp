#include "quantisation_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "svg_chart.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

constexpr double Furthest = 200;  // decibels: beyond, numbers mean no more than their sign

std::optional<double> decibels(const std::optional<compress::Noise>& noise) {
  const std::optional<double> value = noise ? noise->decibels() : std::nullopt;
  return value ? std::optional(std::clamp(*value, -Furthest, Furthest)) : std::nullopt;
}

Json decibels_json(const std::optional<compress::Noise>& noise) {
  const std::optional<double> value = decibels(noise);
  return value ? Json(*value) : Json(nullptr);
}

std::string decibels_text(const std::optional<compress::Noise>& noise) {
  if (!noise) return "-";
  const std::optional<double> value = decibels(noise);
  return value ? fmt::format("{:.1f}", *value) : "exact";
}

std::string type_text(const compress::LayerNoise& layer) {
  return layer.weights ? compress::to_string(*layer.weights) : "-";
}

std::uint64_t weight_bytes(const QuantisationSummary& summary) {
  std::uint64_t bytes = 0;
  for (const compress::WeightChoice& choice : summary.weights) bytes += choice.bytes();
  return bytes;
}

double weight_bits(const QuantisationSummary& summary) {
  double bits = 0, weights = 0;
  for (const compress::WeightChoice& choice : summary.weights) {
    bits += static_cast<double>(choice.nonzero) * compress::bits(choice.type);
    weights += static_cast<double>(choice.nonzero);
  }
  return weights > 0 ? bits / weights : 0;
}

Json layer_noise_json(const compress::LayerNoise& layer) {
  return {{"name", layer.name},
          {"op", layer.op},
          {"weights", layer.weights ? Json(compress::to_string(*layer.weights)) : Json(nullptr)},
          {"snr_db", decibels_json(layer.dequantised)},
          {"snr_float_db", decibels_json(layer.reals)},
          {"own_snr_db", decibels_json(layer.own)}};
}

Json noise_json(const compress::NoiseReport& report) {
  Json json{
      {"samples", report.samples}, {"layers", Json::array()}, {"outputs", Json::array()}, {"worst", Json::array()}};
  for (const compress::LayerNoise& layer : report.layers) json["layers"].push_back(layer_noise_json(layer));
  for (const compress::LayerNoise& output : report.outputs)
    json["outputs"].push_back({{"name", output.name},
                               {"snr_db", decibels_json(output.dequantised)},
                               {"snr_float_db", decibels_json(output.reals)}});
  for (const std::size_t index : report.worst) json["worst"].push_back(report.layers[index].name);
  return json;
}

std::string origin_text(const QuantisationSummary& summary) {
  if (summary.calibration.empty()) return "quantised by its file";
  std::string text = fmt::format("ranges by {} from {} {} samples", summary.calibration, summary.samples,
                                 summary.generated ? "generated" : "given");
  if (!summary.equalised.empty())
    text += fmt::format(", channels of {} sets of tensors equalised", summary.equalised.size());
  if (summary.compensated) text += ", rounding compensated";
  if (summary.bias_correction) text += ", biases corrected";
  return text +
         fmt::format("; {} bytes of weights, {:.2f} bits each", grouped(weight_bytes(summary)), weight_bits(summary));
}

std::string worst_text(const compress::NoiseReport& report) {
  std::string text;
  for (const std::size_t index : report.worst)
    text += fmt::format(
        "{}{} ({} dB)", text.empty() ? "" : ", ", report.layers[index].name,
        decibels_text(report.layers[index].own ? report.layers[index].own : report.layers[index].dequantised));
  return text.empty() ? "none" : text;
}

constexpr const char* Meaning =
    "10 log10 of signal over error energy in dB: of the layer alone, against the same graph in float32 with quantised "
    "weights, and against the float32 graph of the file";

std::vector<std::string> cells(const compress::LayerNoise& layer) {
  return {layer.name,
          layer.op.empty() ? "output" : layer.op,
          type_text(layer),
          decibels_text(layer.own),
          decibels_text(layer.dequantised),
          decibels_text(layer.reals)};
}

}  // namespace

Json quantisation_json(const QuantisationSummary& summary) {
  Json json{{"source", summary.calibration.empty() ? "file" : "calibration"}};
  if (!summary.calibration.empty()) {
    json["calibration"] = summary.calibration;
    json["samples"] = summary.samples;
    json["generated"] = summary.generated;
    json["compensated_rounding"] = summary.compensated;
    json["bias_correction"] = summary.bias_correction;
    json["equalised"] = Json::array();
    for (const compress::Equalised& set : summary.equalised)
      json["equalised"].push_back(
          {{"writers", set.writers}, {"readers", set.readers}, {"largest_scale", set.largest_scale}});
    json["weight_bytes"] = weight_bytes(summary);
    json["weight_bits"] = weight_bits(summary);
    json["weights"] = Json::array();
    for (const compress::WeightChoice& choice : summary.weights)
      json["weights"].push_back({{"name", choice.name},
                                 {"type", compress::to_string(choice.type)},
                                 {"nonzero", choice.nonzero},
                                 {"bytes", choice.bytes()},
                                 {"noise", choice.noise ? Json(*choice.noise) : Json(nullptr)}});
  }
  json["noise"] = summary.noise ? noise_json(*summary.noise) : Json(nullptr);
  return json;
}

std::string quantisation_text(const QuantisationSummary& summary) {
  std::string text = "quantisation: " + origin_text(summary) + "\n";
  if (!summary.noise) return text;
  Table table({{"layer", Align::Left},
               {"operator", Align::Left},
               {"weights", Align::Left},
               {"alone dB"},
               {"dequantised dB"},
               {"float dB"}});
  for (const compress::LayerNoise& layer : summary.noise->layers) table.add(cells(layer));
  table.add_rule();
  for (const compress::LayerNoise& output : summary.noise->outputs) table.add(cells(output));
  return text + table.text() +
         fmt::format("{}; {} samples\nlayers that hurt most: {}\n", Meaning, summary.noise->samples,
                     worst_text(*summary.noise));
}

std::string quantisation_html(const QuantisationSummary& summary) {
  std::string html = "<h2>Quantisation</h2>\n<p>" + escaped(origin_text(summary)) + ".</p>\n";
  if (!summary.noise) return html;
  html += fmt::format("<p>{}; {} samples. Layers that hurt most: <b>{}</b>.</p>\n", escaped(Meaning),
                      summary.noise->samples, escaped(worst_text(*summary.noise)));
  const auto row = [&](const std::vector<std::string>& values, const char* element, const char* style) {
    html += fmt::format("<tr class=\"{}\">", style);
    for (std::size_t i = 0; i < values.size(); ++i)
      html += fmt::format("<{0}{1}>{2}</{0}>", element, i < 3 ? " class=\"left\"" : "", escaped(values[i]));
    html += "</tr>\n";
  };
  html += "<div class=\"card\"><table>\n";
  row({"layer", "operator", "weights", "alone dB", "dequantised dB", "float dB"}, "th", "");
  for (const compress::LayerNoise& layer : summary.noise->layers) row(cells(layer), "td", "");
  for (const compress::LayerNoise& output : summary.noise->outputs) row(cells(output), "td", "total");
  return html + "</table></div>\n";
}

}  // namespace espalier::tools
