#include "inputs.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "esp_error.hpp"
#include "files.hpp"
#include "idx.hpp"
#include "image.hpp"
#include "model/tensor_file.hpp"
#include "npy.hpp"

namespace espalier::tools {
namespace {

enum class FileKind { Npy, Idx, Image, TensorProto, Unknown };

FileKind file_kind(const std::vector<std::uint8_t>& bytes, const std::filesystem::path& path) {
  const auto starts = [&](std::initializer_list<std::uint8_t> magic) {
    return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
  };
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  if (starts({0x93, 'N', 'U', 'M', 'P', 'Y'}) || extension == ".npy") return FileKind::Npy;
  if (starts({0x89, 'P', 'N', 'G'}) || starts({0xFF, 0xD8, 0xFF})) return FileKind::Image;
  if (extension == ".png" || extension == ".jpg" || extension == ".jpeg") return FileKind::Image;
  if (extension == ".pb") return FileKind::TensorProto;
  const bool named_idx = path.filename().string().find("idx") != std::string::npos || extension == ".idx";
  if (named_idx || (bytes.size() > 8 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 8 && bytes[2] <= 14))
    return FileKind::Idx;
  return FileKind::Unknown;
}

std::vector<std::int64_t> wanted_shape(const InputShape& wanted) {
  return {wanted.channels, wanted.height, wanted.width};
}

// The number of samples if `shape` can stand for samples of the wanted shape, else nothing.
std::optional<std::int64_t> samples_in(const std::vector<std::int64_t>& shape, const InputShape& wanted,
                                       Layout layout) {
  const std::int64_t channels = wanted.channels;
  const std::int64_t height = wanted.height;
  const std::int64_t width = wanted.width;
  std::vector<std::vector<std::int64_t>> forms;
  if (layout == Layout::Nchw) {
    forms.push_back({channels, height, width});
  } else {
    forms.push_back({height, width, channels});
  }
  forms.push_back({channels * height * width});
  if (channels == 1) forms.push_back({height, width});
  if (!wanted.shape.empty() && shape == wanted.shape) return 1;
  for (const auto& form : forms) {
    if (shape == form) return 1;
    if (shape.size() == form.size() + 1 && std::equal(form.begin(), form.end(), shape.begin() + 1)) return shape[0];
  }
  return std::nullopt;
}

double factor(const std::vector<double>& list, std::size_t channel, double otherwise) {
  if (list.empty()) return otherwise;
  return list.size() == 1 ? list[0] : list[channel];
}

void check_factors(const std::vector<double>& list, const char* option, int channels) {
  if (list.size() > 1 && list.size() != static_cast<std::size_t>(channels))
    throw Error(ErrorCode::Usage, "wrong number of values", option, std::to_string(list.size()),
                "give one value, or one for each of the " + std::to_string(channels) + " channels");
}

// Sample `item` of the tensor as C x H x W, scaled.
std::vector<float> extract(const FileArray& file, const std::vector<double>& reals, std::int64_t item,
                           const InputShape& wanted, const InputOptions& options, Layout layout,
                           const std::string& where) {
  const auto plane = static_cast<std::size_t>(wanted.height) * static_cast<std::size_t>(wanted.width);
  const auto channels = static_cast<std::size_t>(wanted.channels);
  const std::size_t size = plane * channels;
  const double* source = reals.data() + static_cast<std::size_t>(item) * size;
  const bool channels_last = layout == Layout::Nhwc && channels > 1 && file.array.shape.size() >= 3 &&
                             file.array.shape.back() == wanted.channels && !file.image;
  const double default_scale = file.image && !wanted.integer ? 1.0 / 255.0 : 1.0;
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t channel = i / plane;
    const double value = channels_last ? source[(i % plane) * channels + channel] : source[i];
    const double scaled = (value - factor(options.mean, channel, 0.0)) * factor(options.scale, channel, default_scale);
    values[i] = static_cast<float>(scaled);
    if (!std::isfinite(values[i]))
      throw Error(ErrorCode::Input, "value is not finite", where, "element " + std::to_string(i), "give finite values");
  }
  return values;
}

/// C x H x W to H x W x C.
std::vector<float> channels_last(const std::vector<float>& values, const InputShape& picture) {
  const auto channels = static_cast<std::size_t>(picture.channels), plane = values.size() / channels;
  std::vector<float> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i % plane * channels + i / plane] = values[i];
  return result;
}

}  // namespace

