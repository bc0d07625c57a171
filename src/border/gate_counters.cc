#include "border/gate_counters.h"

#include "base/log.h"

namespace watchpost::border {

GateCounters::GateCounters(const std::string& gate, Metrics& metrics)
    : gate_(gate),
      dropped_(metrics.counter(
          "watchpost_border_events_dropped",
          "Events of the border that there was no room for, with the verdicts beside them.",
          {{"gate", gate}})),
      refused_recipients_(metrics.counter(
          "watchpost_border_recipients_refused",
          "Recipients refused before the message came, by decisions in force.", {{"gate", gate}})),
      refused_tokens_(metrics.counter("watchpost_border_release_tokens_refused",
                                      "Messages with a token of a release that was none of ours, "
                                      "or used before.",
                                      {{"gate", gate}})) {
  for (size_t i = 0; i < decided_.size(); ++i) {
    decided_[i] = &metrics.counter(
        "watchpost_border_messages", "Messages judged, by what was decided.",
        {{"gate", gate}, {"decided", std::string(name_of(static_cast<Disposition>(i)))}});
  }
  for (size_t i = 0; i < trouble_.size(); ++i) {
    trouble_[i] = &metrics.counter(
        "watchpost_border_trouble", "Messages that were answered without a verdict.",
        {{"gate", gate}, {"why", std::string(name_of(static_cast<Trouble>(i)))}});
  }
}

void GateCounters::add_waiting(const Error& why) {
  if (why.code == Code::not_found) return add_refused_token();
  log_error("border", "{}: a released message waits: {}", gate_, why.text());
}

}  // namespace watchpost::border
