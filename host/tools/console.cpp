#include "console.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <ostream>

#include "model/refusal_list.hpp"

namespace espalier::tools {
namespace {

// Names come from files: without control characters they cannot move the cursor or begin a line of their own.
std::string printable(std::string text) {
  for (char& letter : text)
    if ((static_cast<unsigned char>(letter) < 0x20 && letter != '\n') || letter == 0x7F) letter = '?';
  return text;
}

}  // namespace

void Console::report(const Json& document, const std::string& text) {
  *out_ << (json ? to_text(document) : printable(text));
  out_->flush();
  reported_ = true;
}

void Console::progress(const std::string& line) {
  if (quiet) return;
  spdlog::logger logger("espalier", std::make_shared<spdlog::sinks::ostream_sink_mt>(*err_, true));
  logger.set_pattern("[%T] %v");
  logger.info("{}", printable(line));
}

void Console::error(const Error& error) {
  if (json && !reported_) *out_ << to_text(error_document(error));
  std::string line = printable(error.what());
  std::replace(line.begin(), line.end(), '\n', ' ');
  *err_ << "espalier: " << to_string(error.code()) << " error: " << line << "\n";
  if (const auto* unsupported = dynamic_cast<const model::UnsupportedModel*>(&error))
    for (const model::Refusal& refusal : unsupported->refusals())
      *err_ << printable("  " + refusal.where + ": " + refusal.reason +
                         (refusal.value.empty() ? "" : " (" + refusal.value + ")") + "\n");
  out_->flush();
  err_->flush();
}

}  // namespace espalier::tools
