#include "quantisation_options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <utility>

#include "esp_error.hpp"

namespace espalier::tools {

namespace {

std::pair<std::string, compress::Range> parse_range(const std::string& text) {
  const std::size_t equals = text.rfind('='), colon = text.find(':', equals);
  const auto number = [&](std::size_t begin, std::size_t end) -> std::optional<float> {
    float value = 0;
    const auto [stop, failure] = std::from_chars(text.data() + begin, text.data() + end, value);
    return failure == std::errc{} && stop == text.data() + end && std::isfinite(value) ? std::optional(value)
                                                                                       : std::nullopt;
  };
  if (equals != std::string::npos && equals > 0 && colon != std::string::npos) {
    const auto low = number(equals + 1, colon), high = number(colon + 1, text.size());
    // Zero is inside, so that padding and clamps are exact.
    if (low && high && *low <= 0 && *high >= 0 && *low < *high) return {text.substr(0, equals), {*low, *high}};
  }
  throw Error(ErrorCode::Usage, "not the range of an input or output", "--range", text,
              "write NAME=LOW:HIGH with LOW at most 0 and HIGH at least 0");
}

}  // namespace

void add_quantisation_options(CLI::App& command, QuantisationTexts& texts) {
  command.add_option("--calibrate", texts.calibrate,
                     "files or folders of samples whose value ranges quantise a float network; \"generated\", the "
                     "default, is a synthetic "
                     "set: 8 samples uniform in [0, 1] and 8 normal (0, 1) within [-3, 3], always the same");
  command
      .add_option("--calibration", texts.calibration,
                  "how ranges follow from the samples: minmax, percentile, mse (least squared error) or entropy (least "
                  "Kullback-Leibler divergence)")
      ->check(CLI::IsMember({"minmax", "percentile", "mse", "entropy"}))
      ->capture_default_str();
  command.add_option("--percentile", texts.percentile, "percent of the values that --calibration percentile keeps")
      ->capture_default_str();
  command.add_flag("--equalise", texts.equalise,
                   "scale channels between convolutions, over residual additions, before they are quantised");
  command.add_flag("--compensate-rounding", texts.compensate,
                   "round the weights of an output up or down so that their errors cancel on the samples");
  command.add_flag("--bias-correction", texts.correct_bias, "take the mean error of rounded weights out of the biases");
  command.add_option("--range", texts.ranges,
                     "NAME=LOW:HIGH: the range of an input or output instead of what the samples say; values outside "
                     "saturate, those inside get finer steps");
  CLI::Option* bytes = command.add_option(
      "--weight-budget", texts.budget_bytes,
      "most bytes of the weights that are not zero: each layer gets the type that costs least precision");
  command.add_option("--weight-bits", texts.budget_bits, "the same as a mean number of bits of a weight, 1 to 8")
      ->excludes(bytes);
  command
      .add_option("--weight-types", texts.types,
                  "types to choose from, or without a budget the type of all layers: int8, codebook4, int4, codebook3, "
                  "codebook2, ternary, binary")
      ->delimiter(',');
  command.add_option("--noise-samples", texts.noise_samples,
                     "samples that the noise of every layer is measured with; 0: none; default a few");
}

compress::QuantiseOptions parse_quantisation_options(const QuantisationTexts& texts) {
  compress::QuantiseOptions options;
  if (texts.calibration == "percentile") options.method = compress::RangeMethod::Percentile;
  if (texts.calibration == "mse") options.method = compress::RangeMethod::MeanSquaredError;
  if (texts.calibration == "entropy") options.method = compress::RangeMethod::Entropy;
  options.percentile = texts.percentile;
  options.equalise = texts.equalise;
  options.compensate = texts.compensate;
  options.correct_bias = texts.correct_bias;
  for (const std::string& text : texts.ranges) options.ranges.insert(parse_range(text));
  options.weights.bytes = texts.budget_bytes;
  options.weights.bits = texts.budget_bits;
  if (!texts.types.empty()) {
    options.weights.types.clear();
    for (const std::string& name : texts.types) options.weights.types.push_back(compress::parse_weight_type(name));
  } else if (options.weights.limited()) {
    options.weights.types.assign(compress::AllWeightTypes.begin(), compress::AllWeightTypes.end());
  }
  if (options.weights.types.size() > 1 && !options.weights.limited())
    throw Error(ErrorCode::Usage, "several types of weights without a budget", "--weight-types",
                std::to_string(options.weights.types.size()) + " types", "add --weight-budget or --weight-bits");
  return options;
}

std::vector<std::string> calibration_files(const QuantisationTexts& texts) {
  std::vector<std::string> files;
  if (texts.generated()) return files;
  for (const std::string& name : texts.calibrate) {
    std::error_code failure;
    if (!std::filesystem::is_directory(name, failure)) {
      files.push_back(name);
      continue;
    }
    const std::size_t before = files.size();
    for (const auto& entry : std::filesystem::directory_iterator(name, failure))
      if (entry.is_regular_file(failure) && !entry.path().filename().string().starts_with('.'))
        files.push_back(entry.path().string());
    if (failure || files.size() == before)
      throw Error(ErrorCode::Input, "the folder holds no files that can be read", "--calibrate", name,
                  "give a folder of images or arrays");
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
  }
  return files;
}

}  // namespace espalier::tools
