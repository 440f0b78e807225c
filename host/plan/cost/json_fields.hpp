// Reading JSON fields with errors that name them.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "esp_error.hpp"

namespace espalier::plan {

/// A JSON value and its place in the document.
class Field {
 public:
  using Json = nlohmann::ordered_json;
  Field(const Json& json, std::string where) : json_(&json), where_(std::move(where)) {}

  bool has(const std::string& key) const {
    return json_->is_object() && json_->contains(key) && !(*json_)[key].is_null();
  }
  bool null() const { return json_->is_null(); }
  const std::string& where() const { return where_; }

  /// A member that must be there.
  Field operator[](const std::string& key) const {
    if (!json_->is_object() || !json_->contains(key)) refuse("field missing", key);
    return {(*json_)[key], where_.empty() ? key : where_ + "." + key};
  }
  /// The elements of an array.
  std::vector<Field> items() const {
    if (!json_->is_array()) refuse("not an array", json_->dump().substr(0, MostShown));
    std::vector<Field> fields;
    for (std::size_t index = 0; index < json_->size(); ++index)
      fields.emplace_back((*json_)[index], where_ + "[" + std::to_string(index) + "]");
    return fields;
  }
  /// The elements of a member; none if it is not there.
  std::vector<Field> items(const std::string& key) const {
    return has(key) ? (*this)[key].items() : std::vector<Field>{};
  }

  std::int64_t integer() const {
    if (json_->is_number_unsigned() &&
        json_->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      refuse("number out of range", json_->dump());
    if (!json_->is_number_integer()) refuse("not an integer", json_->dump().substr(0, MostShown));
    return json_->get<std::int64_t>();
  }
  int index() const {
    const std::int64_t number = integer();
    if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max())
      refuse("number out of range", json_->dump());
    return static_cast<int>(number);
  }
  std::string text() const {
    if (!json_->is_string()) refuse("not a text", json_->dump().substr(0, MostShown));
    return json_->get<std::string>();
  }
  bool truth() const {
    if (!json_->is_boolean()) refuse("neither true nor false", json_->dump().substr(0, MostShown));
    return json_->get<bool>();
  }
  std::int64_t integer(const std::string& key, std::int64_t otherwise) const {
    return has(key) ? (*this)[key].integer() : otherwise;
  }
  int index(const std::string& key, int otherwise) const { return has(key) ? (*this)[key].index() : otherwise; }
  std::string text(const std::string& key) const { return has(key) ? (*this)[key].text() : std::string(); }

  [[noreturn]] void refuse(const std::string& what, const std::string& value) const {
    throw Error(ErrorCode::Input, what, where_.empty() ? "document" : where_, value,
                "see what espalier plan --help says about the file");
  }

 private:
  static constexpr std::size_t MostShown = 60;
  const Json* json_;
  std::string where_;
};

}  // namespace espalier::plan
