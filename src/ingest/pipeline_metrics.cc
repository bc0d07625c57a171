#include "ingest/pipeline_metrics.h"

#include <algorithm>
#include <chrono>
#include <ranges>

namespace watchpost::ingest {

PipelineMetrics::PipelineMetrics(Metrics& metrics)
    : metrics_(metrics),
      duplicates_(
          metrics.counter("watchpost_duplicate_events",
                          "Events and mail kept for people that were read again and not counted.")),
      failures_(metrics.counter("watchpost_commit_failures", "Commits that the store refused.")),
      late_(metrics.counter("watchpost_late_events", "Events too late to be counted.")),
      evicted_(
          metrics.counter("watchpost_evicted_streams", "Streams dropped from memory for room.")),
      lag_(metrics.gauge("watchpost_event_lag_seconds",
                         "From the time of the newest event to its commit.")),
      waiting_(metrics.gauge("watchpost_waiting_events", "Events that wait for the pipeline.")),
      streams_(metrics.gauge("watchpost_streams", "Streams with counters in memory.")),
      bytes_(metrics.gauge("watchpost_stream_bytes", "Memory of all counters.")),
      open_incidents_(metrics.gauge("watchpost_open_incidents", "Incidents that are open.")),
      storing_(metrics.gauge("watchpost_storing",
                             "Whether the store takes what is decided and read (1) or not (0).")),
      counting_(metrics.gauge("watchpost_counting",
                              "Whether the counters of before the start are there (1) or are "
                              "still being read, and nothing is taken in meanwhile (0).")),
      automation_(metrics.gauge("watchpost_automation",
                                "Whether detectors may take measures (1) or the kill switch lets "
                                "them only propose (0).")),
      proposed_(metrics.gauge("watchpost_decisions_proposed", "Decisions that wait for a person.")),
      forgotten_(metrics.gauge("watchpost_forgotten_event_ids",
                               "Event ids dropped before a day was over.")),
      kept_mail_(metrics.gauge("watchpost_kept_mail",
                               "Mail that was not understood and is kept for people.")),
      removed_mail_(metrics.counter("watchpost_kept_mail_removed",
                                    "Mail that was not understood and went unseen for want of "
                                    "room, since the store was made.")),
      seconds_(metrics.histogram("watchpost_commit_seconds", "Time that a commit takes.")) {
  storing_.set(1);
  for (const MeasureKind kind :
       {MeasureKind::throttle, MeasureKind::hold, MeasureKind::suspend, MeasureKind::block}) {
    in_force_[kind] = &metrics.gauge("watchpost_decisions_in_force", "Measures in force.",
                                     {{"measure", std::string(name_of(kind))}});
  }
}

void PipelineMetrics::show(const store::KeptMailRoom& room) {
  kept_mail_.set(static_cast<double>(room.kept));
  const uint64_t shown = removed_mail_.value();
  if (room.removed.mails > shown) removed_mail_.add(room.removed.mails - shown);
}

void PipelineMetrics::event(std::string_view source, EventKind kind) {
  auto found = events_.find(source);
  if (found == events_.end()) found = events_.emplace(source, ByKind{}).first;
  Counter*& counter = found->second[static_cast<size_t>(kind)];
  if (counter == nullptr) {
    counter =
        &metrics_.counter("watchpost_events", "Events taken in.",
                          {{"source", std::string(source)}, {"kind", std::string(name_of(kind))}});
  }
  counter->add();
}

void PipelineMetrics::committed(const Step& step, double seconds, Time now) {
  storing_.set(1);
  seconds_.observe(seconds);
  if (!step.events.empty()) {
    const Time newest = std::ranges::max(step.events, {}, &Event::at).at;
    lag_.set(std::chrono::duration<double>(now - newest).count());
  }
  for (const Decision& decision : step.decisions | std::views::values) {
    metrics_
        .counter("watchpost_decisions", "Changes of decisions.",
                 {{"measure", std::string(name_of(decision.measure.kind))},
                  {"state", std::string(name_of(decision.state))}})
        .add();
  }
  for (const ShadowDecision& decision : step.shadow) {
    metrics_
        .counter("watchpost_decisions", "Changes of decisions.",
                 {{"measure", std::string(name_of(decision.measure.kind))}, {"state", "shadow"}})
        .add();
  }
  const auto lifted = static_cast<size_t>(
      std::ranges::count(step.suppressions | std::views::values, true, &Suppression::lifted));
  suppressed("lifted", std::min(lifting_by_hand_, lifted));
  suppressed("taken_back", lifted - std::min(lifting_by_hand_, lifted));
}

void PipelineMetrics::suppressed(std::string_view how, size_t count) {
  if (count == 0) return;
  metrics_
      .counter("watchpost_suppressions_changed",
               "What people added to the list or lifted, and what was taken back with its cause.",
               {{"how", std::string(how)}})
      .add(count);
}

void PipelineMetrics::show(const decide::Decider& decider, Time now) {
  automation_.set(decider.automation() ? 1 : 0);
  open_incidents_.set(static_cast<double>(std::ranges::count(
      decider.incidents() | std::views::values, IncidentState::open, &Incident::state)));
  std::map<MeasureKind, size_t> in_force;
  size_t proposed = 0;
  for (const Decision& decision : decider.decisions() | std::views::values) {
    proposed += decision.state == DecisionState::proposed ? 1 : 0;
    if (decision.in_force(now)) ++in_force[decision.measure.kind];
  }
  proposed_.set(static_cast<double>(proposed));
  for (const auto& [kind, gauge] : in_force_) gauge->set(static_cast<double>(in_force[kind]));
}

void PipelineMetrics::show(const detect::WatchStats& stats, size_t waiting,
                           uint64_t forgotten_early) {
  late_.add(stats.late - std::min(stats.late, late_.value()));
  evicted_.add(stats.evicted - std::min(stats.evicted, evicted_.value()));
  streams_.set(static_cast<double>(stats.streams));
  bytes_.set(static_cast<double>(stats.bytes));
  waiting_.set(static_cast<double>(waiting));
  forgotten_.set(static_cast<double>(forgotten_early));
}

}  // namespace watchpost::ingest
