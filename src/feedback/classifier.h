#pragma once
#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace watchpost::feedback {

// What a reply means, and the rule that said so. Both views live as long as the classifier.
struct ReplyVerdict {
  std::string_view class_name;  // one of reply_class_names()
  std::string_view rule;        // "unknown_user/postfix-local"; "none" for unclassified
};

// An SMTP reply, or the MTA's own words for a failure that had none.
struct ReplyText {
  uint16_t code = 0;        // 0 where there was none
  std::string_view status;  // enhanced status, "5.1.1"; may be empty
  std::string_view text;    // as logged; multi-line replies joined
};

// Judges replies by rules that are data: config/reply-classes.toml, compiled in as the default and
// replaceable by the user.
//   Use:     one for the whole process.
//   Threads: immutable; classify() may be called from any thread.
class Classifier {
 public:
  // The rules that ship with Watchpost.
  static const Classifier& shipped();
  // Rules from TOML text; `origin` names the file in errors (file:line:column).
  static Result<Classifier> from_toml(std::string_view toml, std::string_view origin);

  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;
  ~Classifier();

  // First rule in file order that holds; else by the enhanced status and the code alone; else
  // unclassified. Bounded: only the first 2 kB of the text are looked at.
  ReplyVerdict classify(const ReplyText& reply) const;

 private:
  struct Rules;
  explicit Classifier(std::unique_ptr<Rules> rules);
  std::unique_ptr<Rules> rules_;
};

}  // namespace watchpost::feedback
