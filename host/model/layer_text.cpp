#include "model/layer_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>

#include "esp_error.hpp"
#include "model/masks.hpp"
#include "model/random.hpp"
#include "model/scales.hpp"

namespace espalier::model {
namespace {

constexpr int MaxSize = 65535;
constexpr std::int64_t MaxLayerElements = std::int64_t{1} << 28;

struct KindName {
  const char* name;
  LayerKind kind;
  const char* op;
};
constexpr std::array<KindName, 9> KindNames{{{"conv", LayerKind::Convolution, "Conv"},
                                             {"fc", LayerKind::Convolution, "Gemm"},
                                             {"maxpool", LayerKind::MaxPool, "MaxPool"},
                                             {"avgpool", LayerKind::AveragePool, "AveragePool"},
                                             {"gmaxpool", LayerKind::GlobalMaxPool, "GlobalMaxPool"},
                                             {"gavgpool", LayerKind::GlobalAveragePool, "GlobalAveragePool"},
                                             {"add", LayerKind::Add, "Add"},
                                             {"concat", LayerKind::Concat, "Concat"},
                                             {"requantise", LayerKind::Requantise, "Requantise"}}};

constexpr std::array<const char*, 19> Keys{"ic", "ih", "iw", "oc", "kh", "kw", "sh", "sw", "ph",   "pw",
                                           "pb", "pr", "dh", "dw", "g",  "n",  "oh", "ow", "batch"};

[[noreturn]] void refuse(const std::string& problem, const std::string& token) {
  throw Error(ErrorCode::Usage, problem, "layer text", token,
              "write for example 'conv ic64 ih56 iw56 oc64 kh3 kw3 ph1 pw1 density0.25 int8'");
}

/// A token as it is written.
std::string join(const char* key, int value) { return std::string(key).append(std::to_string(value)); }

/// The tokens of a line by key; flags have the value 1.
struct Tokens {
  const KindName* kind = nullptr;
  std::map<std::string, int> values;
  double density = 1.0;
  std::string type;  // of the weights; empty: int8
  std::optional<Pattern> pattern;

