#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "compress/quantise.hpp"
#include "model/model_import.hpp"
#include "model/rewrites.hpp"
#include "program.hpp"
#include "proof.hpp"

namespace espalier::test {
namespace {

/// The face in portrait.png: between hair and chin, ear to ear.
struct Face {
  double left = 86, top = 34, right = 138, bottom = 90;
};

double overlap(const nlohmann::json& box, const Face& face) {
  const double left = box["left"], top = box["top"], right = box["right"], bottom = box["bottom"];
  const double width = std::min(right, face.right) - std::max(left, face.left);
  const double height = std::min(bottom, face.bottom) - std::max(top, face.top);
  if (width <= 0 || height <= 0) return 0;
  const double common = width * height;
  return common / ((right - left) * (bottom - top) + (face.right - face.left) * (face.bottom - face.top) - common);
}

bool find_face(const ProofFolders& folders, const std::string& file, const std::string& device) {
  constexpr double LeastOverlap = 0.4;  // a detector draws its box wider or closer than another
  const Folder folder;
  const std::string portrait = std::string(ESPALIER_ORACLES) + "/portrait.png";
  const Outcome outcome = run_program({"run",
                                       (folders.packages / file).string(),
                                       "--device",
                                       device,
                                       "--array",
                                       "8x8",
                                       "--calibrate",
                                       portrait,
                                       "--input",
                                       portrait,
                                       "--resize",
                                       "--mean",
                                       "127.5",
                                       "--scale",
                                       "0.00784314",
                                       "--results",
                                       "boxes",
                                       "--draw",
                                       folder.path("faces.png"),
                                       "--json"});
  if (!check(outcome.code == 0,
             fmt::format("{} on {} runs{}", file, device, outcome.code == 0 ? "" : ": " + outcome.err)))
    return false;
  const nlohmann::json boxes = outcome.json()["boxes"];
  const double found = boxes.size() == 1 ? overlap(boxes[0], Face{}) : 0;
  return check(found >= LeastOverlap && read_bytes(folder.path("faces.png")).starts_with("\x89PNG"),
               fmt::format("{} on {} finds the face and draws it: {} boxes, overlap {:.2f}: {}", file, device,
                           boxes.size(), found, boxes.dump()));
}

std::int64_t count_nonzero(const std::vector<std::int8_t>& weights) {
  return std::count_if(weights.begin(), weights.end(), [](std::int8_t weight) { return weight != 0; });
}

/// Whether every zero of the file is a zero of the layer of the same name; adds to the counts.
struct Zeros {
  std::int64_t in_file = 0, weights = 0, lost = 0, rounded_away = 0;

  void compare(const std::vector<float>& reals, const std::vector<std::int8_t>& given) {
    weights += static_cast<std::int64_t>(reals.size());
    for (std::size_t i = 0; i < reals.size(); ++i) {
      const bool zero = !(std::abs(reals[i]) > 0);
      in_file += zero ? 1 : 0;
      lost += zero && given[i] != 0 ? 1 : 0;
      rounded_away += !zero && given[i] == 0 ? 1 : 0;
    }
  }
};

}  // namespace

bool prove_faces(const ProofFolders& folders) {
  bool holds = true;
  for (const char* file : {"face_detection/face_detection_short_range.tflite",
                           "blazeface/ONNX/face_detection_front_128x128_barracuda.onnx"})
    for (const char* device : {"cpu", "functional"}) holds = find_face(folders, file, device) && holds;
  return holds;
}

bool prove_sparse(const ProofFolders& folders) {
  const std::string file = (folders.packages / "face_detection/face_detection_full_range_sparse.tflite").string();
  const model::Graph graph = model::import_model(file).graph;
  std::vector<float> grey(static_cast<std::size_t>(model::count_elements(graph.inputs.at(0).shape, file)));
  for (std::size_t i = 0; i < grey.size(); ++i) grey[i] = static_cast<float>(i * 29 % 97) / 48 - 1;
  const std::vector<compress::Sample> samples{{grey}};
  const compress::QuantisedGraph made = compress::quantise_graph(graph, samples);
  std::map<std::string, std::int64_t> nonzero;
  Zeros zeros;
  for (const model::Layer& layer : made.quantised.network.layers) {
    if (layer.weights.empty()) continue;
    nonzero[layer.name] = count_nonzero(layer.weights);
    for (const model::Node& node : made.reals.nodes)
      if (node.name == layer.name && node.op == "Conv")
        zeros.compare(model::real_constant(made.reals.value(node.inputs[1])).as_floats(), layer.weights);
  }
  bool holds = check(zeros.in_file * 2 > zeros.weights && zeros.lost == 0,
                     fmt::format("{} of {} weights of the file are zero, all of them stay; {} more round to zero",
                                 zeros.in_file, zeros.weights, zeros.rounded_away));
  const std::string portrait = std::string(ESPALIER_ORACLES) + "/portrait.png";
  const Outcome outcome = run_program({"run", file, "--array", "8x8", "--input", portrait, "--resize", "--mean",
                                       "127.5", "--scale", "0.00784314", "--json"});
  if (!check(outcome.code == 0,
             "the pruned detector runs on the accelerator" + (outcome.code == 0 ? "" : ": " + outcome.err)))
    return false;
  std::int64_t compared = 0, different = 0, sparse = 0;
  const nlohmann::json document = outcome.json();
  for (const nlohmann::json& row : document["layers"]) {
    const auto known = nonzero.find(row["name"]);
    if (row["device"] == "cpu" || known == nonzero.end()) continue;
    ++compared;
    different += row["nonzero_weights"].get<std::int64_t>() == known->second ? 0 : 1;
    sparse += row["mode"] == "sparse" ? 1 : 0;
  }
  return check(compared > 0 && different == 0 && sparse > 0,
               fmt::format("{} layers on the accelerator have exactly those weights, {} of them in sparse mode",
                           compared, sparse)) &&
         holds;
}

}  // namespace espalier::test
