// Where commands write: reports to standard output, progress to standard error.
#pragma once

#include <iosfwd>
#include <string>

#include "report_json.hpp"

namespace espalier::tools {

class Console {
 public:
  Console(std::ostream& out, std::ostream& err) : out_(&out), err_(&err) {}

  bool json = false;   // reports are JSON documents, errors too
  bool quiet = false;  // no progress

  /// A report in the form that was asked for.
  void report(const Json& document, const std::string& text);
  /// A line of progress on standard error.
  void progress(const std::string& line);
  /// An error, as text on standard error; with --json also as a document on standard output, unless that has one.
  void error(const Error& error);

 private:
  bool reported_ = false;  // standard output has its one document
  std::ostream* out_;
  std::ostream* err_;
};

}  // namespace espalier::tools