  std::optional<int> find(const std::string& key) const {
    const auto found = values.find(key);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  int get(const std::string& key, int otherwise) const { return find(key).value_or(otherwise); }
};

bool known_type(const std::string& token) {
  const bool codebook = token.size() == 9 && token.starts_with("codebook") && token[8] >= '2' && token[8] <= '8';
  return codebook || token == "int8" || token == "int4" || token == "ternary" || token == "binary";
}

struct PatternToken {
  const char* token;
  Pattern pattern;
};
constexpr std::array<PatternToken, 3> PatternTokens{
    {{"pattern2:4", Pattern::TwoOfFour}, {"block4x4", Pattern::Block4x4}, {"pattern4of9", Pattern::FourOfNine}}};

void read_pattern(const std::string& token, Tokens& tokens) {
  const auto* found = std::find_if(PatternTokens.begin(), PatternTokens.end(),
                                   [&](const PatternToken& each) { return token == each.token; });
  if (found == PatternTokens.end()) refuse("the patterns are pattern2:4, block4x4 and pattern4of9", token);
  if (tokens.pattern) refuse("pattern given twice", token);
  tokens.pattern = found->pattern;
}

void read_token(const std::string& token, Tokens& tokens) {
  const std::size_t digits = std::min(token.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), token.size());
  const std::string key = token.substr(0, digits);
  const char *first = token.data() + digits, *last = token.data() + token.size();
  if (key == "int" || key == "uint" || key == "float" || key == "bf" || token == "ternary" || token == "binary" ||
      key == "codebook") {
    if (!known_type(token)) refuse("the types are int8, int4, ternary, binary and codebook2 to codebook8", token);
    if (!tokens.type.empty()) refuse("type given twice", token);
    tokens.type = token;
    return;
  }
  if (key == "pattern" || key == "block") {
    read_pattern(token, tokens);
    return;
  }
  if (tokens.values.contains(key)) refuse("key given twice", token);
  if (token == "includepad" || token == "relu" || token == "relu6") {
    tokens.values[token] = 1;
    return;
  }
  if (key == "density") {
    const auto [end, error] = std::from_chars(first, last, tokens.density);
    if (error != std::errc{} || end != last || !(tokens.density >= 0 && tokens.density <= 1))
      refuse("density is not a number from 0 to 1", token);
    tokens.values[key] = 1;
    return;
  }
  if (std::find(Keys.begin(), Keys.end(), key) == Keys.end()) refuse("unknown key", token);
  int value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  if (error != std::errc{} || end != last || value < 0 || value > MaxSize)
    refuse("value is not a whole number from 0 to " + std::to_string(MaxSize), token);
  const bool may_be_zero = key[0] == 'p';
  if (value == 0 && !may_be_zero) refuse("value must be at least 1", token);
  tokens.values[key] = value;
}

Tokens read_tokens(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::string token;
  Tokens tokens;
  if (!(stream >> token)) refuse("no layer kind", "empty line");
  const auto* kind =
      std::find_if(KindNames.begin(), KindNames.end(), [&](const KindName& k) { return token == k.name; });
  if (kind == KindNames.end()) refuse("unknown layer kind", token);
  tokens.kind = kind;
  while (stream >> token) read_token(token, tokens);
  return tokens;
}

/// Keys that the kind of layer does not use may only say what holds anyway.
void refuse_unused(const Tokens& tokens, bool windowed, const Layer& layer, const Feature& in) {
  const auto only = [&](const char* key, int value, const char* problem) {
    if (tokens.get(key, value) != value) refuse(problem, join(key, tokens.get(key, value)));
  };
  if (!windowed) {
    only("kh", layer.kind == LayerKind::Convolution ? layer.kernel_h : 1, "this kind of layer has no window");
    only("kw", layer.kind == LayerKind::Convolution ? layer.kernel_w : 1, "this kind of layer has no window");
    for (const char* key : {"sh", "sw", "dh", "dw"}) only(key, 1, "this kind of layer has no window");
    for (const char* key : {"ph", "pw", "pb", "pr"}) only(key, 0, "this kind of layer has no window");
  }
  if (layer.kind == LayerKind::Convolution) return;
  if (layer.kind != LayerKind::Concat) only("oc", in.channels, "the output channels are the input channels");
  only("g", 1, "only convolutions have groups");
  if (tokens.density < 1) refuse("only convolutions have weights", "density");
  if (tokens.pattern) refuse("only convolutions have weights", to_string(*tokens.pattern));
  if (!tokens.type.empty() && tokens.type != "int8") refuse("only convolutions have weights", tokens.type);
}

Layer make_layer(const Tokens& tokens, const Feature& in) {
  Layer layer;
  layer.op = tokens.kind->op;
  layer.kind = tokens.kind->kind;
  const bool whole_map = std::string_view(tokens.kind->name) == "fc";
  layer.kernel_h = whole_map ? in.height : tokens.get("kh", 1);
  layer.kernel_w = whole_map ? (tokens.find("batch") ? 1 : in.width) : tokens.get("kw", layer.kernel_h);
  layer.stride_h = tokens.get("sh", 1);
  layer.stride_w = tokens.get("sw", layer.stride_h);
  layer.pad_top = tokens.get("ph", 0);
  layer.pad_left = tokens.get("pw", layer.pad_top);
  layer.pad_bottom = tokens.get("pb", layer.pad_top);
  layer.pad_right = tokens.get("pr", layer.pad_left);
  layer.dilation_h = tokens.get("dh", 1);
  layer.dilation_w = tokens.get("dw", layer.dilation_h);
  layer.groups = tokens.get("g", 1);
  layer.count_include_padding = tokens.find("includepad").has_value();
  const bool windowed =
      layer.kind == LayerKind::Convolution || layer.kind == LayerKind::MaxPool || layer.kind == LayerKind::AveragePool;
  refuse_unused(tokens, windowed && !whole_map, layer, in);
  if (layer.kind != LayerKind::Concat && tokens.find("n")) refuse("only concat has this key", "n");
  if (layer.kind != LayerKind::AveragePool && layer.count_include_padding)
    refuse("only avgpool has this key", "includepad");
  for (const char* clamp : {"relu", "relu6"})
    if (layer.kind == LayerKind::Concat && tokens.find(clamp)) refuse("a concatenation does not clamp", clamp);
  if (layer.groups > 1 && in.channels % layer.groups != 0)
    refuse("groups do not divide the input channels", join("g", layer.groups));
  return layer;
}

int count_outputs(const char* key, int in, int before, int after, int kernel, int stride, int dilation) {
  const std::int64_t count = window_count(in, before, after, kernel, stride, dilation);
  if (count < 1) refuse("the kernel is larger than the padded map", join(key, kernel));
  return static_cast<int>(count);
}

Feature make_output(const Tokens& tokens, const Layer& layer, const Feature& in) {
  Feature out = in;
  out.name = "output";
  if (layer.kind == LayerKind::GlobalAveragePool || layer.kind == LayerKind::GlobalMaxPool) out.height = out.width = 1;
  if (layer.kind == LayerKind::Concat) {
    const int count = tokens.get("n", 2);
    if (std::int64_t{in.channels} * count > MaxSize) refuse("too many channels", join("n", count));
    out.channels = in.channels * count;
  }
  if (layer.kind == LayerKind::Convolution || layer.kind == LayerKind::MaxPool ||
      layer.kind == LayerKind::AveragePool) {
    out.height = count_outputs("kh", in.height, layer.pad_top, layer.pad_bottom, layer.kernel_h, layer.stride_h,
                               layer.dilation_h);
    out.width = count_outputs("kw", in.width, layer.pad_left, layer.pad_right, layer.kernel_w, layer.stride_w,
                              layer.dilation_w);
  }
  if (layer.kind == LayerKind::Convolution) out.channels = tokens.get("oc", in.channels);
  if (out.channels % layer.groups != 0) refuse("groups do not divide the output channels", join("g", layer.groups));
  for (const auto& [key, size] : {std::pair("oh", out.height), std::pair("ow", out.width)})
    if (tokens.get(key, size) != size)
      refuse("the output size that follows is " + std::to_string(size), join(key, tokens.get(key, size)));
  return out;
}

/// The values that weights of a type have if they are not zero; none: all of -127..127.
std::vector<std::int8_t> weight_values(const std::string& type, Random& random) {
  std::vector<std::int8_t> values;
  if (type == "ternary" || type == "binary") return {-1, 1};
  if (type == "int4") {
    for (int value = -8; value < 8; ++value) {
      if (value != 0) values.push_back(static_cast<std::int8_t>(value));
    }
  }
  if (type.starts_with("codebook")) {
    const std::size_t count = (std::size_t{1} << (type.back() - '0')) - 1;
    while (values.size() < count) {
      const auto value = static_cast<std::int8_t>(random.between(-128, 127));
      if (value != 0 && std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    }
  }
  return values;
}

/// The places that are not zero, in order: those of a pattern by magnitudes drawn at random, or exactly
/// round(density * count) of them, every choice equally likely (selection sampling, Knuth 3.4.2 S).
class Places {
 public:
  Places(const WeightShape& shape, const Tokens& tokens, Random& random)
      : left_(static_cast<std::int64_t>(shape.count())),
        wanted_(std::llround(tokens.density * static_cast<double>(shape.count()))) {
    if (!tokens.pattern) return;
    std::vector<float> magnitudes(shape.count());
    for (float& magnitude : magnitudes) magnitude = static_cast<float>(random.unit());
    mask_ = make_mask(shape, magnitudes, *tokens.pattern, tokens.density);
  }

  /// Whether the next place is not zero.
  bool next(Random& random) {
    if (!mask_.empty()) return mask_[mask_.size() - static_cast<std::size_t>(left_--)] != 0;
    if (wanted_ == 0 || random.between(1, left_--) > wanted_) return false;
    --wanted_;
    return true;
  }

 private:
  std::int64_t left_, wanted_;
  std::vector<std::uint8_t> mask_;
};

std::vector<std::int8_t> make_weights(const WeightShape& shape, const Tokens& tokens, Random& random) {
  const std::vector<std::int8_t> values = weight_values(tokens.type, random);
  Places places(shape, tokens, random);
  std::vector<std::int8_t> weights(shape.count(), 0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!places.next(random)) continue;
    if (values.empty()) {
      const auto value = random.between(1, 254);
      weights[i] = static_cast<std::int8_t>(value > 127 ? 127 - value : value);
    } else {
      weights[i] = values[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(values.size()) - 1))];
    }
  }
  return weights;
}

