#include "feedback/attribution/verp.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reports/report_text.h"
#include "model/suppression.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

namespace watchpost::feedback {
namespace {

constexpr size_t kLongestPattern = 4096;
constexpr size_t kMostGroups = 16;
constexpr size_t kMostClue = 1024;  // bytes of one value
constexpr std::array<std::string_view, 6> kGroups{"customer",  "campaign", "credential",
                                                  "recipient", "user",     "domain"};

// "kim=example.com" -> "kim@example.com": the last '=' is the one that stands for '@'.
std::string unpacked(std::string_view text) {
  std::string address(text);
  if (address.find('@') != std::string::npos) return address;
  const size_t at = address.rfind('=');
  if (at != std::string::npos) address[at] = '@';
  return address;
}

std::string value_of(const re2::StringPiece& group) {
  if (group.size() > kMostClue) return {};
  return one_line({group.data(), group.size()}, kMostClue);
}

Clue clue_of(const re2::RE2& pattern, std::span<const re2::StringPiece> found) {
  Clue clue;
  std::string user;
  std::string domain;
  for (const auto& [number, name] : pattern.CapturingGroupNames()) {
    const std::string value = value_of(found[static_cast<size_t>(number)]);
    if (name == "customer") clue.customer = value;
    if (name == "campaign") clue.campaign = value;
    if (name == "credential") clue.credential = value;
    if (name == "recipient") clue.recipient = unpacked(value);
    if (name == "user") user = value;
    if (name == "domain") domain = value;
  }
  if (clue.recipient.empty() && !user.empty() && !domain.empty()) {
    clue.recipient = fmt::format("{}@{}", user, domain);
  }
  if (suppression_key(clue.recipient).empty()) clue.recipient.clear();
  return clue;
}

}  // namespace

CluePattern::CluePattern(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
CluePattern::CluePattern(CluePattern&&) noexcept = default;
CluePattern& CluePattern::operator=(CluePattern&&) noexcept = default;
CluePattern::~CluePattern() = default;

Result<CluePattern> CluePattern::from(std::string_view pattern) {
  if (pattern.empty()) return fail(Code::bad_input, "is missing");
  if (pattern.size() > kLongestPattern) {
    return fail(Code::bad_input, fmt::format("is longer than {} bytes", kLongestPattern));
  }
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(1 << 20);
  auto made = std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!made->ok()) {
    return fail(Code::bad_input, "is not a pattern: " + escaped(made->error(), 200));
  }
  if (static_cast<size_t>(made->NumberOfCapturingGroups()) >= kMostGroups) {
    return fail(Code::bad_input, fmt::format("has {} groups or more", kMostGroups));
  }
  for (const auto& [name, number] : made->NamedCapturingGroups()) {
    if (std::ranges::find(kGroups, name) != kGroups.end()) continue;
    return fail(Code::bad_input,
                fmt::format("has a group `{}`, which is none of {}{}", escaped(name, 60),
                            fmt::join(kGroups, ", "), suggestion(name, kGroups)));
  }
  if (made->NamedCapturingGroups().empty()) {
    return fail(Code::bad_input,
                fmt::format("has no named group, as in (?P<customer>[a-z]+); they may be {}",
                            fmt::join(kGroups, ", ")));
  }
  return CluePattern(std::move(made));
}

std::optional<Clue> CluePattern::read(std::string_view text) const {
  if (text.size() > kMostText) return std::nullopt;
  std::array<re2::StringPiece, kMostGroups> found;
  const int groups = compiled_->NumberOfCapturingGroups() + 1;
  if (!compiled_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                        re2::RE2::UNANCHORED, found.data(), groups)) {
    return std::nullopt;
  }
  Clue clue = clue_of(*compiled_, found);
  if (clue.empty()) return std::nullopt;
  return clue;
}

void fields(SettingsVisitor& visit, VerpSettings& settings) {
  visit.setting({.name = "pattern",
                 .help = "RE2 pattern of a return path or ENVID, anywhere unless anchored; its "
                         "groups are named customer, campaign, credential, recipient, user, domain",
                 .required = true},
                &settings.pattern);
}

std::string verp_recipient(std::string_view return_path, std::string_view reported) {
  const size_t at = return_path.rfind('@');
  if (at == std::string_view::npos || return_path.size() > kMostClue) return {};
  const std::string_view local = return_path.substr(0, at);
  const size_t equals = local.rfind('=');
  if (equals == std::string_view::npos) return {};
  std::string wanted = suppression_key(reported);
  if (!wanted.empty()) {
    const std::string whole = unpacked(lower_ascii(local));
    if (whole == wanted) return wanted;
    if (whole.size() > wanted.size() && whole.ends_with(wanted) &&
        std::string_view("+-=_").contains(whole[whole.size() - wanted.size() - 1])) {
      return wanted;
    }
  }
  const size_t plus = local.find('+');
  if (plus == std::string_view::npos || plus > equals) return {};
  const std::string address = unpacked(local.substr(plus + 1));
  return suppression_key(address).empty() ? std::string() : address;
}

TaggedReturnPath without_batv_tag(std::string_view return_path, Time now) {
  constexpr std::string_view kMark = "prvs=";
  constexpr size_t kTag = 10;  // a digit for the key, three for the day, six of the code
  TaggedReturnPath made{.address = std::string(return_path)};
  if (!starts_with_nocase(return_path, kMark)) return made;
  const std::string_view rest = return_path.substr(kMark.size());
  if (rest.size() <= kTag || !std::string_view("=-/").contains(rest[kTag])) return made;
  const std::string_view tag = rest.substr(0, kTag);
  const auto is_hex = [](char c) {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
  };
  if (!std::ranges::all_of(tag.substr(0, 4), is_digit) ||
      !std::ranges::all_of(tag.substr(4), is_hex)) {
    return made;
  }
  made.tagged = true;
  made.address = rest.substr(kTag + 1);
  // The day on which it ends, as days since 1970 by their last three digits; tags hold a week, and
  // reports take some days more.
  const int ends = (tag[1] - '0') * 100 + (tag[2] - '0') * 10 + (tag[3] - '0');
  const auto today = std::chrono::floor<std::chrono::days>(now.time_since_epoch()).count();
  const int ahead = static_cast<int>(((ends - today) % 1000 + 1000) % 1000);
  constexpr int kLongestTag = 14;
  made.stale = ahead > kLongestTag;
  return made;
}

}  // namespace watchpost::feedback
