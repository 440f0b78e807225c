#include <fmt/format.h>

#include "backends.hpp"
#include "commands.hpp"
#include "table.hpp"

namespace espalier::tools {

void add_devices(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("devices", "list the machines that --device can name");
  add_console_options(*command, console);
  command->footer("Examples:\n  espalier devices\n  espalier devices --json");
  command->callback([&console] {
    Json json = document("devices");
    json["devices"] = Json::array();
    Table table({{"device", Align::Left}, {"arrays", Align::Left}, {"description", Align::Left}});
    for (const BackendInfo& backend : list_backends()) {
      json["devices"].push_back(
          {{"device", backend.device}, {"arrays", backend.arrays}, {"description", backend.description}});
      table.add({backend.device, fmt::format("{}", fmt::join(backend.arrays, " ")), backend.description});
    }
    console.report(json, table.text());
  });
}

}  // namespace espalier::tools
