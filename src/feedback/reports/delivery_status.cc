#include "feedback/reports/delivery_status.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reply_words.h"
#include "feedback/reports/report_text.h"

#include <algorithm>
#include <set>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr size_t kMostDefects = 20;

// "dns; mx.example.com (192.0.2.1)" is "mx.example.com (192.0.2.1)", and its type "dns".
std::string without_type(std::string_view value, std::string* kind = nullptr) {
  value = trim(value);
  const size_t semicolon = value.find(';');
  if (semicolon != std::string_view::npos && semicolon > 0 && semicolon < 24) {
    const std::string_view type = trim(value.substr(0, semicolon));
    const bool is_type = std::ranges::all_of(type, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '.';
    });
    const bool digits = std::ranges::all_of(type, [](char c) { return c >= '0' && c <= '9'; });
    if (is_type && !digits) {
      if (kind != nullptr) *kind = lower_ascii(type);
      value = value.substr(semicolon + 1);
    }
  }
  return one_line(value);
}

struct ActionWord {
  std::string_view begins;
  Action action;
};
// The five of RFC 3464 section 2.3.3, and what is sent instead of "failed".
constexpr ActionWord kActions[] = {
    {"fail", Action::failed},    {"delay", Action::delayed},    {"deliver", Action::delivered},
    {"relay", Action::relayed},  {"expand", Action::expanded},  {"error", Action::failed},
    {"expired", Action::failed}, {"undeliver", Action::failed}, {"reject", Action::failed},
    {"bounce", Action::failed},  {"return", Action::failed},    {"denied", Action::failed},
    {"retry", Action::delayed},  {"warning", Action::delayed},  {"deferred", Action::delayed},
    {"queued", Action::delayed},
};

// The first "x.y.z" of a Status field.
std::string status_in(std::string_view value) {
  value = trim(value);
  size_t end = 0;
  while (end < value.size() && (value[end] == '.' || (value[end] >= '0' && value[end] <= '9'))) {
    ++end;
  }
  const std::string_view status = value.substr(0, end);
  if (parse_status(status).kind < 0) return {};
  return std::string(status);
}

