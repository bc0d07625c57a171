#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace watchpost::ingest {

// A mail where it lies in a Maildir.
struct PutMail {
  int64_t put_ns = 0;  // when it was put there (its inode's change), ns since 1970
  uint64_t name = 0;   // hash of the part of its name that stays when flags are set
  auto operator<=>(const PutMail&) const = default;
};

// How many mails, and the sum of their names: equal where they are the same ones.
struct MailSum {
  uint64_t count = 0;
  uint64_t names = 0;
  bool operator==(const MailSum&) const = default;
};

// Which mails of a Maildir were read, whatever the clock said when they were put there: each one
// that still lies there is known by its name.
//   Use:     begin_round(); for each mail that lies there seen(), and where that says no is_read();
//            end_round(). add() what was read.
//   Owns:    some 50 bytes for each mail, up to `most` of them. Of what lies there beyond, all that
//            is older than the newest thousands is taken for read: crowded() says so.
//   Threads: none inside.
class MaildirPlace {
 public:
  static constexpr size_t kMostKnown = 1'000'000;
  explicit MaildirPlace(size_t most = kMostKnown) : most_(most) {}

  // `entry`: hash of all of its name and of the folder in which it lies.
  bool seen(uint64_t name, uint32_t entry);
  bool is_read(const PutMail& mail, uint32_t entry);
  void add(const PutMail& mail, uint32_t entry);
  void begin_round();
  // All that lies there was seen: what was not, twice in a row, is forgotten.
  void end_round();

  bool crowded() const { return known_.size() >= most_; }
  size_t known() const { return known_.size(); }
  // For a start from here; see MaildirPast. True once after each change.
  std::string text() const;
  bool changed() const { return changed_; }
  void told() { changed_ = false; }

 private:
  struct Known {
    int64_t put_ns;
    uint32_t entry;
    uint32_t round;
  };
  void note(const PutMail& mail);
  void settle(const PutMail& mail);
  void forget(const PutMail& mail);

  size_t most_;
  uint32_t round_ = 0;
  size_t seen_ = 0;  // in this round
  bool changed_ = false;
  std::unordered_map<uint64_t, Known> known_;
  std::set<PutMail> recent_;  // the newest; a position holds their names
  PutMail settled_to_;        // up to here none is in `recent_`
  std::map<int64_t, MailSum> hours_;
};

// A place in a Maildir as an earlier run left it.
//   Rules:   the newest mails are known by their names. Those before are known together, by spans
//   of
//            time: where not the very same mails lie that were read, nobody knows which of them
//            were, and all of that span are read again. So no mail is left out because a clock went
//            back or the folder is another one; and of one that was only moved nothing is.
class MaildirPast {
 public:
  // Nothing where it is none. Of the form of earlier versions, too, which knew mails before the
  // newest by their time alone: what lies there from before is taken for read, as they did.
  static std::optional<MaildirPast> parse(std::string_view text);

  // For each of all mails that lie there whether it was read.
  std::vector<bool> read_among(std::span<const PutMail> there) const;
  // Whether the mail lies before the newest that was read.
  bool is_before(const PutMail& mail) const { return mail <= settled_to_; }
  bool of_an_earlier_version() const { return unchecked_; }

 private:
  struct Span {
    int64_t first = 0;  // hours since 1970
    int64_t last = 0;   // and in it
    MailSum sum;
  };
  bool parse_first(std::span<const std::string_view> words);
  bool parse_span(std::string_view word);
  const Span* span_of(const PutMail& mail) const;

  std::unordered_set<uint64_t> recent_;
  PutMail settled_to_;
  std::vector<Span> spans_;  // in their order
  bool unchecked_ = false;
};

}  // namespace watchpost::ingest
