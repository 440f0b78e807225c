#include "import_options.hpp"

#include <charconv>

#include "esp_error.hpp"

namespace espalier::tools {
namespace {

[[noreturn]] void refuse(const std::string& problem, const std::string& option, const std::string& value,
                         const std::string& action) {
  throw Error(ErrorCode::Usage, problem, option, value, action);
}

std::int64_t parse_whole(std::string_view text, const std::string& option) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1)
    refuse("a positive whole number is expected", option, std::string(text), "write it in decimal digits");
  return value;
}

void parse_shape(const std::string& text, model::ImportOptions& options) {
  // Names of inputs may hold an equals sign, sizes do not.
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0)
    refuse("a shape needs the name of its input", "--shape", text, "write NAME=1,3,224,224");
  model::Shape shape;
  std::string_view rest = std::string_view(text).substr(equals + 1);
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    more = comma != std::string_view::npos;
    shape.push_back(parse_whole(rest.substr(0, comma), "--shape"));
    rest = more ? rest.substr(comma + 1) : std::string_view();
  }
  if (shape.size() > model::MostRank) refuse("a shape has too many sizes", "--shape", text, "give at most 4");
  model::count_elements(shape, "--shape", ErrorCode::Usage);
  if (!options.shapes.emplace(text.substr(0, equals), std::move(shape)).second)
    refuse("the shape of an input is given twice", "--shape", text, "give it once");
}

std::uint64_t parse_bytes(const std::string& text) {
  std::string_view digits = text;
  int shift = 0;
  if (digits.ends_with('K')) shift = 10;
  if (digits.ends_with('M')) shift = 20;
  if (digits.ends_with('G')) shift = 30;
  if (shift > 0) digits.remove_suffix(1);
  const std::int64_t value = parse_whole(digits, "--model-memory");
  if (value > (std::int64_t{1} << 40) >> shift)
    refuse("the memory budget is too large", "--model-memory", text, "give at most 1024G");
  return static_cast<std::uint64_t>(value) << shift;
}

}  // namespace

void add_import_options(CLI::App& command, ImportTexts& texts) {
  command
      .add_option("--shape", texts.shapes,
                  "NAME=1,3,224,224: the shape of an input whose file leaves sizes free; once for every input")
      ->allow_extra_args(false);
  command
      .add_option("--model-memory", texts.budget,
                  "most bytes that a model file and its tensors may take; K, M and G are powers of 1024")
      ->capture_default_str();
  command
      .add_option("--no-rewrite", texts.without,
                  "leave out a rewrite of the graph, named as espalier inspect --list-rewrites prints it; may be given "
                  "several times")
      ->allow_extra_args(false);
  command.add_option("--init-net", texts.init_net,
                     "the weights of a Caffe2 network (init_net.pb), whose operators MODEL holds (predict_net.pb); "
                     "default: the file beside it with init_net for predict_net in its name");
}

model::RewriteOptions parse_rewrite_options(const ImportTexts& texts) {
  model::RewriteOptions options{{texts.without.begin(), texts.without.end()}};
  model::check_rewrites(options);
  return options;
}

model::ImportOptions parse_import_options(const ImportTexts& texts) {
  model::ImportOptions options;
  for (const std::string& text : texts.shapes) parse_shape(text, options);
  options.most_bytes = parse_bytes(texts.budget);
  options.init_net = texts.init_net;
  return options;
}

}  // namespace espalier::tools