class Reader {
 public:
  DeliveryStatus read(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      line(text.substr(at, end - at));
      at = end + 1;
    }
    end_field();
    end_recipient();
    return std::move(status_);
  }

 private:
  void line(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) {
      line.remove_suffix(1);
    }
    if (line.empty()) {
      end_field();
      blank_ = true;
      return;
    }
    if (line.front() == ' ' || line.front() == '\t') {
      // A fold; or a field of a report that was set in from the edge.
      if (!name_.empty() && value_.size() < kMostReportText) {
        value_ += ' ';
        value_ += trim(line).substr(0, kMostReportText);
        return;
      }
      line = trim(line);
    }
    end_field();
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    name_ = lower_ascii(trim(line.substr(0, std::min<size_t>(colon, 60))));
    value_ = line.substr(colon + 1, kMostReportText);
  }

  void end_field() {
    if (name_.empty()) return;
    const std::string name = std::exchange(name_, {});
    take(name, value_);
    blank_ = false;
  }

  void take(std::string_view name, std::string_view value) {
    if (name == "reporting-mta") {
      if (status_.reporting_mta.empty()) status_.reporting_mta = without_type(value);
    } else if (name == "original-envelope-id") {
      if (status_.envelope_id.empty()) status_.envelope_id = one_line(value);
    } else if (name == "final-recipient") {
      begin_recipient(&has_final_);
      current_.recipient = report_address(value);
      has_final_ = true;
    } else if (name == "original-recipient") {
      begin_recipient(&has_original_);
      current_.original_recipient = report_address(value);
      has_original_ = true;
    } else if (name == "x-actual-recipient") {
      actual_ = report_address(value);
    } else if (name == "action") {
      begin_recipient(&has_action_);
      take_action(trim(value));
    } else if (name == "status") {
      begin_recipient(&has_status_);
      has_status_ = true;
      current_.status = status_in(value);
      if (current_.status.empty()) defect("Status is no status code");
      comment_ = one_line(value.substr(std::min(value.size(), value.find('('))));
    } else if (name == "remote-mta") {
      current_.remote_mta = without_type(value);
    } else if (name == "diagnostic-code") {
      current_.diagnostic = without_type(value, &current_.diagnostic_type);
    } else if (name == "x400-supplementary-info" || name == "x-supplementary-info") {
      supplement_ = without_type(value);
    }
  }

  // A field that a recipient has once: if the current one has it and something told the two apart,
  // this is the next recipient.
  void begin_recipient(const bool* given) {
    if (open_ && *given) end_recipient();
    // A blank line ends a recipient that is whole.
    if (open_ && blank_ && (has_final_ || has_original_) && has_action_) end_recipient();
    open_ = true;
  }

  void take_action(std::string_view value) {
    has_action_ = true;
    const std::string word = lower_ascii(value.substr(0, 40));
    for (const ActionWord& known : kActions) {
      if (word.starts_with(known.begins)) {
        current_.action = known.action;
        return;
      }
    }
    defect("Action is none that is known");
  }

  void end_recipient() {
    if (open_ && (has_final_ || has_original_)) {
      finish();
    } else if (open_) {
      defect("a recipient without Final-Recipient");
    }
    current_ = {};
    open_ = has_final_ = has_original_ = has_action_ = has_status_ = false;
    actual_.clear();
    supplement_.clear();
    comment_.clear();
  }

  // A word that is not known says no more than none: the status decides. Nor is it a delivery whose
  // status is that of a failure.
  void settle_action() {
    if (!has_action_) defect("no Action");
    const char kind = current_.status.empty() ? '5' : current_.status.front();
    if (current_.action == Action::delivered && kind == '5' && has_status_) {
      current_.action = Action::none;
    }
    if (current_.action != Action::none) return;
    current_.action = kind == '2' ? Action::delivered : Action::failed;
  }

  void finish() {
    if (!has_final_) defect("no Final-Recipient, only the original one");
    if (!is_address(current_.recipient)) {
      if (is_address(current_.original_recipient)) {
        current_.recipient = current_.original_recipient;
      } else if (is_address(actual_)) {
        current_.recipient = actual_;
      }
    }
    settle_action();
    if (!has_status_) defect("no Status");
    // X.400 gateways number the reason, and say it in words beside.
    if (!supplement_.empty())
      current_.diagnostic += (current_.diagnostic.empty() ? "" : " ") + supplement_;
    if (current_.diagnostic.empty() && comment_.size() > 2) {
      current_.diagnostic = comment_;
      if (comment_.starts_with('(') && comment_.ends_with(')')) {
        current_.diagnostic = comment_.substr(1, comment_.size() - 2);
      }
    }
    if (status_.recipients.size() >= kMostReportRecipients) {
      defect("more recipients than are read");
    } else if (known_.insert({lower_ascii(current_.recipient), current_.action}).second) {
      status_.recipients.push_back(std::move(current_));
    }
  }

  void defect(std::string_view what) {
    if (status_.defects.size() < kMostDefects &&
        std::ranges::find(status_.defects, what) == status_.defects.end()) {
      status_.defects.emplace_back(what);
    }
  }

  DeliveryStatus status_;
  std::set<std::pair<std::string, Action>> known_;
  std::string name_;
  std::string value_;
  bool blank_ = false;
  RecipientReport current_;
  std::string actual_;
  std::string supplement_;
  std::string comment_;  // behind the code of the Status field
  bool open_ = false;
  bool has_final_ = false;
  bool has_original_ = false;
  bool has_action_ = false;
  bool has_status_ = false;
};

}  // namespace

DeliveryStatus read_delivery_status(std::string_view text) { return Reader().read(text); }

bool has_delivery_status(std::string_view text) {
  constexpr std::string_view kFields[] = {"final-recipient:", "original-recipient:"};
  for (size_t at = 0; at < text.size();) {
    const std::string_view line = text.substr(at);
    for (const std::string_view field : kFields) {
      if (starts_with_nocase(line, field)) return true;
    }
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return false;
}

}  // namespace watchpost::feedback