InputShape picture_shape(const InputShape& wanted) {
  const auto pictures = [](std::int64_t channels) { return channels == 1 || channels == 3 || channels == 4; };
  if (wanted.shape.size() != 4 || pictures(wanted.shape[1]) || !pictures(wanted.shape[3])) return wanted;
  InputShape picture = wanted;
  picture.channels = static_cast<int>(wanted.shape[3]);
  picture.height = static_cast<int>(wanted.shape[1]);
  picture.width = static_cast<int>(wanted.shape[2]);
  picture.shape.clear();
  return picture;
}

ImageForm image_form(const InputShape& wanted, const InputOptions& options) {
  ImageForm form = options.form;
  const ImageSize size =
      options.resize ? options.size.value_or(ImageSize{wanted.height, wanted.width}) : ImageSize{0, 0};
  form.height = size.height;
  form.width = size.width;
  return form;
}

FileArray read_array(const std::filesystem::path& path, const InputShape& wanted, const InputOptions& options) {
  const std::vector<std::uint8_t> bytes = read_file(path);
  const std::string where = path.string();
  switch (file_kind(bytes, path)) {
    case FileKind::Npy:
      return {parse_npy(bytes, where)};
    case FileKind::Idx: {
      FileArray file{parse_idx(bytes, where)};
      file.image = file.array.type() == model::ElementType::UInt8 && file.array.shape.size() >= 3;
      return file;
    }
    case FileKind::TensorProto:
      return {model::parse_tensor_file(bytes, where)};
    case FileKind::Image: {
      const InputShape picture = picture_shape(wanted);
      return {parse_image(bytes, where, picture.channels, image_form(picture, options)), true};
    }
    case FileKind::Unknown:
      break;
  }
  throw Error(ErrorCode::Input, "kind of file is not known", where, path.extension().string(),
              "give a .npy, .pb (TensorProto), IDX, PNG or JPEG file");
}

std::vector<Sample> read_samples(const std::filesystem::path& path, const InputShape& input,
                                 const InputOptions& options) {
  const FileArray file = read_array(path, input, options);
  const InputShape wanted = file.image ? picture_shape(input) : input;
  const bool turned = wanted.shape.empty() && !input.shape.empty();  // the picture's channels lie last in the input
  check_factors(options.mean, "--mean", wanted.channels);
  check_factors(options.scale, "--scale", wanted.channels);
  const model::Shape& shape = file.array.shape;
  Layout layout = file.image ? Layout::Nchw : options.layout;
  if (layout == Layout::Auto)
    layout = samples_in(shape, wanted, Layout::Nchw) || !samples_in(shape, wanted, Layout::Nhwc) ? Layout::Nchw
                                                                                                 : Layout::Nhwc;
  const std::optional<std::int64_t> items = samples_in(shape, wanted, layout);
  if (!items)
    throw Error(ErrorCode::Input, "shape does not fit the network's input " + wanted.name, path.string(),
                model::to_string(shape),
                "give " + model::to_string(wanted_shape(wanted)) + " (channels, height, width) or " +
                    model::to_string(model::Shape{wanted.height, wanted.width, wanted.channels}) +
                    " with the channels last, with a leading batch or not" + (file.image ? ", or --resize" : ""));
  if (*items < 1)
    throw Error(ErrorCode::Input, "file holds no sample", path.string(), model::to_string(shape), "give at least one");
  const std::int64_t first = options.index.value_or(0);
  const bool one = !options.all_items && (file.image || options.index);
  const std::int64_t count = options.count.value_or(one ? 1 : *items - first);
  if (first < 0 || first >= *items || count < 1 || count > *items - first)
    throw Error(ErrorCode::Usage, "--index and --count reach outside the file", path.string(),
                std::to_string(first) + " + " + std::to_string(count) + " of " + std::to_string(*items),
                "choose items 0 to " + std::to_string(*items - 1));
  const std::vector<double> reals = file.array.as_doubles();
  std::vector<Sample> samples;
  for (std::int64_t item = first; item < first + count; ++item) {
    std::vector<float> values = extract(file, reals, item, wanted, options, layout, path.string());
    samples.push_back({*items == 1 ? path.string() : path.string() + "#" + std::to_string(item),
                       turned ? channels_last(values, wanted) : std::move(values)});
  }
  return samples;
}

}  // namespace espalier::tools
