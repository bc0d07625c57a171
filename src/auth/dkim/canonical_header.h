#pragma once
#include "auth/dkim/dkim.h"
#include "mime/header.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// Bytes that are left out of a field: the value of b= in a signature that is being verified.
struct Gap {
  size_t begin = 0;
  size_t end = 0;
};

// Appends the canonical form of a field (RFC 6376 sections 3.4.1 and 3.4.2), without the line end
// behind it. `raw` is all of the field; `gap` counts from its begin.
void append_canonical(std::string& text, std::string_view raw, Canonicalisation how, Gap gap = {});

// The fields of a message by their names, in either case.
//   Owns: no text; lives as long as the fields.
//   Costs: the logarithm of the number of fields for each question, whatever their names are.
class FieldIndex {
 public:
  explicit FieldIndex(std::span<const mime::Field> fields);

  std::span<const mime::Field> fields() const { return fields_; }
  // Places in fields(), in their order.
  std::span<const uint32_t> places(std::string_view name) const;

 private:
  std::span<const mime::Field> fields_;
  std::vector<uint32_t> by_name_;
};

// Takes the fields in the order in which a signature names them: of those of one name the last one
// first (RFC 6376 section 5.4.2), each once.
class FieldChoice {
 public:
  explicit FieldChoice(const FieldIndex& index) : index_(index), taken_(index.fields().size()) {}
  // Null where all of that name are taken, or there is none.
  const mime::Field* next(std::string_view name);

 private:
  const FieldIndex& index_;
  std::vector<uint32_t> taken_;  // by the place of a name's first field
};

}  // namespace watchpost::auth