/// Scales bring the standard deviation of the accumulators over uniform int8 inputs to about 50 steps.
void fill_convolution(Layer& layer, const Feature& in, const Feature& out, const Tokens& tokens, Random& random) {
  const WeightShape shape{out.channels, in.channels / layer.groups, layer.kernel_h, layer.kernel_w};
  if (tokens.pattern == Pattern::FourOfNine && shape.taps() != 9) refuse("the kernel is not 3x3", "pattern4of9");
  const auto row = static_cast<std::int64_t>(shape.row());
  layer.weights = make_weights(shape, tokens, random);
  for (std::int64_t channel = 0; channel < out.channels; ++channel) {
    double energy = 1, sum = 0;
    for (std::int64_t i = 0; i < row; ++i) {
      const double weight = layer.weights[static_cast<std::size_t>(channel * row + i)];
      energy += weight * weight;
      sum += weight;
    }
    const double spread = 74.0 * std::sqrt(energy);
    const double mean = sum * (-0.5 - in.zero);
    layer.bias.push_back(static_cast<std::int32_t>(std::llround((random.unit() - 0.5) * spread - mean)));
    layer.scale.push_back(abi::make_scale((0.75 + 0.5 * random.unit()) * 50.0 / spread));
  }
}

void fill(Layer& layer, Network& network, const Tokens& tokens, Random& random) {
  Feature& out = network.features.back();
  Feature& in = network.features.front();
  const auto zero = [&] { return static_cast<std::int32_t>(random.between(-16, 16)); };
  const auto ratio_to = [&](const Feature& feature) { return feature.scale / out.scale; };
  for (Feature& feature : network.features) feature.zero = zero();
  for (std::size_t i = 0; i + 1 < network.features.size(); ++i)
    network.features[i].scale = 0.02 * (0.75 + 0.5 * random.unit());
  out.scale = in.scale;
  switch (layer.kind) {
    case LayerKind::Convolution:
      fill_convolution(layer, in, out, tokens, random);
      break;
    case LayerKind::MaxPool:
    case LayerKind::GlobalMaxPool:
      out.zero = in.zero;
      break;
    case LayerKind::AveragePool:
    case LayerKind::GlobalAveragePool: {
      const int taps = layer.kind == LayerKind::AveragePool ? layer.kernel_h * layer.kernel_w : in.height * in.width;
      layer.ratio = (0.6 + 0.2 * random.unit()) * std::sqrt(static_cast<double>(taps));
      out.scale = in.scale / layer.ratio;
      break;
    }
    case LayerKind::Add:
      out.scale = in.scale * 1.5;
      set_add_scales(layer, ratio_to(network.features[0]), ratio_to(network.features[1]));
      break;
    case LayerKind::Concat:
      out.zero = in.zero;  // the first input is copied, the others are requantised
      for (const int input : layer.inputs)
        layer.scale.push_back(abi::make_scale(ratio_to(network.features[static_cast<std::size_t>(input)])));
      break;
    case LayerKind::Requantise:
      out.scale = in.scale * (0.9 + 0.5 * random.unit());
      layer.scale = {abi::make_scale(ratio_to(in))};
      break;
    case LayerKind::Real:  // no line of text describes one
      break;
  }
}

