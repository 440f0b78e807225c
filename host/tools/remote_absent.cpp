#include <memory>

#include "commands.hpp"
#include "esp_error.hpp"
#include "run_plan.hpp"

namespace espalier::tools {
namespace {

[[noreturn]] void refuse(const char* what) {
  throw Error(ErrorCode::Usage, "this build has no gRPC", what, {},
              "install libgrpc++-dev, protobuf-compiler-grpc and libprotobuf-dev and build again");
}

}  // namespace

void add_serve(CLI::App& app, Console& /*console*/) {
  CLI::App* command =
      app.add_subcommand("serve", "serve networks over the Open Inference Protocol (not in this build)");
  command->prefix_command();
  command->callback([] { refuse("espalier serve"); });
}

void add_remote_options(CLI::App& command, RemoteOptions& options) {
  command.add_option("--remote", options.address, "a server (not in this build)");
}

void run_on_server(const RemoteOptions& /*options*/, const RemoteRun& /*run*/, Console& /*console*/) {
  refuse("--remote");
}

void run_plan(const PlanRunOptions& /*options*/, const RemoteOptions& /*remote*/, const PlanRun& /*run*/,
              Console& /*console*/) {
  refuse("--plan");
}

}  // namespace espalier::tools
