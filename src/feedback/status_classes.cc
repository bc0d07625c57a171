#include "feedback/status_classes.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace watchpost::feedback {
namespace {

// `kind` 0 stands for 4 and 5. Of two rows for the same code the first holds.
struct StatusRow {
  int kind;
  int subject;
  int detail;
  std::string_view class_name;
  std::string_view rule;
  std::string_view part = {};  // detail of class_parts()
};
constexpr std::array kStatusRows{
    StatusRow{5, 1, 0, "unknown_user", "status/5.1.0"},
    StatusRow{0, 1, 1, "unknown_user", "status/x.1.1"},
    StatusRow{0, 1, 2, "bad_domain", "status/x.1.2"},
    StatusRow{0, 1, 3, "unknown_user", "status/x.1.3"},
    StatusRow{0, 1, 4, "unknown_user", "status/x.1.4"},
    StatusRow{0, 1, 6, "moved", "status/x.1.6"},
    StatusRow{0, 1, 7, "auth_required", "status/x.1.7", "sender"},
    StatusRow{0, 1, 8, "auth_required", "status/x.1.8", "sender"},
    StatusRow{0, 1, 9, "protocol", "status/x.1.9"},
    StatusRow{0, 1, 10, "bad_domain", "status/x.1.10", "no_mail"},  // RFC 7505: null MX
    StatusRow{0, 2, 1, "inactive", "status/x.2.1"},
    StatusRow{0, 2, 2, "mailbox_full", "status/x.2.2"},
    StatusRow{0, 2, 3, "message_too_large", "status/x.2.3", "recipient"},
    StatusRow{0, 2, 4, "system", "status/x.2.4"},
    StatusRow{0, 3, 0, "system", "status/x.3.0"},
    StatusRow{0, 3, 1, "system", "status/x.3.1", "full"},
    StatusRow{0, 3, 2, "system", "status/x.3.2", "closed"},
    StatusRow{0, 3, 3, "protocol", "status/x.3.3", "content"},
    StatusRow{0, 3, 4, "message_too_large", "status/x.3.4"},
    StatusRow{0, 3, 5, "system", "status/x.3.5"},
    StatusRow{0, 4, 0, "network", "status/x.4.0"},
    StatusRow{0, 4, 1, "network", "status/x.4.1", "timeout"},
    StatusRow{0, 4, 2, "network", "status/x.4.2"},
    StatusRow{0, 4, 3, "dns", "status/x.4.3"},
    StatusRow{5, 4, 4, "bad_domain", "status/5.4.4"},
    StatusRow{4, 4, 4, "dns", "status/4.4.4"},
    StatusRow{0, 4, 5, "system", "status/x.4.5"},
    StatusRow{0, 4, 6, "loop", "status/x.4.6"},
    StatusRow{0, 4, 7, "network", "status/x.4.7", "expired"},
    StatusRow{0, 5, 0, "protocol", "status/x.5.0"},
    StatusRow{0, 5, 1, "protocol", "status/x.5.1"},
    StatusRow{0, 5, 2, "protocol", "status/x.5.2"},
    StatusRow{0, 5, 3, "rate_limited", "status/x.5.3", "recipients"},  // too many recipients
    StatusRow{0, 5, 4, "protocol", "status/x.5.4"},
    StatusRow{0, 5, 5, "protocol", "status/x.5.5"},
    StatusRow{0, 6, 0, "protocol", "status/x.6.0", "content"},
    StatusRow{0, 6, 1, "protocol", "status/x.6.1", "content"},
    StatusRow{0, 6, 2, "protocol", "status/x.6.2", "content"},
    StatusRow{0, 6, 3, "protocol", "status/x.6.3", "content"},
    StatusRow{0, 6, 6, "protocol", "status/x.6.6", "content"},
    StatusRow{0, 6, 7, "protocol", "status/x.6.7", "content"},  // RFC 6531
    StatusRow{0, 6, 9, "protocol", "status/x.6.9", "content"},
    StatusRow{0, 7, 0, "policy", "status/x.7.0", "access"},
    StatusRow{0, 7, 1, "policy", "status/x.7.1", "access"},
    StatusRow{0, 7, 2, "policy", "status/x.7.2", "access"},
    StatusRow{0, 7, 3, "policy", "status/x.7.3", "access"},
    StatusRow{0, 7, 8, "auth_required", "status/x.7.8", "login"},
    StatusRow{0, 7, 9, "auth_required", "status/x.7.9", "login"},
    StatusRow{0, 7, 10, "tls", "status/x.7.10"},
    StatusRow{0, 7, 11, "tls", "status/x.7.11"},
    StatusRow{0, 7, 13, "inactive", "status/x.7.13"},
    StatusRow{0, 7, 17, "unknown_user", "status/x.7.17"},   // RFC 7293: the mailbox has a new owner
    StatusRow{0, 7, 18, "unknown_user", "status/x.7.18"},   // RFC 7293: the domain has
    StatusRow{0, 7, 20, "auth_required", "status/x.7.20"},  // RFC 7372: DKIM, SPF, reverse DNS
    StatusRow{0, 7, 21, "auth_required", "status/x.7.21"},
    StatusRow{0, 7, 22, "auth_required", "status/x.7.22"},
    StatusRow{0, 7, 23, "auth_required", "status/x.7.23"},
    StatusRow{0, 7, 24, "auth_required", "status/x.7.24"},
    StatusRow{0, 7, 25, "auth_required", "status/x.7.25", "reverse_dns"},
    StatusRow{0, 7, 26, "auth_required", "status/x.7.26"},
    StatusRow{0, 7, 27, "auth_required", "status/x.7.27",
              "sender"},  // RFC 7505: our domain takes no mail
    StatusRow{0, 7, 28, "rate_limited", "status/x.7.28"},
    StatusRow{0, 7, 29, "auth_required", "status/x.7.29"},  // RFC 8617: ARC
    StatusRow{0, 7, 30, "tls", "status/x.7.30"},            // RFC 8689: REQUIRETLS
};

struct CodeRow {
  uint16_t code;
  std::string_view class_name;
  std::string_view rule;
  std::string_view detail = {};
};
constexpr std::array kCodeRows{
    CodeRow{421, "system", "code/421"},
    CodeRow{451, "system", "code/451"},
    CodeRow{452, "system", "code/452", "full"},
    CodeRow{454, "tls", "code/454"},  // RFC 3207 section 4
    CodeRow{500, "protocol", "code/500"},
    CodeRow{501, "protocol", "code/501"},
    CodeRow{502, "protocol", "code/502"},
    CodeRow{503, "protocol", "code/503"},
    CodeRow{504, "protocol", "code/504"},
    CodeRow{521, "bad_domain", "code/521", "no_mail"},  // RFC 7504: takes no mail
    CodeRow{523, "message_too_large", "code/523"},
    CodeRow{530, "auth_required", "code/530", "login"},
    CodeRow{535, "auth_required", "code/535", "login"},
    CodeRow{551, "moved", "code/551"},
    CodeRow{552, "mailbox_full", "code/552"},
    CodeRow{555, "protocol", "code/555"},
    CodeRow{556, "bad_domain", "code/556", "no_mail"},  // RFC 7504
};

// Where a status stands in kStatusRows, for those of kind 4 and 5: found without a search, since
// every reply that has a status is looked up. 255 is nowhere.
constexpr size_t kSubjects = 8;
constexpr size_t kDetails = 32;
constexpr uint8_t kNowhere = 255;
static_assert(kStatusRows.size() < kNowhere);
constexpr auto kStatusIndex = [] {
  std::array<uint8_t, 2 * kSubjects * kDetails> index{};
  index.fill(kNowhere);
  for (size_t i = kStatusRows.size(); i > 0; --i) {
    const StatusRow& row = kStatusRows[i - 1];
    for (const int kind : {4, 5}) {
      if (row.kind != 0 && row.kind != kind) continue;
      const auto place =
          (static_cast<size_t>(kind - 4) * kSubjects + static_cast<size_t>(row.subject)) *
              kDetails +
          static_cast<size_t>(row.detail);
      index[place] = static_cast<uint8_t>(i - 1);
    }
  }
  return index;
}();

const StatusRow* row_of(const StatusCode& status) {
  if (status.kind != 4 && status.kind != 5) return nullptr;
  const auto subject = static_cast<size_t>(status.subject);  // -1 becomes huge
  const auto detail = static_cast<size_t>(status.detail);
  if (subject >= kSubjects || detail >= kDetails) return nullptr;
  const uint8_t at =
      kStatusIndex[(static_cast<size_t>(status.kind - 4) * kSubjects + subject) * kDetails +
                   detail];
  return at == kNowhere ? nullptr : &kStatusRows[at];
}

}  // namespace

std::optional<ReplyVerdict> class_of_status(const StatusCode& status) {
  const StatusRow* const row = row_of(status);
  if (row == nullptr) return std::nullopt;
  return ReplyVerdict{.class_name = row->class_name,
                      .rule = row->rule,
                      .detail = row->part,
                      .confidence = kConfidenceOfStatus};
}

std::optional<ReplyVerdict> class_of_code(uint16_t code) {
  const auto found = std::ranges::find(kCodeRows, code, &CodeRow::code);
  if (found == kCodeRows.end()) return std::nullopt;
  return ReplyVerdict{.class_name = found->class_name,
                      .rule = found->rule,
                      .detail = found->detail,
                      .confidence = kConfidenceOfCode};
}

}  // namespace watchpost::feedback
