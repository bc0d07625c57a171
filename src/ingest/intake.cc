#include "ingest/intake.h"

#include "feedback/formats/event_json.h"
#include "ingest/feedback_reader.h"
#include "ingest/format.h"
#include "ingest/line_buffer.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace watchpost::ingest {
namespace {

constexpr size_t kRefusedShown = 100;

}  // namespace

Intake::Intake(EventSink& sink, const SourceContext& context, const suppress::List* suppressed)
    : sink_(sink), context_(context), suppressed_(suppressed) {
  status_.state = "receiving";
}

void Intake::Reading::refuse(uint64_t line, const Error& error) {
  ++receipt.refused_total;
  if (receipt.refused.size() < kRefusedShown) receipt.refused.push_back({line, error.text()});
}

void Intake::take(std::string_view sender, std::string_view body,
                  std::function<void(Result<IntakeReceipt>)> answer) {
  Reading reading{.arrival = {.source = std::string(sender)}};
  EventBatch& events = reading.arrival.events;
  feedback::EventJsonReader reader(context_.classifier, reading.arrival.source);
  // The same body sent again by the same sender is the same events.
  const Hash128 generation = hash128(body, hash64(sender));
  for (size_t at = 0; at < body.size();) {
    const size_t end = std::min(body.find('\n', at), body.size());
    Line line{.text = body.substr(at, end - at), .offset = at};
    at = end + 1;
    ++reading.lines;
    if (line.text.ends_with('\r')) line.text.remove_suffix(1);
    if (line.text.find_first_not_of(" \t") == std::string_view::npos) continue;
    const size_t before = events.size();
    const auto read = reader.read(line.text, line_id(generation, line), events);
    if (read) continue;
    while (events.size() > before) events.drop_last();
    reading.unread.count("bad_event", line.text);
    reading.refuse(reading.lines, read.error());
  }
  deliver(std::move(reading), std::move(answer));
}

void Intake::take_kumomta(std::string_view sender, const feedback::KumomtaNames& names,
                          std::string_view body,
                          std::function<void(Result<IntakeReceipt>)> answer) {
  Reading reading{.arrival = {.source = std::string(sender)}};
  auto log = feedback::KumomtaLog::with(context_.classifier, reading.arrival.source, names);
  if (!log) return answer(fail(log.error()));
  const uint64_t seed = hash64(sender);
  feedback::each_record(body, [&](size_t number, std::string_view record) {
    reading.lines = number;
    const auto read = log->record(record, hash128(record, seed), reading.arrival.events);
    if (!read) reading.refuse(number, {read.error().code, read.error().what, {}});
  });
  reading.unread = log->unread();
  deliver(std::move(reading), std::move(answer));
}

void Intake::note(const Reading& reading) {
  const std::lock_guard lock(mutex_);
  status_.lines += reading.lines;
  status_.events += reading.arrival.events.size();
  for (const Event& event : reading.arrival.events.events()) {
    status_.last_event_at = std::max(status_.last_event_at.value_or(event.at), event.at);
  }
  for (const auto& [reason, what] : reading.unread.by_reason()) {
    auto& known = status_.unread[reason];
    known.count += what.count;
    known.samples = what.samples;
  }
}

void Intake::deliver(Reading reading, std::function<void(Result<IntakeReceipt>)> answer) {
  EventBatch& events = reading.arrival.events;
  map_events(context_.mapping, events, 0);
  check_clock(events, 0, context_.clock.now());
  reading.receipt.accepted = events.size();
  note(reading);
  if (events.empty()) return answer(std::move(reading.receipt));
  // Both the pipeline and a refusal below may come to answer; only one of them does.
  const auto reply =
      std::make_shared<std::function<void(Result<IntakeReceipt>)>>(std::move(answer));
  reading.arrival.settled = [reply,
                             receipt = std::move(reading.receipt)](const Result<Done>& done) {
    if (done) return (*reply)(receipt);
    (*reply)(fail(done.error()));
  };
  if (!sink_.deliver(std::move(reading.arrival))) {
    (*reply)(fail(Code::unavailable, "Watchpost is shutting down: send it again later"));
  }
}

void Intake::take_one_click(std::string_view token, std::function<void(Result<OneClick>)> answer) {
  std::string_view why = "no key for tokens is configured";
  std::optional<Arrival> arrival;
  if (context_.feedback != nullptr) {
    arrival = context_.feedback->one_click(token, "one-click", context_.clock.now(), why);
  }
  if (!arrival) {
    const Code code = why == FeedbackReader::kNobody ? Code::bad_input : Code::refused;
    return answer(fail(code, std::string(why)));
  }
  const Event& asked = std::as_const(arrival->events).events().front();
  const auto reply = std::make_shared<std::function<void(Result<OneClick>)>>(std::move(answer));
  arrival->settled = [this, reply, customer = std::string(asked[Field::customer]),
                      recipient = std::string(asked[Field::recipient])](const Result<Done>& done) {
    if (!done) return (*reply)(fail(done.error()));
    const Time now = context_.clock.now();
    (*reply)(OneClick{suppressed_ != nullptr && suppressed_->holding(customer, recipient, now)});
  };
  if (!sink_.deliver(std::move(*arrival))) {
    (*reply)(fail(Code::unavailable, "Watchpost is stopping"));
  }
}

SourceStatus Intake::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace watchpost::ingest
