#include "border/gate_counters.h"

namespace watchpost::border {

GateCounters::GateCounters(const std::string& gate, Metrics& metrics)
    : dropped_(metrics.counter(
          "watchpost_border_events_dropped",
          "Events of the border that there was no room for, with the verdicts beside them.",
          {{"gate", gate}})),
      refused_recipients_(metrics.counter(
          "watchpost_border_recipients_refused",
          "Recipients refused before the message came, by decisions in force.", {{"gate", gate}})),
      refused_tokens_(metrics.counter("watchpost_border_release_tokens_refused",
                                      "Messages with a token of a release that was none of ours, "
                                      "or used before: they were judged as any other.",
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

}  // namespace watchpost::border