void check_budget(const Layer& layer, const Feature& in, const Feature& out) {
  const auto check = [](double elements, const char* what) {
    if (elements > static_cast<double>(MaxLayerElements))
      refuse(std::string(what) + " has more than 2^28 elements", std::to_string(elements));
  };
  const auto size = [](const Feature& f) { return static_cast<double>(f.channels) * f.height * f.width; };
  check(size(in), "the input");
  check(size(out), "the output");
  if (layer.kind == LayerKind::Convolution)
    check(static_cast<double>(in.channels) / layer.groups * layer.kernel_h * layer.kernel_w * out.channels,
          "the weight tensor");
}

/// The map that a layer reads: of a batch, the inputs one beside the other, each as a column of channels.
Feature make_input(const Tokens& tokens, bool whole_map) {
  Feature in;
  in.name = "input";
  in.channels = tokens.get("ic", 1);
  in.height = tokens.get("ih", 1);
  in.width = tokens.get("iw", in.height);
  const std::optional<int> batch = tokens.find("batch");
  if (!batch) return in;
  if (!whole_map) refuse("only fc has a batch", join("batch", *batch));
  const std::int64_t channels = std::int64_t{in.channels} * in.height * in.width;
  if (channels > MaxSize) refuse("too many inputs of an fc with a batch", std::to_string(channels));
  in.channels = static_cast<int>(channels);
  in.height = 1;
  in.width = *batch;
  return in;
}

}  // namespace

