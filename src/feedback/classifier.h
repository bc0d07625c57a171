#pragma once
#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace watchpost {
struct Event;
}

namespace watchpost::feedback {

// What a reply means, and the rule that said so. All views live as long as the classifier.
struct ReplyVerdict {
  std::string_view class_name;  // one of reply_class_names()
  std::string_view rule;        // "unknown_user/postfix-local"; "none" for unclassified
  // Which part of the class, where that is known: "virus" of content_block. class_mapping.h has
  // all.
  std::string_view detail = {};
  // How sure, 0 to 1: a provider's own code or words 0.95, words that most servers use 0.8 (0.9
  // where the status says the same), the status alone 0.6, the code alone 0.4, nothing 0.
  double confidence = 0;
  // 5: refused for good; 4: for now; 0: neither code nor status was there to tell.
  uint8_t kind = 0;
};

// An SMTP reply, or the MTA's own words for a failure that had none.
struct ReplyText {
  uint16_t code = 0;        // 0 where there was none
  std::string_view status;  // enhanced status, "5.1.1"; may be empty
  std::string_view text;    // as logged; multi-line replies joined
  // The command it answers, as Field::stage has it ("RCPT"), and the name of the server that said
  // it. May be empty: then they are taken from the text where it names them.
  std::string_view stage = {};
  std::string_view remote_host = {};
};
// What an event knows of its reply. Views into the event.
ReplyText reply_of(const Event& event);

// Judges replies by rules that are data: config/reply-classes.toml, compiled in as the default and
// replaceable by the user.
//   Use:     one for the whole process.
//   Threads: immutable; classify() may be called from any thread.
class Classifier {
 public:
  // The rules that ship with Watchpost.
  static const Classifier& shipped();
  static std::string_view shipped_rules();  // as TOML
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
