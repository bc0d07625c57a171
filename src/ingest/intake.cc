#include "ingest/intake.h"

#include "feedback/formats/event_json.h"
#include "ingest/format.h"
#include "ingest/line_buffer.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace watchpost::ingest {
namespace {

constexpr size_t kRefusedShown = 100;

}  // namespace

Intake::Intake(EventSink& sink, const SourceContext& context) : sink_(sink), context_(context) {
  status_.state = "receiving";
}

void Intake::take(std::string_view sender, std::string_view body,
                  std::function<void(Result<IntakeReceipt>)> answer) {
  Arrival arrival{.source = std::string(sender)};
  feedback::EventJsonReader reader(context_.classifier, arrival.source);
  feedback::Unread unread;
  IntakeReceipt receipt;
  // The same body sent again by the same sender is the same events.
  const Hash128 generation = hash128(body, hash64(sender));
  uint64_t number = 0;
  for (size_t at = 0; at < body.size();) {
    const size_t end = std::min(body.find('\n', at), body.size());
    Line line{.text = body.substr(at, end - at), .offset = at};
    at = end + 1;
    ++number;
    if (line.text.ends_with('\r')) line.text.remove_suffix(1);
    if (line.text.find_first_not_of(" \t") == std::string_view::npos) continue;
    const size_t before = arrival.events.size();
    const auto read = reader.read(line.text, line_id(generation, line), arrival.events);
    if (read) continue;
    while (arrival.events.size() > before) arrival.events.drop_last();
    unread.count("bad_event", line.text);
    ++receipt.refused_total;
    if (receipt.refused.size() < kRefusedShown) {
      receipt.refused.push_back({number, read.error().text()});
    }
  }
  map_events(context_.mapping, arrival.events, 0);
  check_clock(arrival.events, 0, context_.clock.now());
  receipt.accepted = arrival.events.size();
  {
    const std::lock_guard lock(mutex_);
    status_.lines += number;
    status_.events += arrival.events.size();
    for (const Event& event : arrival.events.events()) {
      status_.last_event_at = std::max(status_.last_event_at.value_or(event.at), event.at);
    }
    for (const auto& [reason, what] : unread.by_reason()) {
      auto& known = status_.unread[reason];
      known.count += what.count;
      known.samples = what.samples;
    }
  }
  if (arrival.events.empty()) return answer(std::move(receipt));
  // Both the pipeline and a refusal below may come to answer; only one of them does.
  const auto reply =
      std::make_shared<std::function<void(Result<IntakeReceipt>)>>(std::move(answer));
  arrival.settled = [reply, receipt = std::move(receipt)](const Result<Done>& done) {
    if (done) return (*reply)(receipt);
    (*reply)(fail(done.error()));
  };
  if (!sink_.deliver(std::move(arrival))) {
    (*reply)(fail(Code::unavailable, "Watchpost is shutting down: send it again later"));
  }
}

SourceStatus Intake::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace watchpost::ingest
