#include "plan/cost/problem_json.hpp"

#include "plan/cost/json_fields.hpp"

namespace espalier::plan {
namespace {

using Json = nlohmann::ordered_json;

TimeSource read_source(const Field& field) {
  const std::string text = field.text("source");
  if (text.empty() || text == "exact") return TimeSource::Exact;
  if (text == "measured") return TimeSource::Measured;
  if (text == "reported") return TimeSource::Reported;
  field.refuse("no such source of a time", text);
}

DeviceKind read_kind(const Field& field) {
  const std::string text = field.text();
  if (text == "accelerator") return DeviceKind::Accelerator;
  if (text == "cpu") return DeviceKind::Cpu;
  if (text == "remote") return DeviceKind::Remote;
  field.refuse("no such kind of device", text);
}

Cost read_cost(const Field& field) {
  const std::int64_t mean = field["mean_ns"].integer();
  return {{mean, field.integer("bound_ns", mean), read_source(field)}, field.integer("energy_nj", 0)};
}

Json cost_json(const Cost& cost) {
  return {{"mean_ns", cost.time.mean},
          {"bound_ns", cost.time.bound},
          {"source", to_string(cost.time.source)},
          {"energy_nj", cost.energy}};
}

Layer read_layer(const Field& field) {
  Layer layer;
  layer.name = field.text("name");
  for (const Field& input : field["inputs"].items()) layer.inputs.push_back(input.index());
  layer.macs = field.integer("macs", 0);
  if (field.has("window")) {
    const Field window = field["window"];
    layer.window = Window{window["height"].index(), window["width"].index(), window.index("kernel", 1),
                          window.index("stride", 1), window.index("padding", 0)};
  }
  return layer;
}

Json layer_json(const Layer& layer) {
  Json json = {{"name", layer.name}, {"inputs", layer.inputs}, {"macs", layer.macs}};
  if (layer.window)
    json["window"] = {{"height", layer.window->height},
                      {"width", layer.window->width},
                      {"kernel", layer.window->kernel},
                      {"stride", layer.window->stride},
                      {"padding", layer.window->padding}};
  return json;
}

Variant read_variant(const Field& field) {
  Variant variant;
  variant.name = field.text("name");
  variant.input_bytes = field["input_bytes"].integer();
  variant.isolated_tiles = field.has("isolated_tiles") && field["isolated_tiles"].truth();
  for (const Field& row : field["layers"].items()) {
    LayerVariant layer{row["output_bytes"].integer(), row.integer("weight_bytes", 0), {}};
    for (const Field& cost : row["costs"].items())
      layer.costs.push_back(cost.null() ? std::nullopt : std::optional(read_cost(cost)));
    variant.layers.push_back(std::move(layer));
  }
  return variant;
}

Json variant_json(const Variant& variant) {
  Json json = {{"name", variant.name},
               {"input_bytes", variant.input_bytes},
               {"isolated_tiles", variant.isolated_tiles},
               {"layers", Json::array()}};
  for (const LayerVariant& layer : variant.layers) {
    Json costs = Json::array();
    for (const std::optional<Cost>& cost : layer.costs) costs.push_back(cost ? cost_json(*cost) : Json(nullptr));
    json["layers"].push_back(
        {{"output_bytes", layer.output_bytes}, {"weight_bytes", layer.weight_bytes}, {"costs", std::move(costs)}});
  }
  return json;
}

Policy read_policy(const Field& field) {
  Policy policy;
  policy.name = field.text("name");
  for (const Field& leave : field["leaves"].items())
    policy.leaves.push_back({leave["exit"].index(), leave["share"].integer()});
  for (const Field& accuracy : field["accuracy"].items()) policy.accuracy.push_back(accuracy.integer());
  return policy;
}

Json policy_json(const Policy& policy) {
  Json leaves = Json::array();
  for (const Policy::Leave& leave : policy.leaves) leaves.push_back({{"exit", leave.exit}, {"share", leave.share}});
  return {{"name", policy.name}, {"leaves", std::move(leaves)}, {"accuracy", policy.accuracy}};
}

std::vector<Tile> read_tiles(const Field& field) {
  std::vector<Tile> tiles;
  for (const Field& tile : field.items("tiles"))
    tiles.push_back({tile["device"].index(), tile["first_row"].index(), tile["last_row"].index(),
                     tile["first_column"].index(), tile["last_column"].index()});
  return tiles;
}

Json tiles_json(const std::vector<Tile>& tiles) {
  Json json = Json::array();
  for (const Tile& tile : tiles)
    json.push_back({{"device", tile.device},
                    {"first_row", tile.first_row},
                    {"last_row", tile.last_row},
                    {"first_column", tile.first_column},
                    {"last_column", tile.last_column}});
  return json;
}

void read_machines(const Field& field, Problem& problem) {
  for (const Field& device : field["devices"].items())
    problem.devices.push_back({device.text("name"), read_kind(device["kind"]), device.integer("memory_bytes", 0),
                               device.integer("load", Whole)});
  for (const Field& link : field.items("links"))
    problem.links.push_back({link["from"].index(), link["to"].index(), link["bytes_per_second"].integer(),
                             link.integer("latency_ns", 0), link.integer("serialise_ps_per_byte", 0),
                             link.integer("energy_pj_per_byte", 0)});
}

void add_machines(const Problem& problem, Json& json) {
  for (const Device& device : problem.devices)
    json["devices"].push_back({{"name", device.name},
                               {"kind", to_string(device.kind)},
                               {"memory_bytes", device.memory},
                               {"load", device.load}});
  for (const Link& link : problem.links)
    json["links"].push_back({{"from", link.from},
                             {"to", link.to},
                             {"bytes_per_second", link.bytes_per_second},
                             {"latency_ns", link.latency},
                             {"serialise_ps_per_byte", link.serialise_picoseconds},
                             {"energy_pj_per_byte", link.energy_picojoules}});
}

Certificate read_certificate(const Field& field) {
  Certificate certificate;
  certificate.lower_bound = field["lower_bound"].integer();
  certificate.value = field["value"].integer();
  for (const Field& item : field["cases"].items()) {
    Certificate::Case one{item["policy"].index(),
                          item["variant"].index(),
                          item["deadline_multiplier"].integer(),
                          {},
                          item["lower_bound"].integer()};
    for (const Field& multiplier : item.items("load_multipliers")) one.load_multipliers.push_back(multiplier.integer());
    certificate.cases.push_back(std::move(one));
  }
  return certificate;
}

Json certificate_json(const Certificate& certificate) {
  Json cases = Json::array();
  for (const Certificate::Case& one : certificate.cases)
    cases.push_back({{"policy", one.policy},
                     {"variant", one.variant},
                     {"deadline_multiplier", one.deadline_multiplier},
                     {"load_multipliers", one.load_multipliers},
                     {"lower_bound", one.lower_bound}});
  return {{"lower_bound", certificate.lower_bound},
          {"value", certificate.value},
          {"proven", certificate.proven()},
          {"cases", std::move(cases)}};
}

}  // namespace

Problem problem_from_json(const Json& json) {
  const Field field(json, "");
  if (field["schema"].integer() != ProblemSchema)
    field["schema"].refuse("another schema", std::to_string(field["schema"].integer()));
  Problem problem;
  problem.name = field.text("name");
  problem.home = field.index("home", 0);
  problem.accuracy_floor = field.integer("accuracy_floor", 0);
  if (field.has("input")) {
    problem.input_height = field["input"]["height"].index();
    problem.input_width = field["input"]["width"].index();
  }
  read_machines(field, problem);
  for (const Field& layer : field["layers"].items()) problem.layers.push_back(read_layer(layer));
  for (const Field& variant : field["variants"].items()) problem.variants.push_back(read_variant(variant));
  for (const Field& group : field.items("groups"))
    problem.groups.push_back({group["first"].index(), group["last"].index(), group["device"].index(),
                              group["variant"].index(), read_cost(group)});
  for (const Field& exit : field["exits"].items()) problem.exits.push_back({exit.text("name"), exit["layer"].index()});
  for (const Field& policy : field["policies"].items()) problem.policies.push_back(read_policy(policy));
  for (const Field& tiling : field.items("tilings"))
    problem.tilings.push_back({tiling["first"].index(), tiling["last"].index(), read_tiles(tiling)});
  validate(problem);
  return problem;
}

Problem read_problem(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded())
    throw Error(ErrorCode::Input, "not JSON", "problem", std::string(text.substr(0, 40)), "give a problem file");
  return problem_from_json(json);
}

