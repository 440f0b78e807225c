#include "box_results.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "drawing.hpp"
#include "esp_error.hpp"
#include "files.hpp"
#include "labels.hpp"
#include "results/anchors.hpp"
#include "results/text_boxes.hpp"

namespace espalier::tools {
namespace {

/// Height and width of a map of one value per pixel: [1, 1, H, W], [1, H, W, 1] or [H, W].
std::optional<ImageSize> map_size(const run::Output& output) {
  std::vector<std::int64_t> sizes;
  for (const std::int64_t size : output.shape)
    if (size != 1) sizes.push_back(size);
  if (sizes.size() != 2 || output.shape.size() == 3) return {};
  return ImageSize{static_cast<int>(sizes[0]), static_cast<int>(sizes[1])};
}

/// From the network's input to the picture in the file; nothing if the file is no picture.
struct Picture {
  ImageSize size;
  results::Placement placement;
};

std::optional<Picture> picture_of(const std::string& file, const InputShape& shape, const InputOptions& options) {
  const std::vector<std::uint8_t> bytes = read_file(file);
  if (!is_image(bytes)) return {};
  const ImageSize size = image_size(bytes, file);
  const FittedImage fitted = fit_image(image_form(shape, options), size.height, size.width);
  results::Placement placement;
  placement.scale_x = static_cast<double>(size.width) / fitted.width;
  placement.scale_y = static_cast<double>(size.height) / fitted.height;
  placement.offset_x = -fitted.left * placement.scale_x;
  placement.offset_y = -fitted.top * placement.scale_y;
  return Picture{size, placement};
}

Json box_json(const results::Box& box, const std::vector<std::string>& labels, std::size_t sample) {
  const auto index = static_cast<std::size_t>(box.label);
  Json json{{"sample", sample},
            {"left", box.left},
            {"top", box.top},
            {"right", box.right},
            {"bottom", box.bottom},
            {"score", box.score},
            {"label", index < labels.size() ? Json(labels[index]) : Json(index)}};
  if (!box.corners.empty()) {
    json["corners"] = Json::array();
    for (const results::Point& corner : box.corners) json["corners"].push_back({corner.x, corner.y});
  }
  return json;
}

}  // namespace

void add_result_options(CLI::App& command, ResultTexts& texts) {
  command
      .add_option("--results", texts.kind, "arrays, labels (the largest values) or boxes (faces, text and the like)")
      ->check(CLI::IsMember({"arrays", "labels", "boxes"}))
      ->capture_default_str();
  command.add_option("--least-score", texts.least_score, "of a box, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--overlap", texts.overlap, "above it boxes are of one thing: intersection over union")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      .add_option("--suppression", texts.suppression,
                  "of boxes of one thing: weighted (their mean) or plain (the best)")
      ->check(CLI::IsMember({"weighted", "plain"}))
      ->capture_default_str();
  command.add_option("--anchors", texts.anchors, "grids of anchors as stride:count,...; default: by their number");
  command.add_option("--threshold", texts.threshold, "of a pixel of text, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--unclip", texts.unclip, "how far boxes of text grow")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  command.add_option("--draw", texts.draw, "write the image with its boxes to this PNG file");
}

void check_result_options(const ResultTexts& texts) {
  if (texts.kind != "boxes" && (!texts.draw.empty() || !texts.anchors.empty()))
    throw Error(ErrorCode::Usage, "only boxes are drawn and have anchors", texts.draw.empty() ? "--anchors" : "--draw",
                texts.draw.empty() ? texts.anchors : texts.draw, "add --results boxes");
}

std::vector<results::Box> find_boxes(const std::vector<run::Output>& outputs, const InputShape& picture,
                                     const ResultTexts& texts) {
  if (const auto size = outputs.size() == 1 ? map_size(outputs[0]) : std::nullopt) {
    std::vector<results::Box> boxes = results::decode_text(outputs[0].values, size->height, size->width,
                                                           {texts.threshold, texts.least_score, texts.unclip, 3});
    // Maps of less resolution than the input.
    for (results::Box& box : boxes)
      box = results::moved(
          box,
          {static_cast<double>(picture.width) / size->width, static_cast<double>(picture.height) / size->height, 0, 0},
          picture.width, picture.height);
    return boxes;
  }
  std::vector<results::Tensor> tensors;
  for (const run::Output& output : outputs) tensors.push_back({output.name, output.shape, output.values});
  results::AnchorOptions options{picture.height, picture.width, {}, texts.least_score, 1};
  if (!texts.anchors.empty()) options.grids = results::parse_grids(texts.anchors);
  return results::suppress(results::decode_anchors(tensors, options), texts.overlap,
                           texts.suppression == "plain" ? results::Suppression::Plain : results::Suppression::Weighted);
}

void add_boxes(Json& json, std::string& text, const ResultTexts& texts, const BoxSource& source, Console& console) {
  if (texts.kind != "boxes") return;
  if (source.shapes.size() != 1)
    throw Error(ErrorCode::Usage, "boxes belong to a network of one picture", "--results",
                std::to_string(source.shapes.size()) + " inputs", "give --results arrays");
  if (!texts.draw.empty() && source.inputs.size() != 1)
    throw Error(ErrorCode::Usage, "one image is drawn", "--draw", std::to_string(source.inputs.size()) + " inputs",
                "give one --input");
  const std::vector<std::string> labels =
      source.label_file.empty() ? std::vector<std::string>() : read_labels(source.label_file);
  const InputShape shape = picture_shape(source.shapes.front());
  json["boxes"] = Json::array();
  for (std::size_t sample = 0; sample < source.reports.size(); ++sample) {
    std::vector<results::Box> boxes = find_boxes(source.reports[sample].outputs, shape, texts);
    const std::string file = source.inputs[sample].name.substr(0, source.inputs[sample].name.rfind('#'));
    const std::optional<Picture> picture = picture_of(file, shape, source.options);
    for (results::Box& box : boxes) {
      if (picture) box = results::moved(box, picture->placement, picture->size.width, picture->size.height);
      json["boxes"].push_back(box_json(box, labels, sample));
      text += fmt::format("box {:.1f} {:.1f} .. {:.1f} {:.1f}, score {:.3f}, label {}\n", box.left, box.top, box.right,
                          box.bottom, box.score, box.label);
    }
    if (boxes.empty()) text += "no boxes\n";
    if (texts.draw.empty()) continue;
    if (!picture) throw Error(ErrorCode::Usage, "only images are drawn", "--draw", file, "give a PNG or JPEG file");
    write_file(texts.draw, draw_boxes(read_file(file), file, boxes));
    console.progress("wrote " + texts.draw);
  }
}

}  // namespace espalier::tools
