#include "console.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <ostream>

namespace espalier::tools {

void Console::report(const Json& document, const std::string& text) {
  *out_ << (json ? to_text(document) : text);
  out_->flush();
  reported_ = true;
}

void Console::progress(const std::string& line) {
  if (quiet) return;
  spdlog::logger logger("espalier", std::make_shared<spdlog::sinks::ostream_sink_mt>(*err_, true));
  logger.set_pattern("[%T] %v");
  logger.info("{}", line);
}

void Console::text(const std::string& text) {
  *out_ << text;
  out_->flush();
}

void Console::error(const Error& error) {
  if (json && !reported_) *out_ << to_text(error_document(error));
  *err_ << "espalier: " << to_string(error.code()) << " error: " << error.what() << "\n";
  out_->flush();
  err_->flush();
}

}  // namespace espalier::tools