Network parse_layer(std::string_view text, std::uint64_t seed) {
  const Tokens tokens = read_tokens(text);
  const bool whole_map = std::string_view(tokens.kind->name) == "fc";
  if (!tokens.find("ic")) refuse("the number of input channels is missing", "ic");
  if (!tokens.find("ih") && !whole_map) refuse("the input height is missing", "ih");
  const Feature in = make_input(tokens, whole_map);
  Layer layer = make_layer(tokens, in);
  const Feature out = make_output(tokens, layer, in);
  check_budget(layer, in, out);

  Network network;
  network.name = std::string(text);
  layer.name = tokens.kind->name;
  const int count = layer.kind == LayerKind::Concat ? tokens.get("n", 2) : layer.kind == LayerKind::Add ? 2 : 1;
  for (int i = 0; i < count; ++i) {
    network.features.push_back(in);
    if (count > 1) network.features.back().name += std::to_string(i);
    network.inputs.push_back(i);
    layer.inputs.push_back(i);
  }
  network.features.push_back(out);
  layer.output = count;
  network.outputs = {count};
  Random random(seed);
  fill(layer, network, tokens, random);
  const Feature& result = network.features.back();
  if (tokens.find("relu") || tokens.find("relu6")) layer.low = result.zero;
  if (tokens.find("relu6")) layer.high = std::min(127, result.zero + 96);
  network.layers.push_back(std::move(layer));
  validate(network);
  return network;
}

std::string to_text(const Network& network, const Layer& layer) {
  const Feature& in = network.features[static_cast<std::size_t>(layer.inputs[0])];
  const Feature& out = network.features[static_cast<std::size_t>(layer.output)];
  std::ostringstream text;
  text.precision(12);
  const auto put = [&](const char* key, int value, int otherwise) {
    if (value != otherwise) text << ' ' << key << value;
  };
  const bool convolution = layer.kind == LayerKind::Convolution;
  const bool windowed = convolution || layer.kind == LayerKind::MaxPool || layer.kind == LayerKind::AveragePool;
  for (const KindName& name : KindNames)
    if (name.kind == layer.kind && std::string_view(name.name) != "fc") text << name.name;
  text << " ic" << in.channels << " ih" << in.height << " iw" << in.width;
  if (convolution) text << " oc" << out.channels;
  if (windowed) text << " kh" << layer.kernel_h << " kw" << layer.kernel_w;
  put("sh", layer.stride_h, 1);
  put("sw", layer.stride_w, layer.stride_h);
  put("ph", layer.pad_top, 0);
  put("pw", layer.pad_left, layer.pad_top);
  put("pb", layer.pad_bottom, layer.pad_top);
  put("pr", layer.pad_right, layer.pad_left);
  put("dh", layer.dilation_h, 1);
  put("dw", layer.dilation_w, layer.dilation_h);
  put("g", layer.groups, 1);
  if (layer.kind == LayerKind::Concat) put("n", static_cast<int>(layer.inputs.size()), 2);
  if (layer.count_include_padding) text << " includepad";
  const auto nonzero = std::count_if(layer.weights.begin(), layer.weights.end(), [](std::int8_t w) { return w != 0; });
  if (convolution && nonzero != static_cast<std::ptrdiff_t>(layer.weights.size()))
    text << " density" << static_cast<double>(nonzero) / static_cast<double>(layer.weights.size());
  if (layer.low > -128) text << (layer.high < 127 ? " relu6" : " relu");
  text << " int8";
  return text.str();
}

}  // namespace espalier::model
