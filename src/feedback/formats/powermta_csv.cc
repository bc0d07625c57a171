#include "feedback/formats/powermta_csv.h"

#include "base/ascii.h"
#include "feedback/formats/csv_lines.h"
#include "feedback/formats/postfix_reply.h"
#include "feedback/formats/powermta_layout.h"
#include "feedback/formats/powermta_text.h"
#include "feedback/formats/saved_bytes.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr std::string_view kNullSender = "<>";
constexpr std::string_view kSavedKind = "powermta1";
constexpr size_t kRecordBytes = 64 * 1024;
constexpr size_t kLongestValue = 1024;  // bytes; a longer one names nothing
constexpr size_t kLongestReply = 2048;

using Column = PowermtaColumn;
using Layout = PowermtaLayout;
using Row = PowermtaRow;

// ARF (RFC 5965 section 3.1 and its registry). Nothing for a report that is no complaint.
std::optional<EventKind> kind_of_feedback(std::string_view type) {
  if (equal_nocase(type, "not-spam")) return EventKind::complaint_withdrawn;
  if (equal_nocase(type, "opt-out") || equal_nocase(type, "opt-out-list")) {
    return EventKind::unsubscribed;
  }
  if (equal_nocase(type, "auth-failure") || equal_nocase(type, "dkim")) return std::nullopt;
  return EventKind::complained;
}

bool is_expired(const Row& row) {
  // RFC 3463 section 3.5: delivery time expired.
  return equal_nocase(row[Column::bounce_cat], kMessageExpired) ||
         powermta_status(row[Column::dsn_status]).status.ends_with(".4.7");
}

// Nothing for what is known and tells nothing new.
std::optional<EventKind> kind_of_remote(const Row& row) {
  const std::string_view action = row[Column::dsn_action];
  if (equal_nocase(action, "delayed")) return EventKind::deferred;
  if (equal_nocase(action, "failed")) return EventKind::bounced;
  const std::string_view status = row[Column::dsn_status];
  if (!action.empty() || status.empty()) return std::nullopt;
  if (status.front() == '4') return EventKind::deferred;
  return status.front() == '5' ? std::optional(EventKind::bounced) : std::nullopt;
}

struct Kind {
  std::optional<EventKind> kind;
  std::string_view unread;  // why there is none; empty where that is as it should be
};
Kind kind_of(PowermtaRecord record, const Row& row) {
  switch (record) {
    case PowermtaRecord::delivery: return {EventKind::delivered};
    case PowermtaRecord::bounce: return {is_expired(row) ? EventKind::expired : EventKind::bounced};
    case PowermtaRecord::transient:
    case PowermtaRecord::transient_queue: return {EventKind::deferred};
    case PowermtaRecord::receipt: return {EventKind::accepted};
    case PowermtaRecord::feedback_loop:
      return {kind_of_feedback(row[Column::feedback_type]), "no_complaint"};
    case PowermtaRecord::remote_bounce: {
      const auto kind = kind_of_remote(row);
      return {kind ? *kind : EventKind::bounced};
    }
    case PowermtaRecord::remote_status: return {kind_of_remote(row)};
  }
  return {};
}

bool has_reply(EventKind kind) {
  return kind == EventKind::delivered || kind == EventKind::deferred ||
         kind == EventKind::bounced || kind == EventKind::expired;
}

double seconds_between(const Row& row, Time at) {
  if (const auto queued = powermta_time(row[Column::time_queued])) {
    return std::max(0.0, std::chrono::duration<double>(at - *queued).count());
  }
  uint32_t seconds = 0;
  const std::string_view text = row[Column::seconds_queued];
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds;
}

std::string_view within_brackets(std::string_view id) {
  return id.size() > 2 && id.front() == '<' && id.back() == '>' ? id.substr(1, id.size() - 2) : id;
}

// "example.com/vmta-7" -> "example.com".
std::string_view domain_of_queue(std::string_view queue) {
  return queue.substr(0, queue.find('/'));
}

}  // namespace

