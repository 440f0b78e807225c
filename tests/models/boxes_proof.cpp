#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "command_answer.hpp"
#include "npy_file.hpp"
#include "oracle_file.hpp"
#include "program.hpp"
#include "proof.hpp"
#include "results/anchors.hpp"
#include "results/text_boxes.hpp"

namespace espalier::test {
namespace {

using results::Box;
using BoxesOfSamples = std::vector<std::vector<Box>>;

/// What the command line is told and ONNX Runtime's outputs are decoded with.
constexpr double PileOverlap = 0.3, TextThreshold = 0.3, TextUnclip = 1.5;

/// Scores of BlazeFace's large anchors before the sigmoid reach down to -280: what decides is near zero.
constexpr const char* ScoreRange = "Identity_1:0=-8:8";

struct Detector {
  const char* name;
  const char* file;
  const char* oracle;
  std::size_t judged;    // samples; those behind them are what is calibrated with
  double least_score;    // of a box
  double least_overlap;  // of a box with its match
  double least_share;    // of ONNX Runtime's boxes and of ours that have a match; 0: rows are figures
  std::size_t without;   // of so many views the last is not counted; 0: all are
  const char* range;     // of an output, instead of what the calibration finds; null: none
};
constexpr std::array Detectors{
    Detector{"BlazeFace", "blazeface/ONNX/face_detection_front_128x128_barracuda.onnx", "blazeface_views.oracle", 24,
             0.75, 0.8, 1, 0, ScoreRange},
    // Every fourth view is a cat, to which the network gives half a score: boxes there depend on a step.
    Detector{"BlazeFace", "blazeface/ONNX/face_detection_front_128x128_barracuda.onnx", "blazeface_views.oracle", 24,
             0.5, 0.8, 1, 4, ScoreRange},
    Detector{"BlazeFace", "blazeface/ONNX/face_detection_front_128x128_barracuda.onnx", "blazeface_views.oracle", 24,
             0.5, 0.8, 0, 0, ScoreRange},
    Detector{"PP-OCR", "ocr/assets/ch_PP-OCRv4_det_infer.onnx", "ppocr_views.oracle", 3, 0.6, 0.5, 0.95, 0, nullptr}};

/// ONNX Runtime's outputs of one sample.
std::vector<Box> decode(const OracleFile& oracle, std::size_t sample, double least_score) {
  std::vector<std::vector<double>> values;
  std::vector<results::Tensor> tensors;
  for (std::size_t i = 1; i < oracle.tensors().size(); ++i) {
    const cpu::FloatTensor floats = oracle.values(sample, i);
    values.emplace_back(floats.begin(), floats.end());
    tensors.push_back({oracle.tensors()[i].name, oracle.tensors()[i].shape, {}});
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].values = values[i];
  const std::vector<std::int64_t>& picture = oracle.tensors()[0].shape;
  const bool last = picture[3] <= 4;
  const auto height = static_cast<int>(picture[last ? 1 : 2]), width = static_cast<int>(picture[last ? 2 : 3]);
  if (tensors.size() == 1)
    return results::decode_text(values[0], height, width, {TextThreshold, least_score, TextUnclip, 3});
  return results::suppress(results::decode_anchors(tensors, {height, width, {}, least_score, 1}), PileOverlap,
                           results::Suppression::Weighted);
}

BoxesOfSamples boxes_of(const nlohmann::json& answer, std::size_t samples) {
  BoxesOfSamples boxes(samples);
  for (const nlohmann::json& box : answer["boxes"])
    boxes.at(box["sample"]).push_back({box["left"], box["top"], box["right"], box["bottom"], box["score"], 0, {}});
  return boxes;
}

/// How boxes agree; each of ours is the match of at most one of theirs.
struct Agreement {
  std::size_t theirs = 0, matched = 0, more = 0;
  double least = 1, sum = 0;  // overlaps of matches

  void compare(std::vector<Box> ours, const std::vector<Box>& boxes, double least_overlap) {
    theirs += boxes.size();
    for (const Box& box : boxes) {
      const auto nearer = [&](const Box& a, const Box& b) {
        return results::overlap(a, box) < results::overlap(b, box);
      };
      const auto nearest = std::max_element(ours.begin(), ours.end(), nearer);
      const double found = nearest == ours.end() ? 0 : results::overlap(*nearest, box);
      if (found < least_overlap) continue;
      ++matched;
      least = std::min(least, found);
      sum += found;
      ours.erase(nearest);
    }
    more += ours.size();
  }
};

/// The command line and the files of a detector's views.
struct Views {
  explicit Views(const ProofFolders& folders, const Detector& detector)
      : oracle(folders.packages / detector.oracle), judged(detector.judged) {
    const OracleTensor& input = oracle.tensors()[0];
    common = {"run", (folders.packages / detector.file).string(), "--json", "--quiet", "--results", "boxes"};
    common.insert(common.end(), {"--least-score", fmt::format("{}", detector.least_score), "--overlap",
                                 fmt::format("{}", PileOverlap), "--threshold", fmt::format("{}", TextThreshold),
                                 "--unclip", fmt::format("{}", TextUnclip)});
    common.insert(common.end(), {"--shape", input.name + "=" + shape_text(input.shape)});
    calibration = {"--calibration", "mse", "--equalise", "--compensate-rounding", "--bias-correction", "--calibrate"};
    if (detector.range != nullptr) calibration.insert(calibration.begin(), {"--range", detector.range});
    for (std::size_t sample = 0; sample < oracle.samples(); ++sample) {
      const std::string file =
          folder.write(fmt::format("{}.npy", sample), npy_file(input.shape, oracle.values(sample, 0)));
      if (sample < judged)
        common.insert(common.end(), {"--input", file});
      else
        calibration.push_back(file);
    }
  }

