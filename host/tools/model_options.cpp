#include "model_options.hpp"

#include "esp_arrays.hpp"
#include "options.hpp"

namespace espalier::tools {

void add_array_options(CLI::App& command, ModelOptions& options) {
  command
      .add_option(
          "--array", options.array,
          std::string("the machine, lanes x pixels: ") + abi::ArrayNames + "; default 16x16, or the compiled file's")
      ->check([](const std::string& text) {
        parse_array(text);
        return std::string();
      });
  command
      .add_option(
          "--memory", options.memory,
          "the device memory: bytes per cycle and latency in cycles, or a DRAM and the clock of the machine in MHz: "
          "ddr4-2400@300, hbm2@300")
      ->capture_default_str();
  command.add_option("--weights", options.weights, "mode of convolutions: auto (the faster), dense or sparse")
      ->check(CLI::IsMember({"auto", "dense", "sparse"}))
      ->capture_default_str();
  command
      .add_option("--weight-format", options.weight_format,
                  "format of weights in memory: auto (the fastest), raw, fixed (symbols of fixed width) or huffman; "
                  "dense weights of at most 16 values are packed by fixed and huffman")
      ->check(CLI::IsMember({"auto", "raw", "fixed", "huffman"}))
      ->capture_default_str();
  command
      .add_option("--split", options.split,
                  "channels in a word: 1, 2, 4 or 8, or the most below that a layer can have; default the fastest")
      ->check(CLI::IsMember({1, 2, 4, 8}));
}

void add_model_options(CLI::App& command, ModelOptions& options) {
  command
      .add_option("MODEL", options.path, "ONNX (.onnx) or TensorFlow Lite network (.tflite), or compiled file (.esp)")
      ->required();
  add_quantisation_options(command, options.quantisation);
  add_import_options(command, options.import_texts);
  add_array_options(command, options);
}

void add_input_options(CLI::App& command, InputTexts& texts) {
  command.add_option("--mean", texts.mean, "subtracted from every value: one number or one per channel, as a,b,c");
  command.add_option("--scale", texts.scale,
                     "then multiplied: one number or one per channel; pixels have 1/255 if not given");
  command
      .add_option("--layout", texts.layout,
                  "of arrays in files: nchw, nhwc, or auto: nchw if the shape fits, else nhwc")
      ->capture_default_str();
  command
      .add_option("--resize", texts.resize, "resize images to HEIGHTxWIDTH, or without a value to the network's input")
      ->expected(0, 1);
  command
      .add_option("--fit", texts.fit,
                  "with --resize: stretch, letterbox (all of the image, with a margin) or crop (its middle)")
      ->check(CLI::IsMember({"stretch", "letterbox", "crop"}))
      ->capture_default_str();
  command.add_option("--margin", texts.margin, "value of the pixels beside a letterbox")
      ->check(CLI::Range(0, 255))
      ->capture_default_str();
  command.add_option("--channel-order", texts.channel_order, "of images: rgb or bgr")
      ->check(CLI::IsMember({"rgb", "bgr"}))
      ->capture_default_str();
  command.add_option("--index", texts.index, "first item of a file with several (default 0)");
  command.add_option("--count", texts.count, "number of items; default one of an IDX file, all of other files");
}

InputOptions parse_input_options(const InputTexts& texts) {
  InputOptions options;
  if (!texts.mean.empty()) options.mean = parse_numbers(texts.mean, "--mean");
  if (!texts.scale.empty()) options.scale = parse_numbers(texts.scale, "--scale");
  options.layout = parse_layout(texts.layout);
  options.resize = !texts.resize.empty();
  if (options.resize && !texts.resize.front().empty()) options.size = parse_size(texts.resize.front());
  options.form.fit = texts.fit == "letterbox" ? Fit::Letterbox : texts.fit == "crop" ? Fit::Crop : Fit::Stretch;
  options.form.margin = static_cast<std::uint8_t>(texts.margin);
  options.form.blue_first = texts.channel_order == "bgr";
  options.index = texts.index;
  options.count = texts.count;
  return options;
}

}  // namespace espalier::tools