struct PowermtaCsv::State {
  State(const Classifier& rules, std::string source, PowermtaColumns wanted, size_t longest_line)
      : classifier(rules),
        source_name(std::move(source)),
        columns(std::move(wanted)),
        csv({.longest_line = longest_line, .record_bytes = kRecordBytes}) {}

  const Classifier& classifier;
  std::string source_name;
  PowermtaColumns columns;
  CsvLines csv;
  std::string header;  // as it is kept: names with a comma between them
  std::optional<Layout> layout;
  Unread unread;

  bool take_header();
  void note_dropped() {
    if (!csv.dropped_because().empty()) unread.count(csv.dropped_because(), csv.dropped());
  }
  void record(std::string_view sample, const Hash128& line_id, EventBatch& into);
  bool fits(std::string_view sample);
  void fill(Event& event, const Row& row, EventBatch& into) const;
  void fill_reply(Event& event, const Row& row, EventBatch& into) const;
};

// Where the record is a header, its names hold from here on.
bool PowermtaCsv::State::take_header() {
  const auto names = csv.fields();
  if (!Layout::is_header(names.front())) return false;
  auto made = Layout::from(names, columns);
  if (!made) {
    unread.count("bad_header", names.front());
    layout.reset();
    header.clear();
    return true;
  }
  layout = std::move(*made);
  header.clear();
  SavedBytes kept(header);
  for (const std::string_view name : names) kept.text(name);
  return true;
}

bool PowermtaCsv::State::fits(std::string_view sample) {
  const auto values = csv.fields();
  if (!layout) {
    unread.count("no_header", sample);
    return false;
  }
  const bool whole = values.size() >= layout->count &&
                     std::ranges::all_of(values.subspan(layout->count), &std::string_view::empty);
  if (!whole) unread.count("wrong_columns", sample);
  return whole;
}

void PowermtaCsv::State::record(std::string_view sample, const Hash128& line_id, EventBatch& into) {
  const auto values = csv.fields();
  if (values.size() == 1 && values.front().empty()) return;
  if (take_header() || !fits(sample)) return;
  const Row row(*layout, values);
  const auto type = powermta_record(row[Column::type]);
  if (!type) return unread.count("unknown_type", sample);
  const auto at = powermta_time(row[Column::time_logged]);
  if (!at) return unread.count("bad_time", sample);
  const auto [kind, because] = kind_of(*type, row);
  if (!kind) {
    if (!because.empty()) unread.count(because, sample);
    return;
  }
  Event& event = into.add();
  event.id = line_id;
  event.at = *at;
  event.kind = *kind;
  fill(event, row, into);
  if (has_reply(*kind)) fill_reply(event, row, into);
}

void PowermtaCsv::State::fill(Event& event, const Row& row, EventBatch& into) const {
  const auto set = [&](Field field, std::string_view value) {
    if (value.size() <= kLongestValue) event[field] = into.keep(value);
  };
  set(Field::source, source_name);
  set(Field::service, row[Column::vmta]);
  set(Field::message_id, within_brackets(row[Column::message_id]));
  set(Field::sender, row[Column::orig]);
  if (event[Field::sender].empty() && row.has(Column::orig) && has_reply(event.kind)) {
    event[Field::sender] = kNullSender;
  }
  set(Field::recipient, row[Column::rcpt]);
  if (event[Field::recipient].empty()) set(Field::recipient, row[Column::jmr_rcpt]);
  if (event[Field::recipient].empty()) {
    set(Field::recipient_domain, domain_of_queue(row[Column::queue]));
  }
  set(Field::original_recipient, without_type(row[Column::orcpt]));
  set(Field::customer, row.first_of(row.layout().customer));
  set(Field::campaign, row.first_of(row.layout().campaign));
  set(Field::credential, row.first_of(row.layout().credential));
  set(Field::source_ip, row[Column::dlv_source_ip]);
  const std::string_view client = powermta_host(row[Column::src_mta]).ip;
  set(Field::client_ip, client.empty() ? row[Column::rcv_source_ip] : client);
  event.delay = event.kind == EventKind::accepted ? 0 : seconds_between(row, event.at);
  const std::string_view size = row[Column::dlv_size];
  std::from_chars(size.data(), size.data() + size.size(), event.size);
}

