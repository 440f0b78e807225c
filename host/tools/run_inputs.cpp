#include "run_inputs.hpp"

#include "esp_error.hpp"

namespace espalier::tools {
namespace {

void check_count(const std::vector<std::string>& files, const std::vector<InputShape>& shapes,
                 const std::string& option) {
  if (shapes.empty())
    throw Error(ErrorCode::Unsupported, "the network has no inputs", option, std::to_string(files.size()) + " files",
                "give a network with inputs");
  if (!files.empty() && files.size() % shapes.size() == 0) return;
  std::string names;
  for (const InputShape& shape : shapes) names += " " + shape.name;
  throw Error(ErrorCode::Usage, "number of files does not fit the network's inputs", option,
              std::to_string(files.size()),
              "give " + std::to_string(shapes.size()) + " per run, in this order:" + names);
}

}  // namespace

std::vector<RunInput> read_run_inputs(const std::vector<std::string>& files, const std::vector<InputShape>& shapes,
                                      const InputOptions& options, const std::string& option) {
  check_count(files, shapes, option);
  std::vector<RunInput> runs;
  for (std::size_t group = 0; group < files.size(); group += shapes.size()) {
    const std::size_t first = runs.size();
    for (std::size_t input = 0; input < shapes.size(); ++input) {
      const std::string& file = files[group + input];
      std::vector<Sample> samples = read_samples(file, shapes[input], options);
      if (input == 0) runs.resize(first + samples.size());
      if (samples.size() != runs.size() - first)
        throw Error(ErrorCode::Input, "files of one run hold different numbers of items", file,
                    std::to_string(samples.size()), "give as many as " + files[group] + " holds");
      for (std::size_t item = 0; item < samples.size(); ++item) {
        if (input == 0) runs[first + item].name = samples[item].name;
        runs[first + item].values.push_back(std::move(samples[item].values));
      }
    }
  }
  return runs;
}

}  // namespace espalier::tools
