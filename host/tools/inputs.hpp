// From the files of the command line to the real-valued samples a network takes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "image.hpp"
#include "model/array.hpp"

namespace espalier::tools {

/// What one input of a network wants.
struct InputShape {
  std::string name;
  int channels = 0;
  int height = 0;
  int width = 0;
  bool integer = false;             // takes integers as they are; pixels are then not scaled
  std::vector<std::int64_t> shape;  // as the model declares it; accepted as it is
};

enum class Layout { Auto, Nchw, Nhwc };  // Auto: the first of the others that fits

/// How files become samples. Scaling is value = (x - mean) * scale with x as in the file (pixels 0..255), one number or
/// one per channel. Pixels of images and IDX files have the default scale 1/255 for networks that take reals, other
/// tensors are not scaled unless mean or scale is given.
struct InputOptions {
  std::vector<double> mean;
  std::vector<double> scale;
  Layout layout = Layout::Auto;  // of arrays with channels; image files carry their own
  bool resize = false;           // images: to the network's size, or to `size`
  std::optional<ImageSize> size;
  ImageForm form;                     // images: how they are resized; its size is not used
  std::optional<std::int64_t> index;  // first item of files with several; default 0
  std::optional<std::int64_t> count;  // default: one of an IDX file or if `index` is given, else all
  bool all_items = false;             // the default of `count` is always all
};

/// One sample: channels x height x width values in C order.
struct Sample {
  std::string name;  // file, with #item if the file has several
  std::vector<float> values;
};

/// An array from a file, and whether it holds pixels 0..255 (of PNG, JPEG or IDX files) that still have to be scaled.
struct FileArray {
  model::Array array;
  bool image = false;
};

/// What an image is made for: the input, whose channels may lie last.
InputShape picture_shape(const InputShape& wanted);

/// The form of an image for an input.
ImageForm image_form(const InputShape& wanted, const InputOptions& options);

/// Reads a file of any known kind (by its first bytes, then its extension). Throws Error (Input).
FileArray read_array(const std::filesystem::path& path, const InputShape& wanted, const InputOptions& options);

/// All samples of a file for one network input. Accepted shapes: CxHxW, NxCxHxW, HxW for one channel, NxHxW for IDX
/// images of one channel, any flat or Nx(C*H*W) form, and with Layout::Nhwc, or where nothing else fits, the channels
/// last. Throws Error (Input) that names both shapes, Error (Usage) for options that do not fit the file or the
/// network.
std::vector<Sample> read_samples(const std::filesystem::path& path, const InputShape& wanted,
                                 const InputOptions& options);

}  // namespace espalier::tools
