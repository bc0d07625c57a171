#pragma once
#include "dns/resolver.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::fuzz {

// DNS as an attacker may have it: for each name and type something, always the same, made from
// texts of the fuzzer's. It may lead in circles.
class MadeUpDns final : public dns::Resolver {
 public:
  MadeUpDns(std::vector<std::string> texts, IpAddress client)
      : texts_(std::move(texts)), client_(client) {}

  Async<dns::AnswerPtr> look_up(std::string name, dns::RecordType type,
                                dns::Budget& budget) override {
    ++budget.made;
    ++queries_;
    auto answer = std::make_shared<dns::Answer>();
    fill(*answer, hash(name) + static_cast<size_t>(type), type, name);
    co_return answer;
  }

  size_t queries() const { return queries_; }

 private:
  static size_t hash(std::string_view name) {
    size_t made = 14695981039346656037ULL;
    for (const char c : name) made = (made ^ static_cast<uint8_t>(c)) * 1099511628211ULL;
    return made >> 7;
  }

  std::string text(size_t at) const { return texts_.empty() ? "" : texts_[at % texts_.size()]; }

  void fill(dns::Answer& answer, size_t seed, dns::RecordType type, const std::string& name) {
    switch (seed % 8) {
      case 0: answer.outcome = dns::Outcome::no_such_name; return;
      case 1: answer.outcome = dns::Outcome::no_data; return;
      case 2:
        answer.outcome = dns::Outcome::failed;
        answer.why = "made up";
        return;
      default: answer.outcome = dns::Outcome::found;
    }
    const size_t count = seed / 8 % 13;
    if (type == dns::RecordType::txt) answer.texts.push_back(text(seed / 128));
    if (type == dns::RecordType::txt && count == 12) answer.texts.push_back(text(seed / 256));
    for (size_t i = 0; i < count; ++i) {
      if (type == dns::RecordType::mx) {
        answer.exchanges.push_back(
            {static_cast<uint16_t>(i), "h" + std::to_string(i) + "." + name});
      } else if (type == dns::RecordType::ptr) {
        answer.names.push_back("p" + std::to_string(i) + ".example");
      }
    }
    if (type == dns::RecordType::a || type == dns::RecordType::aaaa) {
      IpAddress other = client_;
      other.bytes[3] = static_cast<uint8_t>(seed / 1024);
      answer.addresses.push_back(seed / 64 % 4 == 0 ? client_ : other);
    }
  }

  std::vector<std::string> texts_;
  IpAddress client_;
  size_t queries_ = 0;
};

// The lines of an input.
inline std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < 64) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace watchpost::fuzz
