#include "border/milter/counters.h"

namespace watchpost::border {
namespace {

constexpr std::array kAnswers{"proceed", "reject", "tempfail", "discard"};  // by Answer::Kind

Counter& closed(Metrics& metrics, const std::string& milter, const char* cause) {
  return metrics.counter("watchpost_milter_closed",
                         "Connections of mail servers that were closed on them, by cause.",
                         {{"milter", milter}, {"cause", cause}});
}
Counter& trouble(Metrics& metrics, const std::string& milter, const char* cause) {
  return metrics.counter("watchpost_milter_trouble",
                         "Messages that were answered without a verdict, by cause.",
                         {{"milter", milter}, {"cause", cause}});
}
Counter& left_out(Metrics& metrics, const std::string& milter, const char* what) {
  return metrics.counter("watchpost_milter_left_out",
                         "Parts of answers that could not be sent, or that the mail server does "
                         "not offer to do.",
                         {{"milter", milter}, {"what", what}});
}
std::array<Counter*, 4> by_answer(Metrics& metrics, const std::string& milter, const char* family,
                                  const char* help) {
  std::array<Counter*, 4> made{};
  for (size_t i = 0; i < made.size(); ++i) {
    made[i] = &metrics.counter(family, help, {{"milter", milter}, {"answer", kAnswers[i]}});
  }
  return made;
}
std::array<Counter*, kGarbageKinds> by_garbage(Metrics& metrics, const std::string& milter) {
  std::array<Counter*, kGarbageKinds> made{};
  for (size_t i = 0; i < made.size(); ++i) {
    made[i] = &metrics.counter(
        "watchpost_milter_garbage",
        "Connections closed because they did not speak the protocol, by what was wrong.",
        {{"milter", milter}, {"reason", std::string(name_of(static_cast<Garbage>(i)))}});
  }
  return made;
}

void add_difference(const std::array<Counter*, 4>& to, const std::array<uint64_t, 4>& now,
                    const std::array<uint64_t, 4>& seen) {
  for (size_t i = 0; i < to.size(); ++i) {
    if (now[i] != seen[i]) to[i]->add(now[i] - seen[i]);
  }
}

}  // namespace

MilterCounters::MilterCounters(Metrics& metrics, const std::string& milter)
    : connections(metrics.counter("watchpost_milter_connections", "Connections of mail servers.",
                                  {{"milter", milter}})),
      open(metrics.gauge("watchpost_milter_connections_open",
                         "Connections of mail servers that are open.", {{"milter", milter}})),
      memory(metrics.gauge("watchpost_milter_message_memory_bytes",
                           "Held by messages being received or judged.", {{"milter", milter}})),
      latency(metrics.histogram("watchpost_milter_latency_seconds",
                                "From the end of a message to its answer.", {{"milter", milter}})),
      too_many(closed(metrics, milter, "too_many_connections")),
      idle(closed(metrics, milter, "idle")),
      too_slow(closed(metrics, milter, "too_slow")),
      vanished(closed(metrics, milter, "vanished")),
      deadline_missed(trouble(metrics, milter, "deadline")),
      unanswered(trouble(metrics, milter, "unanswered")),
      late(metrics.counter("watchpost_milter_late_answers",
                           "Verdicts that came after the deadline, and were dropped.",
                           {{"milter", milter}})),
      messages_(metrics.counter("watchpost_milter_messages", "Messages that came whole.",
                                {{"milter", milter}})),
      not_looked_at_(metrics.counter("watchpost_milter_not_looked_at",
                                     "Connections whose mail is not looked at.",
                                     {{"milter", milter}})),
      overloads_(trouble(metrics, milter, "overload")),
      unsendable_(trouble(metrics, milter, "unsendable")),
      texts_left_out_(left_out(metrics, milter, "reply_text")),
      changes_left_out_(left_out(metrics, milter, "header_change")),
      removals_put_off_(left_out(metrics, milter, "recipient_removal")),
      at_recipients_(by_answer(metrics, milter, "watchpost_milter_recipient_answers",
                               "Answers at recipients, by what they were.")),
      at_ends_(by_answer(metrics, milter, "watchpost_milter_answers",
                         "Answers to whole messages, by what they were.")),
      garbage_(by_garbage(metrics, milter)) {}

void MilterCounters::add(const MilterSession::Counts& now, MilterSession::Counts& seen) {
  if (now == seen) return;
  add_difference(at_recipients_, now.at_recipients, seen.at_recipients);
  add_difference(at_ends_, now.at_ends, seen.at_ends);
  messages_.add(now.messages - seen.messages);
  not_looked_at_.add(now.connections_not_looked_at - seen.connections_not_looked_at);
  overloads_.add(now.overloads - seen.overloads);
  unsendable_.add(now.unsendable - seen.unsendable);
  texts_left_out_.add(now.texts_left_out - seen.texts_left_out);
  changes_left_out_.add(now.changes_left_out - seen.changes_left_out);
  removals_put_off_.add(now.removals_put_off - seen.removals_put_off);
  seen = now;
}

}  // namespace watchpost::border
