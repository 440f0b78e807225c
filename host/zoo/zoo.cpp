#include "zoo/zoo.hpp"

#include <algorithm>
#include <array>

#include "esp_error.hpp"
#include "zoo/mobilenet.hpp"
#include "zoo/residual.hpp"

namespace espalier::zoo {
namespace {

/// A network, its published sizes, and which options it has.
struct Entry {
  const char* name;
  Sizes sizes;
  int smallest;              // resolution; 0: fixed
  bool has_width;            // --width
  bool optional_classifier;  // --fully-connected
  model::Network (*build)(const Sizes&, const Options&);
};

constexpr int LargestResolution = 1024;

const std::array<Entry, 8> Entries{{{"resnet50",
                                     {224, 1000},
                                     32,
                                     false,
                                     false,
                                     [](const Sizes& s, const Options& o) { return resnet50(s, o, false); }},
                                    {"resnet50_v1",
                                     {224, 1000},
                                     32,
                                     false,
                                     false,
                                     [](const Sizes& s, const Options& o) { return resnet50(s, o, true); }},
                                    {"resnet18", {224, 1000}, 32, false, false, resnet18},
                                    {"vgg16", {224, 1000}, 32, false, true, vgg16},
                                    {"mobilenet_v1", {224, 1000}, 32, true, false, mobilenet_v1},
                                    {"mobilenet_v2", {224, 1000}, 32, true, false, mobilenet_v2},
                                    {"resnet8", {32, 10}, 8, false, false, resnet8},
                                    {"ds_cnn", {0, 12}, 0, false, false, ds_cnn}}};

[[noreturn]] void refuse(const std::string& problem, const std::string& option, const std::string& value,
                         const std::string& action) {
  throw Error(ErrorCode::Usage, problem, option, value, action);
}

void check_share(const char* option, double value) {
  if (!(value >= 0 && value <= 1))
    refuse("a density is a number from 0 to 1", option, std::to_string(value), "give for example 0.25");
}

void check(const Entry& entry, const Options& options) {
  const std::string name = entry.name;
  check_share("--density", options.density);
  check_share("--first-density", options.first_density);
  check_share("--depthwise-density", options.depthwise_density);
  const bool published_width = !(options.width < 1) && !(options.width > 1);
  if (!entry.has_width && !published_width)
    refuse(name + " has one width", "--width", std::to_string(options.width), "leave it out");
  if (!(options.width >= 0.05 && options.width <= 4))
    refuse("the width is out of range", "--width", std::to_string(options.width), "choose 0.05 to 4");
  if (entry.smallest == 0 && options.resolution != 0)
    refuse(name + " has one input size", "--resolution", std::to_string(options.resolution), "leave it out");
  if (options.resolution != 0 && (options.resolution < entry.smallest || options.resolution > LargestResolution))
    refuse("the resolution is out of range", "--resolution", std::to_string(options.resolution),
           "choose " + std::to_string(entry.smallest) + " to " + std::to_string(LargestResolution));
  if (options.classes < 0 || options.classes > 32768)
    refuse("the number of classes is out of range", "--classes", std::to_string(options.classes), "choose 1 to 32768");
  if (entry.optional_classifier && !options.fully_connected && options.classes != 0)
    refuse(name + " ends with its last pool, it has no classes", "--classes", std::to_string(options.classes),
           "add --fully-connected");
  if (options.fully_connected && !entry.optional_classifier)
    refuse(name + " has its fully connected layer always", "--fully-connected", name, "leave it out");
}

}  // namespace

const std::vector<std::string>& names() {
  static const std::vector<std::string> list = [] {
    std::vector<std::string> result;
    result.reserve(std::size(Entries));
    for (const Entry& entry : Entries) result.emplace_back(entry.name);
    return result;
  }();
  return list;
}

model::Network build(std::string_view name, const Options& options) {
  const auto* entry = std::find_if(Entries.begin(), Entries.end(), [&](const Entry& e) { return name == e.name; });
  if (entry == Entries.end()) {
    std::string known;
    for (const std::string& each : names()) known += (known.empty() ? "" : ", ") + each;
    refuse("no such network", "NETWORK", std::string(name), "choose one of " + known);
  }
  check(*entry, options);
  Sizes sizes = entry->sizes;
  if (options.resolution != 0) sizes.resolution = options.resolution;
  if (options.classes != 0) sizes.classes = options.classes;
  return entry->build(sizes, options);
}

}  // namespace espalier::zoo
