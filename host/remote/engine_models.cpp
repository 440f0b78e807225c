// The models of an engine: versions, parts and choices.
#include <algorithm>
#include <utility>

#include "esp_error.hpp"
#include "remote/engine.hpp"

namespace espalier::remote {
namespace {

/// Names, types and shapes of all ports: models with equal ones can stand for each other.
std::string shapes_of(const run::Ports& ports) {
  std::string text;
  const auto add = [&text](const auto& port) {
    text += port.name + " " + run::type_name(port.type) + " " + model::to_string(port.shape) + ";";
  };
  for (const compress::Input& port : ports.inputs) add(port);
  for (const compress::Output& port : ports.outputs) add(port);
  return text;
}

}  // namespace

VersionPtr Engine::roll_back(const std::string& model) {
  const std::scoped_lock lock(mutex_);
  const auto found = serving_.find(model);
  if (found == serving_.end() || found->second.previous == nullptr)
    throw Error(ErrorCode::Usage, "there is no version to go back to", "model " + model, {}, "load another version");
  std::swap(found->second.active, found->second.previous);
  return found->second.active;
}

void Engine::forget_parts() {
  std::erase_if(parts_, [this](const auto& entry) { return !in_service(entry.first); });
}

VersionPtr Engine::known_part(const VersionPtr& whole, const std::string& text) {
  const auto found = parts_.find(whole);
  if (found == parts_.end())
    throw Error(ErrorCode::Usage, "the model in service has no parts", "model " + whole->model, text,
                "serve a network file, not a compiled one");
  std::vector<VersionPtr>& known = found->second.known;
  const auto part = std::find_if(known.begin(), known.end(), [&](const VersionPtr& one) { return one->part == text; });
  if (part == known.end()) return nullptr;
  std::rotate(part, part + 1, known.end());
  return known.back();
}

VersionPtr Engine::part(const VersionPtr& whole, const std::string& text) {
  const std::scoped_lock making(making_);
  Divisible divisible;
  {
    const std::scoped_lock lock(mutex_);
    if (VersionPtr known = known_part(whole, text)) return known;
    divisible = parts_.at(whole).divisible;
  }
  MadePart made = divisible.make(text);
  const std::shared_ptr<Version> version = make_version(whole->model, std::move(made.executable), made.bound);
  version->version = whole->version;
  version->network_id = whole->network_id;
  version->part = text;
  version->whole = whole;
  const std::scoped_lock lock(mutex_);
  const auto found = parts_.find(whole);
  if (found == parts_.end()) return version;
  found->second.known.push_back(version);
  if (found->second.known.size() > settings_.most_parts) found->second.known.erase(found->second.known.begin());
  return version;
}

bool Engine::in_service(const VersionPtr& version) const {
  if (version->whole != nullptr) {
    const auto parts = parts_.find(version->whole);
    return parts != parts_.end() &&
           std::find(parts->second.known.begin(), parts->second.known.end(), version) != parts->second.known.end();
  }
  const auto found = serving_.find(version->model);
  return found != serving_.end() && (found->second.active == version || found->second.previous == version);
}

std::vector<VersionPtr> Engine::versions(const std::string& model) const {
  const std::scoped_lock lock(mutex_);
  std::vector<VersionPtr> result;
  const auto found = serving_.find(model);
  if (found == serving_.end()) return result;
  for (const VersionPtr& version : {found->second.active, found->second.previous})
    if (version != nullptr) result.push_back(version);
  return result;
}

VersionPtr Engine::find(const std::string& model, const std::string& version) const {
  for (const VersionPtr& known : versions(model))
    if (version.empty() || known->version == version) return known;
  return nullptr;
}

std::vector<std::string> Engine::models() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, serving] : serving_)
    if (serving.active != nullptr) names.push_back(name);
  return names;
}

void Engine::offer(const std::string& name, std::vector<Choice> choices) {
  const auto refuse = [&](const std::string& what, const std::string& model) {
    throw Error(ErrorCode::Usage, what, "choice " + name, model, "name loaded models with equal inputs and outputs");
  };
  if (find(name, {}) != nullptr) refuse("the name is that of a model", name);
  for (const Choice& choice : choices) {
    const VersionPtr version = find(choice.model, {}), first = find(choices.front().model, {});
    if (version == nullptr) refuse("no such model", choice.model);
    if (shapes_of(version->executable.ports) != shapes_of(first->executable.ports))
      refuse("inputs or outputs differ", choice.model);
  }
  const std::scoped_lock lock(mutex_);
  choices_[name] = std::move(choices);
}

VersionPtr Engine::choose(const std::string& name, const std::string& version,
                          std::optional<Nanoseconds> budget) const {
  std::vector<Choice> choices;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = choices_.find(name); found != choices_.end()) choices = found->second;
  }
  if (choices.empty() || !version.empty()) return find(name, version);
  std::vector<VersionPtr> versions;
  std::vector<plan::ModelOption> options;
  for (const Choice& choice : choices) {
    versions.push_back(find(choice.model, {}));
    options.push_back({versions.back()->bound, choice.accuracy, {}, 0});
  }
  const auto chosen = plan::choose_model(options, {.time = budget.value_or(plan::Impossible), .difficulty = {}});
  if (chosen) return versions[*chosen];
  return *std::min_element(versions.begin(), versions.end(),
                           [](const VersionPtr& a, const VersionPtr& b) { return a->bound < b->bound; });
}

}  // namespace espalier::remote
