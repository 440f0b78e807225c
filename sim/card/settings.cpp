#include "card/settings.hpp"

#include <cstdio>
#include <cstdlib>

#include "esp_error.hpp"

namespace espalier::card {

Settings parse_settings(const std::string& text) {
  Settings settings;
  const std::size_t colon = text.find(':');
  settings.kind = text.substr(0, colon);
  if (colon == std::string::npos) return settings;
  unsigned lanes = 0, pixels = 0;
  int end = 0;
  const std::string array = text.substr(colon + 1);
  if (std::sscanf(array.c_str(), "%3ux%3u%n", &lanes, &pixels, &end) != 2 ||
      static_cast<std::size_t>(end) != array.size()) {
    throw Error(ErrorCode::Usage, "cannot read the kind of card", "ESPALIER_CARD", text,
                "use for example rtl:16x16 or functional");
  }
  settings.lanes = lanes;
  settings.pixels = pixels;
  return settings;
}

Settings settings_from_environment() {
  const char* text = std::getenv("ESPALIER_CARD");
  return text == nullptr || *text == 0 ? Settings{} : parse_settings(text);
}

}  // namespace espalier::card
