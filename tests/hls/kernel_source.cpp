#include "kernel_source.hpp"

#include <algorithm>
#include <cctype>

namespace espalier::test {
namespace {

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool is_name(const std::string& word) {
  return !word.empty() && is_name(word[0]) && std::isdigit(static_cast<unsigned char>(word[0])) == 0;
}

/// The end of what starts at `begin` with `open` and ends with its `close`.
std::size_t matching(const std::vector<std::string>& words, std::size_t begin, const char* open, const char* close) {
  int depth = 0;
  for (std::size_t i = begin; i < words.size(); ++i) {
    if (words[i] == open) ++depth;
    if (words[i] == close && --depth == 0) return i;
  }
  return words.size();
}

/// "PIPELINE II = 1" of a pragma of HLS; empty for any other word.
std::string pragma(const std::string& word) {
  const std::string start = "#pragma HLS ";
  return word.rfind(start, 0) == 0 ? word.substr(start.size()) : "";
}

bool of_loop(const std::string& pragma) {
  return pragma.rfind("PIPELINE", 0) == 0 || pragma.rfind("UNROLL", 0) == 0 || pragma.rfind("LOOP_", 0) == 0;
}

/// Reads the body of a function between two braces.
class Body {
 public:
  Body(const std::vector<std::string>& words, std::string function, KernelFunctions& functions)
      : words_(words), function_(std::move(function)), functions_(functions) {}

  void read(std::size_t open, std::size_t close) {
    std::size_t at = open + 1;
    for (; !pragma(words_[at]).empty() && !of_loop(pragma(words_[at])); ++at) {
      if (pragma(words_[at]) == "DATAFLOW") functions_.dataflow.push_back(function_);
    }
    functions_.calls[function_].merge(block(at, close, false));
  }

 private:
  /// Words [at, end); returns what they call.
  std::set<std::string> block(std::size_t at, std::size_t end, bool in_pipeline) {
    std::set<std::string> calls;
    for (; at < end; ++at) {
      const std::string& word = words_[at];
      if (word == "for" || word == "while") {
        at = loop(at, in_pipeline, calls);
      } else if (of_loop(pragma(word)) || pragma(word) == "DATAFLOW") {
        functions_.misplaced.push_back(function_ + ": " + word);
      } else if (is_name(word) && is_call(at)) {
        calls.insert(word);
      }
    }
    return calls;
  }

  /// name(...), name<...>(...)
  bool is_call(std::size_t at) const {
    if (words_[at + 1] == "(") return true;
    if (words_[at + 1] != "<") return false;
    const std::size_t close = matching(words_, at + 1, "<", ">");
    return close + 1 < words_.size() && words_[close + 1] == "(" && close - at < 12;
  }

  std::size_t loop(std::size_t at, bool in_pipeline, std::set<std::string>& calls) {
    const std::size_t head = matching(words_, at + 1, "(", ")");
    calls.merge(block(at + 1, head, in_pipeline));
    if (words_[head + 1] != "{") {
      functions_.misplaced.push_back(function_ + ": a loop without braces");
      return head;
    }
    const std::size_t close = matching(words_, head + 1, "{", "}");
    Loop loop;
    loop.function = function_;
    loop.in_pipeline = in_pipeline;
    std::size_t body = head + 2;
    for (; !pragma(words_[body]).empty(); ++body) loop.pragmas.push_back(pragma(words_[body]));
    const std::size_t before = functions_.loops.size();
    loop.calls = block(body, close, in_pipeline || loop.begins_with("PIPELINE"));
    loop.inner = functions_.loops.size() - before;
    calls.insert(loop.calls.begin(), loop.calls.end());
    functions_.loops.push_back(loop);
    return close;
  }

  const std::vector<std::string>& words_;
  std::string function_;
  KernelFunctions& functions_;
};

}  // namespace

std::vector<std::string> source_words(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < text.size();) {
    if (text.compare(i, 2, "//") == 0) {
      i = std::min(text.find('\n', i), text.size());
    } else if (text[i] == '#') {
      const std::size_t end = std::min(text.find('\n', i), text.size());
      words.push_back(text.substr(i, end - i));
      i = end;
    } else if (text[i] == '"') {
      i = std::min(text.find('"', i + 1), text.size() - 1) + 1;
      words.emplace_back("\"\"");
    } else if (is_name(text[i])) {
      const auto end = std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(),
                                        [](char c) { return is_name(c); });
      words.emplace_back(text.begin() + static_cast<std::ptrdiff_t>(i), end);
      i += words.back().size();
    } else {
      if (text.compare(i, 2, "/*") == 0) {
        i = std::min(text.find("*/", i), text.size() - 2) + 2;
        continue;
      }
      if (std::isspace(static_cast<unsigned char>(text[i])) == 0) words.emplace_back(1, text[i]);
      ++i;
    }
  }
  return words;
}

bool Loop::begins_with(const std::string& pragma) const {
  return !pragmas.empty() && pragmas.front().rfind(pragma, 0) == 0;
}

void KernelFunctions::add(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "struct" || words[i] == "enum") {
      while (i < words.size() && words[i] != "{" && words[i] != ";") ++i;
      if (i < words.size() && words[i] == "{") i = matching(words, i, "{", "}");
    } else if (is_name(words[i]) && i + 1 < words.size() && words[i + 1] == "(") {
      const std::size_t close = matching(words, i + 1, "(", ")");
      if (close + 1 < words.size() && words[close + 1] == "{") {
        const std::size_t end = matching(words, close + 1, "{", "}");
        Body(words, words[i], *this).read(close + 1, end);
        i = end;
      } else {
        i = close;
      }
    }
  }
}

std::set<std::string> KernelFunctions::reached(const std::string& function) const {
  std::set<std::string> found;
  std::vector<std::string> open{function};
  while (!open.empty()) {
    const auto at = calls.find(open.back());
    open.pop_back();
    if (at == calls.end()) continue;
    for (const std::string& called : at->second) {
      if (calls.count(called) != 0 && found.insert(called).second) open.push_back(called);
    }
  }
  return found;
}

std::vector<std::filesystem::path> kernel_sources(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  for (const char* part : {"include", "kernels"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / part)) {
      const bool plain = entry.path().parent_path().filename() == "plain";
      if (entry.is_regular_file() && !plain) found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace espalier::test
