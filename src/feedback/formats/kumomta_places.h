#pragma once
#include "base/result.h"
#include "feedback/formats/kumomta_log.h"
#include "feedback/formats/kumomta_record.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::feedback {

// What a name of KumomtaNames names.
struct KumomtaPlace {
  enum Where : uint8_t { meta, header, record } where = meta;
  KumomtaRecord::Key key = KumomtaRecord::queue;  // of a record
  std::string name;                               // of a meta or header
  size_t number = 0;                              // of it among those that the record looks for
};

// The places of each field, and the names that a record has to look for.
//   Owns: the names; the views stay good when it is moved.
struct KumomtaPlaces {
  // Errors: bad_input, naming the list.
  static Result<KumomtaPlaces> from(const KumomtaNames& names);

  enum Field : uint8_t { customer, campaign, credential, client };
  static constexpr size_t kFields = 4;
  static constexpr size_t kMostNames = 16;  // in one list of KumomtaNames

  std::array<std::vector<KumomtaPlace>, kFields> of;
  std::vector<std::string_view> metas{};
  std::vector<std::string_view> headers{"message-id"};
};

}  // namespace watchpost::feedback