Json to_json(const Problem& problem) {
  Json json = {{"schema", ProblemSchema},
               {"name", problem.name},
               {"home", problem.home},
               {"accuracy_floor", problem.accuracy_floor},
               {"input", {{"height", problem.input_height}, {"width", problem.input_width}}}};
  for (const char* key : {"devices", "links", "layers", "variants", "groups", "exits", "policies", "tilings"})
    json[key] = Json::array();
  add_machines(problem, json);
  for (const Layer& layer : problem.layers) json["layers"].push_back(layer_json(layer));
  for (const Variant& variant : problem.variants) json["variants"].push_back(variant_json(variant));
  for (const Group& group : problem.groups) {
    Json item = {{"first", group.first}, {"last", group.last}, {"device", group.device}, {"variant", group.variant}};
    item.update(cost_json(group.cost));
    json["groups"].push_back(std::move(item));
  }
  for (const Exit& exit : problem.exits) json["exits"].push_back({{"name", exit.name}, {"layer", exit.layer}});
  for (const Policy& policy : problem.policies) json["policies"].push_back(policy_json(policy));
  for (const Tiling& tiling : problem.tilings)
    json["tilings"].push_back({{"first", tiling.first}, {"last", tiling.last}, {"tiles", tiles_json(tiling.tiles)}});
  return json;
}

SharedPlan plan_from_json(const Json& json) {
  const Field field(json, "plan");
  SharedPlan plan;
  plan.planner = field.text("planner");
  plan.reference = field.text("reference");
  plan.policy = field["policy"].index();
  plan.variant = field["variant"].index();
  for (const Field& step : field["steps"].items())
    plan.steps.push_back({step["first"].index(), step["last"].index(), step["device"].index(), read_tiles(step)});
  for (const Field& line : field.items("explanation")) plan.explanation.push_back(line.text());
  if (field.has("certificate")) plan.certificate = {read_certificate(field["certificate"])};
  return plan;
}

Json to_json(const SharedPlan& plan) {
  Json json = {{"planner", plan.planner}, {"reference", plan.reference}, {"policy", plan.policy},
               {"variant", plan.variant}, {"steps", Json::array()},      {"explanation", plan.explanation},
               {"certificate", nullptr}};
  for (const PlanStep& step : plan.steps)
    json["steps"].push_back(
        {{"first", step.first}, {"last", step.last}, {"device", step.device}, {"tiles", tiles_json(step.tiles)}});
  if (!plan.certificate.empty()) json["certificate"] = certificate_json(plan.certificate.front());
  return json;
}

}  // namespace espalier::plan