void PowermtaCsv::State::fill_reply(Event& event, const Row& row, EventBatch& into) const {
  const PowermtaStatus status = powermta_status(row[Column::dsn_status]);
  const std::string_view said = without_type(row[Column::dsn_diag]);
  const std::string_view text = said.empty() ? status.words : said;
  const SmtpReply reply = read_smtp_reply(text);
  event[Field::reply] = into.keep(text.substr(0, kLongestReply));
  event.reply_code = reply.code;
  const std::string_view enhanced = status.status.empty() ? reply.status : status.status;
  if (enhanced.size() <= kLongestValue) event[Field::status] = into.keep(enhanced);
  const PowermtaHost peer = powermta_host(row[Column::dsn_mta]);
  const std::string_view ip = peer.ip.empty() ? row[Column::dlv_destination_ip] : peer.ip;
  if (peer.name.size() <= kLongestValue) {
    event[Field::peer_host] = into.keep(without_type(peer.name));
  }
  if (ip.size() <= kLongestValue) event[Field::peer_ip] = into.keep(ip);
  if (event.kind == EventKind::delivered) return;
  const ReplyVerdict verdict = classifier.classify(reply_of(event));
  event[Field::class_] = verdict.class_name;
  event[Field::class_rule] = verdict.rule;
  // What the server said goes before what PowerMTA made of it.
  const PowermtaCategory& category = powermta_category(row[Column::bounce_cat]);
  if (verdict.class_name != "unclassified" || category.class_name.empty()) return;
  event[Field::class_] = category.class_name;
  event[Field::class_rule] = category.rule;
}

PowermtaCsv::PowermtaCsv(const Classifier& classifier, std::string source_name,
                         const PowermtaColumns& columns, size_t longest_line)
    : state_(std::make_unique<State>(classifier, std::move(source_name), columns, longest_line)) {}
PowermtaCsv::PowermtaCsv(PowermtaCsv&&) noexcept = default;
PowermtaCsv::~PowermtaCsv() = default;

void PowermtaCsv::line(std::string_view text, const Hash128& line_id, EventBatch& into) {
  const auto outcome = state_->csv.line(text);
  state_->note_dropped();
  if (outcome == CsvLines::Outcome::record) state_->record(text, line_id, into);
}

void PowermtaCsv::pass_over(std::string_view text) {
  const auto outcome = state_->csv.line(text);
  if (outcome == CsvLines::Outcome::record) state_->take_header();
}

void PowermtaCsv::begin_file() {
  state_->csv.begin_file();
  state_->note_dropped();
}

bool PowermtaCsv::knows_columns() const { return state_->layout.has_value(); }

std::string PowermtaCsv::save() const {
  std::string saved(kSavedKind);
  SavedBytes out(saved);
  out.text(state_->header);
  out.text(state_->csv.save());
  return saved;
}

Result<Done> PowermtaCsv::restore(std::string_view saved) {
  const auto corrupt = [] {
    return fail(Code::corrupt, "is not the state of a PowerMTA accounting file");
  };
  if (!saved.starts_with(kSavedKind)) return corrupt();
  SavedReader in(saved.substr(kSavedKind.size()));
  const std::string_view header = in.text(2 * kRecordBytes);
  const std::string_view open = in.text(2 * kRecordBytes);
  if (!in.good() || !in.at_end()) return corrupt();
  std::vector<std::string_view> names;
  SavedReader kept(header);
  while (kept.good() && !kept.at_end() && names.size() <= Layout::kMostColumns) {
    names.push_back(kept.text(kRecordBytes));
  }
  std::optional<Layout> layout;
  if (!header.empty()) {
    if (!kept.good() || !kept.at_end() || !Layout::is_header(names.front())) return corrupt();
    layout = Layout::from(names, state_->columns);
    if (!layout) return corrupt();
  }
  if (const auto restored = state_->csv.restore(open); !restored) return restored;
  state_->layout = std::move(layout);
  state_->header = header;
  return Done{};
}

const Unread& PowermtaCsv::unread() const { return state_->unread; }

}  // namespace watchpost::feedback
