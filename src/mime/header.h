#pragma once
#include "mime/bounds.h"
#include "mime/defect.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::mime {

// A header field, as the message has it. Views into the message.
struct Field {
  std::string_view raw;  // name, colon, folds and line end: the bytes that DKIM signs
  std::string_view
      name;  // in any case (RFC 5322 section 1.2.2), as written, without blanks before the colon
  std::string_view body;  // behind the colon, up to the line end that ends the field; folds and the
                          // leading blank stand in it
};

// The body on one line: folds undone (RFC 5322 section 2.2.3), blanks at both ends gone.
std::string unfolded(std::string_view body);

// The fields of a header block, in their order.
//   Owns: no text; lives as long as the bytes it was read from.
class Header {
 public:
  // Reads up to the blank line or the end. `begin` is the place of `bytes` in the message, for
  // findings. Total: any bytes may come in; lines that are no fields are skipped with a finding,
  // but where no field comes behind them any more, they are the body, as Postfix has it.
  static Header read(std::string_view bytes, size_t begin, const Bounds& bounds,
                     Findings& findings);

  std::span<const Field> fields() const { return fields_; }
  // The first of that name; its body unfolded.
  const Field* find(std::string_view name) const;
  std::optional<std::string> text(std::string_view name) const;
  size_t count(std::string_view name) const;
  // All of that name, in order.
  std::vector<const Field*> all(std::string_view name) const;
  // Bytes of the block with the blank line that ends it: where the body begins.
  size_t size() const { return size_; }

 private:
  std::vector<Field> fields_;
  size_t size_ = 0;
};

}  // namespace watchpost::mime
