#include "run_exits.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "esp_error.hpp"
#include "exits_file.hpp"
#include "files.hpp"
#include "inputs.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

struct ExitTotals {
  std::size_t left = 0, right = 0;
  std::uint64_t measured = 0;  // cycles of all samples that left here
};

struct AllRuns {
  std::vector<run::ExitRun> runs;
  std::vector<ExitTotals> exits;
  std::uint64_t predicted = 0, measured = 0;
  bool clock = true;
  bool exact = true;  // every measured number of cycles is the predicted one
};

AllRuns run_samples(run::ExitSession& session, const ExitJob& job, Console& console) {
  constexpr std::size_t Step = 1000;
  AllRuns all;
  all.exits.resize(session.predicted().size());
  for (std::size_t i = 0; i < job.inputs.size(); ++i) {
    if (i % Step == 0) console.progress(fmt::format("running {} of {} samples", i, job.inputs.size()));
    run::ExitRun run = session.run(job.inputs[i].values);
    ExitTotals& exit = all.exits[run.exit];
    ++exit.left;
    if (!job.answers.empty() && answer_of(run.logits) == job.answers[i]) ++exit.right;
    const run::Totals& totals = run.report.totals;
    all.predicted += totals.predicted_cycles;
    all.clock = all.clock && totals.measured_cycles.has_value();
    const std::uint64_t measured = totals.measured_cycles.value_or(0);
    all.exact = all.exact && measured == totals.predicted_cycles;
    all.measured += measured;
    exit.measured += measured;
    all.runs.push_back(std::move(run));
  }
  return all;
}

double share(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(all);
}

Json sample_json(const run::ExitRun& run, const RunInput& input, const ExitJob& job, std::size_t index) {
  Json json{{"name", input.name},
            {"exit", run.exit},
            {"answer", answer_of(run.logits)},
            {"predicted_cycles", run.report.totals.predicted_cycles},
            {"measured_cycles", cycles_json(run.report.totals.measured_cycles)},
            {"entropies", Json::array()}};
  if (!job.answers.empty()) json["truth"] = job.answers[index];
  for (const std::int32_t entropy : run.entropies) json["entropies"].push_back(in_nat(entropy));
  return json;
}

Json exits_json(const AllRuns& all, const run::ExitSession& session, const ExitJob& job) {
  Json exits = Json::array();
  for (std::size_t i = 0; i < all.exits.size(); ++i) {
    const ExitTotals& exit = all.exits[i];
    Json& json = exits.emplace_back(Json{{"name", job.executable.ports.outputs[i].name},
                                         {"samples", exit.left},
                                         {"share", share(exit.left, all.runs.size())},
                                         {"predicted_cycles", session.predicted()[i]}});
    json["measured_cycles"] = all.clock && exit.left > 0 ? Json(exit.measured / exit.left) : Json();
    json["right"] = job.answers.empty() ? Json() : Json(exit.right);
  }
  return exits;
}

std::string exits_table(const AllRuns& all, const run::ExitSession& session, const ExitJob& job) {
  Table table({{"exit", Align::Left}, {"samples"}, {"share"}, {"accuracy"}, {"predicted cycles"}, {"measured cycles"}});
  std::size_t right = 0;
  const auto accuracy = [&](std::size_t good, std::size_t of) {
    return job.answers.empty() || of == 0 ? std::string("-") : fmt::format("{:.2f}%", 100 * share(good, of));
  };
  for (std::size_t i = 0; i < all.exits.size(); ++i) {
    const ExitTotals& exit = all.exits[i];
    right += exit.right;
    table.add({job.executable.ports.outputs[i].name, grouped(exit.left),
               fmt::format("{:.2f}%", 100 * share(exit.left, all.runs.size())), accuracy(exit.right, exit.left),
               grouped(session.predicted()[i]),
               all.clock && exit.left > 0 ? grouped(exit.measured / exit.left) : std::string("-")});
  }
  table.add_rule();
  const std::size_t count = all.runs.size();
  table.add({"mean", grouped(count), "100.00%", accuracy(right, count), grouped(all.predicted / count),
             all.clock ? grouped(all.measured / count) : std::string("-")});
  return table.text();
}

std::string answer_lines(const AllRuns& all, const ExitJob& job) {
  constexpr std::size_t Shown = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(Shown, all.runs.size()); ++i) {
    const run::ExitRun& run = all.runs[i];
    text +=
        fmt::format("{}: {} at {}, entropy {:.4f}, {} cycles predicted, {} measured\n", job.inputs[i].name,
                    answer_of(run.logits), job.executable.ports.outputs[run.exit].name, in_nat(run.entropies.back()),
                    grouped(run.report.totals.predicted_cycles), cycles_text(run.report.totals.measured_cycles));
  }
  return text + (all.runs.size() > Shown ? "...\n" : "");
}

}  // namespace

void add_exit_options(CLI::App& command, ExitTexts& texts) {
  command.add_option(
      "--exits", texts.exits,
      "the outputs are exits, in order: thresholds of the entropy in nat for all but the last, separated "
      "by commas, or a file that espalier exits wrote (.json)");
  command.add_option("--policy", texts.policy, "which policy of the file of --exits; default: its first");
}

std::vector<std::int64_t> read_answers(const std::string& path, std::int64_t first, std::size_t count) {
  const InputShape shape{path, 1, 1, 1, true, {}};
  const std::vector<std::int64_t> all = read_array(path, shape, {}).array.as_integers();
  if (first < 0 || static_cast<std::size_t>(first) > all.size() || all.size() - static_cast<std::size_t>(first) < count)
    throw Error(ErrorCode::Input, "fewer answers than samples", path, std::to_string(all.size()),
                fmt::format("give {} from item {} on", count, first));
  return {all.begin() + first, all.begin() + first + static_cast<std::ptrdiff_t>(count)};
}

std::int64_t answer_of(std::span<const std::int8_t> logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

void run_with_exits(const ExitTexts& texts, const ExitJob& job, Console& console) {
  run::ExitSession session(job.device, job.executable, read_exit_rule(texts.exits, texts.policy), job.settings);
  const AllRuns all = run_samples(session, job, console);
  Json json = document("run");
  add_report(json, all.runs.front().report);
  json["exits"] = exits_json(all, session, job);
  json["mean_predicted_cycles"] = share(all.predicted, all.runs.size());
  json["mean_measured_cycles"] = all.clock ? Json(share(all.measured, all.runs.size())) : Json();
  json["samples"] = Json::array();
  json["outputs"] = Json::array();
  for (std::size_t i = 0; i < all.runs.size(); ++i) {
    json["samples"].push_back(sample_json(all.runs[i], job.inputs[i], job, i));
    Json& output = json["outputs"].emplace_back(output_json(all.runs[i].report.outputs.front()));
    output["sample"] = i;
  }
  console.report(json, answer_lines(all, job) + "\n" + exits_table(all, session, job) + "\n" +
                           layer_table(all.runs.front().report));
}

}  // namespace espalier::tools