  OracleFile oracle;
  std::size_t judged;
  Folder folder;
  std::vector<std::string> common, calibration;
};

/// Signal over error of every output against ONNX Runtime, in its order.
std::string noise(const OracleFile& oracle, std::size_t judged, const Outputs& outputs) {
  std::vector<std::string> texts;
  for (std::size_t i = 1; i < oracle.tensors().size(); ++i) {
    std::vector<double> signal;
    for (std::size_t sample = 0; sample < judged; ++sample) {
      const cpu::FloatTensor values = oracle.values(sample, i);
      signal.insert(signal.end(), values.begin(), values.end());
    }
    texts.push_back(fmt::format("{:.1f}", decibels(signal, outputs.at(oracle.tensors()[i].name))));
  }
  return fmt::format("{}", fmt::join(texts, " "));
}

/// What computed, and on how many layers.
std::string executor_of(const nlohmann::json& answer) {
  if (answer.contains("executor")) return answer["executor"].get<std::string>();
  const nlohmann::json& layers = answer["layers"];
  const auto on_cpu =
      std::count_if(layers.begin(), layers.end(), [](const nlohmann::json& layer) { return layer["device"] == "cpu"; });
  return fmt::format("int8, functional {}, CPU {}", static_cast<std::ptrdiff_t>(layers.size()) - on_cpu, on_cpu);
}

/// A row of the table; whether the boxes agree as they must.
bool prove_row(const Detector& detector, const Views& views, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = views.common;
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = run_program(arguments);
  if (outcome.code != 0)
    return check(false, fmt::format("{}, {}: {}", detector.name, fmt::join(more, " "), outcome.err));
  const nlohmann::json answer = outcome.json();
  const BoxesOfSamples ours = boxes_of(answer, views.judged);
  Agreement agreement;
  std::size_t counted = 0;
  for (std::size_t sample = 0; sample < views.judged; ++sample) {
    if (detector.without > 0 && (sample + 1) % detector.without == 0) continue;
    ++counted;
    agreement.compare(ours[sample], decode(views.oracle, sample, detector.least_score), detector.least_overlap);
  }
  const auto matched = static_cast<double>(agreement.matched);
  const auto most = static_cast<double>(std::max(agreement.theirs, agreement.matched + agreement.more));
  const std::string row =
      fmt::format("{:<10} {:<30} {:>5.2f} {:>5} {:>5} {:>7} {:>5} {:>9.3f} {:>8.3f}  {}", detector.name,
                  executor_of(answer), detector.least_score, counted, agreement.theirs, agreement.matched,
                  agreement.more, agreement.matched > 0 ? agreement.least : 0,
                  matched > 0 ? agreement.sum / matched : 0, noise(views.oracle, views.judged, outputs_of(answer)));
  if (detector.least_share > 0) return check(agreement.theirs > 0 && matched >= detector.least_share * most, row);
  std::cout << "  figure  " << row << std::endl;
  return true;
}

bool prove_detector(const ProofFolders& folders, const Detector& detector) {
  for (const char* file : {detector.file, detector.oracle})
    if (!std::filesystem::exists(folders.packages / file)) {
      std::cout << "  left out: " << detector.name << ", " << (folders.packages / file).string()
                << " is missing; ./run proof models makes it\n";
      return true;
    }
  const Views views(folders, detector);
  bool holds = prove_row(detector, views, {"--device", "cpu"});
  std::vector<std::string> placed = views.calibration;
  placed.insert(placed.end(), {"--place", "accelerator", "--device", "functional", "--array", "16x16"});
  return prove_row(detector, views, placed) && holds;
}

}  // namespace

bool prove_boxes(const ProofFolders& folders) {
  std::cout << "boxes against those of ONNX Runtime, from the same views\n"
            << fmt::format("          {:<10} {:<30} {:>5} {:>5} {:>5} {:>7} {:>5} {:>9} {:>8}  {}\n", "network",
                           "executor and layers", "score", "views", "boxes", "matched", "more", "least IoU", "mean IoU",
                           "dB of each output")
            << std::flush;
  bool holds = true;
  for (const Detector& detector : Detectors) holds = prove_detector(folders, detector) && holds;
  return holds;
}

}  // namespace espalier::test
