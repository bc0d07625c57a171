#include "auth/arc/arc_sets.h"

#include "auth/dkim/tag_list.h"
#include "base/ascii.h"
#include "mime/lexer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

// RFC 8617 section 4.2.1: 1 to 50, at most two digits.
std::optional<uint32_t> instance_of(std::string_view digits) {
  if (digits.empty() || digits.size() > 2 || !std::ranges::all_of(digits, is_digit)) {
    return std::nullopt;
  }
  uint32_t value = 0;
  for (const char c : digits) value = value * 10 + static_cast<uint32_t>(c - '0');
  if (value < 1 || value > kMostArcSets) return std::nullopt;
  return value;
}

// Puts the fields where they belong; the first fault counts.
class Collection {
 public:
  explicit Collection(const DkimOptions& options) : options_(options) {}

  void add(const mime::Field& field, uint32_t place) {
    if (equal_nocase(field.name, "arc-authentication-results")) return results(field);
    if (equal_nocase(field.name, "arc-message-signature")) {
      return signature(field, place, SignatureKind::arc_message);
    }
    if (equal_nocase(field.name, "arc-seal")) {
      return signature(field, place, SignatureKind::arc_seal);
    }
  }

  ArcSets sets() && {
    for (size_t i = 0; i < found_.sets.size(); ++i) {
      const ArcFields& one = found_.sets[i];
      if (one.results == nullptr) missing("ARC-Authentication-Results", i + 1);
      if (!one.message) missing("ARC-Message-Signature", i + 1);
      if (!one.seal) missing("ARC-Seal", i + 1);
      if (one.seal) check_chain(*one.seal, i + 1);
    }
    return std::move(found_);
  }

 private:
  void fault(std::string why) {
    if (found_.fault.empty()) found_.fault = std::move(why);
  }
  void missing(std::string_view name, size_t instance) {
    fault(fmt::format("set {} has no {}", instance, name));
  }

  ArcFields* set(std::optional<uint32_t> instance, std::string_view name) {
    if (!instance) {
      fault(fmt::format("an {} has no instance of 1 to {} (i=)", name, kMostArcSets));
      return nullptr;
    }
    if (found_.sets.size() < *instance) found_.sets.resize(*instance);
    return &found_.sets[*instance - 1];
  }
  void twice(std::string_view name, uint32_t instance) {
    fault(fmt::format("set {} has two of {}", instance, name));
  }

  void results(const mime::Field& field) {
    std::string_view rest;
    const auto instance = results_instance(field.body, rest);
    ArcFields* const one = set(instance, "ARC-Authentication-Results");
    if (one == nullptr) return;
    if (one->results != nullptr) return twice("ARC-Authentication-Results", *instance);
    one->results = &field;
    one->authentication_results = mime::unfolded(rest);
  }

  void signature(const mime::Field& field, uint32_t place, SignatureKind kind) {
    const bool seal = kind == SignatureKind::arc_seal;
    const std::string_view name = seal ? "ARC-Seal" : "ARC-Message-Signature";
    const TagList list = TagList::read(field.body);
    if (!list.fault().empty()) return fault(fmt::format("an {} {}", name, list.fault()));
    const Tag* const tag = list.find("i");
    const auto instance = tag == nullptr ? std::nullopt : instance_of(tag->value);
    ArcFields* const one = set(instance, name);
    if (one == nullptr) return;
    // RFC 8617 section 4.1.3: a seal with h= is no seal.
    if (seal && list.find("h") != nullptr) fault(fmt::format("seal {} has the tag h=", *instance));
    std::optional<Signature>& taken = seal ? one->seal : one->message;
    if (taken) return twice(name, *instance);
    taken = read_signature(field, kind, options_);
    taken->verdict.field_index = place;
  }

  // RFC 8617 section 5.2 step 3: the first seal found nothing, each later one a chain that passed.
  void check_chain(const Signature& seal, size_t instance) {
    const std::string_view wanted = instance == 1 ? "none" : "pass";
    if (seal.cv == wanted) return;
    fault(fmt::format("seal {} says {} of the chain before it, and {} is the only way to go on",
                      instance, seal.cv == "fail" ? "fail" : "something else", wanted));
  }

  const DkimOptions& options_;
  ArcSets found_;
};

}  // namespace

std::optional<uint32_t> results_instance(std::string_view body, std::string_view& rest) {
  mime::Lexer lexer(body);
  lexer.skip_blanks();
  if (lexer.peek() != 'i') return std::nullopt;
  lexer.skip();
  lexer.skip_blanks();
  if (lexer.peek() != '=') return std::nullopt;
  lexer.skip();
  lexer.skip_blanks();
  const size_t begin = lexer.at();
  while (is_digit(lexer.peek())) lexer.skip();
  const auto instance = instance_of(lexer.between(begin, lexer.at()));
  lexer.skip_blanks();
  if (lexer.peek() != ';') return std::nullopt;
  lexer.skip();
  rest = lexer.rest();
  return instance;
}

ArcSets read_arc_sets(const mime::Message& message, const DkimOptions& options) {
  Collection collection(options);
  const auto fields = message.header().fields();
  for (size_t place = 0; place < fields.size(); ++place) {
    if (!starts_with_nocase(fields[place].name, "arc-")) continue;
    collection.add(fields[place], static_cast<uint32_t>(place));
  }
  return std::move(collection).sets();
}

}  // namespace watchpost::auth
